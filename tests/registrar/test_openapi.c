/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about docs/openapi.json: its words are those of the code's tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "registrar/capf/records.h"
#include "registrar/capf/rollover.h"
#include "registrar/capf/status.h"
#include "registrar/config.h"
#include "registrar/device.h"
#include "registrar/failures.h"
#include "registrar/history.h"
#include "registrar/http/problem.h"
#include "registrar/impact.h"
#include "registrar/overload.h"
#include "registrar/reason.h"
#include "registrar/status/openapi.h"
#include "registrar/status/phone.h"
#include "registrar/tls/offer.h"
#include "registrar/tls/resume.h"
#include "trust/revocation.h"
#include "trust/verdict.h"

static json_t *file;

static int read_file(void **state)
{
	file = json_loads(openapi_json, 0, NULL);
	return file ? 0 : -1;
}

static int forget_file(void **state)
{
	json_decref(file);
	return 0;
}

/* What stands at a/b/0/c of a schema. */
static const json_t *at(const char *path)
{
	const json_t *o =
		json_object_get(json_object_get(file, "components"), "schemas");
	char *copy = strdup(path), *rest = copy, *word;
	while ((word = strsep(&rest, "/"))) {
		o = json_is_array(o) ? json_array_get(o, (size_t)atoi(word))
				     : json_object_get(o, word);
		if (!o)
			fail_msg("%s: there is no %s", path, word);
	}
	free(copy);
	return o;
}

/* The texts of a list, or the keys of an object. */
static bool has(const json_t *o, const char *word)
{
	size_t i;
	json_t *one;
	if (json_is_object(o))
		return json_object_get(o, word);
	json_array_foreach((json_t *)o, i, one)
	{
		if (json_is_string(one) &&
			strcmp(json_string_value(one), word) == 0)
			return true;
	}
	return false;
}

/* The same words, whatever their order. */
static void same(const char *path, const char *const *words, size_t n)
{
	const json_t *o = at(path);
	size_t there =
		json_is_object(o) ? json_object_size(o) : json_array_size(o);
	for (size_t i = 0; i < n; i++)
		if (!has(o, words[i]))
			fail_msg("%s lacks %s", path, words[i]);
	if (there != n)
		fail_msg("%s has %zu words, the code %zu", path, there, n);
}

/* By a function that names numbers. */
#define SAME(path, type, function, first, end)                    \
	do {                                                      \
		const char *words[64];                            \
		size_t n_words = 0;                               \
		for (int i = (int)(first); i < (int)(end); i++) { \
			words[n_words++] = function((type)i);     \
		}                                                 \
		same(path, words, n_words);                       \
	} while (0)

#define SAME_AS(path, words) same(path, words, sizeof(words) / sizeof(words[0]))

static const char *const profiles[] = {
#define X(symbol, name, version, level) name,
	OFFER_PROFILE_LIST(X)
#undef X
};

static const char *const presets[] = {
#define X(symbol, name, text, rsa, which) name,
	OFFER_PRESET_LIST(X)
#undef X
};

static const char *const crl_states[] = {
#define X(symbol, name) name,
	TRUST_CRL_STATE_LIST(X)
#undef X
};

static const char *const verdicts[] = {
#define X(symbol, name, x509, alert, text, cure) name,
	TRUST_VERDICT_LIST(X)
#undef X
};

static const char *const modes[] = {
#define X(symbol, number, name, cucm) name,
	CAPF_MODE_LIST(X)
#undef X
};

static const char *const cucm_modes[] = {
#define X(symbol, number, name, cucm) cucm,
	CAPF_MODE_LIST(X)
#undef X
};

static const char *const capf_states[] = {
#define X(symbol, name) name,
	CAPF_STATE_LIST(X)
#undef X
};

static const char *const rollover_states[] = {
#define X(symbol, name) name,
	ROLLOVER_STATE_LIST(X)
#undef X
};

static const char *const problems[] = {
#define X(name, status, slug, title, next) PROBLEM_TYPE slug,
	PROBLEM_LIST(X)
#undef X
};

