/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of phones that come as scheduled, register, and come again. */
#include "bench/storm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "bench/storm_phone.h"

enum {
	MS_PER_S = 1000,
	NS_PER_MS = 1000000,
	TICK_MS = 1,
	HOLD_TICK_MS = 20,
	SLICE_NS = 20 * NS_PER_MS, /* of starting phones, in one turn */
	SAMPLE_MS = 1000,
	/* A storm that is planned to be shorter is told in finer cells. */
	BRIEF_MS = 60 * MS_PER_S,
	BRIEF_CELL_MS = 100,
	PROGRESS_MS = 500,
	SETTLE_MS = 200,
	CLOSE_MS = 5000, /* a phone that leaves, at most */
	PRIMING_AT_ONCE = 32,
	/* That many failures and no success: priming is given up. */
	PRIMING_HOPELESS = 64,
	BACKOFF_MAX_MS = 60000,
};

const char *storm_resume_name(enum storm_resume resume)
{
	static const char *const names[] = {
#define X(symbol, name, versions) name,
		STORM_RESUME_LIST(X)
#undef X
	};
	return names[resume];
}

const char *storm_phase_name(enum storm_phase phase)
{
	static const char *const names[] = {
#define X(symbol, name) name,
		STORM_PHASE_LIST(X)
#undef X
	};
	return names[phase];
}

uint64_t storm_random(struct storm *s)
{
	/* xorshift64: spreads retries, keeps no secret. */
	s->random ^= s->random << 13;
	s->random ^= s->random >> 7;
	s->random ^= s->random << 17;
	return s->random;
}

static uint64_t passed_ns(const struct storm *s)
{
	uint64_t now = uv_hrtime();
	return now > s->start_ns ? now - s->start_ns : 0;
}

double storm_seconds(const struct storm *s)
{
	return s->start_ns ? (double)passed_ns(s) / 1e9 : 0;
}

bool storm_counts(const struct storm *s)
{
	return s->phase == STORM_PHASE_STORM || s->phase == STORM_PHASE_HOLDING;
}

struct series_cell *storm_cell(struct storm *s)
{
	return series_at(&s->tally.series, passed_ns(s));
}

static void clear(struct storm_phone_list *list)
{
	list->first = NULL;
	list->end = &list->first;
}

static void put(struct storm_phone_list *list, struct storm_phone *p)
{
	p->next = NULL;
	*list->end = p;
	list->end = &p->next;
}

static struct storm_phone *take(struct storm_phone_list *list)
{
	struct storm_phone *p = list->first;
	if (!p)
		return NULL;
	list->first = p->next;
	if (!list->first)
		list->end = &list->first;
	return p;
}

void storm_phone_is_idle(struct storm *s, struct storm_phone *p)
{
	put(&s->idle, p);
}

bool storm_phone_may_enter(struct storm *s, struct storm_phone *p)
{
	if (!s->gated.first && gate_room(&s->gate))
		return true;
	s->tally.gated++;
	put(&s->gated, p);
	return false;
}

/* A turn of the loop is over: who may enter now? */
static void open_gate(struct storm *s)
{
	gate_turn(&s->gate, uv_hrtime());
	while (s->gated.first && gate_room(&s->gate)) {
		struct storm_phone *p = take(&s->gated);
		if (p->gated) /* it has not been stopped meanwhile */
			storm_phone_enter(p);
	}
}

static void sample(struct storm *s)
{
	gauge_look(&s->gauge, &s->tally, passed_ns(s), s->up);
}

/* ---- the end ---- */

static void close_handles(struct storm *s)
{
	uv_timer_t *const timers[] = {&s->tick, &s->sample, &s->progress,
		&s->limit, &s->until, &s->restarts};
	s->phase = STORM_PHASE_ENDED;
	for (unsigned i = 0; i < s->made; i++)
		uv_close((uv_handle_t *)&s->phones[i].again, NULL);
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++)
		uv_close((uv_handle_t *)timers[i], NULL);
	restart_close(&s->restart);
}

static void on_settled(uv_timer_t *timer)
{
	struct storm *s = timer->data;
	if (s->flying > 0)
		return;
	if (s->start_ns)
		sample(s);
	close_handles(s);
}

