/* SPDX-License-Identifier: Apache-2.0 */
/* SIP phones: engine events become admissions, bindings and answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registrar/admit.h"
#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/service/sip_session.h"
#include "registrar/text.h"

enum {
	TOKEN_WAIT_S = 30,
	REGISTER_WAIT_S = 10,
};

/* The device's alarm whose text says why it was away. */
static const char AWAY[] = "LastOutOfServiceInformation";
/* What a soft client shows that has not yet been told of another one. */
static const char NO_INSTANCE[] =
	"\"<urn:uuid:00000000-0000-0000-0000-000000000000>\"";

static void init(void *self, const struct service_world *world,
	const struct peer *peer, const struct moment *now)
{
	struct session *s = self;
	service_sit(&s->seat, world, peer);
	s->part = (struct locations_part){
		.bindings = &s->bindings,
		.peer = peer,
		.device = s->seat.device,
	};
	sip_server_init(&s->engine,
		peer->udp ? &world->limits.sip_udp
			  : &world->limits.sip[peer->tls],
		now);
	sip_server_set_source(&s->engine, peer->address, peer->port);
}

void sip_session_reject(struct session *s, const struct admit_verdict *verdict)
{
	struct sip_refusal why = {
		.status = verdict->sip_status,
		.warning = verdict->sip_warning ? verdict->sip_warning
						: verdict->why,
	};
	if (why.status == 503)
		why.retry_after_s = overload_wait_s(s->seat.world->overload,
			verdict->retry_after_s ? verdict->retry_after_s
					       : TOKEN_WAIT_S);
	sip_server_reject(&s->engine, &why);
}

/* A connection speaks for one device; the bindings of another are not its
 * to list or to change. */
static bool speaks_for_another(const struct session *s, const char *device)
{
	return s->seat.device[0] && !cert_device_equal(s->seat.device, device);
}

/* The phone's own words, and what they mean. */
static const char *why_back(const struct session *s,
	const struct sip_register *reg, char text[DIRECTORY_TEXT_MAX + 1])
{
	const char *meaning = sip_alarm_meaning(reg->alarm.code);
	if (!reg->alarm.code)
		return reg->reason[0] || !s->came_back ? reg->reason
						       : s->came_back;
	snprintf(text, DIRECTORY_TEXT_MAX + 1, "cisco-alarm %u %s%s%s",
		reg->alarm.code, reg->alarm.last, meaning ? ": " : "",
		meaning ? meaning : "");
	return text;
}

/* Others may be reading it: it is written while nobody finds it. */
static void take_seat(struct session *s, const char *device)
{
	if (!s->seat.device[0])
		text_copy(s->seat.device, sizeof(s->seat.device), device);
}

