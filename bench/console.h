/* SPDX-License-Identifier: Apache-2.0 */
/* The console of a phone: the lines that a Cisco phone's own log shows. */
#ifndef BENCH_CONSOLE_H
#define BENCH_CONSOLE_H

#include <stdio.h>

/*
 * Every line is `<seq>: <LVL> hh:mm:ss.uuuuuu <TASK>: -<TAG>: text`. SECD is
 * the phone's security daemon (TCP and TLS), JVM its telephony application.
 * The wording of no_lsc, cert_cipher and alert is Cisco's own (TAC 200860);
 * all other lines only keep the style.
 */
struct console {
	FILE *to;	  /* NULL: says nothing */
	const char *user; /* who asks for the connection: "SCCP" or "SIP" */
	unsigned seq;	  /* of the last line */
};

/* A line of our own. Give server's words as arguments, already printable. */
void console_say(struct console *c, const char *level, const char *task,
	const char *tag, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* About to open TLS without an LSC. */
void console_no_lsc(struct console *c);
/* Before the handshake: highest version ("TLSv1.2"), what will be shown
 * ("LSC", "MIC"), and the offered ciphers in order, colons between. */
void console_cert_cipher(struct console *c, const char *version,
	const char *cert, const char *ciphers);

/* Seen from the phone: read = the server sent it. */
enum console_alert_side { CONSOLE_ALERT_READ, CONSOLE_ALERT_WRITE };

const char *console_alert_side_name(enum console_alert_side side);
/* OpenSSL's long text of an alert description, and the two that OpenSSL 3.0
 * calls "unknown" as its successors call them. */
const char *console_alert_text(int description);
/* level: SSL3_AL_FATAL or SSL3_AL_WARNING. */
void console_alert(struct console *c, enum console_alert_side side, int level,
	int description);

#endif