/* Every arrival is decided, or nobody waits for it any more. */
static void end_measuring(struct storm *s)
{
	struct tally *t = &s->tally;
	sample(s);
	t->storm_s = storm_seconds(s);
	t->tool_cpu_s = gauge_own_s(&s->gauge);
	t->stopped = s->undecided;
	uv_timer_stop(&s->until);
}

/* The measured time is over: whoever is still there hangs up. */
static void settle(struct storm *s)
{
	if (s->phase >= STORM_PHASE_SETTLING)
		return;
	if (s->phase == STORM_PHASE_STORM)
		end_measuring(s);
	if (s->phase == STORM_PHASE_HOLDING) {
		sample(s);
		s->tally.hold_s = (double)(uv_hrtime() - s->hold_ns) / 1e9;
		s->gauge.part = GAUGE_OVER;
	}
	s->phase = STORM_PHASE_SETTLING;
	clear(&s->gated);
	uv_timer_stop(&s->tick);
	uv_timer_stop(&s->restarts);
	for (unsigned i = 0; i < s->made; i++)
		storm_phone_stop(&s->phones[i]);
	uv_timer_start(&s->limit, on_settled, SETTLE_MS, SETTLE_MS);
}

static void on_cut(uv_timer_t *timer)
{
	storm_stop(timer->data);
}

void storm_stop(struct storm *s)
{
	if (s->phase < STORM_PHASE_SETTLING)
		s->cut = true;
	settle(s);
}

static void on_hold_over(uv_timer_t *timer)
{
	settle(timer->data);
}

static void on_tick(uv_timer_t *timer);

void storm_look(struct storm *s)
{
	if (s->phase != STORM_PHASE_STORM || s->undecided > 0 ||
		s->next_arrival < s->config.schedule.arrivals)
		return;
	if (s->config.stay == STORM_CHURN) {
		settle(s);
		return;
	}
	end_measuring(s);
	s->phase = STORM_PHASE_HOLDING;
	s->gauge.part = GAUGE_HOLD;
	s->hold_ns = uv_hrtime();
	uv_timer_start(&s->tick, on_tick, HOLD_TICK_MS, HOLD_TICK_MS);
	uv_timer_start(&s->limit, on_hold_over, s->config.hold_ms, 0);
}

/* ---- arrivals ---- */

static void note_start(struct storm *s, uint64_t i, uint64_t late_ns)
{
	struct tally *t = &s->tally;
	t->started++;
	if (i < s->starved_to) {
		t->starved++;
		return;
	}
	histogram_add(&t->lateness, late_ns / 1000);
	t->late += late_ns / 1000 > TALLY_LATE_US;
}

static void give_up_arrival(struct storm *s)
{
	s->tally.unserved++;
	s->tally.failed++;
	tally_reason(
		&s->tally.reasons, "unserved", "no simulated phone was free");
	s->next_arrival++;
}