static bool register_device(struct session *s, const struct sip_register *reg,
	const char *device, uint32_t expires_s, const struct moment *now,
	enum directory_result *result)
{
	struct directory_entry entry;
	struct admit_verdict verdict;
	char model[DIRECTORY_MODEL_MAX + 1], back[DIRECTORY_TEXT_MAX + 1];
	service_entry(&entry, s->seat.peer, device, now);
	if ((!entry.model || !*entry.model) && reg->model[0]) {
		snprintf(model, sizeof(model), "type %s", reg->model);
		entry.model = model;
	}
	entry.firmware = reg->user_agent;
	entry.came_back = why_back(s, reg, back);
	entry.keepalive_s = expires_s;
	entry.partial = s->partial;
	if (!service_register(
		    s->seat.world, s->seat.peer, &entry, result, &verdict)) {
		/* Another connection holds the device: nothing is bound. */
		sip_session_forget(s);
		s->seat.device[0] = '\0';
		sip_session_reject(s, &verdict);
		return false;
	}
	free(s->came_back);
	s->came_back = NULL;
	take_seat(s, device);
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

static void log_partial(struct session *s, const struct device *known)
{
	struct log_line line;
	service_log(&s->seat, &line, LOG_EV_PARTIAL);
	log_num(&line, "lines", (int64_t)known->n_lines);
	log_str(&line, "why",
		"a refresh came for a registration that is not known here, so "
		"only its primary line is");
	log_str(&line, "cure", "dialtone phone restart NAME");
	log_end(&line);
}

/* What the connection has bound is the device's registration. */
static void settle(struct session *s, const struct sip_register *reg,
	const char *device, const struct device *known, uint32_t expires_s,
	const struct moment *now)
{
	enum directory_result result;
	bool was = s->partial;
	s->bulk |= reg->bulk;
	s->partial = sip_session_is_partial(s, reg, known);
	if (sip_session_joins(s, reg, device, known, now)) {
		take_seat(s, device);
		result = DIRECTORY_REFRESHED;
	} else if (!register_device(s, reg, device, expires_s, now, &result)) {
		return;
	}
	if (s->partial && !was)
		log_partial(s, known);
	s->seat.cause = REASON_UNREG_UNKNOWN;
	sip_session_publish(s, known);
	sip_session_grant(s, reg, expires_s, result == DIRECTORY_NEW, now);
}

static void on_bind(struct session *s, const struct sip_register *reg,
	const char *device, const struct device *known,
	const struct moment *now)
{
	uint32_t expires_s;
	enum sip_bind_verdict verdict =
		sip_session_bind(s, reg, now, &expires_s);
	if (verdict != SIP_BIND_OK) {
		refuse_binding(s, reg, verdict);
	} else if (s->bindings.n == 0) {
		bool ordered = s->seat.cause != REASON_UNREG_UNKNOWN;
		sip_session_forget(s);
		service_release(&s->seat,
			ordered ? s->seat.cause
				: REASON_UNREG_DEVICE_UNREGISTERED,
			"the phone unregistered", now);
		s->seat.cause = REASON_UNREG_UNKNOWN;
		sip_session_grant(s, reg, expires_s, false, now);
	} else {
		settle(s, reg, device, known, expires_s, now);
	}
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

/* Whom the inventory gives no line is found by its name. */
static bool is_name_of_another(
	struct session *s, const char *user, size_t n, const char *device)
{
	char name[CERT_DEVICE_MAX + 1];
	if (n >= sizeof(name))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)n, user);
	if (cert_device_equal(name, device))
		return false;
	struct device *known = inventory_find(s->seat.world->inventory, name);
	device_unref(known);
	return known;
}

static void refuse_line(const struct sip_register *reg, const char *device,
	bool is_name, struct admit_verdict *v)
{
	const char *user = reg->request.aor;
	int n = (int)strcspn(user, "@");
	*v = (struct admit_verdict){
		.code = REASON_FAILURE_DIRECTORY_NUMBER,
		.rule = "directory-number",
		.phone_text = "Not a line of this phone",
		.sip_status = 403,
	};
	snprintf(v->why, sizeof(v->why), "%s registers %.*s, which is %s",
		device, n, user,
		is_name ? "another device's name"
			: "none of its lines in the inventory");
	snprintf(v->cure, sizeof(v->cure),
		"dialtone device show %s; give it the line %.*s, or the phone "
		"the right configuration",
		device, n, user);
}

/*
 * A line belongs to whom the inventory gives it. A Cisco phone that it gives
 * none registers what its configuration says, unless that is another's line or
 * name; others have the address that is named as they are.
 */
