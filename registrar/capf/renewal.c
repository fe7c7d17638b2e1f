/* SPDX-License-Identifier: Apache-2.0 */
/* LSCs are renewed by themselves, before they end. */
#include "registrar/capf/renewal.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "registrar/log.h"
#include "registrar/memory.h"

enum { DAY_S = 86400 };

static const char origin[] = "renewal";

int64_t capf_renewal_due(const struct capf_issued *i)
{
	int64_t life = i->not_after - i->not_before;
	int64_t chance = i->sha256[0] << 8 | i->sha256[1]; /* of 65536 */
	return i->not_before + life * 2 / 3 + life / 6 * chance / 65536;
}

bool capf_renewal_gains(const struct capf_issued *i,
	const struct config *config, int64_t root_end, int64_t now)
{
	int64_t end = now + (int64_t)config->capf_validity_days * DAY_S;
	if (root_end && root_end < end)
		end = root_end;
	return end - i->not_after >= (i->not_after - i->not_before) / 10;
}

bool capf_renewal_hour(const struct config *config, int64_t now)
{
	struct tm tm;
	time_t t = (time_t)now;
	uint32_t from = config->capf_renew_from, to = config->capf_renew_to;
	localtime_r(&t, &tm);
	uint32_t hour = (uint32_t)tm.tm_hour;
	if (from == to)
		return true;
	return from < to ? hour >= from && hour < to
			 : hour >= from || hour < to;
}

struct search {
	const struct capf_desk_world *world;
	struct capf_store *store;
	int64_t now, root_end;
	char (*found)[CERT_DEVICE_MAX + 1];
	size_t n, most;
};

static bool is_free(struct search *s, const char *device)
{
	struct capf_operation o;
	struct diag d;
	struct device *known = inventory_find(s->world->inventory, device);
	if (!known)
		return false;
	device_unref(known);
	if (capf_store_operation(s->store, device, &o, &d) < 0)
		return true;
	return o.state != CAPF_STATE_PENDING &&
	       !(o.state == CAPF_STATE_FAILED &&
		       strcmp(o.origin, origin) == 0 &&
		       s->now - o.changed_at < DAY_S);
}

static bool consider(void *self, const struct capf_issued *i)
{
	struct search *s = self;
	if (s->now >= capf_renewal_due(i) &&
		capf_renewal_gains(i, s->world->config, s->root_end, s->now) &&
		is_free(s, i->device))
		memcpy(s->found[s->n++], i->device, sizeof(i->device));
	return s->n < s->most;
}

static void search(struct capf_desk *desk, struct search *s)
{
	struct diag d;
	const struct capf_issued_which which = {
		.state = CAPF_ISSUED_INSTALLED + 1,
		.now = s->now,
		.part = 666,
	};
	s->store = capf_desk_look(desk);
	/* What cannot be read is said by whoever has to write. */
	capf_store_ledger(s->store, &which, consider, s, &d);
	capf_desk_looked(desk);
}

static size_t order(struct capf_desk *desk, const struct search *s)
{
	struct diag d;
	const char **names = memory_zero(s->n * sizeof(*names));
	struct capf_ordered *results = memory_zero(s->n * sizeof(*results));
	const struct capf_order order = {
		.kind = CAPF_INSTALL,
		.mode = CAPF_MODE_LSC,
		.turn_at = s->now,
		.tell = true,
		.origin = origin,
	};
	size_t queued = 0;
	for (size_t i = 0; i < s->n; i++)
		names[i] = s->found[i];
	if (capf_desk_order(desk, &order, names, s->n, results, &d) == 0)
		for (size_t i = 0; i < s->n; i++)
			queued += results[i].error == 0;
	free(names);
	free(results);
	return queued;
}

/* When what we would issue ends at the latest; 0: a CA outside knows. */
static int64_t end_of_root(const struct capf_desk_world *world)
{
	if (world->config->capf_issuer != CONFIG_ISSUER_OWN)
		return 0;
	struct capf_roots *roots = capf_authority_roots(world->authority);
	int64_t end = roots->signing.id.not_after;
	capf_roots_unref(roots);
	return end;
}

size_t capf_renewal_run(struct capf_desk *desk,
	const struct capf_desk_world *world, int64_t now)
{
	const struct config *c = world->config;
	struct log_line line;
	size_t queued = 0;
	if (!c->capf_renew || !capf_renewal_hour(c, now))
		return 0;
	struct search s = {.world = world,
		.now = now,
		.root_end = end_of_root(world),
		.most = c->capf_renew_per_min};
	s.found = memory_zero(s.most * sizeof(*s.found));
	search(desk, &s);
	if (s.n)
		queued = order(desk, &s);
	free(s.found);
	if (queued) {
		log_begin(&line, LOG_EV_CAPF_RENEWAL);
		log_num(&line, "devices", (int64_t)queued);
		log_end(&line);
	}
	return queued;
}