/* Starts what is due, the oldest first, whoever had to wait included. */
static void serve(struct storm *s)
{
	const struct schedule *plan = &s->config.schedule;
	const uint64_t patience_ns =
		s->config.patience_ms * (uint64_t)NS_PER_MS;
	uint64_t passed = passed_ns(s), due = schedule_due(plan, passed);
	while (s->next_arrival < due) {
		uint64_t at = schedule_at(plan, s->next_arrival);
		struct storm_phone *p = take(&s->idle);
		if (!p) {
			s->starved_to = due;
			if (passed - at <= patience_ns)
				return;
			give_up_arrival(s);
			continue;
		}
		uint64_t now = passed_ns(s);
		if (now - passed > SLICE_NS)
			due = s->next_arrival + 1; /* others want to be read */
		note_start(s, s->next_arrival++, now > at ? now - at : 0);
		storm_phone_come(p, s->start_ns + at);
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct storm *s = timer->data;
	open_gate(s);
	serve(s);
	storm_look(s);
}

/* Its time is over: who is not in has failed. */
static void on_until(uv_timer_t *timer)
{
	struct storm *s = timer->data;
	struct tally *t = &s->tally;
	const uint64_t arrivals = s->config.schedule.arrivals;
	uint64_t missing = s->undecided + (arrivals - s->next_arrival);
	t->expired += missing;
	t->failed += missing;
	for (uint64_t i = 0; i < missing; i++)
		tally_reason(&t->reasons, "until",
			"not registered when the storm's time was over");
	s->next_arrival = arrivals;
	for (unsigned i = 0; i < s->made; i++)
		if (s->phones[i].undecided)
			storm_phone_stop(&s->phones[i]);
	storm_look(s);
}

/* ---- the server's restart ---- */

static void on_restart(uv_timer_t *timer)
{
	struct storm *s = timer->data;
	restart_run(&s->restart, s->loop);
}

static void on_restart_begin(void *owner)
{
	struct storm *s = owner;
	sample(s); /* what the server has used dies with it */
	s->restart_ns = s->after_ns = uv_hrtime();
	s->tally.restart.begun = true;
	s->tally.restart.at_s = storm_seconds(s);
}

static void on_restart_end(void *owner, int code)
{
	struct storm *s = owner;
	struct tally_restart *restart = &s->tally.restart;
	restart->ended = true;
	restart->code = code;
	restart->took_s = (double)(uv_hrtime() - s->restart_ns) / 1e9;
}

/* ---- the storm begins ---- */

static void on_sample(uv_timer_t *timer)
{
	sample(timer->data);
}

static void on_progress(uv_timer_t *timer)
{
	struct storm *s = timer->data;
	s->config.on_progress(s->config.owner);
}

static uint64_t plan_ms(const struct storm_config *c)
{
	if (c->schedule.arrivals == 0)
		return 0;
	return schedule_at(&c->schedule, c->schedule.arrivals - 1) / NS_PER_MS;
}

/* From its first attempt on, no phone takes longer. */
static uint64_t tries_ms(const struct storm_config *c)
{
	if (c->retries == STORM_FOREVER)
		return c->until_ms;
	uint64_t tries = c->retries + 1;
	return tries * (c->patience_ms + BACKOFF_MAX_MS) + CLOSE_MS;
}

/* No storm takes longer than its plan and every retry at its longest. */
static uint64_t limit_ms(const struct storm_config *c)
{
	return plan_ms(c) + c->patience_ms + tries_ms(c);
}

void storm_allow(struct storm *s, uint64_t ms)
{
	const struct storm_config *c = &s->config;
	uint64_t now = uv_hrtime(), due = ms + c->patience_ms + tries_ms(c);
	if (s->phase != STORM_PHASE_STORM || now >= s->latest_ns)
		return;
	uint64_t most = (s->latest_ns - now) / NS_PER_MS;
	if (due > most)
		due = most;
	if (due > uv_timer_get_due_in(&s->limit))
		uv_timer_start(&s->limit, on_cut, due, 0);
}

static void begin_storm(uv_timer_t *timer)
{
	struct storm *s = timer->data;
	const struct storm_config *c = &s->config;
	uint64_t limit = limit_ms(c), sample_ms = SAMPLE_MS;
	s->phase = STORM_PHASE_STORM;
	s->tally.planned = c->schedule.arrivals;
	if (plan_ms(c) + c->hold_ms < BRIEF_MS)
		s->tally.series.cell_ms = sample_ms = BRIEF_CELL_MS;
	uv_update_time(s->loop);
	s->start_ns = uv_hrtime();
	s->latest_ns =
		s->start_ns + (limit + STORM_WAIT_MAX_S * MS_PER_S) * NS_PER_MS;
	gauge_begin(&s->gauge, &s->tally);
	uv_timer_start(&s->limit, on_cut, limit, 0);
	uv_timer_start(&s->tick, on_tick, 0, TICK_MS);
	uv_timer_start(&s->sample, on_sample, sample_ms, sample_ms);
	if (c->until_ms)
		uv_timer_start(&s->until, on_until, c->until_ms, 0);
	if (c->restart_command)
		uv_timer_start(&s->restarts, on_restart, c->restart_ms, 0);
}

/* ---- priming ---- */

static void prime_more(struct storm *s)
{
	while (s->prime_next < s->made &&
		s->flying + s->waiting < PRIMING_AT_ONCE)
		storm_phone_come(&s->phones[s->prime_next++], 0);
}

void storm_phone_is_primed(struct storm *s, const struct handset_result *result)
{
	struct tally *t = &s->tally;
	if (result->seconds >= 0) {
		t->primed++;
	} else {
		t->prime_failed++;
		tally_reason(&t->reasons, handset_outcome_name(result->outcome),
			result->text);
	}
	if (t->primed == 0 && t->prime_failed >= PRIMING_HOPELESS) {
		storm_stop(s);
		return;
	}
	prime_more(s);
	if (s->flying + s->waiting > 0)
		return;
	t->prime_s = (double)(uv_hrtime() - s->prime_from_ns) / 1e9;
	s->phase = STORM_PHASE_PAUSED;
	/* The server, too, closes what priming has left. */
	uv_timer_start(
		&s->limit, begin_storm, SETTLE_MS + s->config.pause_ms, 0);
}

/* ---- making and breaking ---- */

static void set_up(struct storm *s, unsigned way)
{
	const struct storm_config *c = &s->config;
	s->setups[way] = (struct handset_setup){
		.loop = s->loop,
		.target = c->ways[way].target,
		.ctx = c->ctx,
		.talk = c->ways[way].talk,
		.connect_ms = c->patience_ms,
		.patience_ms = c->patience_ms,
		.leave_ms = CLOSE_MS,
		.plain = s->plain,
		.received = s->received,
	};
	storm_phone_set_up(&s->setups[way]);
}

static void init_timers(struct storm *s)
{
	uv_timer_t *const timers[] = {&s->tick, &s->sample, &s->progress,
		&s->limit, &s->until, &s->restarts};
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		uv_timer_init(s->loop, timers[i]);
		timers[i]->data = s;
	}
}