static bool owns_line(struct session *s, const struct sip_register *reg,
	const char *device, const struct device *known, struct admit_verdict *v)
{
	const char *aor = reg->request.aor;
	size_t n = strcspn(aor, "@");
	bool named = reg->source != SIP_DEVICE_AOR;
	bool own = strlen(device) == n && strncasecmp(device, aor, n) == 0;
	bool free_choice = named && (!known || !known->n_lines);
	bool good = own && !named, is_name = false;
	if (free_choice) {
		is_name = is_name_of_another(s, aor, n, device);
		good = !is_name &&
		       !inventory_has_line(s->seat.world->inventory, aor, n);
	}
	for (size_t i = 0; known && !good && i < known->n_lines; i++) {
		const char *number = known->lines[i].number;
		good = strlen(number) == n && memcmp(number, aor, n) == 0;
	}
	if (good)
		return true;
	refuse_line(reg, device, is_name, v);
	service_refused(s->seat.world, s->seat.peer, device, v);
	return false;
}

/*
 * A soft client that can be told of another one is told, until it insists by
 * an instance of its own (specs sip-cisco 4). Who comes from the same address
 * is the same one.
 */
static bool is_active_elsewhere(const struct session *s,
	const struct sip_register *reg, const char *device)
{
	struct directory_entry entry;
	if (!(reg->supports & SIP_SUPPORTS_DUPLICATE_REG) ||
		s->seat.device[0] || reg->request.n_contacts != 1 ||
		!sip_field_is(reg->request.contacts[0].instance, NO_INSTANCE))
		return false;
	if (!directory_find(s->seat.world->directory, device, &entry))
		return false;
	bool elsewhere = entry.registered &&
			 strcmp(entry.address, s->seat.peer->address) != 0;
	directory_entry_deinit(&entry);
	return elsewhere;
}

/* Judged before anything is changed or told. False: it was answered. */
static bool may_register(struct session *s, const struct sip_register *reg,
	const char *device, const struct device *known,
	const struct moment *now)
{
	struct admit_verdict verdict;
	bool nameless = reg->source == SIP_DEVICE_AOR && !s->seat.peer->tls &&
			!reg->auth;
	if (!service_admit(s->seat.world, s->seat.peer, device, &verdict)) {
		if (nameless && verdict.code == REASON_FAILURE_NO_ENTRY)
			sip_session_challenge(s, false, now);
		else
			sip_session_reject(s, &verdict);
		return false;
	}
	if (!sip_session_authentic(s, reg, known, now))
		return false;
	if (!owns_line(s, reg, device, known, &verdict)) {
		sip_session_reject(s, &verdict);
		return false;
	}
	if (!speaks_for_another(s, device) &&
		!is_active_elsewhere(s, reg, device))
		return true;
	admit_taken(device, &verdict);
	sip_session_reject(s, &verdict);
	return false;
}

static void take(struct session *s, const struct sip_register *reg,
	const char *device, const struct device *known,
	const struct moment *now)
{
	uint32_t expires_s = s->seat.world->config->sip_expires_s;
	switch (reg->kind) {
	case SIP_REGISTER_STANDBY:
	case SIP_REGISTER_QUERY:
		sip_session_grant(s, reg, expires_s, false, now);
		break;
	case SIP_REGISTER_BIND:
	case SIP_REGISTER_UNBIND_ALL:
		on_bind(s, reg, device, known, now);
		break;
	}
}

