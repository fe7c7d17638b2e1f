/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges the session that a connection holds, after OpenSSL made it. */
#define OPENSSL_SUPPRESS_DEPRECATED /* SSL_CTX_set_ssl_version */
#include "registrar/tls/parking.h"

#include <pthread.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "registrar/memory.h"

static const int versions[] = {
	TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION};
enum { VERSIONS = sizeof(versions) / sizeof(versions[0]) };

/* One version's; made when first needed, then frozen. */
struct place {
	SSL_CTX *ctx;
	SSL_SESSION *empty;
};

struct parking {
	pthread_mutex_t lock; /* of making a place */
	struct place *places[VERSIONS];
};

struct parking *parking_new(void)
{
	struct parking *p = memory_zero(sizeof(*p));
	pthread_mutex_init(&p->lock, NULL);
	return p;
}

static void place_free(struct place *place)
{
	if (!place)
		return;
	SSL_SESSION_free(place->empty);
	SSL_CTX_free(place->ctx);
	free(place);
}

void parking_free(struct parking *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < VERSIONS; i++)
		place_free(p->places[i]);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static struct place *make(const SSL *ssl)
{
	struct place *place = memory_zero(sizeof(*place));
	place->ctx = SSL_CTX_new(TLS_server_method());
	place->empty = SSL_SESSION_new();
	if (!place->ctx || !place->empty ||
		SSL_CTX_set_ssl_version(place->ctx, SSL_get_ssl_method(ssl)) !=
			1 ||
		!SSL_SESSION_set_protocol_version(
			place->empty, SSL_version(ssl))) {
		place_free(place);
		return NULL;
	}
	/* What settles here is read and written as it was before. */
	SSL_CTX_set_session_cache_mode(place->ctx, SSL_SESS_CACHE_OFF);
	return place;
}

static struct place *place_of(struct parking *p, const SSL *ssl)
{
	size_t i = 0;
	while (i < VERSIONS && versions[i] != SSL_version(ssl))
		i++;
	if (i == VERSIONS)
		return NULL;
	struct place *place = __atomic_load_n(&p->places[i], __ATOMIC_ACQUIRE);
	if (place)
		return place;
	pthread_mutex_lock(&p->lock);
	place = p->places[i];
	if (!place) {
		place = make(ssl);
		__atomic_store_n(&p->places[i], place, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&p->lock);
	return place;
}

/* Onto the place, with that session. */
static bool park(struct place *place, SSL *ssl, SSL_SESSION *session)
{
	return place && SSL_set_SSL_CTX(ssl, place->ctx) &&
	       SSL_set_session(ssl, session) == 1;
}

bool parking_exchange(struct parking *p, SSL *ssl, SSL_SESSION *session)
{
	SSL_CTX *home = SSL_get_SSL_CTX(ssl);
	bool done = park(place_of(p, ssl), ssl, session);
	SSL_set_SSL_CTX(ssl, home);
	ERR_clear_error();
	return done;
}

void parking_settle(struct parking *p, SSL *ssl)
{
	struct place *place = place_of(p, ssl);
	if (place)
		park(place, ssl, place->empty);
	ERR_clear_error();
}
