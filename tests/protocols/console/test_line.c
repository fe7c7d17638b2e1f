/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the lines of phones' console logs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/console/line.h"

/* What of a line is captured; NULL: nothing. */
static const struct row {
	const char *line;
	enum console_event event;
	const char *number, *time, *user, *version, *certificate, *ciphers,
		*address, *port, *text, *direction, *level;
} rows[] = {
	/* newer firmware, both wordings, and a quotation without its head */
	{"4878 WRN 15:47:34.756063 SECD: -PXY_NO_LSC: No LSC for [SCCP], "
	 "tries MIC.",
		CONSOLE_NO_LSC, "4878", "15:47:34.756063", "SCCP"},
	{"SECD: -PXY_NO_LSC: No LSC for [SIP], will try MIC", CONSOLE_NO_LSC,
		.user = "SIP"},
	{"3469 NOT 00:01:31.935298 SECD: -PXY_CERT_CIPHER: [SCCP], [TLSv1], "
	 "cert [LSC], cipher [AES256-SHA:AES128-SHA]",
		CONSOLE_OFFER, "3469", "00:01:31.935298", "SCCP", "TLSv1",
		"LSC", "AES256-SHA:AES128-SHA"},
	{"SECD: -PXY_CERT_CIPHER: [SCCP], [TLSv1], cert [MIC]", CONSOLE_OFFER,
		.user = "SCCP", .version = "TLSv1", .certificate = "MIC"},
	{"3486 ERR 00:01:31.938954 SECD: -STATE_SSL3_ALERT: SSL3 alert "
	 "[read]:[fatal]:[unknown CA]",
		CONSOLE_ALERT, "3486", "00:01:31.938954", .text = "unknown CA",
		.direction = "read", .level = "fatal"},
	/* the last bracket is missing in one edition; two blanks are usual */
	{"3486 ERR 00:01:31.938954  SECD: -STATE_SSL3_ALERT: SSL3 alert "
	 "[read]:[fatal]:[unknown CA",
		CONSOLE_ALERT, "3486", "00:01:31.938954", .text = "unknown CA",
		.direction = "read", .level = "fatal"},
	{"3486 ERR 00:01:31.938954 SECD: -STATE_SSL3_ALERT: SSL3 alert "
	 "[write]:[warning]:[close notify]\r",
		CONSOLE_ALERT, "3486", "00:01:31.938954",
		.text = "close notify", .direction = "write",
		.level = "warning"},
	/* the Spanish edition translated them */
	{"4878 WRN 15:47:34.756063 SECD: -PXY_NO_LSC: No hay LSC para "
	 "[SCCP], prueba MIC.",
		CONSOLE_NO_LSC, "4878", "15:47:34.756063", "SCCP"},
	{"SECD: -PXY_NO_LSC: No hay LSC para [SCCP], probar\xc3\xa1 MIC",
		CONSOLE_NO_LSC, .user = "SCCP"},
	{"3469 NO 00:01:31.935298 SECD: -PXY_CERT_CIPHER: [SCCP], [TLSv1], "
	 "cert [LSC], cifra [AES256-SHA:AES128-SHA]",
		CONSOLE_OFFER, "3469", "00:01:31.935298", "SCCP", "TLSv1",
		"LSC", "AES256-SHA:AES128-SHA"},
	{"3486 ERR 00:01:31.938954 SECD: -STATE_SSL3_ALERT: Alerta SSL3 "
	 "[lectura]:[fatal]:[CA desconocida]",
		CONSOLE_ALERT, "3486", "00:01:31.938954", .text = "unknown CA",
		.direction = "read", .level = "fatal"},
	/* older firmware: a colon, a C function, no brackets */
	{"5007: NOT 10:25:10.060663 SECD: clpSetupSsl: Trying to connect to "
	 "IPV4, IP: 192.168.136.6, Port : 2445",
		CONSOLE_CONNECTING, "5007", "10:25:10.060663",
		.address = "192.168.136.6", .port = "2445"},
	{"5008: NOT 10:25:10.062984 SECD: clpSetupSsl: TCP connect() waiting, "
	 "<192.168.136.6> c:14 s:15 port: 2445",
		CONSOLE_CONNECTING, "5008", "10:25:10.062984",
		.address = "192.168.136.6", .port = "2445"},
	{"5009: NOT 10:25:10.063000 SECD: clpSetupSsl: TCP connected, "
	 "<192.168.136.6> c:14 s:15",
		CONSOLE_CONNECTING, "5009", "10:25:10.063000",
		.address = "192.168.136.6"},
	{"5011: ERR 10:25:10.071000 SECD: EROR:clpState: SSL3 alert "
	 "read:fatal:handshake failure:<192.168.136.6>",
		CONSOLE_ALERT, "5011", "10:25:10.071000",
		.address = "192.168.136.6", .text = "handshake failure",
		.direction = "read", .level = "fatal"},
	{"5012: ERR 10:25:10.071000 SECD: EROR:clpState: SSL_connect:failed "
	 "in SSLv3 read server hello A:<192.168.136.6>",
		CONSOLE_FAILED, "5012", "10:25:10.071000",
		.address = "192.168.136.6",
		.text = "SSLv3 read server hello A"},
	{"5013: ERR 10:25:10.071000 SECD: EROR:clpSetupSsl: ** SSL handshake "
	 "failed, <192.168.136.6> c:14 s:15",
		CONSOLE_FAILED, "5013", "10:25:10.071000",
		.address = "192.168.136.6"},
	{"7989 ERR 11:04:15.038637  SECD: -HTTPS cert not in CTL, "
	 "<10.106.111.100:8443>",
		CONSOLE_HTTPS_STRANGE, "7989", "11:04:15.038637",
		.address = "10.106.111.100:8443"},
	{"7998 NOT 11:04:15.100000 SECD: -Authentication Response received, "
	 "status : 0",
		CONSOLE_TVS_STATUS, "7998", "11:04:15.100000", .text = "0"},
	{"7999 NOT 11:04:15.100001 SECD: -Authenticated the HTTPS conn via TVS",
		CONSOLE_TVS_VOUCHED, "7999", "11:04:15.100001"},
	{"1417: CRT 18:12:36.537219 JVM: Startup Module Loader|"
	 "cip.sccp.ah@131ba1:createMessage - No entry in hashtable for ID=0x9a",
		CONSOLE_SCCP_UNKNOWN, "1417", "18:12:36.537219",
		.text = "0x9a"},
	{"1418: WRN 18:12:36.540000 JVM: cip.sccp.co:? - Invalid SCCP message! "
	 ": ID :9a: MessageFactory.createMessage failed",
		CONSOLE_SCCP_UNKNOWN, "1418", "18:12:36.540000", .text = "9a"},
	/* a phone's, of which we know nothing */
	{"8089: NOT 23:00:22.601218 SECD: clpTvsInit: Client message received "
	 "on TVS proxy socket",
		CONSOLE_OTHER, "8089", "23:00:22.601218"},
	{"9 NOT 23:00:22.601218 CVM-Thread: x", CONSOLE_OTHER, "9",
		"23:00:22.601218"},
	/* nobody's */
	{"", CONSOLE_NO_LINE},
	{"GET / HTTP/1.1", CONSOLE_NO_LINE},
	{"12", CONSOLE_NO_LINE},
	{"12 INF 23:00:22.601218 SECD: x", CONSOLE_NO_LINE},
	{"12 NOT 23:00:22.60121 SECD: x", CONSOLE_NO_LINE},
	{"Subject: No LSC for [SCCP]", CONSOLE_NO_LINE},
};

