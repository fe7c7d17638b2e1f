/* SPDX-License-Identifier: Apache-2.0 */
/* UDP loses: what was answered is said again, what we ask is asked again. */
#include "protocols/sip/transactions.h"

#include <stdlib.h>
#include <string.h>

#include "protocols/sip/via.h"

static const char COOKIE[] = "z9hG4bK"; /* RFC 3261 8.1.1.7 */

struct sip_kept {
	struct sip_kept *next;
	uint64_t key;
	uint64_t until_ms;
	uint64_t again_ms; /* of a request: when it is sent again */
	uint32_t pause_ms;
	size_t n;
	uint8_t data[];
};

/* ---- keys ---- */

/* FNV-1a, with a byte behind each part. Who can make two keys meet is the one
 * peer that would be told the wrong answer. */
static void mix(uint64_t *hash, struct sip_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		*hash = (*hash ^ (unsigned char)s.p[i]) *
			UINT64_C(1099511628211);
	*hash = (*hash ^ '\n') * UINT64_C(1099511628211);
}

/* Number and method apart: what is between them is not always one space. */
static void mix_cseq(uint64_t *hash, struct sip_slice cseq)
{
	size_t n = 0;
	if (!cseq.p)
		return;
	while (n < cseq.n && !sip_field_space(cseq.p[n]))
		n++;
	struct sip_slice method = {cseq.p + n, cseq.n - n};
	mix(hash, (struct sip_slice){cseq.p, n});
	mix(hash, sip_field_trim(method));
}

static void mix_old(
	uint64_t *hash, const struct sip_head *head, struct sip_slice via)
{
	struct sip_slice from = sip_head_value(head, SIP_HEADER_FROM);
	struct sip_address address;
	struct sip_param tag;
	mix(hash, head->first);
	mix(hash, via);
	if (from.p && sip_field_address(from, &address) &&
		sip_field_find(address.params, "tag", &tag))
		mix(hash, tag.value);
}

uint64_t sip_transactions_key(const struct sip_head *head)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	struct sip_via via;
	struct sip_param branch = {.value = {NULL, 0}};
	bool read = sip_via_read(head, &via);
	bool modern = read && sip_field_find(via.params, "branch", &branch) &&
		      sip_field_starts(branch.value, COOKIE) &&
		      branch.value.n > sizeof(COOKIE) - 1;
	mix(&hash, sip_head_value(head, SIP_HEADER_CALL_ID));
	mix_cseq(&hash, sip_head_value(head, SIP_HEADER_CSEQ));
	if (modern) {
		mix(&hash, branch.value);
		mix(&hash, via.sent_by);
	} else {
		mix_old(&hash, head, via.whole);
	}
	return hash;
}

/* ---- what is kept ---- */

static size_t cost(size_t n)
{
	return sizeof(struct sip_kept) + n;
}

/* Takes out what *at points to. */
static void drop(struct sip_kept **at, struct sip_transactions_budget *budget)
{
	struct sip_kept *kept = *at;
	*at = kept->next;
	budget->used -= cost(kept->n);
	free(kept);
}

/* The first `most` of a list stay. */
static void cut(struct sip_kept **at, size_t most,
	struct sip_transactions_budget *budget)
{
	while (*at && most-- > 0)
		at = &(*at)->next;
	while (*at)
		drop(at, budget);
}

static size_t length(const struct sip_kept *list)
{
	size_t n = 0;
	for (; list; list = list->next)
		n++;
	return n;
}

static struct sip_kept *add(struct sip_kept **list,
	struct sip_transactions_budget *budget, uint64_t key, const void *data,
	size_t n, const struct moment *now)
{
	if (cost(n) > budget->max - budget->used)
		return NULL;
	struct sip_kept *kept = malloc(cost(n));
	if (!kept)
		abort(); /* law 2: no memory; the budget caps it */
	*kept = (struct sip_kept){
		.next = *list,
		.key = key,
		.until_ms = now->mono_ms + SIP_TRANSACTION_MS,
		.n = n,
	};
	memcpy(kept->data, data, n);
	budget->used += cost(n);
	*list = kept;
	return kept;
}