static void on_register(struct session *s, const struct sip_register *reg,
	const struct moment *now)
{
	const char *device = sip_session_device(s, reg);
	struct device *known = inventory_find(s->seat.world->inventory, device);
	if (may_register(s, reg, device, known, now)) {
		if (can_wait(s, reg))
			put_off(s);
		else
			take(s, reg, device, known, now);
	}
	device_unref(known);
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

/* What it says of its last end is kept for its registration. */
static void on_alarm(struct session *s, const struct sip_server_event *e)
{
	struct log_line line;
	if (strcmp(e->alarm->name, AWAY) == 0) {
		free(s->came_back);
		s->came_back = memory_dup(e->alarm->text);
	}
	if (!log_wanted(LOG_EV_ALARM) ||
		!failures_may_log(s->seat.world->failures))
		return;
	service_log(&s->seat, &line, LOG_EV_ALARM);
	log_str(&line, "alarm", e->alarm->name);
	log_str(&line, "text", e->text);
	log_end(&line);
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

/* A REGISTER that broke a rule of form; what also ends the connection is told
 * by its end. */
static void on_answered(struct session *s, const struct sip_server_event *e)
{
	struct admit_verdict v = {
		.code = REASON_FAILURE_MALFORMED,
		.rule = "malformed-register",
		.phone_text = "Malformed REGISTER",
	};
	log_message(s, LOG_EV_ANSWERED, e);
	if (e->status < 400 || e->why != SIP_CLOSE_NONE ||
		strcmp(e->method, "REGISTER") != 0)
		return;
	snprintf(v.why, sizeof(v.why), "REGISTER answered %d: %s", e->status,
		e->text);
	snprintf(v.cure, sizeof(v.cure),
		"look at what this phone sends (dialtone phone NAME tells its "
		"firmware); its configuration, or another load, words it "
		"right");
	service_refused(s->seat.world, s->seat.peer, s->seat.device, &v);
}

static const struct {
	enum sip_order order;
	enum reason_unreg cause; /* of the end that follows it */
} orders[] = {
	[PHONE_RESET] = {SIP_ORDER_RESET, REASON_UNREG_CALLMANAGER_RESET},
	[PHONE_RESTART] = {SIP_ORDER_RESTART, REASON_UNREG_FORCED_RESTART},
	[PHONE_APPLY] = {SIP_ORDER_APPLY, REASON_UNREG_APPLY_CONFIG},
};

static void log_order(
	const struct session *s, const char *order, int status, const char *why)
{
	struct log_line line;
	service_log(&s->seat, &line, LOG_EV_ORDERED);
	log_str(&line, "order", order);
	if (status)
		log_num(&line, "status", status);
	log_str(&line, "why", why);
	log_end(&line);
}

static void order(void *self, enum phone_order what, const struct moment *now)
{
	struct session *s = self;
	sip_server_tick(&s->engine, now);
	if (!s->seat.device[0] || !s->bindings.n)
		return;
	if (sip_server_order(
		    &s->engine, orders[what].order, &s->bindings.list[0]))
		s->ordered = orders[what].cause;
	else
		log_order(s, "none", 0,
			"the one before it was not answered yet; give it again "
			"when it was");
}

static void on_ordered(struct session *s, const struct sip_server_event *e)
{
	if (e->status == 200)
		s->seat.cause = s->ordered;
	log_order(s, e->text, e->status,
		e->status == 408 ? "it did not answer in time" : NULL);
}

static const struct {
	enum sip_close why;
	enum reason_unreg cause;
} causes[] = {
	{SIP_CLOSE_EXPIRED, REASON_UNREG_KEEPALIVE_TIMEOUT},
	{SIP_CLOSE_FLOW_SILENT, REASON_UNREG_KEEPALIVE_TIMEOUT},
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
	return why != SIP_CLOSE_EXPIRED && why != SIP_CLOSE_IDLE &&
	       why != SIP_CLOSE_FLOW_SILENT;
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
	case SIP_SERVER_LOCATE:
		sip_session_locate(s, e->text, e->gr, now);
		break;
	case SIP_SERVER_ALARM:
		on_alarm(s, e);
		break;
	case SIP_SERVER_ORDERED:
		on_ordered(s, e);
		break;
	case SIP_SERVER_ANSWERED:
		on_answered(s, e);
		break;
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
	while (!s->seat.ended && sip_server_next(&s->engine, &e))
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

/* Nobody finds it before its seat is given up. */
static void leave(void *self, enum reason_unreg cause, const struct moment *now)
{
	struct session *s = self;
	sip_session_forget(s);
	service_leave(self, cause, now);
}

static void deinit(void *self)
{
	struct session *s = self;
	sip_session_forget(s);
	sip_server_deinit(&s->engine);
	free(s->came_back);
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
	.order = order,
	.leave = leave,
	.deinit = deinit,
};
