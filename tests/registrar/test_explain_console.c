/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about phones' console logs as they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/explain/console.h"

static const char *text(const json_t *o, const char *key)
{
	const char *value = json_string_value(json_object_get(o, key));
	return value ? value : "";
}

static long long number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

static const json_t *told(const json_t *o, size_t i)
{
	return json_array_get(json_object_get(o, "explanations"), i);
}

static size_t count(const json_t *o)
{
	return json_array_size(json_object_get(o, "explanations"));
}

static json_t *explain(const char *log, const char *device)
{
	json_t *o = explain_console(log, strlen(log), device);
	assert_non_null(o);
	return o;
}

static void holds(const char *in, const char *part)
{
	if (!in || !strstr(in, part))
		fail_msg("\"%s\" is not in: %s", part, in ? in : "");
}

/* The document's story, in both editions: the same is told of them. */
static void an_old_clusters_lsc_is_explained_in_either_language(void **state)
{
	static const char *const logs[] = {
		"3469 NOT 00:01:31.935298 SECD: -PXY_CERT_CIPHER: [SCCP], "
		"[TLSv1], cert [LSC], cipher [AES256-SHA:AES128-SHA]\r\n"
		"3486 ERR 00:01:31.938954 SECD: -STATE_SSL3_ALERT: SSL3 alert "
		"[read]:[fatal]:[unknown CA\r\n",
		"3469 NO 00:01:31.935298 SECD: -PXY_CERT_CIPHER: [SCCP], "
		"[TLSv1], cert [LSC], cifra [AES256-SHA:AES128-SHA]\n"
		"3486 ERR 00:01:31.938954 SECD: -STATE_SSL3_ALERT: Alerta SSL3 "
		"[lectura]:[fatal]:[CA desconocida]",
	};
	for (size_t i = 0; i < 2; i++) {
		json_t *o = explain(logs[i], "SEP001122334455");
		const json_t *e = told(o, 0);
		assert_int_equal(count(o), 1);
		assert_string_equal(text(e, "what"),
			"The phone opened TLS for SCCP (TLSv1) with its LSC "
			"and offered AES256-SHA:AES128-SHA. The server "
			"answered with the fatal alert \"unknown CA\" (48).");
		assert_string_equal(text(e, "rule"), "unknown-ca");
		assert_string_equal(text(e, "certificate"), "LSC");
		assert_string_equal(text(e, "phoneConsole"),
			"SSL3 alert [read]:[fatal]:[unknown CA]");
		assert_string_equal(text(e, "registrarLog"),
			"SSL3 alert [write]:[fatal]:[unknown CA]");
		holds(text(e, "meaning"), "LSC of another cluster");
		char *cure = json_dumps(json_object_get(e, "cure"), 0);
		holds(cure, "dialtone device set SEP001122334455 --profile "
			    "non-secure");
		holds(cure, "--mic yes");
		free(cure);
		json_decref(o);
	}
}

static void a_phone_without_lsc_shows_its_mic(void **state)
{
	json_t *o = explain(
		"4878 WRN 15:47:34.756063 SECD: -PXY_NO_LSC: No LSC for "
		"[SCCP], tries MIC.\n"
		"4879 NOT 15:47:34.800000 SECD: -PXY_CERT_CIPHER: [SCCP], "
		"[TLSv1], cert [MIC], cipher [AES128-SHA]\n"
		"4880 ERR 15:47:34.900000 SECD: -STATE_SSL3_ALERT: SSL3 alert "
		"[read]:[fatal]:[certificate expired]\n",
		"");
	const json_t *e = told(o, 0);
	assert_int_equal(count(o), 1);
	holds(text(e, "what"), "The phone has no LSC, so it presents its MIC. "
			       "The phone opened TLS for SCCP");
	assert_string_equal(text(e, "rule"), "expired");
	holds(text(e, "meaning"), "A MIC cannot be renewed");
	json_decref(o);
}

/* Several in one log, the newest last; what is alike is told once. */
static void incidents_come_in_order(void **state)
{
	static const char again[] =
		"10 NOT 10:00:00.000000 SECD: -PXY_CERT_CIPHER: [SIP], "
		"[TLSv1.2], cert [LSC], cipher [AES128-SHA]\n"
		"11 ERR 10:00:00.000001 SECD: -STATE_SSL3_ALERT: SSL3 alert "
		"[read]:[fatal]:[certificate expired]\n";
	static const char last[] =
		"12 NOT 10:00:30.000000 SECD: -PXY_CERT_CIPHER: [SIP], "
		"[TLSv1.2], cert [LSC], cipher [AES128-SHA]\n"
		"13 ERR 10:00:30.000001 SECD: -STATE_SSL3_ALERT: SSL3 alert "
		"[write]:[fatal]:[unknown CA]\n"
		"14 NOT 10:01:00.000000 SECD: -PXY_CERT_CIPHER: [SIP], "
		"[TLSv1.2], cert [LSC], cipher [AES128-SHA]\n";
	char log[2048];
	snprintf(log, sizeof(log), "%s%s%s", again, again, last);
	json_t *o = explain(log, "");
	assert_int_equal(count(o), 3);
	assert_string_equal(text(told(o, 0), "rule"), "expired");
	assert_int_equal(number(told(o, 0), "times"), 2);
	assert_string_equal(text(told(o, 1), "rule"), "tls-alert-received");
	assert_string_equal(text(told(o, 2), "rule"), "let-in");
	assert_int_equal(number(told(o, 2), "line"), 7);
	json_decref(o);
}

