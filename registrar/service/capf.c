/* SPDX-License-Identifier: Apache-2.0 */
/* CAPF over one connection: carries words between a phone and the desk. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "registrar/service/service.h"
#include "registrar/text.h"

struct capf {
	struct seat seat; /* nothing is ever registered over it */
	struct capf_server engine;
	struct capf_visit *visit;	   /* NULL: it has left */
	char claimed[CERT_DEVICE_MAX + 1]; /* who it says it is */
	bool asks;			   /* the desk is to answer */
};

/* ---- refusals ---- */

/* A device that is not in the inventory has no operation to look at. */
static void refuse(const struct capf *s, const char *rule, const char *why)
{
	const struct service_world *world = s->seat.world;
	struct failure f;
	failure_from_peer(&f, s->seat.peer);
	f.stage = FAILURE_ENROLMENT;
	f.code = REASON_FAILURE_NO_ERROR;
	text_copy(f.rule, sizeof(f.rule), rule);
	text_copy(f.device, sizeof(f.device), s->claimed);
	text_copy(f.why, sizeof(f.why), why);
	snprintf(f.cure, sizeof(f.cure), "dialtone explain %s", f.device);
	failures_add(world->failures, &f);
}

static void refuse_answer(const struct capf *s, const struct capf_answer *a)
{
	char rule[48];
	if (a->reason == CAPF_REASON_UNKNOWN_DEVICE) {
		refuse(s, "capf-unknown-device",
			*a->detail ? a->detail
				   : "the device is not in the inventory");
		return;
	}
	if (a->why == CAPF_WHY_NOTHING || a->why == CAPF_WHY_CA_WAITING)
		return;
	snprintf(rule, sizeof(rule), "capf-%s", capf_why_name(a->why));
	refuse(s, rule, *a->detail ? a->detail : capf_why_text(a->why));
}

static void leave(struct capf *s, const char *rule, const char *text)
{
	if (s->visit)
		capf_visit_leave(s->visit, rule, text);
	s->visit = NULL;
}

/* ---- the engine's events ---- */

static void on_failed(struct capf *s, const struct capf_server_event *event)
{
	service_fault(s->seat.world, s->seat.peer, s->claimed, event->rule,
		event->text);
	leave(s, event->rule, event->text);
	s->seat.ended = event->rule;
}

static void on_event(struct capf *s, const struct capf_server_event *event)
{
	switch (event->type) {
	case CAPF_SERVER_AUTH:
		text_copy(s->claimed, sizeof(s->claimed), event->device);
		break;
	case CAPF_SERVER_PROGRESS:
		return;
	case CAPF_SERVER_FAILED:
		on_failed(s, event);
		return;
	case CAPF_SERVER_KEY:
	case CAPF_SERVER_STORED:
	case CAPF_SERVER_ERASED:
	case CAPF_SERVER_FETCHED:
		break;
	}
	assert(s->visit && !s->asks);
	capf_visit_tell(s->visit, event);
	s->asks = true;
}

/* ---- the desk's answers ---- */

static const char *end_name(const struct capf_answer *a)
{
	if (a->why != CAPF_WHY_NOTHING)
		return capf_why_name(a->why);
	switch (a->reason) {
	case CAPF_REASON_SUCCESS:
		return "done";
	case CAPF_REASON_UNKNOWN_DEVICE:
		return "unknown device";
	case CAPF_REASON_NO_ACTION:
	case CAPF_REASON_DECLINED:
		break;
	}
	return "nothing to do";
}

static void on_answer(
	struct capf *s, const struct capf_answer *a, const struct moment *now)
{
	switch (a->what) {
	case CAPF_ANSWER_GENERATE:
		capf_server_generate_key(&s->engine, &a->wish, now);
		break;
	case CAPF_ANSWER_STORE:
		capf_server_store(&s->engine, a->der, a->n, now);
		break;
	case CAPF_ANSWER_ERASE:
		capf_server_erase(&s->engine, now);
		break;
	case CAPF_ANSWER_FETCH:
		capf_server_fetch(&s->engine, a->type, now);
		break;
	case CAPF_ANSWER_END:
		capf_server_end(&s->engine, a->reason);
		s->seat.ended = end_name(a);
		refuse_answer(s, a);
		leave(s, "", "");
		break;
	}
}

/* The phone's words to the desk and the desk's to the phone, until one of them
 * has to think. */
static void run(struct capf *s, const struct moment *now)
{
	struct capf_server_event event;
	struct capf_answer answer;
	bool answered;
	do {
		while (capf_server_next(&s->engine, &event))
			on_event(s, &event);
		answered = s->visit && capf_visit_answer(s->visit, &answer);
		if (answered) {
			/* An END crosses what the phone says meanwhile. */
			assert(s->asks || answer.what == CAPF_ANSWER_END);
			s->asks = false;
			on_answer(s, &answer, now);
		}
	} while (answered && !s->seat.ended);
}

/* ---- the service ---- */

static void capf_init(void *self, const struct service_world *world,
	const struct peer *peer, const struct moment *now)
{
	struct capf *s = self;
	struct capf_server_config config = world->limits.capf;
	service_sit(&s->seat, world, peer);
	s->visit = capf_visit_new(world->capf, peer);
	config.session = capf_visit_session(s->visit);
	capf_server_init(&s->engine, &config, now);
}

static void capf_feed(
	void *self, const void *data, size_t n, const struct moment *now)
{
	struct capf *s = self;
	capf_server_feed(&s->engine, data, n, now);
	run(s, now);
}

static void capf_tick(void *self, const struct moment *now)
{
	struct capf *s = self;
	capf_server_tick(&s->engine, now);
	run(s, now);
}

static const uint8_t *capf_out(const void *self, size_t *n)
{
	const struct capf *s = self;
	return capf_server_out(&s->engine, n);
}

static void capf_sent(void *self, size_t n)
{
	struct capf *s = self;
	capf_server_sent(&s->engine, n);
}

static uint64_t capf_deadline(const void *self)
{
	const struct capf *s = self;
	return capf_server_deadline(&s->engine);
}

static bool capf_greeted(const void *self)
{
	const struct capf *s = self;
	return s->claimed[0];
}

static void capf_leave(
	void *self, enum reason_unreg cause, const struct moment *now)
{
	leave(self, "phone-gone", "the connection ended");
}

static void capf_deinit(void *self)
{
	struct capf *s = self;
	leave(s, "phone-gone", "the connection ended");
	capf_server_deinit(&s->engine);
}

const struct service service_capf = {
	.protocol = CONFIG_CAPF,
	.size = sizeof(struct capf),
	.init = capf_init,
	.feed = capf_feed,
	.tick = capf_tick,
	.out = capf_out,
	.sent = capf_sent,
	.deadline = capf_deadline,
	.greeted = capf_greeted,
	.ended = service_ended,
	.leave = capf_leave,
	.deinit = capf_deinit,
};
