/* SPDX-License-Identifier: Apache-2.0 */
/* A line of a phone's console log as an event. */
#ifndef PROTOCOLS_CONSOLE_LINE_H
#define PROTOCOLS_CONSOLE_LINE_H

#include <stdbool.h>
#include <stddef.h>

enum console_event {
	CONSOLE_NO_LINE,       /* not a line of a phone's log at all */
	CONSOLE_OTHER,	       /* one that says nothing we know of */
	CONSOLE_NO_LSC,	       /* user: it will present its MIC */
	CONSOLE_OFFER,	       /* user, version, certificate, ciphers */
	CONSOLE_ALERT,	       /* received, fatal, text; address in 8.x */
	CONSOLE_CONNECTING,    /* address, port (either may be "") */
	CONSOLE_FAILED,	       /* address, text: in which step */
	CONSOLE_HTTPS_STRANGE, /* address: a certificate the CTL lacks */
	CONSOLE_TVS_STATUS,    /* text: what TVS answered */
	CONSOLE_TVS_VOUCHED,   /* TVS vouched for that HTTPS server */
	CONSOLE_SCCP_UNKNOWN,  /* text: id of a message it does not know */
};

/* What a line captures of its text. X(field) */
#define CONSOLE_TEXT_LIST(X)                                     \
	X(user)	       /* who wants the connection: SCCP, SIP */ \
	X(version)     /* TLSv1 */                               \
	X(certificate) /* LSC, MIC */                            \
	X(ciphers)     /* offered, OpenSSL's names, in order */  \
	X(address)                                               \
	X(port)                                                  \
	X(text)                                                  \
	X(direction)                                             \
	X(level)

/* A piece of the line, n 0: it was not there. */
struct console_text {
	const char *p;
	size_t n;
};

struct console_line {
	enum console_event event;
	/* The phone's running number and clock; n 0 in a quotation. A clock
	 * near 00:01 was never set. */
	struct console_text number, time, task;
#define X(field) struct console_text field;
	CONSOLE_TEXT_LIST(X)
#undef X
};

/*
 * Reads a line of n bytes, without its end (a CR there is taken off). Both
 * editions of Cisco's document: the Spanish one translated the lines, too
 * (specs tls-phones 1 and 2). `direction`, `level` and the description of an
 * alert are told in English.
 */
void console_line_read(const char *line, size_t n, struct console_line *out);

#endif
