/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's look at its phones after a reload: who may not stay. */
#include "registrar/sweep.h"

enum { SLICE = 512 }; /* looked at in one turn, so that others have theirs */

static uint64_t pace_ms(const struct sweep *s)
{
	return 1000 * (uint64_t)s->host.workers / s->host.config->close_per_s;
}

static void on_turn(uv_timer_t *timer);

static void go_on(struct sweep *s, uint64_t in_ms)
{
	uv_timer_start(&s->timer, on_turn, in_ms, 0);
}

/* Is it closed in this round? */
static bool is_due(struct sweep *s, enum standing standing)
{
	if (standing != STANDING_REMOVED)
		return standing == STANDING_REVOKED;
	s->removed |= s->host.config->trust_removed == CONFIG_REMOVED_CLOSE;
	return s->pacing;
}

/* Ends those in the next places that are due, of removed anchors one at most;
 * answers whether it met one of those. */
static bool look(struct sweep *s)
{
	const struct trust_snapshot *trust =
		s->host.in_force(s->host.self)->trust;
	size_t places = s->host.places(s->host.self);
	size_t stop = places - s->next > SLICE ? s->next + SLICE : places;
	while (s->next < stop) {
		struct conn *c = s->host.at(s->host.self, s->next++);
		enum standing standing =
			c ? conn_standing(c, trust) : STANDING_GOOD;
		if (!is_due(s, standing))
			continue;
		conn_distrust(c, trust);
		if (standing == STANDING_REMOVED)
			return true;
	}
	return false;
}

static void on_turn(uv_timer_t *timer)
{
	struct sweep *s = timer->data;
	if (look(s)) {
		go_on(s, pace_ms(s));
	} else if (s->next < s->host.places(s->host.self)) {
		go_on(s, 0);
	} else if (s->removed && !s->pacing) {
		s->pacing = true;
		s->next = 0;
		go_on(s, 0);
	}
}

void sweep_init(struct sweep *s, const struct sweep_host *host)
{
	*s = (struct sweep){.host = *host};
	uv_timer_init(host->loop, &s->timer);
	s->timer.data = s;
}

void sweep_begin(struct sweep *s)
{
	s->next = 0;
	s->removed = s->pacing = false;
	go_on(s, 0);
}

void sweep_end(struct sweep *s)
{
	uv_close((uv_handle_t *)&s->timer, NULL);
}