static void same(struct console_text found, const char *wanted, const char *of)
{
	size_t n = wanted ? strlen(wanted) : 0;
	if (found.n != n || (n && memcmp(found.p, wanted, n) != 0))
		fail_msg("\"%.*s\" instead of \"%s\" in: %s", (int)found.n,
			found.n ? found.p : "", wanted ? wanted : "", of);
}

static void lines_are_read_in_both_editions_and_firmwares(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct console_line line;
		console_line_read(r->line, strlen(r->line), &line);
		if (line.event != r->event)
			fail_msg("event %d instead of %d: %s", (int)line.event,
				(int)r->event, r->line);
		if (r->event == CONSOLE_NO_LINE)
			continue;
		same(line.number, r->number, r->line);
		same(line.time, r->time, r->line);
		same(line.user, r->user, r->line);
		same(line.version, r->version, r->line);
		same(line.certificate, r->certificate, r->line);
		same(line.ciphers, r->ciphers, r->line);
		same(line.address, r->address, r->line);
		same(line.port, r->port, r->line);
		same(line.text, r->text, r->line);
		same(line.direction, r->direction, r->line);
		same(line.level, r->level, r->line);
	}
}

/* Cut anywhere, a line is read without a step past its end (ASan looks). */
static void a_line_that_is_cut_is_no_harm(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (size_t n = 0; n <= strlen(rows[i].line); n++) {
			struct console_line line;
			char *copy = malloc(n + 1);
			assert_non_null(copy);
			memcpy(copy, rows[i].line, n);
			console_line_read(copy, n, &line);
			free(copy);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_read_in_both_editions_and_firmwares),
		cmocka_unit_test(a_line_that_is_cut_is_no_harm),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}
