/* SPDX-License-Identifier: Apache-2.0 */
/* One phone's connection to CAPF, between its thread and the desk's. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "registrar/capf/desk_inside.h"
#include "registrar/memory.h"
#include "registrar/text.h"

/* ---- what the phone said ---- */

/* Copies n bytes to *at, behind which the next go. */
static const void *put(uint8_t **at, const void *p, size_t n)
{
	if (!p)
		return NULL;
	uint8_t *copy = *at;
	memcpy(copy, p, n);
	*at += n;
	return copy;
}

static size_t length(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

static size_t size_of(const struct capf_server_event *e)
{
	size_t n = sizeof(*e) + length(e->device) + length(e->password) +
		   e->signed_data.n + e->sha2_signed_data.n + e->sudi_data.n +
		   e->public_key.n;
	for (size_t i = 0; i < e->n_certs; i++)
		n += e->certs[i].der.n;
	return n;
}

static struct capf_server_event *copy(const struct capf_server_event *e)
{
	struct capf_server_event *c = memory_zero(size_of(e));
	struct capf_bytes *const parts[] = {&c->signed_data,
		&c->sha2_signed_data, &c->sudi_data, &c->public_key};
	uint8_t *at = (uint8_t *)(c + 1);
	*c = *e;
	c->device = put(&at, e->device, length(e->device));
	c->password = put(&at, e->password, length(e->password));
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		parts[i]->p = put(&at, parts[i]->p, parts[i]->n);
	for (size_t i = 0; i < e->n_certs; i++)
		c->certs[i].der.p =
			put(&at, e->certs[i].der.p, e->certs[i].der.n);
	return c;
}

void capf_visit_drop_news(struct visit_news *news)
{
	if (news->said)
		OPENSSL_cleanse(news->said, news->said_n);
	free(news->said);
	if (news->reply)
		X509_free(news->reply->cert);
	free(news->reply);
	*news = (struct visit_news){.said = NULL};
}

/* ---- the connection's side ---- */

struct capf_visit *capf_visit_new(
	struct capf_desk *desk, const struct peer *peer)
{
	struct capf_visit *v = memory_zero(sizeof(*v));
	v->desk = desk;
	do
		v->session =
			__atomic_add_fetch(&desk->session, 1, __ATOMIC_RELAXED);
	while (v->session == 0);
	v->ref = peer->ref;
	memcpy(v->address, peer->address, sizeof(v->address));
	v->port = peer->port;
	pthread_mutex_lock(&desk->lock);
	desk->state.visits++;
	pthread_mutex_unlock(&desk->lock);
	return v;
}

uint32_t capf_visit_session(const struct capf_visit *v)
{
	return v->session;
}

const char *capf_visit_device(const struct capf_visit *v)
{
	return v->known_as;
}

void capf_visit_queue(struct capf_visit *v)
{
	struct capf_desk *desk = v->desk;
	if (v->waiting)
		return;
	v->waiting = true;
	v->next = NULL;
	*desk->end = v;
	desk->end = &v->next;
	desk->state.waiting++;
	pthread_cond_signal(&desk->news);
}

void capf_visit_tell(
	struct capf_visit *v, const struct capf_server_event *event)
{
	struct capf_server_event *said = copy(event);
	pthread_mutex_lock(&v->desk->lock);
	assert(!v->news.said);
	v->news.said = said;
	v->news.said_n = size_of(event);
	capf_visit_queue(v);
	pthread_mutex_unlock(&v->desk->lock);
}

bool capf_visit_answer(struct capf_visit *v, struct capf_answer *out)
{
	pthread_mutex_lock(&v->desk->lock);
	bool there = v->published;
	if (there) {
		*out = v->answer;
		memcpy(v->known_as, v->device, sizeof(v->known_as));
	}
	v->published = false;
	pthread_mutex_unlock(&v->desk->lock);
	return there;
}

void capf_visit_leave(struct capf_visit *v, const char *rule, const char *text)
{
	if (!v)
		return;
	pthread_mutex_lock(&v->desk->lock);
	text_copy(v->left_rule, sizeof(v->left_rule), rule ? rule : "");
	text_copy(v->left_text, sizeof(v->left_text), text ? text : "");
	v->news.left = true;
	capf_visit_queue(v);
	pthread_mutex_unlock(&v->desk->lock);
}

/* ---- the desk's side ---- */

void capf_visit_decided(struct capf_visit *v, const struct capf_answer *a)
{
	v->decision = *a;
	if (v->publishing)
		return;
	v->publishing = true;
	v->next_published = v->desk->to_publish;
	v->desk->to_publish = v;
}

void capf_visit_publish(struct capf_visit *v)
{
	struct capf_desk *desk = v->desk;
	v->publishing = false;
	pthread_mutex_lock(&desk->lock);
	v->answer = v->decision;
	v->published = true;
	desk->state.making_keys += v->step == STEP_KEY && !v->making_key;
	desk->state.making_keys -= v->step != STEP_KEY && v->making_key;
	v->making_key = v->step == STEP_KEY;
	pthread_mutex_unlock(&desk->lock);
	if (!v->gone)
		desk->world.wake(desk->world.self, v->ref);
}

void capf_visit_free(struct capf_visit *v)
{
	pthread_mutex_lock(&v->desk->lock);
	v->desk->state.visits -= !v->unattended;
	v->desk->state.making_keys -= v->making_key;
	pthread_mutex_unlock(&v->desk->lock);
	capf_visit_drop_news(&v->news);
	capf_visit_drop_news(&v->taken);
	EVP_PKEY_free(v->key);
	free(v->der);
	free(v);
}

void capf_visit_end(struct capf_visit *v, enum capf_reason reason,
	enum capf_why why, const char *detail)
{
	if (v->step == STEP_ENDED && !v->publishing)
		return; /* it has been told */
	v->step = STEP_ENDED;
	v->asks = false;
	text_copy(v->detail, sizeof(v->detail), detail);
	capf_visit_decided(v, &(struct capf_answer){
				      .what = CAPF_ANSWER_END,
				      .reason = reason,
				      .why = why,
				      .detail = v->detail,
			      });
}

/* ---- by device ---- */

static struct capf_visit **bucket(struct capf_desk *desk, const char *device)
{
	uint32_t hash = 2166136261U; /* FNV-1a */
	for (; *device; device++)
		hash = (hash ^ (uint8_t)(*device | 0x20)) * 16777619U;
	return &desk->visits[hash % DESK_BUCKETS];
}

void capf_visit_forget(struct capf_visit *v)
{
	struct capf_visit **at = bucket(v->desk, v->device);
	while (*at && *at != v)
		at = &(*at)->next_of_bucket;
	if (*at)
		*at = v->next_of_bucket;
}

void capf_visit_enrol(struct capf_visit *v, const char *device)
{
	text_copy(v->device, sizeof(v->device), device);
	struct capf_visit **at = bucket(v->desk, device);
	v->next_of_bucket = *at;
	*at = v;
}

void capf_visit_supersede(struct capf_desk *desk, const char *device,
	const struct capf_visit *but, enum capf_why why, const char *detail)
{
	for (struct capf_visit *v = *bucket(desk, device); v;
		v = v->next_of_bucket)
		if (v != but && v->step != STEP_ENDED &&
			cert_device_equal(v->device, device))
			capf_visit_end(v, CAPF_REASON_DECLINED, why, detail);
}