int storm_init(struct storm *s, uv_loop_t *loop,
	const struct storm_config *config, struct diag *d)
{
	memset(s, 0, sizeof(*s));
	s->config = *config;
	s->loop = loop;
	clear(&s->idle);
	clear(&s->gated);
	s->restart = (struct restart){
		.command = config->restart_command,
		.on_begin = on_restart_begin,
		.on_end = on_restart_end,
		.owner = s,
	};
	watch_init(&s->gauge.watch, config->server, config->server_file);
	for (unsigned i = 0; i < STORM_WAYS; i++)
		set_up(s, i);
	init_timers(s);
	if (RAND_bytes((uint8_t *)&s->random, sizeof(s->random)) != 1)
		abort();
	s->random |= 1; /* xorshift never leaves 0 */
	s->phones = calloc(config->phones, sizeof(*s->phones));
	if (!s->phones)
		abort();
	int error = 0;
	for (unsigned i = 0; i < config->phones && !error; i++) {
		error = storm_phone_make(s, i, &s->phones[i], d);
		s->made += !error;
	}
	return error;
}

void storm_start(struct storm *s)
{
	uv_update_time(s->loop);
	if (s->config.on_progress)
		uv_timer_start(&s->progress, on_progress, 0, PROGRESS_MS);
	if (s->config.resume == STORM_FULL) {
		begin_storm(&s->limit);
		return;
	}
	s->phase = STORM_PHASE_PRIMING;
	/* Every phone is listed again when it comes back from priming. */
	clear(&s->idle);
	s->prime_from_ns = uv_hrtime();
	uv_timer_start(&s->limit, on_cut, STORM_PRIME_MAX_S * MS_PER_S, 0);
	prime_more(s);
}

void storm_deinit(struct storm *s)
{
	if (!s->phones)
		return;
	if (s->phase == STORM_PHASE_NEW)
		close_handles(s);
	storm_stop(s);
	uv_run(s->loop, UV_RUN_DEFAULT);
	for (unsigned i = 0; i < s->config.phones; i++) {
		SSL_SESSION_free(s->phones[i].session);
		credential_deinit(&s->phones[i].role.credential);
	}
	free(s->phones);
	s->phones = NULL;
}
