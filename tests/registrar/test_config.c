/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the configuration file: values, refusals with their lines. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "registrar/config.h"
#include "registrar/config_rows.h"
#include "registrar/device.h"
#include "registrar/json_lines.h"
#include "trust/waiver.h"

static int load(const char *text, struct config **out, struct diag *d)
{
	char path[] = "/tmp/dialtone-config-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (int)strlen(text));
	close(fd);
	int error = config_load(path, NULL, out, d);
	unlink(path);
	return error;
}

/* The text is refused, and the sentence ends in `:line: rest`. */
static void refused(const char *text, const char *end)
{
	struct config *c;
	struct diag d = {.text = ""};
	assert_int_equal(load(text, &c, &d), -EINVAL);
	const char *at = strstr(d.text, end);
	if (!at || strlen(at) != strlen(end))
		fail_msg("\"%s\" does not end in \"%s\"", d.text, end);
	config_free(c);
}

static void defaults_need_no_file(void **state)
{
	struct config *c;
	struct diag d;
	assert_int_equal(config_load(NULL, "lab", &c, &d), 0);
	assert_string_equal(c->trust_folder, "lab/CallManager-trust");
	assert_int_equal(c->n_listeners, 3);
	assert_string_equal(c->listeners[0].address, "127.0.0.1");
	assert_int_equal(c->listeners[0].port, 2443);
	assert_int_equal(c->listeners[1].port, 5061);
	assert_int_equal(c->listeners[2].protocol, CONFIG_CAPF);
	assert_int_equal(c->listeners[2].port, 3804);
	assert_int_equal(c->listeners[2].offer.profile, OFFER_LEGACY);
	assert_string_equal(c->capf_folder, "lab/capf");
	assert_string_equal(c->state_folder, "lab/state");
	assert_string_equal(c->trust_capf, "lab/CAPF-trust");
	assert_int_equal(c->n_certificates, 2);
	assert_string_equal(c->certificates[0].key, "lab/server/rsa.key");
	assert_int_equal(c->sip_expires_s, 120);
	config_free(c);
}

static void reads_every_list(void **state)
{
	struct config *c;
	struct diag d;
	int error = load("{\"listeners\": [{\"service\": \"sip\","
			 " \"transport\": \"tcp\", \"address\": \"::1\"}],"
			 " \"tls\": {\"certificates\": [{\"certificate\":"
			 " \"/a.pem\", \"key\": \"b.key\"}]},"
			 " \"trust\": {\"auth_level\": 1, \"anchors\":"
			 " {\"x.pem\": \"lsc\"}},"
			 " \"devices\": {\"SEPB\": {\"mic\": true},"
			 " \"SEPA\": {\"profile\": \"non-secure\","
			 " \"protocol\": \"sip\", \"lines\":"
			 " [{\"number\": \"2001\"}]}}}",
		&c, &d);
	assert_int_equal(error, 0);
	assert_int_equal(c->listeners[0].port, 5060);
	assert_false(c->listeners[0].tls);
	assert_string_equal(c->certificates[0].certificate, "/a.pem");
	assert_string_equal(c->certificates[0].key, "/tmp/b.key");
	assert_int_equal(c->auth_level, 1);
	assert_int_equal(c->anchors[0].kind, CERT_KIND_LSC);
	assert_int_equal(c->n_devices, 2);
	assert_string_equal(c->devices[0].name, "SEPA");
	assert_string_equal(c->devices[0].profile, "non-secure");
	assert_int_equal(c->devices[0].protocol, DEVICE_SIP);
	assert_string_equal(c->devices[0].lines[0].number, "2001");
	assert_true(c->devices[1].mic);
	assert_string_equal(c->devices[1].profile, "encrypted");
	config_free(c);
}

static void sip_is_spoken_over_udp_and_sccp_is_not(void **state)
{
	struct config *c;
	struct diag d;
	int error = load("{\"listeners\": [{\"service\": \"sip\","
			 " \"transport\": \"udp\"}]}",
		&c, &d);
	assert_int_equal(error, 0);
	assert_int_equal(c->listeners[0].port, 5060);
	assert_true(c->listeners[0].udp);
	assert_false(c->listeners[0].tls);
	char *text = config_dump(c);
	assert_non_null(strstr(text, "\"transport\": \"udp\""));
	free(text);
	config_free(c);
	refused("{\"listeners\": [{\"service\": \"sccp\","
		" \"transport\": \"udp\"}]}",
		":1: listeners.0: transport udp is for sip; sccp is spoken "
		"over tcp or tls, capf over tls");
	refused("{\"listeners\": [{\"service\": \"sip\","
		" \"transport\": \"sctp\"}]}",
		":1: listeners.0.transport: must be one of tcp|tls|udp");
}

