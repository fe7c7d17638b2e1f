/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a phone's log, and as registrations that a capture shows. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/explain/console.h"
#include "registrar/explain/plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
	if (!truth)
		abort();
}

/* What is told can be written down: all of it is UTF-8. */
static char *written(json_t *o)
{
	check(o != NULL);
	char *text = json_dumps(o, JSON_SORT_KEYS);
	check(text != NULL);
	json_decref(o);
	return text;
}

/* The input: a byte says who speaks and how long, then come the bytes. */
static char *as_registration(const uint8_t *data, size_t size, size_t piece)
{
	struct plain p;
	json_t *o = json_object();
	plain_init(&p);
	for (size_t at = 0; at < size;) {
		enum tls_seen_end from =
			data[at] & 1 ? TLS_SEEN_SERVER : TLS_SEEN_CLIENT;
		size_t n = (size_t)(data[at] >> 1) * 4 + 1;
		n = n < size - at - 1 ? n : size - at - 1;
		at++;
		for (size_t done = 0; done < n; done += piece) {
			size_t part = n - done < piece ? n - done : piece;
			plain_feed(&p, from, data + at + done, part);
		}
		at += n;
	}
	plain_put(o, &p);
	plain_deinit(&p);
	return written(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	free(written(explain_console((const char *)data, size, "SEP1")));
	char *whole = as_registration(data, size, size + 1);
	char *bytes = as_registration(data, size, 1);
	check(strcmp(whole, bytes) == 0);
	free(whole);
	free(bytes);
	return 0;
}
