/* SPDX-License-Identifier: Apache-2.0 */
/* Does a ClientHello name a session of ours? Cheap, and no proof. */
#include "registrar/tls/claim.h"

#include <openssl/crypto.h>

static bool sealed_by_us(
	const struct resume *r, const struct tls_hello_slice *ticket)
{
	struct ticket_key key;
	bool old;
	if (!r->keys || ticket->n <= TICKET_KEY_NAME)
		return false;
	bool found = ticket_keys_find(r->keys, ticket->p, &key, &old);
	OPENSSL_cleanse(&key, sizeof(key));
	return found;
}

static bool cached(
	const struct resume *r, const struct tls_hello_slice *id, time_t now)
{
	uint8_t data[SESSION_DATA_MAX];
	if (!r->cache || id->n == 0 || id->n > SESSION_ID_MAX)
		return false;
	size_t n = session_cache_get(r->cache, id->p, id->n, now, data);
	OPENSSL_cleanse(data, n);
	return n > 0;
}

bool claim_holds(
	const struct resume *r, const struct tls_hello *hello, time_t now)
{
	/* Without ticket keys a PSK of TLS 1.3 is an id of the cache's. */
	return sealed_by_us(r, &hello->ticket) ||
	       sealed_by_us(r, &hello->psk) || cached(r, &hello->psk, now) ||
	       cached(r, &hello->session_id, now);
}