#define STATE "\"state\": {\"folder\": \"s\"}"

static void capf_is_spoken_over_tls_alone(void **state)
{
	struct config *c;
	struct diag d;
	int error =
		load("{\"listeners\": [{\"service\": \"capf\"}], " STATE "}",
			&c, &d);
	assert_int_equal(error, 0);
	assert_int_equal(c->listeners[0].port, 3804);
	assert_true(c->listeners[0].tls);
	assert_true(config_has_capf(c));
	config_free(c);
	refused("{\"listeners\": [{\"service\": \"capf\","
		" \"transport\": \"tcp\"}], " STATE "}",
		":1: listeners.0: capf is spoken over tls alone: "
		"authentication strings go over it");
	refused("{\"listeners\": [{\"service\": \"capf\","
		" \"transport\": \"udp\"}], " STATE "}",
		":1: listeners.0: transport udp is for sip; sccp is spoken "
		"over tcp or tls, capf over tls");
	refused("{\"listeners\": [{\"service\": \"capf\","
		" \"null_cipher\": true}], " STATE "}",
		":1: listeners.0.null_cipher: not for capf: authentication "
		"strings could be read on the way");
}

static void capf_has_what_it_needs(void **state)
{
	refused("{\"listeners\": [{\"service\": \"capf\"}]}",
		":1: listeners: a listener of service capf needs "
		"state.folder, which keeps what CAPF issues");
	refused("{\"capf\": {\"issuer\": \"est\"}}",
		":1: capf.issuer: this issuer needs capf.est_url");
	refused("{\"capf\": {\"issuer\": \"est\","
		" \"est_url\": \"https://x\", \"est_ca\": \"a\","
		" \"est_certificate\": \"b\"}}",
		":1: capf.issuer: this issuer needs capf.est_key");
	refused("{\"capf\": {\n\"est_ca\": \"a\"}}",
		":2: capf.est_ca: capf.issuer is another");
	refused("{\"capf\": {\n\"offline_folder\": \"a\"}}",
		":2: capf.offline_folder: capf.issuer is another");
	refused("{\"capf\": {\"country\": \"D\"}}",
		":1: capf.country: must be two letters, or empty");
}

static void refusals_name_line_key_and_rule(void **state)
{
	refused("{\n\"nodes\": \"x\"}", ":2: nodes: unknown key");
	refused("{\"sip\": {\n\n\"expire_s\": 1}}",
		":3: sip.expire_s: unknown key");
	refused("{\"sip\":\n {\"expires_s\": 10}}",
		":2: sip.expires_s: must be a whole number from 25 to 86400");
	refused("{\"workers\": \"two\"}",
		":1: workers: must be a whole number from 0 to 64");
	refused("{\"workers\": 1.5}",
		":1: workers: must be a whole number from 0 to 64");
	refused("{\"log\": {\"level\": \"loud\"}}",
		":1: log.level: must be one of "
		"debug|info|notice|warning|error");
	refused("{\"core_dumps\": 1}", ":1: core_dumps: must be true or false");
	refused("{\"node\": \"a\\u0007b\"}",
		":1: node: must not hold control characters");
	refused("{\"node\": \"a\\nb\"}",
		":1: node: must not hold control characters");
	refused("{\"sip\": 7}", ":1: sip: must be an object");
	refused("[]", ":1: must be one JSON object");
	refused("{\"listeners\": {}}", ":1: listeners: must be a list");
	refused("{\"listeners\": [\n{\"service\": \"sip\"},\n{}]}",
		":3: listeners.1: must name its service: one of sccp|sip|capf");
	refused("{\"listeners\": [{\"service\": \"sip\",\n\"address\":"
		" \"here\"}]}",
		":2: listeners.0.address: must be an IPv4 or IPv6 address");
	refused("{\"listeners\": [{\"service\": \"sip\", \"port\": 65536}]}",
		":1: listeners.0.port: must be a whole number from 0 to "
		"65535");
	refused("{\"tls\": {\"certificates\": [{\"key\": \"k\"}]}}",
		":1: tls.certificates.0: needs both certificate and key");
	refused("{\"devices\": {\"SEP1\": {\"mick\": true}}}",
		":1: devices.SEP1.mick: unknown key");
	refused("{\"devices\": {\"SEPa\": {},\n\"SEPA\": {}}}",
		"the same device twice");
	refused("{\"trust\": {\"anchors\": {\"a\": \"ca\"}}}",
		":1: trust.anchors.a: must be one of lsc|mic");
	refused("{\"listeners\": [{\"service\": \"sip\", \"profile\": "
		"\"old\"}]}",
		":1: listeners.0.profile: must be one of modern|legacy");
	refused("{\"listeners\": [{\"service\": \"sip\", \"ciphers\": "
		"\"all\"}]}",
		":1: listeners.0.ciphers: must be one of strongest-rsa|"
		"strongest-ecdsa|medium-rsa|medium-ecdsa|all-rsa|all-ecdsa");
	refused("{\"listeners\": [{\"service\": \"sip\", \"null_cipher\": 1}]}",
		":1: listeners.0.null_cipher: must be true or false");
	refused("{\"listeners\": [{\"service\": \"sip\",\n\"profile\": "
		"\"legacy\",\n\"transport\": \"tcp\"}]}",
		":2: listeners.0.profile: only a listener of transport tls has "
		"it");
	refused("{\"trust\": {\"anchors\": {\"a\": {\"kind\": \"ca\"}}}}",
		":1: trust.anchors.a.kind: must be one of lsc|mic");
	refused("{\"trust\": {\"anchors\": {\"a\": {\"allow_md5\": true}}}}",
		":1: trust.anchors.a.allow_md5: unknown key");
	refused("{\"trust\": {\"anchors\": {\"a\": {\"allow_sha1\": 1}}}}",
		":1: trust.anchors.a.allow_sha1: must be true or false");
	refused("{\"trust\": {\"anchors\": {\"a\": {\"retiring\": \"no\"}}}}",
		":1: trust.anchors.a.retiring: must be true or false");
	refused("{\"trust\": {\"anchors\": {\"a\":"
		" {\"expired_grace_days\": 3651}}}}",
		":1: trust.anchors.a.expired_grace_days: must be a whole "
		"number from 0 to 3650");
	refused("{\"sip\": {\"expires_s\": 30, \"min_expires_s\": 60}}",
		":1: sip.min_expires_s: must not be above sip.expires_s");
}

