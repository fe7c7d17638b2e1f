/* SPDX-License-Identifier: Apache-2.0 */
/* The last LSC and the last MIC of each device, kept to be judged again. */
#include "registrar/leaves.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/behind.h"
#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/store/leaf_store.h"
#include "registrar/text.h"

enum {
	BATCH = 256,
	TRANSACTION_MAX = 1024,
};

struct queue {
	struct leaf *first, **end;
	size_t n;
};

struct leaves {
	const struct config *config;
	struct inventory *inventory;
	/* What was offered in an earlier epoch is offered again: something
	 * that was kept may be gone. Atomic; 0 is no epoch. */
	uint8_t epoch;
	pthread_mutex_t lock; /* of what follows */
	struct queue waiting;
	size_t bytes; /* of what waits or is being written */
	size_t kept;
	uint64_t dropped;
	pthread_mutex_t store_lock; /* taken before `lock` */
	struct leaf_store *store;
	bool failing; /* atomic */
	struct behind *behind;
};

/* ---- what is kept at all ---- */

static bool is_wanted(
	const struct leaves *l, const char *device, enum cert_kind kind)
{
	if (kind == CERT_KIND_LSC &&
		l->config->unknown_devices == CONFIG_UNKNOWN_LSC)
		return *device;
	struct device *known = inventory_find(l->inventory, device);
	device_unref(known);
	return known;
}

/* The bytes of its DER, if they fit behind n others; else 0. */
static size_t fitting(X509 *cert, size_t n)
{
	int size = i2d_X509(cert, NULL);
	return size > 0 && (size_t)size <= LEAVES_CHAIN_MAX - n ? (size_t)size
								: 0;
}

/* Of all that came, as far as it fits. With `to`: writes it there. */
static size_t encode(X509 *leaf, STACK_OF(X509) * untrusted, unsigned char *to)
{
	size_t n = fitting(leaf, 0);
	if (n && to)
		i2d_X509(leaf, &to);
	for (int i = 0; n && i < sk_X509_num(untrusted); i++) {
		X509 *cert = sk_X509_value(untrusted, i);
		size_t more = cert == leaf ? 0 : fitting(cert, n);
		if (more && to)
			i2d_X509(cert, &to);
		n += more;
	}
	return n;
}

/* NULL: it is too long. */
static struct leaf *make(const struct peer_cert *cert, enum cert_kind kind,
	const uint8_t anchor[32], X509 *leaf, STACK_OF(X509) * untrusted)
{
	size_t n = encode(leaf, untrusted, NULL);
	if (n == 0)
		return NULL;
	struct leaf *one = memory_zero(sizeof(*one) + n);
	text_copy(one->device, sizeof(one->device), cert->device);
	one->kind = kind;
	one->not_after = cert->not_after;
	memcpy(one->sha256, cert->sha256, sizeof(one->sha256));
	memcpy(one->anchor, anchor, sizeof(one->anchor));
	one->n = encode(leaf, untrusted, one->chain);
	return one;
}

/* ---- the queue ---- */

static size_t size_of(const struct leaf *one)
{
	return sizeof(*one) + one->n;
}

/* Takes it over. */
static void push(struct leaves *l, struct leaf *one)
{
	*l->waiting.end = one;
	l->waiting.end = &one->next;
	l->waiting.n++;
	l->bytes += size_of(one);
}

void leaves_offer(struct leaves *l, struct peer_cert *cert, enum cert_kind kind,
	const uint8_t anchor[32], X509 *leaf, STACK_OF(X509) * untrusted)
{
	uint8_t epoch = __atomic_load_n(&l->epoch, __ATOMIC_ACQUIRE);
	if (__atomic_load_n(&cert->kept, __ATOMIC_RELAXED) == epoch ||
		!is_wanted(l, cert->device, kind))
		return;
	struct leaf *one = make(cert, kind, anchor, leaf, untrusted);
	pthread_mutex_lock(&l->lock);
	bool room = l->bytes < LEAVES_QUEUE_MAX;
	if (one && room)
		push(l, one);
	else
		l->dropped++;
	size_t n = one && room ? l->waiting.n : 0;
	pthread_mutex_unlock(&l->lock);
	if (n == 1)
		behind_news(l->behind);
	else if (n == BATCH)
		behind_batch(l->behind);
	if (room)
		__atomic_store_n(&cert->kept, epoch, __ATOMIC_RELAXED);
	else
		free(one);
}

static void begin_epoch(struct leaves *l)
{
	if (__atomic_add_fetch(&l->epoch, 1, __ATOMIC_ACQ_REL) == 0)
		__atomic_store_n(&l->epoch, 1, __ATOMIC_RELEASE);
}

static void push_forget(struct leaves *l, const char *device)
{
	struct leaf *one = memory_zero(sizeof(*one));
	text_copy(one->device, sizeof(one->device), device);
	push(l, one);
}

void leaves_forget(struct leaves *l, const char *device)
{
	pthread_mutex_lock(&l->lock);
	push_forget(l, device);
	pthread_mutex_unlock(&l->lock);
	begin_epoch(l);
	behind_news(l->behind);
}

/* ---- writing ---- */