static struct sip_kept **find(struct sip_kept **at, uint64_t key)
{
	while (*at && (*at)->key != key)
		at = &(*at)->next;
	return at;
}

void sip_transactions_deinit(
	struct sip_transactions *t, struct sip_transactions_budget *budget)
{
	cut(&t->answers, 0, budget);
	cut(&t->requests, 0, budget);
}

/* ---- answers ---- */

void sip_transactions_keep(struct sip_transactions *t,
	struct sip_transactions_budget *budget, uint64_t key, const void *data,
	size_t n, const struct moment *now)
{
	struct sip_kept **old = find(&t->answers, key);
	if (*old)
		drop(old, budget);
	cut(&t->answers, SIP_ANSWERS_MAX - 1, budget);
	add(&t->answers, budget, key, data, n, now);
}

const void *sip_transactions_find(const struct sip_transactions *t,
	uint64_t key, const struct moment *now, size_t *n)
{
	const struct sip_kept *kept = t->answers;
	while (kept && kept->key != key)
		kept = kept->next;
	if (!kept || now->mono_ms >= kept->until_ms)
		return NULL;
	*n = kept->n;
	return kept->data;
}

/* ---- requests of ours ---- */

bool sip_transactions_ask(struct sip_transactions *t,
	struct sip_transactions_budget *budget, uint64_t key, const void *data,
	size_t n, const struct moment *now)
{
	if (length(t->requests) >= SIP_REQUESTS_MAX)
		return false;
	struct sip_kept *kept = add(&t->requests, budget, key, data, n, now);
	if (!kept)
		return false;
	kept->pause_ms = SIP_T1_MS;
	kept->again_ms = now->mono_ms + SIP_T1_MS;
	return true;
}

bool sip_transactions_answered(struct sip_transactions *t,
	struct sip_transactions_budget *budget, uint64_t key, int status,
	const struct moment *now)
{
	struct sip_kept **at = find(&t->requests, key);
	if (!*at)
		return false;
	if (status >= 200) {
		drop(at, budget);
		return true;
	}
	(*at)->pause_ms = SIP_T2_MS;
	(*at)->again_ms = now->mono_ms + SIP_T2_MS;
	return true;
}

/* ---- time ---- */

uint64_t sip_transactions_deadline(const struct sip_transactions *t)
{
	uint64_t at = MOMENT_NEVER;
	for (const struct sip_kept *k = t->answers; k; k = k->next)
		at = k->until_ms < at ? k->until_ms : at;
	for (const struct sip_kept *k = t->requests; k; k = k->next) {
		at = k->until_ms < at ? k->until_ms : at;
		at = k->again_ms < at ? k->again_ms : at;
	}
	return at;
}

/* The oldest are last: all behind the first that is over are over. */
static void forget_answers(struct sip_transactions *t,
	struct sip_transactions_budget *budget, const struct moment *now)
{
	struct sip_kept **at = &t->answers;
	while (*at && now->mono_ms < (*at)->until_ms)
		at = &(*at)->next;
	cut(at, 0, budget);
}

enum sip_transactions_step sip_transactions_tick(struct sip_transactions *t,
	struct sip_transactions_budget *budget, const struct moment *now,
	const void **data, size_t *n)
{
	forget_answers(t, budget, now);
	for (struct sip_kept **at = &t->requests; *at; at = &(*at)->next) {
		struct sip_kept *kept = *at;
		if (now->mono_ms >= kept->until_ms) {
			drop(at, budget);
			return SIP_TRANSACTIONS_LOST;
		}
		if (now->mono_ms < kept->again_ms)
			continue;
		kept->pause_ms = 2 * kept->pause_ms < SIP_T2_MS
					 ? 2 * kept->pause_ms
					 : SIP_T2_MS;
		kept->again_ms = now->mono_ms + kept->pause_ms;
		*data = kept->data;
		*n = kept->n;
		return SIP_TRANSACTIONS_AGAIN;
	}
	return SIP_TRANSACTIONS_IDLE;
}
