/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of phones that come as scheduled, register, and come again. */
#include "bench/storm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "bench/process.h"

enum {
	TICK_MS = 1,
	SAMPLE_MS = 1000,
	PROGRESS_MS = 500,
	SETTLE_MS = 200,
	CLOSE_MS = 5000, /* a phone that leaves, at most */
	PRIMING_AT_ONCE = 32,
	/* That many failures and no success: priming is given up. */
	PRIMING_HOPELESS = 64,
	LOST_AGAIN_MS = 2000, /* a lost phone is back within, at random */
	BACKOFF_MAX_MS = 60000,
};

struct storm_phone {
	struct storm *storm;
	struct storm_phone *next; /* in the list of idle ones */
	struct credential credential;
	SSL_SESSION *session;
	struct handset handset;
	uv_timer_t again;
	uint64_t due_ns; /* of its arrival, as uv_hrtime() counts */
	unsigned tries;	 /* of its arrival, so far */
	bool flying;	 /* handset is in use */
	bool back;	 /* was held, lost, and comes again */
	char device[NAMES_DEVICE_MAX + 1];
	char line[NAMES_LINE_MAX + 1];
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

static uint64_t random_next(struct storm *s)
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

static struct series_cell *cell(struct storm *s)
{
	return series_at(&s->tally.series, passed_ns(s));
}

static void put_idle(struct storm *s, struct storm_phone *p)
{
	p->next = NULL;
	*s->idle_end = p;
	s->idle_end = &p->next;
}

static struct storm_phone *take_idle(struct storm *s)
{
	struct storm_phone *p = s->idle;
	if (!p)
		return NULL;
	s->idle = p->next;
	if (!s->idle)
		s->idle_end = &s->idle;
	return p;
}

/* One try: a connection of its own. */
static void attempt(struct storm_phone *p)
{
	struct storm *s = p->storm;
	struct credential credential;
	credential_copy(&p->credential, &credential);
	handset_init(&p->handset, &s->setup, p->device, p->line, &credential);
	p->handset.owner = p;
	if (s->config.resume != STORM_FULL)
		p->handset.session = &p->session;
	p->flying = true;
	s->flying++;
	if (s->phase != STORM_PHASE_PRIMING) {
		s->tally.attempts++;
		s->tally.retries += p->tries > 0;
	}
	p->tries++;
	handset_start(&p->handset);
}

/* ---- the server and this program, from outside ---- */

static void sample(struct storm *s)
{
	struct tally *t = &s->tally;
	struct process_use use;
	struct series_cell *c = cell(s);
	if (s->up > c->held)
		c->held = s->up;
	if (s->config.server == 0 || t->server_gone)
		return;
	/* Their time together can only shrink if one of many has ended. */
	if (process_use(s->config.server, &use) < 0 ||
		use.cpu_ns < s->sampled_cpu_ns) {
		t->server_gone = true;
		return;
	}
	c->counts[SERIES_CPU_NS] += use.cpu_ns - s->sampled_cpu_ns;
	s->sampled_cpu_ns = use.cpu_ns;
	if (use.rss > c->rss)
		c->rss = use.rss;
	if (use.rss > t->rss_peak)
		t->rss_peak = use.rss;
	t->rss_end = use.rss;
	double cpu_s = (double)(use.cpu_ns - s->server_cpu_ns) / 1e9;
	if (s->hold_ns == 0)
		t->server_cpu_s = cpu_s;
	else if (s->phase == STORM_PHASE_HOLDING)
		t->hold_cpu_s = cpu_s - t->server_cpu_s;
}

static void first_sample(struct storm *s)
{
	struct process_use use;
	s->own_cpu_ns = process_own_cpu_ns();
	if (s->config.server == 0)
		return;
	s->tally.server_seen = true;
	if (process_use(s->config.server, &use) < 0) {
		s->tally.server_gone = true;
		return;
	}
	s->server_cpu_ns = s->sampled_cpu_ns = use.cpu_ns;
	s->tally.rss_start = s->tally.rss_peak = use.rss;
}

/* ---- the end ---- */

static void close_handles(struct storm *s)
{
	s->phase = STORM_PHASE_ENDED;
	for (unsigned i = 0; i < s->made; i++)
		uv_close((uv_handle_t *)&s->phones[i].again, NULL);
	uv_close((uv_handle_t *)&s->tick, NULL);
	uv_close((uv_handle_t *)&s->sample, NULL);
	uv_close((uv_handle_t *)&s->progress, NULL);
	uv_close((uv_handle_t *)&s->limit, NULL);
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
	t->tool_cpu_s = (double)(process_own_cpu_ns() - s->own_cpu_ns) / 1e9;
	t->stopped = s->undecided;
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
	}
	s->phase = STORM_PHASE_SETTLING;
	uv_timer_stop(&s->tick);
	for (unsigned i = 0; i < s->made; i++) {
		struct storm_phone *p = &s->phones[i];
		uv_timer_stop(&p->again);
		if (p->flying &&
			handset_outcome_good(p->handset.result.outcome))
			handset_close(&p->handset, HANDSET_REGISTERED, "");
		else if (p->flying)
			handset_close(&p->handset, HANDSET_STOPPED, "");
	}
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

/* Are all arrivals decided? Then the storm proper is over. */
static void look_whether_over(struct storm *s)
{
	if (s->phase != STORM_PHASE_STORM || s->undecided > 0 ||
		s->next_arrival < s->config.schedule.arrivals)
		return;
	if (s->config.stay == STORM_CHURN) {
		if (s->flying == 0)
			settle(s);
		return;
	}
	end_measuring(s);
	s->phase = STORM_PHASE_HOLDING;
	s->hold_ns = uv_hrtime();
	uv_timer_stop(&s->tick);
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
	const uint64_t patience_ns = s->config.patience_ms * UINT64_C(1000000);
	uint64_t passed = passed_ns(s), due = schedule_due(plan, passed);
	while (s->next_arrival < due) {
		uint64_t at = schedule_at(plan, s->next_arrival);
		struct storm_phone *p = take_idle(s);
		if (!p) {
			s->starved_to = due;
			if (passed - at <= patience_ns)
				return;
			give_up_arrival(s);
			continue;
		}
		uint64_t now = passed_ns(s);
		note_start(s, s->next_arrival++, now > at ? now - at : 0);
		p->due_ns = s->start_ns + at;
		p->tries = 0;
		p->back = false;
		s->undecided++;
		attempt(p);
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct storm *s = timer->data;
	serve(s);
	look_whether_over(s);
}

static void on_sample(uv_timer_t *timer)
{
	sample(timer->data);
}

static void on_progress(uv_timer_t *timer)
{
	struct storm *s = timer->data;
	s->config.on_progress(s->config.owner);
}

/* No storm takes longer than its plan and every retry at its longest. */
static uint64_t limit_ms(const struct storm_config *c)
{
	uint64_t last = 0;
	if (c->schedule.arrivals > 0)
		last = schedule_at(&c->schedule, c->schedule.arrivals - 1);
	uint64_t tries = c->retries + 1;
	return last / 1000000 + c->patience_ms +
	       tries * (c->patience_ms + BACKOFF_MAX_MS) + CLOSE_MS;
}

static void begin_storm(uv_timer_t *timer)
{
	struct storm *s = timer->data;
	s->phase = STORM_PHASE_STORM;
	s->tally.planned = s->config.schedule.arrivals;
	uv_update_time(s->setup.loop);
	s->start_ns = uv_hrtime();
	first_sample(s);
	uv_timer_start(&s->limit, on_cut, limit_ms(&s->config), 0);
	uv_timer_start(&s->tick, on_tick, 0, TICK_MS);
	uv_timer_start(&s->sample, on_sample, SAMPLE_MS, SAMPLE_MS);
}

/* ---- priming ---- */

static void prime_more(struct storm *s)
{
	while (s->prime_next < s->made && s->flying < PRIMING_AT_ONCE) {
		struct storm_phone *p = &s->phones[s->prime_next++];
		p->tries = 0;
		attempt(p);
	}
}

static void on_primed(struct storm *s, const struct handset_result *result)
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
	if (s->flying > 0)
		return;
	t->prime_s = (double)(uv_hrtime() - s->prime_from_ns) / 1e9;
	s->phase = STORM_PHASE_PAUSED;
	/* The server, too, closes what priming has left. */
	uv_timer_start(
		&s->limit, begin_storm, SETTLE_MS + s->config.pause_ms, 0);
}

/* ---- what becomes of a phone ---- */

static enum tally_kind kind_of(const struct handset *h)
{
	if (!h->setup->ctx)
		return TALLY_PLAIN;
	return h->result.resumed ? TALLY_RESUMED : TALLY_FULL;
}

static bool counting(const struct storm *s)
{
	return s->phase == STORM_PHASE_STORM || s->phase == STORM_PHASE_HOLDING;
}

static void on_secured(struct handset *h)
{
	struct storm_phone *p = h->owner;
	struct storm *s = p->storm;
	if (!counting(s))
		return;
	enum tally_kind kind = kind_of(h);
	s->tally.handshakes[kind]++;
	cell(s)->counts[kind == TALLY_RESUMED ? SERIES_RESUMED : SERIES_FULL]++;
}

static void on_registered(struct handset *h)
{
	struct storm_phone *p = h->owner;
	struct storm *s = p->storm;
	s->up++;
	if (counting(s)) {
		uint64_t now = uv_hrtime();
		uint64_t took = now > p->due_ns ? now - p->due_ns : 0;
		histogram_add(&s->tally.latency[kind_of(h)], took / 1000);
		cell(s)->counts[SERIES_REGISTERED]++;
		if (p->back)
			s->tally.returned++;
		else
			s->tally.registered++;
		s->undecided -= !p->back;
	}
	if (s->config.stay == STORM_HOLD && s->up > s->tally.held)
		s->tally.held = s->up;
	if (s->phase == STORM_PHASE_PRIMING || s->config.stay == STORM_CHURN)
		handset_close(h, HANDSET_REGISTERED, "");
	else
		look_whether_over(s);
}

static void on_again(uv_timer_t *timer)
{
	struct storm_phone *p = timer->data;
	p->storm->waiting--;
	attempt(p);
}

static void try_again(struct storm_phone *p, uint32_t in_ms)
{
	p->storm->waiting++;
	uv_timer_start(&p->again, on_again, in_ms, 0);
}

/* It was held, and the server lost it: it comes back, if phones retry. */
static void on_dropped(struct storm_phone *p)
{
	struct storm *s = p->storm;
	s->tally.dropped++;
	if (s->config.retries == 0)
		return;
	uint32_t wait = (uint32_t)(random_next(s) % LOST_AGAIN_MS);
	p->back = true;
	p->tries = 0;
	p->due_ns = uv_hrtime() + wait * UINT64_C(1000000);
	try_again(p, wait);
}

static void on_refused(struct storm_phone *p)
{
	struct storm *s = p->storm;
	if (p->tries <= s->config.retries) {
		try_again(p, schedule_backoff_ms(p->tries - 1, random_next(s)));
		return;
	}
	if (!p->back) {
		s->tally.failed++;
		s->undecided--;
	}
	if (s->config.stay == STORM_CHURN)
		put_idle(s, p);
}

static void on_closed(struct handset *h)
{
	struct storm_phone *p = h->owner;
	struct storm *s = p->storm;
	const struct handset_result *result = &h->result;
	bool was_in = result->seconds >= 0;
	p->flying = false;
	s->flying--;
	s->up -= was_in;
	if (s->phase == STORM_PHASE_PRIMING) {
		put_idle(s, p);
		on_primed(s, result);
		return;
	}
	if (!counting(s))
		return;
	if (!handset_outcome_good(result->outcome)) {
		tally_reason(&s->tally.reasons,
			handset_outcome_name(result->outcome), result->text);
		cell(s)->counts[SERIES_REFUSED]++;
	}
	if (!was_in)
		on_refused(p);
	else if (s->config.stay == STORM_CHURN)
		put_idle(s, p);
	else
		on_dropped(p);
	look_whether_over(s);
}

/* ---- making and breaking ---- */

/* The names of the i-th phone. 0, or -errno with d set. */
static int make_phone(struct storm *s, unsigned i, struct diag *d)
{
	const struct storm_config *c = &s->config;
	struct storm_phone *p = &s->phones[i];
	p->storm = s;
	int error = names_device(c->device, i, p->device);
	if (!error)
		error = names_line(c->line, i, p->line);
	if (error)
		return diag_set(d, error,
			"cannot count %u phones upwards from %s and line %s",
			c->phones, c->device, c->line);
	error = c->credential(c->owner, i, p->device, &p->credential, d);
	if (error)
		return error;
	uv_timer_init(s->setup.loop, &p->again);
	p->again.data = p;
	s->made++;
	put_idle(s, p);
	return 0;
}

int storm_init(struct storm *s, uv_loop_t *loop,
	const struct storm_config *config, struct diag *d)
{
	memset(s, 0, sizeof(*s));
	s->config = *config;
	s->idle_end = &s->idle;
	s->setup = (struct handset_setup){
		.loop = loop,
		.target = config->target,
		.ctx = config->ctx,
		.talk = config->talk,
		.connect_ms = config->patience_ms,
		.patience_ms = config->patience_ms,
		.leave_ms = CLOSE_MS,
		.plain = s->plain,
		.received = s->received,
		.on_secured = on_secured,
		.on_registered = on_registered,
		.on_closed = on_closed,
	};
	uv_timer_t *const timers[] = {
		&s->tick, &s->sample, &s->progress, &s->limit};
	for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
		uv_timer_init(loop, timers[i]);
		timers[i]->data = s;
	}
	if (RAND_bytes((uint8_t *)&s->random, sizeof(s->random)) != 1)
		abort();
	s->random |= 1; /* xorshift never leaves 0 */
	s->phones = calloc(config->phones, sizeof(*s->phones));
	if (!s->phones)
		abort();
	int error = 0;
	for (unsigned i = 0; i < config->phones && !error; i++)
		error = make_phone(s, i, d);
	return error;
}

void storm_start(struct storm *s)
{
	uv_update_time(s->setup.loop);
	if (s->config.on_progress)
		uv_timer_start(&s->progress, on_progress, 0, PROGRESS_MS);
	if (s->config.resume == STORM_FULL) {
		begin_storm(&s->limit);
		return;
	}
	s->phase = STORM_PHASE_PRIMING;
	/* Every phone is listed again when it comes back from priming. */
	s->idle = NULL;
	s->idle_end = &s->idle;
	s->prime_from_ns = uv_hrtime();
	uv_timer_start(&s->limit, on_cut, STORM_PRIME_MAX_S * 1000, 0);
	prime_more(s);
}

void storm_deinit(struct storm *s)
{
	if (!s->phones)
		return;
	if (s->phase == STORM_PHASE_NEW)
		close_handles(s);
	storm_stop(s);
	uv_run(s->setup.loop, UV_RUN_DEFAULT);
	for (unsigned i = 0; i < s->config.phones; i++) {
		SSL_SESSION_free(s->phones[i].session);
		credential_deinit(&s->phones[i].credential);
	}
	free(s->phones);
	s->phones = NULL;
}