/* Once when it begins to fail, and once when it goes well again. */
static void tell(struct leaves *l, bool fails, const struct diag *d)
{
	struct log_line line;
	if (fails == l->failing)
		return;
	__atomic_store_n(&l->failing, fails, __ATOMIC_RELAXED);
	log_begin(&line, fails ? LOG_EV_STORE_FAILED : LOG_EV_STORE_WORKS);
	log_str(&line, "what", "the phones' last certificates");
	log_str(&line, "why", fails ? d->text : NULL);
	log_end(&line);
}

bool leaves_fail(const struct leaves *l)
{
	return __atomic_load_n(&l->failing, __ATOMIC_RELAXED);
}

/* The first of those that wait, as many as one transaction takes. */
static struct queue take(struct leaves *l)
{
	pthread_mutex_lock(&l->lock);
	struct queue q = l->waiting;
	if (q.n > TRANSACTION_MAX) {
		q.n = TRANSACTION_MAX;
		q.end = &q.first;
		for (size_t i = 0; i < q.n; i++)
			q.end = &(*q.end)->next;
		l->waiting.first = *q.end;
		l->waiting.n -= q.n;
		*q.end = NULL;
	} else {
		l->waiting = (struct queue){.end = &l->waiting.first};
	}
	pthread_mutex_unlock(&l->lock);
	return q;
}

/* Before what came since; the thread tries again. Not while it starts. */
static void put_back(struct leaves *l, struct queue q)
{
	pthread_mutex_lock(&l->lock);
	*q.end = l->waiting.first;
	if (l->waiting.first)
		q.end = l->waiting.end;
	q.n += l->waiting.n;
	l->waiting = q;
	pthread_mutex_unlock(&l->lock);
	if (l->behind)
		behind_news(l->behind);
}

static void written(struct leaves *l, struct queue q)
{
	size_t bytes = 0;
	for (const struct leaf *one = q.first; one; one = one->next)
		bytes += size_of(one);
	pthread_mutex_lock(&l->lock);
	l->bytes -= bytes;
	l->kept = leaf_store_rows(l->store);
	pthread_mutex_unlock(&l->lock);
	leaves_free(q.first);
}

/* Writes what waits. The caller has store_lock. */
static void flush(struct leaves *l)
{
	struct diag d;
	struct queue q;
	bool failed = false;
	while (!failed && (q = take(l)).first) {
		failed = leaf_store_write(l->store, q.first, &d) < 0;
		tell(l, failed, &d);
		if (failed)
			put_back(l, q);
		else
			written(l, q);
	}
}

static void write_behind(void *self)
{
	struct leaves *l = self;
	pthread_mutex_lock(&l->store_lock);
	flush(l);
	pthread_mutex_unlock(&l->store_lock);
}

/* ---- life ---- */

static void destroy(struct leaves *l)
{
	leaves_free(l->waiting.first);
	leaf_store_close(l->store);
	pthread_mutex_destroy(&l->lock);
	pthread_mutex_destroy(&l->store_lock);
	free(l);
}

/* The configuration may have lost devices since. */
static void forget_unwanted(struct leaves *l)
{
	struct leaf last = {.kind = CERT_KIND_UNKNOWN}, *list;
	while ((list = leaf_store_after(l->store, LEAVES_FACTS, &last))) {
		for (const struct leaf *at = list; at; at = at->next) {
			if (!is_wanted(l, at->device, at->kind))
				push_forget(l, at->device);
			last = *at;
		}
		leaves_free(list);
	}
	flush(l);
}

int leaves_open(const char *folder, const struct config *config,
	struct inventory *inventory, struct leaves **out, struct diag *d)
{
	struct leaves *l = memory_zero(sizeof(*l));
	*out = NULL;
	l->config = config;
	l->inventory = inventory;
	l->epoch = 1;
	l->waiting.end = &l->waiting.first;
	pthread_mutex_init(&l->lock, NULL);
	pthread_mutex_init(&l->store_lock, NULL);
	size_t rows_max = config->certificates_kept;
	if (!folder && rows_max > LEAVES_IN_MEMORY_MAX)
		rows_max = LEAVES_IN_MEMORY_MAX;
	int error = leaf_store_open(folder, rows_max, &l->store, d);
	if (error == 0) {
		l->kept = leaf_store_rows(l->store);
		forget_unwanted(l);
		error = behind_start(write_behind, l,
			"the phones' certificates", &l->behind, d);
	}
	if (error == 0 && l->waiting.n)
		behind_news(l->behind);
	if (error < 0) {
		destroy(l);
		return error;
	}
	*out = l;
	return 0;
}

void leaves_close(struct leaves *l)
{
	if (!l)
		return;
	behind_stop(l->behind);
	destroy(l);
}

/* ---- reading ---- */

struct leaf *leaves_after(
	struct leaves *l, enum leaves_depth depth, const struct leaf *last)
{
	pthread_mutex_lock(&l->store_lock);
	flush(l);
	struct leaf *list = leaf_store_after(l->store, depth, last);
	pthread_mutex_unlock(&l->store_lock);
	return list;
}

void leaves_free(struct leaf *list)
{
	while (list) {
		struct leaf *next = list->next;
		free(list);
		list = next;
	}
}

struct leaves_counts leaves_count(struct leaves *l)
{
	struct leaves_counts counts;
	pthread_mutex_lock(&l->lock);
	counts = (struct leaves_counts){
		.kept = l->kept,
		.waiting = l->waiting.n,
		.dropped = l->dropped,
	};
	pthread_mutex_unlock(&l->lock);
	return counts;
}
