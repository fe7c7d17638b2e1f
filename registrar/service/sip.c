/* SPDX-License-Identifier: Apache-2.0 */
/* SIP phones: engine events become admissions, bindings and answers. */
#include <stdio.h>
#include <string.h>

#include "protocols/sip/bindings.h"
#include "protocols/sip/server.h"
#include "registrar/admit.h"
#include "registrar/log.h"
#include "registrar/service/service.h"
#include "registrar/text.h"

enum {
	TOKEN_WAIT_S = 30,
	REGISTER_WAIT_S = 10,
	/* A phone refreshes 5 s before its expiry; CUCM waits 15 s from then
	 * on (specs sip-cisco 3), and so do we. */
	GRACE_MS = 10000,
};

struct session {
	struct seat seat;
	struct sip_server engine;
	struct sip_bindings bindings; /* they live and die with us */
};

static void init(void *self, const struct service_world *world,
	const struct peer *peer, const struct moment *now)
{
	struct session *s = self;
	service_sit(&s->seat, world, peer);
	sip_server_init(&s->engine,
		peer->udp ? &world->limits.sip_udp
			  : &world->limits.sip[peer->tls],
		now);
}

static void reject(struct session *s, const struct admit_verdict *verdict)
{
	struct sip_refusal why = {
		.status = verdict->sip_status,
		.warning = verdict->sip_warning ? verdict->sip_warning
						: verdict->why,
	};
	if (why.status == 503)
		why.retry_after_s =
			overload_wait_s(s->seat.world->overload, TOKEN_WAIT_S);
	sip_server_reject(&s->engine, &why);
}

static uint64_t alive_until(const struct session *s)
{
	uint64_t last = sip_bindings_last_ms(&s->bindings);
	return last == MOMENT_NEVER ? last : last + GRACE_MS;
}

static void grant(struct session *s, bool newreg)
{
	struct sip_grant answer = {
		.expires_s = s->seat.world->config->sip_expires_s,
		.newreg = newreg,
		.bindings = &s->bindings,
		.alive_until_ms = alive_until(s),
	};
	sip_server_accept(&s->engine, &answer);
}

/* A connection speaks for one device; the bindings of another are not its
 * to list or to change. */
static bool speaks_for_another(
	const struct session *s, const struct sip_register *reg)
{
	return s->seat.device[0] &&
	       !cert_device_equal(s->seat.device, reg->device);
}

static bool register_device(struct session *s, const struct sip_register *reg,
	uint32_t expires_s, const struct moment *now, bool *newreg)
{
	struct directory_entry entry;
	struct admit_verdict verdict;
	enum directory_result result;
	char model[DIRECTORY_MODEL_MAX + 1];
	service_entry(&entry, s->seat.peer, reg->device, now);
	if ((!entry.model || !*entry.model) && reg->model[0]) {
		snprintf(model, sizeof(model), "type %s", reg->model);
		entry.model = model;
	}
	entry.firmware = reg->user_agent;
	entry.came_back = reg->reason;
	entry.keepalive_s = expires_s;
	if (!service_register(
		    s->seat.world, s->seat.peer, &entry, &result, &verdict)) {
		/* Another connection holds the device: nothing is bound. */
		sip_bindings_deinit(&s->bindings);
		s->seat.device[0] = '\0';
		reject(s, &verdict);
		return false;
	}
	text_copy(s->seat.device, sizeof(s->seat.device), reg->device);
	*newreg = result == DIRECTORY_NEW;
	return true;
}

static void refuse_binding(struct session *s, const struct sip_register *reg,
	enum sip_bind_verdict verdict)
{
	struct sip_refusal why = {
		.status = sip_bind_status(verdict),
		.warning = sip_bind_text(verdict),
		.min_expires_s =
			verdict == SIP_BIND_TOO_BRIEF
				? s->seat.world->config->sip_min_expires_s
				: 0,
	};
	service_fault(s->seat.world, s->seat.peer, reg->device, "sip-binding",
		sip_bind_text(verdict));
	sip_server_reject(&s->engine, &why);
}

