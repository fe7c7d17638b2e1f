/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that one snapshot has found good, so that it judges each once.
 */
#include "registrar/tls/verdicts.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/memory.h"

enum { WAYS = 4, BUCKETS = 8192, LOCKS = 64 };

struct verdict {
	const struct trust_anchor *anchor;
	struct peer_cert *cert; /* NULL: empty */
	time_t until;
};

struct verdicts {
	pthread_mutex_t locks[LOCKS];
	struct verdict list[BUCKETS * WAYS];
};

struct verdicts *verdicts_new(void)
{
	struct verdicts *v = memory_zero(sizeof(*v));
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_init(&v->locks[i], NULL);
	return v;
}

void verdicts_free(struct verdicts *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < BUCKETS * WAYS; i++)
		peer_cert_unref(v->list[i].cert);
	for (size_t i = 0; i < LOCKS; i++)
		pthread_mutex_destroy(&v->locks[i]);
	free(v);
}

/* The bucket of a digest, locked; unlock what comes out in *lock. */
static struct verdict *enter(
	struct verdicts *v, const uint8_t sha256[32], pthread_mutex_t **lock)
{
	size_t bucket = (sha256[0] | (size_t)sha256[1] << 8) % BUCKETS;
	*lock = &v->locks[bucket % LOCKS];
	pthread_mutex_lock(*lock);
	return &v->list[bucket * WAYS];
}

/* The place of that certificate, else an empty one, else the one that ends
 * first. */
static struct verdict *choose(
	struct verdict *bucket, const struct peer_cert *cert)
{
	struct verdict *first = bucket;
	for (struct verdict *v = bucket; v < bucket + WAYS; v++) {
		if (!v->cert || memcmp(v->cert->sha256, cert->sha256, 32) == 0)
			return v;
		if (v->until < first->until)
			first = v;
	}
	return first;
}

void verdicts_put(struct verdicts *v, const struct trust_anchor *anchor,
	time_t until, struct peer_cert *cert)
{
	pthread_mutex_t *lock;
	struct verdict *place = choose(enter(v, cert->sha256, &lock), cert);
	peer_cert_unref(place->cert);
	*place = (struct verdict){anchor, peer_cert_ref(cert), until};
	pthread_mutex_unlock(lock);
}

const struct trust_anchor *verdicts_find(struct verdicts *v,
	const uint8_t sha256[32], time_t now, struct peer_cert **cert)
{
	const struct trust_anchor *anchor = NULL;
	pthread_mutex_t *lock;
	const struct verdict *bucket = enter(v, sha256, &lock);
	for (size_t i = 0; i < WAYS && !anchor; i++) {
		const struct verdict *one = &bucket[i];
		if (one->cert && memcmp(one->cert->sha256, sha256, 32) == 0 &&
			now < one->until && now >= one->cert->not_before) {
			anchor = one->anchor;
			*cert = peer_cert_ref(one->cert);
		}
	}
	pthread_mutex_unlock(lock);
	return anchor;
}
