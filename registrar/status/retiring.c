/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/trust/retiring: the devices that still hang on a retiring CA. */
#include "registrar/status/retiring.h"

#include <string.h>
#include <strings.h>

#include "registrar/census.h"
#include "registrar/impact.h"
#include "registrar/status/member.h"

enum { LIMIT_MAX = 10000 };

const struct query_row retiring_parameters[] = {
	{"limit", "1 to 10000"},
	{"cursor", "\"next\" of an answer; else leave it out to begin anew"},
	{"anchor", "the file of a retiring CA, as \"anchors\" has it"},
	{NULL, NULL},
};

struct leaving {
	struct server *server;
	const struct trust_snapshot *trust;
	const char *anchor; /* NULL: of any */
	size_t limit;	    /* 0: none */
	char behind[TOKEN_DATA_MAX + 1];
	bool more;
	json_int_t count; /* all of them */
	json_t *list;
};

/* The file of the retiring anchor of that bearer, or of one that is gone and
 * may be it; NULL: it hangs on another. */
static const char *retiring(
	const struct trust_snapshot *trust, const struct bearer *b)
{
	size_t n;
	const struct trust_anchor *list = trust_snapshot_anchors(trust, &n);
	const uint8_t *anchor = census_anchor(b);
	bool any = false;
	for (size_t i = 0; i < n; i++) {
		if (!list[i].retiring)
			continue;
		any = true;
		if (memcmp(list[i].id.sha256_raw, anchor, 32) == 0 ||
			(!census_is_known(anchor) &&
				strcmp(list[i].file, b->seen.anchor) == 0))
			return list[i].file;
	}
	return any && census_is_lost(trust, anchor, b->seen.anchor)
		       ? b->seen.anchor
		       : NULL;
}

/* Behind the page they are only counted. */
static bool is_listed(struct leaving *l, const char *name)
{
	bool full = l->limit && json_array_size(l->list) == l->limit;
	if (*l->behind && strcasecmp(name, l->behind) <= 0)
		return false;
	l->more |= full;
	return !full;
}

static bool add_leaving(void *self, const struct bearer *b)
{
	struct leaving *l = self;
	struct directory_entry e = {.registered = false};
	const struct leaf *last = census_last(b);
	const char *anchor = retiring(l->trust, b);
	if (!anchor || (!last && b->seen.kind == CERT_KIND_UNKNOWN) ||
		(l->anchor && strcmp(l->anchor, anchor) != 0))
		return true;
	l->count++;
	if (!is_listed(l, b->name))
		return true;
	if (directory_find(server_directory(l->server), b->name, &e))
		directory_entry_deinit(&e);
	json_t *o = json_pack("{ss ss ss sb}", "device", b->name, "anchor",
		anchor, "certificate",
		cert_kind_name(
			last ? last->kind : (enum cert_kind)b->seen.kind),
		"registered", e.registered);
	member_time(o, "notAfter",
		1000 * (last ? last->not_after : b->seen.not_after));
	member_time(o, "lastSeen", 1000 * b->seen.registered);
	json_array_append_new(l->list, o);
	return true;
}

static json_t *anchors_json(struct server *s, const struct trust_snapshot *t)
{
	json_t *all = json_array();
	size_t n;
	const struct trust_anchor *list = trust_snapshot_anchors(t, &n);
	for (size_t i = 0; i < n; i++)
		if (list[i].retiring)
			json_array_append_new(all,
				json_pack("{ss ss sI}", "file", list[i].file,
					"sha256", list[i].id.sha256, "devices",
					(json_int_t)impact_depending(
						s, list[i].id.sha256_raw)));
	return all;
}

void retiring_answer(
	struct server *s, const struct query *query, struct plane_answer *out)
{
	struct leaving l = {.server = s, .anchor = query_get(query, "anchor")};
	if (!query_limit(query, LIMIT_MAX, &l.limit, out) ||
		!query_cursor(query, TOKEN_LEAVING, l.behind, out))
		return;
	struct profiles *p = server_profiles(s);
	l.trust = p->trust;
	l.list = json_array();
	const struct census_sources from = server_census(s);
	census_walk(&from, LEAVES_FACTS, add_leaving, &l);
	out->json = json_pack("{so sI so}", "anchors",
		anchors_json(s, p->trust), "count", l.count, "devices", l.list);
	if (l.more)
		query_set_cursor(out->json, TOKEN_LEAVING,
			json_string_value(json_object_get(
				json_array_get(l.list, l.limit - 1),
				"device")));
	profiles_unref(p);
}

json_t *retiring_sum(struct server *s, const struct trust_snapshot *trust)
{
	json_int_t anchors = 0, devices = 0;
	size_t n;
	const struct trust_anchor *list = trust_snapshot_anchors(trust, &n);
	for (size_t i = 0; i < n; i++) {
		if (!list[i].retiring)
			continue;
		anchors++;
		devices +=
			(json_int_t)impact_depending(s, list[i].id.sha256_raw);
	}
	return anchors ? json_pack("{sI sI}", "anchors", anchors, "devices",
				 devices)
		       : NULL;
}
