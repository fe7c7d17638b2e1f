/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/phones: some of them, page by page, or what changed. */
#include "registrar/status/phones.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/memory.h"

/* One answer while it is made. */
struct page {
	struct phones_filter filter;
	size_t limit;			 /* 0: none */
	char behind[TOKEN_DATA_MAX + 1]; /* name; "": from the first */
	bool is_delta;			 /* only what changed since: */
	uint64_t since;
	struct sent *sent;
	char next[TOKEN_MAX + 1]; /* "" : there is no more */
	json_t *gone;		  /* names, of a delta */
};

/* What the plane sends, and gives back. */
struct sent {
	struct roster_phone **phones;
	size_t n;
	char *tail;
};

static void sent_free(void *self)
{
	struct sent *s = self;
	for (size_t i = 0; i < s->n; i++)
		roster_phone_unref(s->phones[i]);
	free(s->phones);
	free(s->tail);
	free(s);
}

/* ---- what is asked ---- */

/* Known only once the roster is locked: how far back it goes. */
static bool read_since(struct page *p, const struct query *q,
	const struct roster *r, struct plane_answer *out)
{
	return query_token(q,
		&(struct query_token){"since", TOKEN_SINCE, r->now, r->oldest},
		&p->since, &p->is_delta, out);
}

/* ---- what is answered ---- */

/* One that changed: it is in the list, or no more (or never was). */
static void take_slot(struct page *p, struct roster *r, size_t i)
{
	struct roster_phone *phone = r->slots[i].phone;
	if (phones_filter_passes(&p->filter, &phone->entry))
		p->sent->phones[p->sent->n++] = roster_take(r, i);
	else if (p->is_delta)
		json_array_append_new(
			p->gone, json_string(phone->entry.device));
}

static size_t taken(const struct page *p)
{
	return p->sent->n + json_array_size(p->gone);
}

static void take_phones(struct page *p, struct roster *r)
{
	size_t i = *p->behind ? roster_behind(r, p->behind) : 0;
	size_t most = r->n - i < p->limit || !p->limit ? r->n - i : p->limit;
	p->sent->phones =
		memory_zero((most ? most : 1) * sizeof(struct roster_phone *));
	for (; i < r->n; i++) {
		if (p->is_delta && r->slots[i].changed <= p->since)
			continue;
		if (p->limit && taken(p) == p->limit) {
			const char *last = r->slots[i - 1].phone->entry.device;
			token_write(p->next, TOKEN_CURSOR, last, strlen(last));
			return;
		}
		take_slot(p, r, i);
	}
}

/* On the first page. */
static void take_gone(struct page *p, const struct roster *r)
{
	size_t i = 0;
	const char *name;
	while (p->is_delta && !*p->behind &&
		(name = roster_gone_since(r, p->since, &i)))
		json_array_append_new(p->gone, json_string(name));
}

static void write_tail(struct page *p, const struct roster *r)
{
	char since[TOKEN_MAX + 1];
	token_write_moment(since, TOKEN_SINCE, r->now);
	char *gone = p->is_delta ? json_dumps(p->gone, JSON_COMPACT) : NULL;
	p->sent->tail = memory_format(
		"],\"count\":%zu%s%s,\"since\":\"%s\"%s%s%s}", p->sent->n,
		gone ? ",\"gone\":" : "", gone ? gone : "", since,
		*p->next ? ",\"next\":\"" : "", p->next, *p->next ? "\"" : "");
	free(gone);
}

/* {"phones":[ one,two,three ],"count":3,...} */
static void send_pieces(struct sent *s, struct plane_answer *out)
{
	static const char head[] = "{\"phones\":[";
	struct plane_piece *list = memory_zero((s->n + 2) * sizeof(*list));
	list[0] = (struct plane_piece){head, sizeof(head) - 1};
	for (size_t i = 0; i < s->n; i++) {
		size_t comma = i == 0; /* the first goes without */
		list[i + 1] = (struct plane_piece){
			s->phones[i]->text + comma, s->phones[i]->n - comma};
	}
	list[s->n + 1] = (struct plane_piece){s->tail, strlen(s->tail)};
	out->pieces = (struct plane_pieces){list, s->n + 2, sent_free, s};
	out->type = "application/json";
}

/* Weak: when a phone was last heard does not count. */
static void name_it(const struct roster *r, struct plane_answer *out)
{
	snprintf(out->etag, sizeof(out->etag),
		"W/\"%016" PRIx64 "-%" PRIx64 "\"", r->now.run, r->now.number);
}

static void make(struct page *p, struct roster *r, struct plane_answer *out)
{
	p->sent = memory_zero(sizeof(*p->sent));
	p->gone = json_array();
	take_phones(p, r);
	take_gone(p, r);
	write_tail(p, r);
	json_decref(p->gone);
	send_pieces(p->sent, out);
}

void phones_answer(struct roster *r, const char *node,
	const struct plane_request *request, const struct query *q,
	struct plane_answer *out)
{
	struct page p = {0};
	if (!phones_filter_read(&p.filter, q, node, out) ||
		!query_limit(q, PHONES_LIMIT_MAX, &p.limit, out) ||
		!query_cursor(q, TOKEN_CURSOR, p.behind, out))
		return;
	roster_look(r);
	if (read_since(&p, q, r, out)) {
		name_it(r, out);
		if (plane_has(request, out->etag))
			out->status = 304;
		else
			make(&p, r, out);
	}
	roster_release(r);
}