static void words_of_phones_are_the_codes(void **state)
{
	const char *states[8];
	size_t n = 0;
	for (int i = REASON_STATUS_REGISTERED; i <= REASON_STATUS_PARTIALLY;
		i++)
		if (reason_name(REASON_SPACE_STATUS, i))
			states[n++] = reason_name(REASON_SPACE_STATUS, i);
	same("Phone/properties/state/enum", states, n);
	same("PhoneAlone/properties/state/enum", states, n);
	SAME("Phone/properties/security/enum", enum phone_security,
		phone_security_name, 0, PHONE_SECURITIES);
	SAME("Phone/properties/protocol/enum", enum config_protocol,
		config_protocol_name, 0, CONFIG_REGISTRATIONS);
	SAME("Failure/properties/protocol/enum", enum config_protocol,
		config_protocol_name, 0, CONFIG_CAPF + 1);
	SAME("Failure/properties/stage/enum", enum failure_stage,
		failure_stage_name, 0, FAILURE_ENROLMENT + 1);
	SAME("History/properties/events/items/properties/event/enum",
		enum history_what, history_what_name, 0, HISTORY_WHATS);
	SAME("Device/properties/protocol/enum", enum device_protocol,
		device_protocol_name, 0, DEVICE_SIP + 1);
	SAME("Profile/properties/mode/enum", enum security_mode,
		security_mode_name, SECURITY_NON_SECURE,
		SECURITY_ENCRYPTED + 1);
}

static void words_of_status_are_the_codes(void **state)
{
	const char *offered = "Status/properties/resumption/properties/"
			      "offered/properties";
	SAME(offered, enum resume_verdict, resume_verdict_name, 0,
		RESUME_VERDICTS);
	SAME_AS("Status/properties/listeners/items/properties/profile/enum",
		profiles);
	SAME_AS("Status/properties/listeners/items/properties/preset/enum",
		presets);
	for (size_t i = 0; i < overload_rows_n; i++) {
		char path[128];
		const struct overload_row *row = &overload_rows[i];
		snprintf(path, sizeof(path),
			"Status/properties/admission/properties%s%s%s",
			*row->group ? "/" : "", row->group,
			*row->group ? "/properties" : "");
		if (!has(at(path), row->name))
			fail_msg("%s lacks %s", path, row->name);
	}
}

static void words_of_trust_are_the_codes(void **state)
{
	SAME_AS("Crl/properties/state/enum", crl_states);
	SAME_AS("Impact/properties/list/items/properties/then/enum", verdicts);
#define X(field, key)                           \
	if (!has(at("Impact/properties"), key)) \
		fail_msg("Impact lacks %s", key);
	IMPACT_NUMBER_LIST(X)
#undef X
}

static void words_of_capf_are_the_codes(void **state)
{
	SAME("CapfOperation/properties/operation/enum", enum capf_kind,
		capf_kind_name, 0, CAPF_KINDS);
	SAME("CapfOperation/properties/certificateOperation/enum",
		enum capf_kind, capf_kind_cucm, 0, CAPF_KINDS);
	SAME("CapfQueued/properties/operation/enum", enum capf_kind,
		capf_kind_name, CAPF_INSTALL, CAPF_KINDS);
	SAME("CapfIssued/properties/state/enum", enum capf_issued_state,
		capf_issued_name, 0, CAPF_ISSUED_STATES);
	SAME("Capf/properties/issued/properties", enum capf_issued_state,
		capf_issued_name, 0, CAPF_ISSUED_STATES);
	SAME_AS("CapfOperation/properties/mode/enum", modes);
	SAME_AS("CapfOperation/properties/authenticationMode/enum", cucm_modes);
	SAME_AS("CapfOperation/properties/state/enum", capf_states);
	SAME_AS("Rollover/properties/state/enum", rollover_states);
#define X(symbol, name, tail, text)                                        \
	if (CAPF_WHY_##symbol != CAPF_WHY_NOTHING &&                       \
		!has(at("CapfOperation/properties/reason/properties/name/" \
			"enum"),                                           \
			name))                                             \
		fail_msg("reasons lack %s", name);
	CAPF_WHY_LIST(X)
#undef X
}

/* Titles may serve two; types may not. */
static void problems_are_the_codes(void **state)
{
	SAME_AS("Problem/properties/type/enum", problems);
#define X(name, status, slug, title, next)                    \
	if (!has(at("Problem/properties/title/enum"), title)) \
		fail_msg("titles lack %s", title);
	PROBLEM_LIST(X)
#undef X
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_phones_are_the_codes),
		cmocka_unit_test(words_of_status_are_the_codes),
		cmocka_unit_test(words_of_trust_are_the_codes),
		cmocka_unit_test(words_of_capf_are_the_codes),
		cmocka_unit_test(problems_are_the_codes),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name(
		"openapi", tests, read_file, forget_file);
}
