/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a ClientHello: what comes out lies inside what went in. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/tls/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
	if (!truth)
		abort();
}

static void check_slice(
	const struct tls_hello_slice *s, const uint8_t *data, size_t size)
{
	check(!s->n || (s->p >= data && s->p + s->n <= data + size));
}

static int same(
	const struct tls_hello_slice *a, const struct tls_hello_slice *b)
{
	return a->n == b->n && (!a->n || memcmp(a->p, b->p, a->n) == 0);
}

/* What stands behind a whole hello is not its business. */
static void check_more(
	const uint8_t *data, size_t size, const struct tls_hello *hello)
{
	struct tls_hello more;
	uint8_t *longer = malloc(size + 5);
	check(longer != NULL);
	memcpy(longer, data, size);
	memset(longer + size, 0x16, 5);
	check(tls_hello_read(longer, size + 5, &more));
	check(same(&hello->session_id, &more.session_id));
	check(same(&hello->ticket, &more.ticket));
	check(same(&hello->psk, &more.psk));
	free(longer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tls_hello hello, cut;
	bool whole = tls_hello_read(data, size, &hello);
	check(whole ||
		(!hello.session_id.n && !hello.ticket.n && !hello.psk.n));
	check_slice(&hello.session_id, data, size);
	check_slice(&hello.ticket, data, size);
	check_slice(&hello.psk, data, size);
	check(hello.session_id.n <= 32);
	if (!whole)
		return 0;
	check_more(data, size, &hello);
	/* Its record says how long it is: one byte less is none. */
	size_t length = 5 + (size_t)(data[3] << 8 | data[4]);
	check(length <= size && !tls_hello_read(data, length - 1, &cut));
	return 0;
}
