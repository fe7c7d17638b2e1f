/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the explanation of a device, and of every rule. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/capf/rule.h"
#include "protocols/sccp/server.h"
#include "protocols/sip/server.h"
#include "protocols/tls/engine.h"
#include "registrar/capf/status.h"
#include "registrar/explain/alerts.h"
#include "registrar/explain/device.h"
#include "registrar/explain/issuer.h"
#include "registrar/explain/rules.h"
#include "registrar/reason.h"
#include "trust/cisco.h"
#include "trust/verdict.h"

static void has_paragraph(const char *name)
{
	const struct explain_rule *r = explain_rule(name, "");
	if (!r) {
		fail_msg("%s has no paragraph", name);
		return;
	}
	assert_true(strlen(r->means) > 20 && strlen(r->cure) > 5);
}

static void every_rule_has_its_paragraph(void **state)
{
	for (int i = TRUST_OK + 1; i < TRUST_VERDICTS; i++)
		has_paragraph(trust_verdict_name((enum trust_verdict)i));
#define X(symbol, name, text)  \
	if (TLS_FAIL_##symbol) \
		has_paragraph(name);
	TLS_FAIL_LIST(X)
#undef X
#define X(symbol, name, text)    \
	if (SCCP_CLOSE_##symbol) \
		has_paragraph(name);
	SCCP_CLOSE_LIST(X)
#undef X
#define X(symbol, name, text)   \
	if (SIP_CLOSE_##symbol) \
		has_paragraph(name);
	SIP_CLOSE_LIST(X)
#undef X
#define X(symbol, name, text) has_paragraph(name);
	CAPF_RULE_LIST(X)
#undef X
	for (int i = CAPF_WHY_NOTHING + 1; i < CAPF_WHYS; i++) {
		char rule[48];
		snprintf(rule, sizeof(rule), "capf-%s",
			capf_why_name((enum capf_why)i));
		has_paragraph(rule);
	}
	has_paragraph("capf-unknown-device");
}

static void every_end_has_its_paragraph(void **state)
{
#define X(symbol, number, name)                                          \
	if (!explain_end(name) || strlen(explain_end(name)->means) < 10) \
		fail_msg("%s has no paragraph", name);
	REASON_UNREG_LIST(X)
#undef X
}

static void every_alert_has_its_paragraph(void **state)
{
	for (int i = 0; i < 256; i++)
		for (int by_phone = 0; by_phone < 2; by_phone++) {
			const struct explain_alert alert = {.number = i,
				.by_phone = by_phone,
				.fatal = true};
			assert_non_null(explain_rule(
				explain_alert_rule(&alert, true), "LSC"));
			assert_non_null(explain_rule(
				explain_alert_rule(&alert, false), ""));
		}
	assert_int_equal(explain_alert_number("Unknown CA", 10), 48);
	assert_int_equal(explain_alert_number("unknown", 7), -1);
}

static void issuers_are_told_by_name_and_fingerprint(void **state)
{
	const char *why;
#define X(sha256, name)                                                     \
	assert_int_equal(explain_issuer("x", sha256, &why), CERT_KIND_MIC); \
	assert_int_equal(explain_issuer(name, "", &why), CERT_KIND_MIC);
	TRUST_CISCO_LIST(X)
#undef X
	assert_int_equal(explain_issuer("Cisco Manufacturing CA III", "", &why),
		CERT_KIND_MIC);
	assert_int_equal(
		explain_issuer("CAPF-36205338", "", &why), CERT_KIND_LSC);
	assert_int_equal(
		explain_issuer("Example CA", "", &why), CERT_KIND_UNKNOWN);
}

/* ---- a device ---- */

static json_t *json(const char *text)
{
	json_error_t error;
	json_t *o = json_loads(text, 0, &error);
	if (!o)
		fail_msg("%s: %s", error.text, text);
	return o;
}

static const char *text(const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));
	return value ? value : "";
}

static void holds(const char *in, const char *part)
{
	if (!in || !strstr(in, part))
		fail_msg("\"%s\" is not in: %s", part, in ? in : "");
}

static void cure_holds(const json_t *o, const char *part)
{
	char *cure = json_dumps(json_object_get(o, "cure"), 0);
	holds(cure, part);
	free(cure);
}

#define OLD_LSC                                                          \
	"{\"rule\": \"unknown-ca\", \"last\": \"2026-11-26T10:05:00Z\"," \
	"\"first\": \"2026-11-26T10:00:00Z\", \"count\": 12,"            \
	"\"protocol\": \"sccp\", \"transport\": \"tls\","                \
	"\"address\": \"10.1.1.7\", \"why\": \"no issuer\","             \
	"\"phoneConsole\": \"SSL3 alert [read]:[fatal]:[unknown CA]\","  \
	"\"presented\": {\"subject\": \"CN=CP-8861-SEP001122334455\","   \
	"\"issuer\": \"CN=CAPF-a7fb32bf,O=old\","                        \
	"\"notAfter\": \"2027-01-01T00:00:00Z\"}}"

static void an_old_clusters_lsc_is_explained_step_by_step(void **state)
{
	json_t *phone = json("{\"name\": \"SEP001122334455\", \"state\": "
			     "\"rejected\", \"failures\": [" OLD_LSC "]}");
	const struct explain_facts facts = {.phone = phone};
	json_t *o = explain_device("SEP001122334455", &facts);
	assert_string_equal(text(o, "state"), "rejected");
	assert_string_equal(text(o, "rule"), "unknown-ca");
	assert_string_equal(text(o, "phoneConsole"),
		"SSL3 alert [read]:[fatal]:[unknown CA]");
	holds(text(o, "what"), "12 times since 2026-11-26T10:00:00Z");
	holds(text(o, "what"),
		"It showed an LSC, CP-8861-SEP001122334455, issued by "
		"CAPF-a7fb32bf, good until 2027");
	holds(text(o, "meaning"), "LSC of another cluster");
	cure_holds(o, "dialtone device set SEP001122334455 --profile "
		      "non-secure");
	cure_holds(o, "dialtone capf install SEP001122334455 --mode null");
	cure_holds(
		o, "dialtone device set SEP001122334455 --profile encrypted");
	cure_holds(o, "dialtone phone reset SEP001122334455");
	cure_holds(o, "dialtone device set SEP001122334455 --mic yes");
	json_decref(o);
	json_decref(phone);
}

static void a_registered_phone_is_said_to_be(void **state)
{
	json_t *phone = json(
		"{\"name\": \"SEP001122334455\", \"state\": \"registered\","
		"\"since\": \"2026-11-26T10:06:00Z\", \"protocol\": \"sip\","
		"\"tlsVersion\": \"TLSv1.2\", \"cipher\": \"AES128-SHA\","
		"\"address\": \"10.1.1.7\", \"certificate\": {\"kind\": "
		"\"LSC\", \"issuer\": \"CAPF-1\"}, \"failures\": [" OLD_LSC
		"]}");
	const struct explain_facts facts = {.phone = phone};
	json_t *o = explain_device("SEP001122334455", &facts);
	assert_string_equal(text(o, "rule"), "registered");
	holds(text(o, "what"), "is registered since 2026-11-26T10:06:00Z");
	holds(text(o, "what"), "with its LSC, issued by CAPF-1");
	assert_null(strstr(text(o, "what"), "refused"));
	json_decref(o);
	/* A refusal since then is somebody else's, or the phone's other end. */
	json_object_set_new(
		phone, "since", json_string("2026-11-26T10:01:00Z"));
	o = explain_device("SEP001122334455", &facts);
	assert_string_equal(text(o, "state"), "registered");
	holds(text(o, "what"), "Since then another of this name came");
	json_decref(o);
	json_decref(phone);
}

static void a_registered_phone_that_capf_refuses_reads_why(void **state)
{
	json_t *phone = json(
		"{\"name\": \"SEP001122334455\", \"state\": \"registered\","
		"\"since\": \"2026-11-26T10:06:00Z\", \"capf\": {"
		"\"operation\": \"install\", \"operationStatus\": "
		"\"Upgrade Failed: Invalid LSC\"}, \"failures\": [{"
		"\"last\": \"2026-11-26T10:09:00Z\", \"protocol\": \"capf\", "
		"\"transport\": \"tls\", \"rule\": \"capf-not-trusted\", "
		"\"why\": \"missing in CAPF-trust: CN=CAPF-7\"}]}");
	const struct explain_facts facts = {.phone = phone};
	json_t *o = explain_device("SEP001122334455", &facts);
	assert_string_equal(text(o, "state"), "registered");
	assert_string_equal(text(o, "rule"), "capf-not-trusted");
	holds(text(o, "what"), "missing in CAPF-trust: CN=CAPF-7");
	holds(text(o, "what"),
		"CAPF's operation for it (install): Upgrade Failed: Invalid "
		"LSC.");
	/* CAPF asks for none in the handshake. */
	assert_null(strstr(text(o, "what"), "showed no certificate"));
	cure_holds(o, "dialtone trust add FILE --store capf");
	json_decref(o);
	json_decref(phone);
}

static void a_lost_phone_is_explained_by_its_end(void **state)
{
	json_t *phone = json(
		"{\"name\": \"SEP001122334455\", \"state\": \"unregistered\","
		"\"since\": \"2026-11-26T10:06:00Z\", \"protocol\": \"sccp\","
		"\"reason\": {\"space\": \"unregistration\", \"code\": 13,"
		"\"name\": \"keepAliveTimeout\"}, \"failures\": [" OLD_LSC
		"]}");
	const struct explain_facts facts = {.phone = phone};
	json_t *o = explain_device("SEP001122334455", &facts);
	assert_string_equal(text(o, "rule"), "keepAliveTimeout");
	holds(text(o, "what"), "keepAliveTimeout (13)");
	holds(text(o, "meaning"), "The phone fell silent");
	cure_holds(o, "dialtone phone history SEP001122334455");
	json_decref(o);
	json_decref(phone);
}

/* Before a certificate came, nobody can tell whose a refusal is. */
static void a_nameless_refusal_from_its_address_explains_it(void **state)
{
	json_t *phone = json(
		"{\"name\": \"SEP001122334455\", \"state\": \"unregistered\","
		"\"since\": \"2026-11-26T10:00:00Z\", \"address\": "
		"\"10.1.1.7\", \"failures\": []}");
	json_t *failures =
		json("{\"failures\": [{\"rule\": \"tls-alert-sent\", \"last\": "
		     "\"2026-11-26T10:01:00Z\", \"address\": \"10.1.1.8\"},"
		     "{\"rule\": \"no-certificate\", \"last\": "
		     "\"2026-11-26T10:01:00Z\", \"transport\": \"tls\","
		     "\"address\": \"10.1.1.7\"}]}");
	const struct explain_facts facts = {
		.phone = phone, .failures = failures};
	json_t *o = explain_device("SEP001122334455", &facts);
	assert_string_equal(text(o, "rule"), "no-certificate");
	holds(text(o, "what"), "Somebody, perhaps it, came");
	json_decref(o);
	json_decref(failures);
	json_decref(phone);
}

static void one_that_never_came_is_looked_for_elsewhere(void **state)
{
	json_t *device = json(
		"{\"name\": \"SEP001122334455\", \"profile\": \"encrypted\"}");
	struct explain_facts facts = {
		.device = device, .inventory_asked = true};
	json_t *o = explain_device("SEP001122334455", &facts);
	assert_string_equal(text(o, "rule"), "never-seen");
	assert_string_equal(text(o, "state"), "unknown");
	holds(text(o, "what"), "profile encrypted, MIC not allowed");
	cure_holds(o, "DHCP option 150");
	cure_holds(o, "SEP001122334455.cnf.xml");
	json_decref(o);
	facts.device = NULL;
	o = explain_device("SEP001122334455", &facts);
	assert_string_equal(text(o, "rule"), "never-seen-unknown");
	cure_holds(o, "dialtone device add SEP001122334455");
	json_decref(o);
	facts.inventory_asked = false;
	o = explain_device("SEP001122334455", &facts);
	assert_string_equal(text(o, "rule"), "never-seen-unsaid");
	json_decref(o);
	json_decref(device);
}

static void a_mismatch_is_told_by_what_came(void **state)
{
	static const char *const transports[][2] = {
		{"tls", "The phone came over TLS, and its security profile is "
			"non-secure"},
		{"tcp", "The phone came without TLS"},
	};
	for (size_t i = 0; i < 2; i++) {
		json_t *phone = json_pack("{ss ss s[{ss ss ss}]}", "name",
			"SEP1", "state", "rejected", "failures", "rule",
			"security-mismatch", "last", "2026-11-26T10:01:00Z",
			"transport", transports[i][0]);
		const struct explain_facts facts = {.phone = phone};
		json_t *o = explain_device("SEP1", &facts);
		holds(text(o, "meaning"), transports[i][1]);
		json_decref(o);
		json_decref(phone);
	}
}

/* A registrar newer than this command may have rules it does not know. */
static void an_unknown_rule_says_its_own_cure(void **state)
{
	json_t *phone = json(
		"{\"name\": \"SEP1\", \"state\": \"rejected\", \"failures\": "
		"[{\"rule\": \"of-tomorrow\", \"last\": "
		"\"2026-11-26T10:01:00Z\", \"why\": \"that is so\","
		"\"cure\": \"do this\"}]}");
	const struct explain_facts facts = {.phone = phone};
	json_t *o = explain_device("SEP1", &facts);
	assert_string_equal(text(o, "meaning"), "that is so");
	cure_holds(o, "do this");
	json_decref(o);
	json_decref(phone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_has_its_paragraph),
		cmocka_unit_test(every_end_has_its_paragraph),
		cmocka_unit_test(every_alert_has_its_paragraph),
		cmocka_unit_test(issuers_are_told_by_name_and_fingerprint),
		cmocka_unit_test(an_old_clusters_lsc_is_explained_step_by_step),
		cmocka_unit_test(a_registered_phone_is_said_to_be),
		cmocka_unit_test(
			a_registered_phone_that_capf_refuses_reads_why),
		cmocka_unit_test(a_lost_phone_is_explained_by_its_end),
		cmocka_unit_test(
			a_nameless_refusal_from_its_address_explains_it),
		cmocka_unit_test(one_that_never_came_is_looked_for_elsewhere),
		cmocka_unit_test(a_mismatch_is_told_by_what_came),
		cmocka_unit_test(an_unknown_rule_says_its_own_cure),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("device", tests, NULL, NULL);
}
