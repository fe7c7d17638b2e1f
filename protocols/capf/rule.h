/* SPDX-License-Identifier: Apache-2.0 */
/* Every rule that a peer can break, by the name that is logged. */
#ifndef PROTOCOLS_CAPF_RULE_H
#define PROTOCOLS_CAPF_RULE_H

#include <stdbool.h>

/* X(symbol, name, what it demands) */
#define CAPF_RULE_LIST(X)                                                    \
	/* of a frame */                                                     \
	X(PROTOCOL, "capf-protocol", "a message begins with 0x55")           \
	X(TOO_LONG, "capf-too-long", "a message has 16384 bytes at most")    \
	/* of an element */                                                  \
	X(OVERRUN, "capf-overrun", "elements end where their message ends")  \
	X(DUPLICATE, "capf-duplicate", "an element comes once in a message") \
	X(EMPTY, "capf-empty", "a number is not zero bytes long")            \
	X(WIDTH, "capf-width", "a number has the width of its kind")         \
	X(TEXT, "capf-text", "a text ends with its only NUL")                \
	X(TEXT_LONG, "capf-text-too-long", "a text has a limit")             \
	X(DEVICE_NAME, "capf-device-name",                                   \
		"a name is made of A-Z a-z 0-9 . _ -")                       \
	X(CERTIFICATES, "capf-certificates",                                 \
		"a certificate is 01, its length, its type and its DER")     \
	/* of a message */                                                   \
	X(COMMAND, "capf-unknown-command", "a command has a number we know") \
	X(SIDE, "capf-wrong-side", "a command comes from its own side")      \
	X(SESSION, "capf-wrong-session",                                     \
		"the session is the one that the server named")              \
	X(ORDER, "capf-order", "commands come in their order")               \
	X(MISSING, "capf-missing-element",                                   \
		"a command has the elements it is about")                    \
	X(VALUE, "capf-value", "a number is one that has a meaning")         \
	/* of time and space */                                              \
	X(ADVANCE, "capf-in-advance",                                        \
		"one message may come before it is asked for, not two")      \
	X(SILENT, "capf-silent", "a peer answers in time")                   \
	X(NOT_READING, "capf-not-reading", "a peer reads what it is sent")   \
	/* of the server alone */                                            \
	X(RETRY_LATER, "capf-retry-later", "a server has time")

enum capf_rule {
#define X(symbol, name, text) CAPF_RULE_##symbol,
	CAPF_RULE_LIST(X)
#undef X
		CAPF_RULES
};

/* Both stay. */
const char *capf_rule_name(enum capf_rule rule);
const char *capf_rule_text(enum capf_rule rule);

enum { CAPF_REFUSAL_TEXT = 160 };

struct capf_refusal {
	enum capf_rule rule;
	char text[CAPF_REFUSAL_TEXT]; /* what came, and what was wanted */
};

/* Fills it in; always false, for `return capf_refuse(…)`. */
bool capf_refuse(struct capf_refusal *why, enum capf_rule rule,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
