/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences being put together, and text of strangers made fit for JSON. */
#ifndef REGISTRAR_EXPLAIN_WORDS_H
#define REGISTRAR_EXPLAIN_WORDS_H

#include <stddef.h>

#include <jansson.h>

enum { WORDS_MAX = 2048 };

/* Zeroed is empty; what does not fit is cut. */
struct words {
	size_t n;
	char text[WORDS_MAX];
};

void words_add(struct words *w, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* n bytes as a JSON string, cleaned (certs/text.h), without blanks at its
 * end, cut at WORDS_MAX. */
json_t *words_json(const char *text, size_t n);
/* What listens on that port in a cluster, "a service" elsewhere. */
const char *words_service(int port);

#endif
