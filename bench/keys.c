/* SPDX-License-Identifier: Apache-2.0 */
/* The keys that phones make for CAPF: on uv's thread pool, or a shared few. */
#include "bench/keys.h"

#include <stdlib.h>

#include <openssl/err.h>

#include "certs/must.h"

/* One generation, and who waits for it. A shared one stays with its key. */
struct keys_job {
	uv_work_t work;
	struct keys_job *next; /* shared: in the keys' list */
	struct capf_key_wish wish;
	unsigned slot;
	bool shared;
	bool done;
	EVP_PKEY *key;
	struct keys_order *waiting;
};

struct keys {
	uv_loop_t *loop;
	unsigned shared;
	struct keys_job *jobs; /* the shared ones */
};

struct keys *keys_new(uv_loop_t *loop, unsigned shared)
{
	struct keys *keys = cert_must(calloc(1, sizeof(*keys)));
	keys->loop = loop;
	keys->shared = shared;
	return keys;
}

void keys_free(struct keys *keys)
{
	if (!keys)
		return;
	while (keys->jobs) {
		struct keys_job *job = keys->jobs;
		keys->jobs = job->next;
		EVP_PKEY_free(job->key);
		free(job);
	}
	free(keys);
}

static const char *curve_of(unsigned bits)
{
	return bits == 521 ? "P-521" : bits == 384 ? "P-384" : "P-256";
}

bool keys_fits(const EVP_PKEY *key, const struct capf_key_wish *wish)
{
	int type = wish->type == CAPF_KEY_EC ? EVP_PKEY_EC : EVP_PKEY_RSA;
	return EVP_PKEY_get_base_id(key) == type &&
	       EVP_PKEY_get_bits(key) == (int)wish->bits;
}

/* On a thread of uv's. */
static void make(uv_work_t *work)
{
	struct keys_job *job = work->data;
	const struct capf_key_wish *wish = &job->wish;
	job->key = wish->type == CAPF_KEY_EC
			   ? EVP_PKEY_Q_keygen(
				     NULL, NULL, "EC", curve_of(wish->bits))
			   : EVP_PKEY_Q_keygen(
				     NULL, NULL, "RSA", (size_t)wish->bits);
	ERR_clear_error();
}

static void on_made(uv_work_t *work, int status)
{
	struct keys_job *job = work->data;
	job->done = true;
	while (job->waiting) {
		struct keys_order *order = job->waiting;
		job->waiting = order->next;
		order->next = NULL;
		order->job = NULL;
		if (job->key)
			EVP_PKEY_up_ref(job->key);
		order->on_made(order, job->key);
	}
	if (job->shared)
		return;
	EVP_PKEY_free(job->key);
	free(job);
}

static struct keys_job *find(const struct keys *keys,
	const struct capf_key_wish *wish, unsigned slot)
{
	struct keys_job *job = keys->jobs;
	while (job && (job->slot != slot || job->wish.type != wish->type ||
			      job->wish.bits != wish->bits))
		job = job->next;
	return job;
}

static struct keys_job *begin(
	struct keys *keys, const struct capf_key_wish *wish, unsigned slot)
{
	struct keys_job *job = cert_must(calloc(1, sizeof(*job)));
	job->wish = *wish;
	job->slot = slot;
	job->work.data = job;
	job->shared = keys->shared > 0;
	if (job->shared) {
		job->next = keys->jobs;
		keys->jobs = job;
	}
	if (uv_queue_work(keys->loop, &job->work, make, on_made) < 0)
		abort();
	return job;
}

EVP_PKEY *keys_ask(struct keys *keys, const struct capf_key_wish *wish,
	unsigned turn, struct keys_order *order)
{
	unsigned slot = keys->shared ? turn % keys->shared : 0;
	struct keys_job *job = keys->shared ? find(keys, wish, slot) : NULL;
	if (job && job->done && job->key) {
		EVP_PKEY_up_ref(job->key);
		return job->key;
	}
	if (!job || job->done)
		job = begin(keys, wish, slot);
	order->job = job;
	order->next = job->waiting;
	job->waiting = order;
	return NULL;
}

void keys_forget(struct keys_order *order)
{
	if (!order->job)
		return;
	struct keys_job *job = order->job;
	struct keys_order **at = &job->waiting;
	while (*at != order)
		at = &(*at)->next;
	*at = order->next;
	order->next = NULL;
	order->job = NULL;
	/* Nobody wants it any more: if it has not begun, it need not. */
	if (!job->waiting && !job->shared)
		uv_cancel((uv_req_t *)&job->work);
}
