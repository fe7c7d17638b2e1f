/* SPDX-License-Identifier: Apache-2.0 */
/* One phone's life: it comes to CAPF when it has to, registers, comes back. */
#include "bench/life.h"

#include <stdlib.h>

#include <openssl/rand.h>

#include "bench/schedule.h"

enum { RETRIES = 3 /* specs capf 8 */ };

/* Why a phone may have to come to CAPF. */
enum occasion { STARTS, WAS_RESET, WAS_LOST };

static void come(struct life *l, enum occasion occasion);
static void come_again(struct life *l, enum occasion occasion);
static void visit(struct life *l);

/* ---- the end ---- */

static void on_timer_closed(uv_handle_t *timer)
{
	struct life *l = timer->data;
	l->setup->on_over(l);
}

static void end(struct life *l)
{
	l->state = LIFE_OVER;
	uv_close((uv_handle_t *)&l->timer, on_timer_closed);
}

/* The handset, which has not started, says how it was. */
static void end_unregistered(
	struct life *l, enum handset_outcome outcome, const char *text)
{
	l->stopping = true;
	l->state = LIFE_REGISTERING;
	if (handset_outcome_good(outcome))
		l->handset.result.outcome = outcome;
	handset_close(&l->handset, outcome, text);
}

static void end_stopped(struct life *l)
{
	end_unregistered(l, HANDSET_STOPPED, "stopped before it was in");
}

/* Nothing of it is open any more but its timer. */
static void fall(struct life *l)
{
	l->falling = false;
	l->state = LIFE_OFF;
	if (l->rises)
		life_power_on(l);
}

static void now_in(struct life *l)
{
	if (l->in)
		return;
	l->in = true;
	l->setup->on_in(l);
}

bool life_good(const struct life *l)
{
	const struct life_setup *s = l->setup;
	enum enrol_outcome last = l->enrolment.last.outcome;
	if (!handset_outcome_good(l->handset.result.outcome))
		return false;
	return last == ENROL_BY_NONE || enrol_outcome_good(last) ||
	       l->flash.lsc.cert || (s->until == LIFE_ENROLLED && l->died);
}

/* ---- CAPF ---- */

/* It has come as far as CAPF brings it. */
static void on_enrolled(struct life *l, const struct enrol_result *result)
{
	bool died = l->setup->die_after != ENROL_STEPS;
	bool good = died ? result->outcome == ENROL_BY_DIED
			 : enrol_outcome_good(result->outcome);
	if (good)
		now_in(l);
	end_unregistered(
		l, good ? HANDSET_ENROLLED : HANDSET_UNENROLLED, result->text);
}

static void on_timer(uv_timer_t *timer)
{
	struct life *l = timer->data;
	if (l->handset.state == HANDSET_NEW)
		visit(l);
	else
		come_again(l, WAS_LOST);
}

static void wait(struct life *l, uint32_t ms)
{
	l->state = LIFE_WAITING;
	uv_timer_start(&l->timer, on_timer, ms, 0);
}

static void register_now(struct life *l)
{
	l->state = LIFE_REGISTERING;
	l->handset.shown = flash_shown(&l->flash);
	handset_start(&l->handset);
}

/* What follows a visit that ended by itself. */
static void go_on(struct life *l, const struct enrol_result *result)
{
	const struct life_setup *s = l->setup;
	if (enrol_outcome_broken(result->outcome) && l->tries <= RETRIES) {
		l->enrolment.retries++;
		wait(l, s->retry_ms);
		return;
	}
	l->tries = 0;
	l->died |= result->outcome == ENROL_BY_DIED;
	if (s->until == LIFE_ENROLLED)
		on_enrolled(l, result);
	else if (result->outcome == ENROL_BY_DIED)
		visit(l); /* power is back, and nothing was done */
	else
		register_now(l);
}

static void on_visited(struct enrol *e)
{
	struct life *l = e->phone.owner;
	const struct enrol_result result = e->result;
	enrol_free(e);
	l->visit = NULL;
	l->enrolment.last = result;
	if (l->setup->on_visit)
		l->setup->on_visit(l, &result);
	if (l->stopping)
		end_stopped(l);
	else if (l->falling)
		fall(l);
	else
		go_on(l, &result);
}

static void visit(struct life *l)
{
	const struct life_setup *s = l->setup;
	const struct enrol_phone phone = {
		.device = l->handset.device,
		.flash = &l->flash,
		.turn = l->number + l->enrolment.visits,
		.die_after = l->died ? ENROL_STEPS : s->die_after,
		.console = &l->handset.console,
		.owner = l,
	};
	l->state = LIFE_VISITING;
	l->enrolment.visits++;
	l->tries++;
	l->visit = enrol_new(s->enrol, &phone);
}

