/* SPDX-License-Identifier: Apache-2.0 */
/* One phone of a storm: what becomes of it, visit after visit. */
#include "bench/storm_phone.h"

enum { LOST_AGAIN_MS = 2000 /* a lost phone is back within, at random */ };

/* It does not keep this program busy any more. */
static void leave_gate(struct storm_phone *p)
{
	p->storm->gate.busy -= p->busy;
	p->busy = false;
}

/* One try: a connection of its own. */
void storm_phone_enter(struct storm_phone *p)
{
	struct storm *s = p->storm;
	handset_init(&p->handset, &s->setups[p->role.way], p->device, p->line);
	p->handset.owner = p;
	p->handset.shown = &p->role.credential;
	if (s->config.sources.n)
		p->handset.from = (const struct sockaddr *)&p->from;
	if (s->config.resume != STORM_FULL)
		p->handset.session = &p->session;
	s->gate.busy++;
	p->busy = true;
	p->gated = false;
	p->flying = true;
	p->leaving = false;
	s->flying++;
	if (s->phase != STORM_PHASE_PRIMING) {
		s->tally.attempts++;
		s->tally.retries += p->tries > 0;
	}
	p->tries++;
	handset_start(&p->handset);
}

static void attempt(struct storm_phone *p)
{
	struct storm *s = p->storm;
	p->gated =
		s->phase != STORM_PHASE_PRIMING && !storm_phone_may_enter(s, p);
	if (!p->gated)
		storm_phone_enter(p);
}

void storm_phone_come(struct storm_phone *p, uint64_t due_ns)
{
	p->due_ns = due_ns;
	p->told_ms = 0;
	p->tries = 0;
	p->back = false;
	p->undecided = storm_counts(p->storm);
	p->storm->undecided += p->undecided;
	attempt(p);
}