static void syntax_errors_name_their_line(void **state)
{
	struct config *c;
	struct diag d = {.text = ""};
	assert_int_equal(load("{\n\"node\" \"x\"}", &c, &d), -EINVAL);
	assert_non_null(strstr(d.text, ":2: "));
	config_free(c);
	assert_int_equal(load("{\"node\": 1, \"node\": 2}", &c, &d), -EINVAL);
	assert_non_null(strstr(d.text, "duplicate"));
	config_free(c);
}

static void missing_file_is_named(void **state)
{
	struct config *c;
	struct diag d = {.text = ""};
	assert_int_equal(
		config_load("/nonexistent/d.json", NULL, &c, &d), -ENOENT);
	assert_string_equal(
		d.text, "/nonexistent/d.json: No such file or directory");
	config_free(c);
}

/* The effective values, read again, are the effective values. */
static void dump_reads_back_the_same(void **state)
{
	struct config *a, *b;
	struct diag d;
	assert_int_equal(config_load(NULL, "/lab", &a, &d), 0);
	char *first = config_dump(a);
	assert_int_equal(load(first, &b, &d), 0);
	char *second = config_dump(b);
	assert_string_equal(first, second);
	free(first);
	free(second);
	config_free(a);
	config_free(b);
}

static void listeners_choose_what_they_offer(void **state)
{
	static const char text[] =
		"{\"listeners\": [{\"service\": \"sip\"},"
		" {\"service\": \"sccp\", \"profile\": \"legacy\","
		" \"null_cipher\": true},"
		" {\"service\": \"sip\", \"ciphers\": \"all-rsa\"}],"
		" \"trust\": {\"anchors\": {\"a\": \"mic\", \"b\":"
		" {\"allow_rsa1024\": true}, \"c\": {\"kind\": \"mic\","
		" \"allow_sha1\": true, \"allow_rsa1024\": false},"
		" \"d\": {\"enrol_only\": true, \"retiring\": true,"
		" \"allow_not_critical\": true, \"expired_grace_days\": 30}}}}";
	struct config *c, *again;
	struct diag d;
	assert_int_equal(load(text, &c, &d), 0);
	char *dump = config_dump(c);
	/* Once as it was written, once as the dump has it. */
	assert_int_equal(load(dump, &again, &d), 0);
	for (const struct config *one = c;; one = again) {
		const struct config_listener *l = one->listeners;
		const struct trust_anchor_policy *a = one->anchors;
		assert_int_equal(l[0].offer.profile, OFFER_MODERN);
		assert_int_equal(l[0].offer.preset, OFFER_OWN);
		assert_false(l[0].offer.null_cipher);
		assert_int_equal(l[1].offer.profile, OFFER_LEGACY);
		assert_true(l[1].offer.null_cipher);
		assert_int_equal(l[2].offer.preset, OFFER_ALL_RSA);
		assert_int_equal(a[0].kind, CERT_KIND_MIC);
		assert_int_equal(a[0].allows, 0);
		assert_int_equal(a[1].kind, CERT_KIND_UNKNOWN);
		assert_int_equal(a[1].allows, TRUST_WAIVER_RSA1024);
		assert_int_equal(a[2].kind, CERT_KIND_MIC);
		assert_int_equal(a[2].allows, TRUST_WAIVER_SHA1);
		assert_false(a[2].enrol_only || a[2].retiring ||
			     a[2].allow_not_critical);
		assert_int_equal(a[2].grace_s, 0);
		assert_true(a[3].enrol_only && a[3].retiring &&
			    a[3].allow_not_critical);
		assert_int_equal(a[3].grace_s, 30 * 86400);
		if (one == again)
			break;
	}
	free(dump);
	config_free(c);
	config_free(again);
}