/* ---- the registrar ---- */

static bool has_to_come(const struct life *l, enum occasion occasion)
{
	const struct life_setup *s = l->setup;
	/* Somebody has to type an authentication string. */
	bool alone = occasion != STARTS && l->flash.mode == FLASH_MODE_STRING;
	if (!s->enrol || alone)
		return false;
	if (!l->flash.lsc.cert || s->until == LIFE_ENROLLED)
		return true;
	return (occasion == WAS_RESET && s->when >= LIFE_WHEN_RESET) ||
	       (occasion == STARTS && s->when >= LIFE_WHEN_ALWAYS);
}

static void come(struct life *l, enum occasion occasion)
{
	if (has_to_come(l, occasion))
		visit(l);
	else
		register_now(l);
}

/* With a new handset in place of the one that has ended. */
static void come_again(struct life *l, enum occasion occasion)
{
	struct handset *h = &l->handset;
	const struct handset before = *h;
	l->comings += before.result.returns + 1;
	handset_init(h, before.setup, before.device, before.line);
	h->owner = l;
	h->console = before.console;
	come(l, occasion);
}

static void on_registered(struct handset *h)
{
	struct life *l = h->owner;
	l->tries = 0;
	now_in(l);
}

static void on_return(struct handset *h)
{
	come(h->owner, WAS_RESET);
}

static uint32_t backoff_ms(const struct life *l)
{
	uint64_t chance;
	if (RAND_bytes((unsigned char *)&chance, sizeof(chance)) != 1)
		abort();
	return schedule_backoff_ms(l->tries, chance);
}

static void on_closed(struct handset *h)
{
	struct life *l = h->owner;
	const struct life_setup *s = l->setup;
	bool good = handset_outcome_good(h->result.outcome);
	if (l->falling && !l->stopping) {
		fall(l);
		return;
	}
	if (!s->comes_back || l->stopping || good) {
		end(l);
		return;
	}
	if (s->on_setback)
		s->on_setback(l, &h->result);
	wait(l, h->result.wait_ms ? h->result.wait_ms : backoff_ms(l));
	l->tries++;
}

void life_start(struct life *l)
{
	come(l, STARTS);
}

/* ---- power ---- */

void life_power_off(struct life *l)
{
	struct handset *h = &l->handset;
	bool good = handset_outcome_good(h->result.outcome);
	l->rises = false;
	if (l->falling || l->stopping || l->state >= LIFE_OFF)
		return;
	uv_timer_stop(&l->timer);
	l->falling = true;
	h->returning = false;
	if (l->state == LIFE_VISITING)
		enrol_stop(l->visit);
	else if (l->state == LIFE_REGISTERING)
		handset_close(h, good ? h->result.outcome : HANDSET_STOPPED,
			"power cut");
	else
		fall(l);
}

void life_power_on(struct life *l)
{
	l->rises = l->falling;
	if (l->state != LIFE_OFF || l->stopping)
		return;
	l->tries = 0;
	if (l->handset.state == HANDSET_NEW)
		come(l, STARTS);
	else
		come_again(l, STARTS);
}

/* ---- making and breaking ---- */

void life_leave(struct life *l, bool hang_up)
{
	struct handset *h = &l->handset;
	if (l->stopping || l->state == LIFE_OVER)
		return;
	l->stopping = true;
	uv_timer_stop(&l->timer);
	h->returning = false;
	if (l->state == LIFE_VISITING)
		enrol_stop(l->visit);
	else if (h->state == HANDSET_NEW)
		end_stopped(l);
	else if (l->state != LIFE_REGISTERING)
		end(l); /* off, or lost: how that was stands */
	else if (h->state >= HANDSET_UP && hang_up)
		handset_close(h, h->result.outcome, "");
	else
		handset_leave(h);
}

void life_init(struct life *l, const struct life_setup *setup,
	const char *device, const char *line, struct flash *flash)
{
	*l = (struct life){.setup = setup, .flash = *flash};
	*flash = (struct flash){0};
	handset_init(&l->handset, &setup->handset, device, line);
	l->handset.owner = l;
	uv_timer_init(setup->handset.loop, &l->timer);
	l->timer.data = l;
}

void life_deinit(struct life *l)
{
	flash_close(&l->flash);
}

void life_set_up(struct life_setup *setup)
{
	setup->handset.on_registered = on_registered;
	setup->handset.on_return = on_return;
	setup->handset.on_closed = on_closed;
}

void life_set_up_enrol(struct enrol_setup *setup)
{
	setup->on_closed = on_visited;
}
