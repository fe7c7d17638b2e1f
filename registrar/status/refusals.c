/* SPDX-License-Identifier: Apache-2.0 */
/* Status's own copy of the last refusals, so that no poller holds up a phone.
 */
#include "registrar/status/refusals.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openssl/rand.h>

#include "registrar/memory.h"
#include "registrar/status/json.h"

enum { LIMIT_MAX = 10000 };

struct refusals {
	pthread_mutex_t lock;
	struct failures *of;
	struct failure *list; /* each in its place, for the next copy */
	const struct failure **newest;
	size_t n;
	uint64_t seen;
	uint64_t run; /* tokens are of one */
};

struct refusals *refusals_new(struct failures *of)
{
	struct refusals *r = memory_zero(sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	r->of = of;
	if (RAND_bytes((uint8_t *)&r->run, sizeof(r->run)) != 1)
		abort(); /* law 2: no entropy */
	r->list = memory_zero(failures_max(of) * sizeof(*r->list));
	r->newest = memory_zero(failures_max(of) * sizeof(struct failure *));
	return r;
}

void refusals_free(struct refusals *r)
{
	if (!r)
		return;
	free(r->list);
	free(r->newest);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static int newest_first(const void *a, const void *b)
{
	const struct failure *x = *(const struct failure *const *)a;
	const struct failure *y = *(const struct failure *const *)b;
	return x->nth < y->nth ? 1 : -1;
}

/* Locks it. */
static void look(struct refusals *r)
{
	pthread_mutex_lock(&r->lock);
	uint64_t seen = r->seen;
	size_t n = failures_copy_new(r->of, r->list, &r->seen);
	if (n == r->n && seen == r->seen)
		return;
	r->n = n;
	for (size_t i = 0; i < n; i++)
		r->newest[i] = &r->list[i];
	qsort(r->newest, n, sizeof(struct failure *), newest_first);
}

/* ---- the resource ---- */

const struct query_row refusals_parameters[] = {
	{"limit", "1 to 10000"},
	{"cursor", "\"next\" of an answer; else leave it out to begin anew"},
	{"since", "\"since\" of an answer"},
	{"device", "the name of a device"},
	{"rule", "a rule, as \"rule\" of a refusal has it"},
	{"protocol", "sip, sccp or capf"},
	{"stage", "one of connection, tls, registration, enrolment"},
	{NULL, NULL},
};

/* What is asked; what is not asked for is NULL, -1 or 0. */
struct wish {
	const char *device, *rule;
	int protocol, stage;
	size_t limit;
	uint64_t since, before;
	bool is_delta, is_behind; /* after `since`; from `before` back */
};

static bool read_protocol(
	struct wish *w, const struct query *q, struct plane_answer *out)
{
	const char *name = query_get(q, "protocol");
	for (int i = CONFIG_SCCP; name && i <= CONFIG_CAPF; i++)
		if (strcmp(config_protocol_name((enum config_protocol)i),
			    name) == 0)
			w->protocol = i;
	return !name || w->protocol >= 0 || query_refuse(q, "protocol", out);
}

static bool read_stage(
	struct wish *w, const struct query *q, struct plane_answer *out)
{
	const char *name = query_get(q, "stage");
	for (int i = FAILURE_CONNECTION; name && i <= FAILURE_ENROLMENT; i++)
		if (strcmp(failure_stage_name((enum failure_stage)i), name) ==
			0)
			w->stage = i;
	return !name || w->stage >= 0 || query_refuse(q, "stage", out);
}

/* The copy is locked: how many there were is known. */
static bool read_tokens(struct wish *w, const struct query *q,
	const struct refusals *r, struct plane_answer *out)
{
	const struct token_moment now = {r->run, r->seen};
	/* Behind the newest, which may be younger than the count. */
	const struct token_moment last = {r->run, UINT64_MAX};
	return query_token(q,
		       &(struct query_token){"since", TOKEN_REFUSED, now, 0},
		       &w->since, &w->is_delta, out) &&
	       query_token(q,
		       &(struct query_token){"cursor", TOKEN_BEHIND, last, 0},
		       &w->before, &w->is_behind, out);
}

static bool passes(const struct wish *w, const struct failure *f)
{
	return (!w->is_delta || f->nth > w->since) &&
	       (!w->is_behind || f->nth < w->before) &&
	       (!w->device || strcasecmp(w->device, f->device) == 0) &&
	       (!w->rule || strcmp(w->rule, f->rule) == 0) &&
	       (w->protocol < 0 || (int)f->protocol == w->protocol) &&
	       (w->stage < 0 || (int)f->stage == w->stage);
}

static void set_token(
	json_t *o, const char *key, enum token_kind kind, struct token_moment m)
{
	char text[TOKEN_MAX + 1];
	token_write_moment(text, kind, m);
	json_object_set_new(o, key, json_string(text));
}

/* Of a locked copy. */
static json_t *list(const struct refusals *r, const struct wish *w)
{
	json_t *all = json_array();
	json_t *o = json_object();
	uint64_t last = 0;
	for (size_t i = 0; i < r->n; i++) {
		const struct failure *f = r->newest[i];
		if (!passes(w, f))
			continue;
		if (w->limit && json_array_size(all) == w->limit) {
			set_token(o, "next", TOKEN_BEHIND,
				(struct token_moment){r->run, last});
			break;
		}
		json_array_append_new(all, status_json_failure(f));
		last = f->nth;
	}
	json_object_set_new(
		o, "count", json_integer((json_int_t)json_array_size(all)));
	json_object_set_new(o, "failures", all);
	json_object_set_new(o, "total", json_integer((json_int_t)r->seen));
	set_token(o, "since", TOKEN_REFUSED,
		(struct token_moment){r->run, r->seen});
	return o;
}

void refusals_answer(struct refusals *r, const struct plane_request *request,
	const struct query *query, struct plane_answer *out)
{
	struct wish w = {.device = query_get(query, "device"),
		.rule = query_get(query, "rule"),
		.protocol = -1,
		.stage = -1};
	if (!query_limit(query, LIMIT_MAX, &w.limit, out) ||
		!read_protocol(&w, query, out) || !read_stage(&w, query, out))
		return;
	look(r);
	if (read_tokens(&w, query, r, out)) {
		snprintf(out->etag, sizeof(out->etag),
			"\"%016" PRIx64 "-%" PRIx64 "\"", r->run, r->seen);
		if (plane_has(request, out->etag))
			out->status = 304;
		else
			out->json = list(r, &w);
	}
	pthread_mutex_unlock(&r->lock);
}

json_t *refusals_json(struct refusals *r)
{
	look(r);
	json_t *o = list(r, &(struct wish){.protocol = -1, .stage = -1});
	pthread_mutex_unlock(&r->lock);
	return o;
}

json_t *refusals_of(struct refusals *r, const char *device)
{
	json_t *all = json_array();
	look(r);
	for (size_t i = 0; i < r->n; i++)
		if (strcasecmp(r->newest[i]->device, device) == 0)
			json_array_append_new(
				all, status_json_failure(r->newest[i]));
	pthread_mutex_unlock(&r->lock);
	return all;
}

json_t *refusals_since(struct refusals *r, uint64_t nth, size_t most,
	uint64_t *total, size_t *more)
{
	json_t *all = json_array();
	*more = 0;
	look(r);
	for (size_t i = 0; i < r->n && r->newest[i]->nth > nth; i++)
		if (i < most)
			json_array_append_new(
				all, status_json_failure(r->newest[i]));
		else
			++*more;
	*total = r->seen;
	pthread_mutex_unlock(&r->lock);
	return all;
}