static void on_bind(struct session *s, const struct sip_register *reg,
	const struct moment *now)
{
	const struct config *c = s->seat.world->config;
	struct sip_binding_limits limits = {
		.expires_s = overload_jitter(
			s->seat.world->overload, c->sip_expires_s),
		.min_expires_s = c->sip_min_expires_s,
	};
	if (limits.expires_s < limits.min_expires_s)
		limits.expires_s = limits.min_expires_s;
	size_t added = 0;
	bool newreg = false;
	enum sip_bind_verdict verdict = sip_bindings_apply(
		&s->bindings, &reg->request, &limits, now, &added);
	if (verdict != SIP_BIND_OK) {
		refuse_binding(s, reg, verdict);
		return;
	}
	if (s->bindings.n == 0)
		service_release(&s->seat, REASON_UNREG_DEVICE_UNREGISTERED,
			"the phone unregistered", now);
	else if (!register_device(s, reg, limits.expires_s, now, &newreg))
		return;
	grant(s, newreg);
}

/*
 * Over TLS the dear part is done when REGISTER comes, so it is served. A plain
 * phone that is not in yet can be told to come later; 503 keeps it at this
 * node, where a reset would send it on to the next.
 */
static bool can_wait(const struct session *s, const struct sip_register *reg)
{
	return !s->seat.peer->tls && !s->seat.device[0] &&
	       reg->kind == SIP_REGISTER_BIND &&
	       overload_reached(s->seat.world->overload);
}

static void put_off(struct session *s)
{
	struct overload_part *overload = s->seat.world->overload;
	struct sip_refusal why = {
		.status = 503,
		.warning = "more phones come than can be served now",
		.retry_after_s = overload_wait_s(overload, REGISTER_WAIT_S),
	};
	overload_add(&overload->figures.registers_put_off, 1);
	sip_server_reject(&s->engine, &why);
}

static void on_register(struct session *s, const struct sip_register *reg,
	const struct moment *now)
{
	struct admit_verdict verdict;
	/* Judged before anything is changed or told. */
	if (!service_admit(
		    s->seat.world, s->seat.peer, reg->device, &verdict)) {
		reject(s, &verdict);
		return;
	}
	if (speaks_for_another(s, reg)) {
		admit_taken(reg->device, &verdict);
		reject(s, &verdict);
		return;
	}
	if (can_wait(s, reg)) {
		put_off(s);
		return;
	}
	switch (reg->kind) {
	case SIP_REGISTER_STANDBY:
		sip_server_accept(&s->engine,
			&(struct sip_grant){
				.expires_s =
					s->seat.world->config->sip_expires_s,
				.alive_until_ms = alive_until(s)});
		break;
	case SIP_REGISTER_QUERY:
		sip_bindings_expire(&s->bindings, now);
		grant(s, false);
		break;
	case SIP_REGISTER_BIND:
	case SIP_REGISTER_UNBIND_ALL:
		on_bind(s, reg, now);
		break;
	}
}

static void on_token(struct session *s, const struct sip_register *reg)
{
	struct admit_verdict verdict;
	struct overload_part *overload = s->seat.world->overload;
	/* A token promises nothing yet; the REGISTER that follows is judged.
	 * A stranger over plain TCP still gets none. */
	bool allowed =
		s->seat.peer->tls || service_admit(s->seat.world, s->seat.peer,
					     reg->device, &verdict);
	if (allowed && (!overload_reached(overload) ||
			       service_is_here(s->seat.world, reg->device))) {
		sip_server_grant_token(&s->engine);
		return;
	}
	if (allowed)
		overload_add(&overload->figures.tokens_rejected, 1);
	sip_server_deny_token(
		&s->engine, overload_wait_s(overload, TOKEN_WAIT_S));
}

