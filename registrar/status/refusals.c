/* SPDX-License-Identifier: Apache-2.0 */
/* Status's own copy of the last refusals, so that no poller holds up a phone.
 */
#include "registrar/status/refusals.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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
};

struct refusals *refusals_new(struct failures *of)
{
	struct refusals *r = memory_zero(sizeof(*r));
	pthread_mutex_init(&r->lock, NULL);
	r->of = of;
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
	{"device", "the name of a device"},
	{"rule", "a rule, as \"rule\" of a refusal has it"},
	{"stage", "one of connection, tls, registration, enrolment"},
	{NULL, NULL},
};

static bool is_stage(const char *name)
{
	for (int i = FAILURE_CONNECTION; i <= FAILURE_ENROLMENT; i++)
		if (strcmp(failure_stage_name((enum failure_stage)i), name) ==
			0)
			return true;
	return false;
}

static bool passes(const struct query *q, const struct failure *f)
{
	const char *device = query_get(q, "device");
	const char *rule = query_get(q, "rule");
	const char *stage = query_get(q, "stage");
	return (!device || strcasecmp(device, f->device) == 0) &&
	       (!rule || strcmp(rule, f->rule) == 0) &&
	       (!stage || strcmp(stage, failure_stage_name(f->stage)) == 0);
}

/* query NULL: all of them. */
static json_t *list(struct refusals *r, const struct query *query, size_t limit)
{
	json_t *all = json_array();
	size_t n = 0;
	look(r);
	for (size_t i = 0; i < r->n && (!limit || n < limit); i++)
		if (!query || passes(query, r->newest[i])) {
			json_array_append_new(
				all, status_json_failure(r->newest[i]));
			n++;
		}
	json_t *o = json_pack(
		"{so sI}", "failures", all, "total", (json_int_t)r->seen);
	pthread_mutex_unlock(&r->lock);
	return o;
}

void refusals_answer(
	struct refusals *r, const struct query *query, struct plane_answer *out)
{
	size_t limit;
	const char *stage = query_get(query, "stage");
	if (!query_limit(query, LIMIT_MAX, &limit, out))
		return;
	if (stage && !is_stage(stage))
		query_refuse(query, "stage", out);
	else
		out->json = list(r, query, limit);
}

json_t *refusals_json(struct refusals *r)
{
	return list(r, NULL, 0);
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