static void schema_knows_every_name(void **state)
{
	char *schema = config_schema();
#define X(symbol, name, ...) assert_non_null(strstr(schema, "\"" name "\""));
	OFFER_PROFILE_LIST(X)
	OFFER_PRESET_LIST(X)
#undef X
	/* CUCM's own words stand beside ours. */
#define X(symbol, name, text, ...) \
	assert_non_null(strstr(schema, " " name ": " text "."));
	OFFER_PRESET_LIST(X)
#undef X
#define X(symbol, bit, key) assert_non_null(strstr(schema, "\"" key "\":"));
	TRUST_WAIVER_LIST(X)
#undef X
	free(schema);
}

static void schema_file_is_the_codes_own(void **state)
{
	char path[4096], *file;
	const char *source = getenv("DIALTONE_SOURCE");
	assert_non_null(source);
	snprintf(path, sizeof(path), "%s/docs/dialtoned.schema.json", source);
	json_t *written = json_load_file(path, 0, NULL);
	assert_non_null(written);
	file = config_schema();
	json_t *made = json_loads(file, 0, NULL);
	if (!json_equal(written, made))
		fail_msg("docs/dialtoned.schema.json differs from "
			 "`dialtoned --schema`");
	json_decref(written);
	json_decref(made);
	free(file);
}

static void schema_knows_every_row(void **state)
{
	char *text = config_schema();
	for (size_t i = 0; i < config_rows_n; i++) {
		const char *dot = strchr(config_rows[i].key, '.');
		const char *name = dot ? dot + 1 : config_rows[i].key;
		char quoted[80];
		snprintf(quoted, sizeof(quoted), "\"%s\":", name);
		assert_non_null(strstr(text, quoted));
		assert_true(strlen(config_rows[i].doc) > 10);
	}
	free(text);
}

static void line_of_a_path_is_found(void **state)
{
	static const char text[] = "{\"a\": [1,\n{\"b\": \"}\\\"{\",\n"
				   "\"c\": 2}\n],\n\"d\": {\"a\": 3}}";
	assert_int_equal(json_line(text, "a"), 1);
	assert_int_equal(json_line(text, "a/1"), 2);
	assert_int_equal(json_line(text, "a/1/c"), 3);
	assert_int_equal(json_line(text, "d/a"), 5);
	assert_int_equal(json_line(text, "d/nothing"), 5);
	assert_int_equal(json_line(text, "nothing"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_need_no_file),
		cmocka_unit_test(reads_every_list),
		cmocka_unit_test(sip_is_spoken_over_udp_and_sccp_is_not),
		cmocka_unit_test(capf_is_spoken_over_tls_alone),
		cmocka_unit_test(capf_has_what_it_needs),
		cmocka_unit_test(refusals_name_line_key_and_rule),
		cmocka_unit_test(syntax_errors_name_their_line),
		cmocka_unit_test(missing_file_is_named),
		cmocka_unit_test(dump_reads_back_the_same),
		cmocka_unit_test(listeners_choose_what_they_offer),
		cmocka_unit_test(schema_knows_every_name),
		cmocka_unit_test(schema_file_is_the_codes_own),
		cmocka_unit_test(schema_knows_every_row),
		cmocka_unit_test(line_of_a_path_is_found),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