static void decide(struct storm_phone *p)
{
	p->storm->undecided -= p->undecided;
	p->undecided = false;
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

/* ---- it is in ---- */

static enum tally_kind kind_of(const struct handset *h)
{
	if (!h->setup->ctx)
		return TALLY_PLAIN;
	return h->result.resumed ? TALLY_RESUMED : TALLY_FULL;
}

/* Called after the restart, in the sense of struct tally_restart. */
static int after_restart(const struct handset *h)
{
	const struct storm_phone *p = h->owner;
	uint64_t after_ns = p->storm->after_ns;
	return after_ns != 0 && h->started_ns >= after_ns;
}

static void on_secured(struct handset *h)
{
	struct storm_phone *p = h->owner;
	struct storm *s = p->storm;
	if (!storm_counts(s))
		return;
	enum tally_kind kind = kind_of(h);
	struct tally_restart *restart = &s->tally.restart;
	s->tally.handshakes[kind]++;
	storm_cell(s)->counts[kind == TALLY_RESUMED ? SERIES_RESUMED
						    : SERIES_FULL]++;
	restart->offered[after_restart(h)] += h->result.offered;
	restart->resumed[after_restart(h)] += kind == TALLY_RESUMED;
}

static void count_latency(struct storm_phone *p, uint64_t took_ns)
{
	struct storm *s = p->storm;
	struct tally *t = &s->tally;
	struct series_cell *c = storm_cell(s);
	uint64_t us = took_ns / 1000, told_us = p->told_ms * 1000;
	bool in_time = us <= s->config.patience_ms * UINT64_C(1000);
	histogram_add(&t->latency[kind_of(&p->handset)], us);
	if (told_us)
		histogram_add(
			&t->waits.latency, us > told_us ? us - told_us : 0);
	series_latency(c, us);
	c->counts[SERIES_REGISTERED]++;
	c->counts[SERIES_IN_TIME] += in_time;
	t->in_time += in_time && !p->back;
}

static void count_restart(const struct handset *h)
{
	const struct storm_phone *p = h->owner;
	const struct storm *s = p->storm;
	struct tally_restart *restart = &p->storm->tally.restart;
	double since = (double)(uv_hrtime() - s->restart_ns) / 1e9;
	if (!after_restart(h))
		return;
	if (restart->first_s <= 0)
		restart->first_s = since;
	if (p->back && s->away == 0)
		restart->back_s = since;
}

static void count_registered(struct handset *h)
{
	struct storm_phone *p = h->owner;
	struct storm *s = p->storm;
	struct tally *t = &s->tally;
	uint64_t now = uv_hrtime();
	count_latency(p, now > p->due_ns ? now - p->due_ns : 0);
	if (p->back) {
		t->returned++;
		s->away--;
	} else {
		t->registered++;
	}
	decide(p);
	if (!p->back && t->registered == t->planned)
		t->all_in_s = storm_seconds(s);
	count_restart(h);
}

static void hang_up(struct storm_phone *p)
{
	p->leaving = true;
	handset_close(&p->handset, HANDSET_REGISTERED, "");
}

static uint32_t think_ms(struct storm *s)
{
	uint32_t from = s->config.think_min_ms;
	uint32_t span = s->config.think_max_ms - from + 1;
	return from + (uint32_t)(storm_random(s) % span);
}

static void on_thought(uv_timer_t *timer)
{
	hang_up(timer->data);
}

static void on_registered(struct handset *h)
{
	struct storm_phone *p = h->owner;
	struct storm *s = p->storm;
	bool thinks = s->config.think_max_ms > 0 && storm_counts(s);
	leave_gate(p);
	s->up++;
	if (storm_counts(s))
		count_registered(h);
	if (s->config.stay == STORM_HOLD && s->up > s->tally.held)
		s->tally.held = s->up;
	if (s->phase == STORM_PHASE_PRIMING ||
		(s->config.stay == STORM_CHURN && !thinks))
		hang_up(p);
	else if (s->config.stay == STORM_CHURN)
		uv_timer_start(&p->again, on_thought, think_ms(s), 0);
	else
		storm_look(s);
}

static void on_pulse(struct handset *h, enum handset_pulse pulse, uint64_t ns)
{
	struct storm_phone *p = h->owner;
	struct storm *s = p->storm;
	struct tally_pulses *pulses = &s->tally.pulses;
	if (!storm_counts(s))
		return;
	if (pulse == HANDSET_ASKED) {
		pulses->asked++;
		return;
	}
	pulses->answered++;
	histogram_add(&pulses->latency, ns / 1000);
	storm_cell(s)->counts[SERIES_PULSES]++;
}

/* ---- it is not, or no more ---- */

static void on_wait(struct handset *h, uint32_t seconds)
{
	struct storm_phone *p = h->owner;
	struct storm *s = p->storm;
	struct tally_waits *waits = &s->tally.waits;
	leave_gate(p);
	if (!storm_counts(s))
		return;
	waits->count++;
	waits->seconds += seconds;
	if (seconds > waits->longest)
		waits->longest = seconds;
	waits->arrivals += p->told_ms == 0 && h->result.seconds < 0;
	storm_cell(s)->counts[SERIES_WAITS]++;
	p->told_ms += seconds * UINT64_C(1000);
	storm_allow(s, seconds * UINT64_C(1000));
}

static void on_rested(uv_timer_t *timer)
{
	struct storm_phone *p = timer->data;
	storm_phone_is_idle(p->storm, p);
}

/* It has hung up by itself. */
static void rest(struct storm_phone *p)
{
	struct storm *s = p->storm;
	if (s->config.think_max_ms == 0)
		storm_phone_is_idle(s, p);
	else
		uv_timer_start(&p->again, on_rested, think_ms(s), 0);
}

/* It stayed, and the server lost it: it comes back, if phones retry. */
static void on_dropped(struct storm_phone *p)
{
	struct storm *s = p->storm;
	s->tally.dropped++;
	storm_cell(s)->counts[SERIES_DROPPED]++;
	s->away++;
	if (s->config.retries == 0) {
		if (s->config.stay == STORM_CHURN)
			storm_phone_is_idle(s, p);
		return;
	}
	uint32_t wait = (uint32_t)(storm_random(s) % LOST_AGAIN_MS);
	p->back = true;
	p->tries = 0;
	p->told_ms = 0;
	p->due_ns = uv_hrtime() + wait * UINT64_C(1000000);
	try_again(p, wait);
}

static void on_refused(struct storm_phone *p)
{
	struct storm *s = p->storm;
	bool forever = s->config.retries == STORM_FOREVER;
	if (forever || p->tries <= s->config.retries) {
		try_again(
			p, schedule_backoff_ms(p->tries - 1, storm_random(s)));
		return;
	}
	s->tally.failed += p->undecided;
	decide(p);
	if (s->config.stay == STORM_CHURN)
		storm_phone_is_idle(s, p);
}

/* The server hung up on a phone that it had told to wait: the phone waits
 * out its time, and that was no failed attempt. */
static bool waits_on(struct storm_phone *p)
{
	uint32_t wait = p->handset.result.wait_ms;
	if (wait == 0)
		return false;
	p->tries--;
	try_again(p, wait);
	return true;
}

static void count_refusal(struct storm *s, const struct handset_result *result)
{
	if (handset_outcome_good(result->outcome))
		return;
	tally_reason(&s->tally.reasons, handset_outcome_name(result->outcome),
		result->text);
	storm_cell(s)->counts[SERIES_REFUSED]++;
}

/* The first call that meets no server tells when the old one died: what was
 * thought to come after the restart came before it. */
static void look_whether_down(
	struct storm *s, const struct handset_result *result)
{
	struct tally_restart *restart = &s->tally.restart;
	if (s->restart_ns == 0 || s->down ||
		(result->outcome != HANDSET_LOST &&
			result->outcome != HANDSET_REFUSED))
		return;
	s->down = true;
	s->after_ns = uv_hrtime();
	restart->offered[0] += restart->offered[1];
	restart->resumed[0] += restart->resumed[1];
	restart->offered[1] = restart->resumed[1] = 0;
	restart->first_s = 0;
}

static void on_closed(struct handset *h)
{
	struct storm_phone *p = h->owner;
	struct storm *s = p->storm;
	const struct handset_result *result = &h->result;
	bool was_in = result->seconds >= 0;
	bool primes = s->phase == STORM_PHASE_PRIMING;
	leave_gate(p);
	p->flying = false;
	s->flying--;
	s->up -= was_in;
	uv_timer_stop(&p->again);
	if (result->outcome == HANDSET_STOPPED || (!primes && !storm_counts(s)))
		return;
	if (!was_in && waits_on(p))
		return;
	if (primes) {
		storm_phone_is_idle(s, p);
		storm_phone_is_primed(s, result);
		return;
	}
	count_refusal(s, result);
	look_whether_down(s, result);
	s->tally.pulses.lost += p->leaving ? 0 : h->asked;
	if (!was_in)
		on_refused(p);
	else if (p->leaving)
		rest(p);
	else
		on_dropped(p);
	storm_look(s);
}

/* ---- making and breaking ---- */

void storm_phone_stop(struct storm_phone *p)
{
	uv_timer_stop(&p->again);
	p->gated = false;
	decide(p);
	if (!p->flying)
		return;
	bool in = handset_outcome_good(p->handset.result.outcome);
	p->leaving = true;
	handset_close(
		&p->handset, in ? HANDSET_REGISTERED : HANDSET_STOPPED, "");
}

void storm_phone_set_up(struct handset_setup *setup)
{
	setup->on_secured = on_secured;
	setup->on_registered = on_registered;
	setup->on_wait = on_wait;
	setup->on_pulse = on_pulse;
	setup->on_closed = on_closed;
}

int storm_phone_make(
	struct storm *s, unsigned i, struct storm_phone *p, struct diag *d)
{
	const struct storm_config *c = &s->config;
	p->storm = s;
	int error = names_device(c->device, i, p->device);
	if (!error)
		error = names_line(c->line, i, p->line);
	if (error)
		return diag_set(d, error,
			"cannot count %u phones upwards from %s and line %s",
			c->phones, c->device, c->line);
	error = c->role(c->owner, i, p->device, &p->role, d);
	if (error)
		return error;
	if (c->sources.n)
		sources_at(&c->sources, i, &p->from);
	uv_timer_init(s->loop, &p->again);
	p->again.data = p;
	storm_phone_is_idle(s, p);
	return 0;
}
