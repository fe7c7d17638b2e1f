/* SPDX-License-Identifier: Apache-2.0 */
/* Why a loader refused something: one sentence, "file:line: why". */
#ifndef CERTS_DIAG_H
#define CERTS_DIAG_H

struct diag {
	char text[512];
	const char *rule; /* the rule's name; stays; "": it has none */
};

/* Writes the sentence; answers `error` (a negative errno), so that a loader
 * can `return diag_set(d, -EINVAL, ...)`. d may be NULL. */
int diag_set(struct diag *d, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same where a rule that has a name ("half-written") refused it. */
int diag_refuse(struct diag *d, const char *rule, int error, const char *format,
	...) __attribute__((format(printf, 4, 5)));

#endif