/* 8.x: TVS on 2445, in the middle of a registration's lines. */
static void other_connections_are_told_apart(void **state)
{
	json_t *o = explain(
		"5007: NOT 10:25:10.060663 SECD: clpSetupSsl: Trying to "
		"connect to IPV4, IP: 10.1.1.6, Port : 2445\n"
		"5008: NOT 10:25:10.060700 SECD: -PXY_CERT_CIPHER: [SCCP], "
		"[TLSv1], cert [LSC], cipher [AES128-SHA]\n"
		"5011: ERR 10:25:10.070000 SECD: EROR:clpState: SSL3 alert "
		"read:fatal:handshake failure:<10.1.1.6>\n"
		"5012: ERR 10:25:10.070001 SECD: EROR:clpState: "
		"SSL_connect:failed in SSLv3 read server hello A:<10.1.1.6>\n"
		"5013: ERR 10:25:10.080000 SECD: -STATE_SSL3_ALERT: SSL3 alert "
		"[read]:[fatal]:[unknown CA]\n",
		"");
	assert_int_equal(count(o), 2);
	assert_string_equal(text(told(o, 0), "rule"), "tvs-failed");
	holds(text(told(o, 0), "what"), "10.1.1.6 port 2445 (TVS)");
	holds(text(told(o, 0), "what"), "SSLv3 read server hello A");
	assert_string_equal(text(told(o, 1), "rule"), "unknown-ca");
	json_decref(o);
}

static void https_and_sccp_incidents_are_no_registrations(void **state)
{
	json_t *o = explain(
		"1 ERR 11:04:15.038637  SECD: -HTTPS cert not in CTL, "
		"<10.6.1.1:8443>\n"
		"2 NOT 11:04:15.100000 SECD: -Authentication Response "
		"received, status : 0\n"
		"3 NOT 11:04:15.100001 SECD: -Authenticated the HTTPS conn via "
		"TVS\n"
		"4: CRT 18:12:36.537219 JVM: "
		"x|cip.sccp.ah@131ba1:createMessage "
		"- No entry in hashtable for ID=0x9a\n"
		"5: WRN 18:12:36.540000 JVM: cip.sccp.co:? - Invalid SCCP "
		"message! : ID :9a: x\n",
		"");
	assert_int_equal(count(o), 2);
	assert_string_equal(text(told(o, 0), "rule"), "https-vouched");
	assert_string_equal(text(told(o, 1), "rule"), "sccp-unknown-message");
	holds(text(told(o, 1), "what"), "0x9a");
	json_decref(o);
}

static void what_is_not_explained_is_counted(void **state)
{
	char *log = calloc(1, EXPLAIN_LINE_MAX + 100);
	assert_non_null(log);
	strcpy(log, "5 NOT 10:00:00.000000 SECD: clpTvsInit: something\n"
		    "Console logs of SEP001122334455\n\n");
	memset(log + strlen(log), 'x', EXPLAIN_LINE_MAX + 1);
	json_t *o = explain(log, "");
	assert_int_equal(count(o), 0);
	assert_int_equal(number(o, "lines"), 4);
	assert_int_equal(number(o, "unexplained"), 1);
	assert_int_equal(number(o, "foreign"), 2);
	assert_int_equal(number(o, "overlong"), 1);
	json_decref(o);
	free(log);
}

/* What a stranger wrote into the log cannot steer a terminal. */
static void control_characters_do_not_come_through(void **state)
{
	json_t *o = explain(
		"1 NOT 10:00:00.000000 SECD: -PXY_CERT_CIPHER: [SC\x1b[2J], "
		"[TLSv1], cert [LSC], cipher [\xff]\n",
		"");
	assert_int_equal(count(o), 1);
	assert_null(strchr(text(told(o, 0), "what"), '\x1b'));
	holds(text(told(o, 0), "what"), "offered ?");
	json_decref(o);
}

static void no_more_than_the_limit_is_told_and_the_rest_counted(void **state)
{
	static const char line[] =
		"%zu NOT 10:00:00.000000 SECD: -PXY_CERT_CIPHER: [A%zu], "
		"[TLSv1], cert [LSC], cipher [B]\n";
	enum { LINES = EXPLAIN_INCIDENTS_MAX + 7 };
	char *log = calloc(LINES, 128), *at = log;
	assert_non_null(log);
	for (size_t i = 0; i < LINES; i++)
		at += sprintf(at, line, i, i);
	json_t *o = explain(log, "");
	assert_int_equal(count(o), EXPLAIN_INCIDENTS_MAX);
	assert_int_equal(number(o, "earlier"), 7);
	assert_int_equal(number(told(o, 0), "line"), 8);
	json_decref(o);
	free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_old_clusters_lsc_is_explained_in_either_language),
		cmocka_unit_test(a_phone_without_lsc_shows_its_mic),
		cmocka_unit_test(incidents_come_in_order),
		cmocka_unit_test(other_connections_are_told_apart),
		cmocka_unit_test(https_and_sccp_incidents_are_no_registrations),
		cmocka_unit_test(what_is_not_explained_is_counted),
		cmocka_unit_test(control_characters_do_not_come_through),
		cmocka_unit_test(
			no_more_than_the_limit_is_told_and_the_rest_counted),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("console", tests, NULL, NULL);
}