static void log_message(struct session *s, enum log_event event,
	const struct sip_server_event *e)
{
	struct log_line line;
	if (!log_wanted(event))
		return;
	service_log(&s->seat, &line, event);
	log_str(&line, "method", e->method);
	if (e->status)
		log_num(&line, "status", e->status);
	log_str(&line, "text", e->text);
	log_end(&line);
}

static const struct {
	enum sip_close why;
	enum reason_unreg cause;
} causes[] = {
	{SIP_CLOSE_EXPIRED, REASON_UNREG_KEEPALIVE_TIMEOUT},
	{SIP_CLOSE_NOT_READING, REASON_UNREG_NO_RESPONSE},
	{SIP_CLOSE_MESSAGE_TOO_LONG, REASON_UNREG_MALFORMED},
	{SIP_CLOSE_HEAD_TOO_LONG, REASON_UNREG_MALFORMED},
	{SIP_CLOSE_BAD_LENGTH, REASON_UNREG_MALFORMED},
	{SIP_CLOSE_NOT_SIP, REASON_UNREG_MALFORMED},
	{SIP_CLOSE_LINE_END, REASON_UNREG_MALFORMED},
};

/* Silence is no fault: a phone that lost its power looks like this. */
static bool is_fault(enum sip_close why)
{
	return why != SIP_CLOSE_EXPIRED && why != SIP_CLOSE_IDLE;
}

static void on_close(struct session *s, enum sip_close why)
{
	s->seat.ended = sip_close_name(why);
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].why == why)
			s->seat.cause = causes[i].cause;
	if (is_fault(why))
		service_fault(s->seat.world, s->seat.peer, s->seat.device,
			s->seat.ended, sip_close_text(why));
}

static void on_event(struct session *s, const struct sip_server_event *e,
	const struct moment *now)
{
	switch (e->type) {
	case SIP_SERVER_REGISTER:
		on_register(s, e->reg, now);
		break;
	case SIP_SERVER_TOKEN:
		on_token(s, e->reg);
		break;
	case SIP_SERVER_ALARM:
		if (failures_may_log(s->seat.world->failures))
			log_message(s, LOG_EV_ALARM, e);
		break;
	case SIP_SERVER_ANSWERED:
	case SIP_SERVER_RESPONSE:
		log_message(s, LOG_EV_ANSWERED, e);
		break;
	case SIP_SERVER_CLOSE:
		on_close(s, e->why);
		break;
	}
}

static void drain(struct session *s, const struct moment *now)
{
	struct sip_server_event e;
	while (sip_server_next(&s->engine, &e))
		on_event(s, &e, now);
}

static void feed(
	void *self, const void *data, size_t n, const struct moment *now)
{
	struct session *s = self;
	sip_server_feed(&s->engine, data, n, now);
	drain(s, now);
	service_heard(&s->seat, now);
}

static void tick(void *self, const struct moment *now)
{
	struct session *s = self;
	sip_server_tick(&s->engine, now);
	drain(s, now);
}

static const uint8_t *out(const void *self, size_t *n)
{
	const struct session *s = self;
	return sip_server_out(&s->engine, n);
}

static void sent(void *self, size_t n)
{
	struct session *s = self;
	sip_server_sent(&s->engine, n);
}

static uint64_t deadline(const void *self)
{
	const struct session *s = self;
	return sip_server_deadline(&s->engine);
}

static void deinit(void *self)
{
	struct session *s = self;
	sip_bindings_deinit(&s->bindings);
	sip_server_deinit(&s->engine);
}

const struct service service_sip = {
	.protocol = CONFIG_SIP,
	.size = sizeof(struct session),
	.init = init,
	.feed = feed,
	.tick = tick,
	.out = out,
	.sent = sent,
	.deadline = deadline,
	.ended = service_ended,
	.leave = service_leave,
	.deinit = deinit,
};
