/* SPDX-License-Identifier: Apache-2.0 */
/* SCCP phones: engine events become admissions and directory entries. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/sccp/alarm.h"
#include "protocols/sccp/devices.h"
#include "protocols/sccp/server.h"
#include "protocols/sccp/softkeys.h"
#include "registrar/admit.h"
#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/service/service.h"
#include "registrar/text.h"

enum { TOKEN_WAIT_S = 30 };

/* What the alarm before a REGISTER said. */
struct came_back {
	char words[SCCP_ALARM_WORDS];
	char load[SCCP_ALARM_LOAD_MAX + 1];
};

/* What a connection wants kept beside its engine. */
struct session {
	struct seat seat;
	struct sccp_server engine;
	struct came_back *came_back; /* NULL: it did not say */
	/* It was told to go; so it does, until then. */
	enum reason_unreg told;
	uint64_t told_until;
};

static void init(void *self, const struct service_world *world,
	const struct peer *peer, const struct moment *now)
{
	struct session *s = self;
	service_sit(&s->seat, world, peer);
	sccp_server_init(&s->engine, &world->limits.sccp, now);
}

/* ---- what a phone is given ---- */

static size_t add_button(struct sccp_grant_button *buttons, size_t n,
	enum sccp_button_type type, const char *number, const char *label)
{
	if (n == SCCP_BUTTONS_MAX)
		return n;
	buttons[n] = (struct sccp_grant_button){
		.type = type,
		.target = number,
		.label = label && *label ? label : number,
	};
	return n + 1;
}

/* The lines and speed dials of the inventory, in that order; without a line,
 * one that carries the device's name. The texts are known's. */
static size_t fill_buttons(const struct device *known, const char *device,
	struct sccp_grant_button buttons[SCCP_BUTTONS_MAX])
{
	size_t n = 0;
	for (size_t i = 0; known && i < known->n_lines; i++)
		n = add_button(buttons, n, SCCP_BUTTON_LINE,
			known->lines[i].number, known->lines[i].label);
	if (n == 0)
		n = add_button(buttons, n, SCCP_BUTTON_LINE, device, device);
	for (size_t i = 0; known && i < known->n_dials; i++)
		n = add_button(buttons, n,
			*known->dials[i].type ? SCCP_BUTTON_BLF
					      : SCCP_BUTTON_SPEED_DIAL,
			known->dials[i].number, known->dials[i].label);
	return n;
}

/* The inventory holds none that cannot be read. */
static uint32_t softkeys_of(const struct device *known)
{
	uint32_t allowed = 0;
	if (known)
		sccp_softkeys_read(known->softkeys, &allowed);
	return allowed;
}

static void accept_phone(
	struct session *s, const struct device *known, uint32_t keepalive_s)
{
	const struct config *c = s->seat.world->config;
	struct sccp_grant_button buttons[SCCP_BUTTONS_MAX];
	struct sccp_grant grant = {
		.keepalive_s = keepalive_s,
		.secondary_keepalive_s = overload_jitter(
			s->seat.world->overload, c->sccp_secondary_s),
		.date_template = c->sccp_date_template,
		.prompt = *c->sccp_prompt ? c->sccp_prompt : NULL,
		.server_name = c->node,
		.server_ipv4 = s->seat.peer->local_ipv4,
		.server_port = s->seat.peer->local_port,
		.softkeys = softkeys_of(known),
		.buttons = buttons,
		.n_buttons = fill_buttons(known, s->seat.device, buttons),
	};
	sccp_server_accept(&s->engine, &grant);
}

/* ---- who may come ---- */

/* Its field has sixteen bytes, the last of which is a NUL. */
static void refuse_name(
	const struct sccp_register *reg, struct admit_verdict *out)
{
	*out = (struct admit_verdict){
		.code = REASON_FAILURE_MALFORMED,
		.rule = "bad-device-name",
		.phone_text = "Bad device name",
	};
	snprintf(out->why, sizeof(out->why),
		"the device name begins with %.15s and does not end: SCCP has "
		"names of at most 15 characters",
		reg->device);
	snprintf(out->cure, sizeof(out->cure),
		"set a proper device name on the phone");
}

static void refuse_version(const struct session *s,
	const struct sccp_register *reg, struct admit_verdict *out)
{
	uint32_t least = s->seat.world->config->sccp_version_min;
	*out = (struct admit_verdict){
		.code = REASON_FAILURE_OBSOLETE_VERSION,
		.rule = "sccp-version-too-old",
		.phone_text = "Firmware too old",
	};
	snprintf(out->why, sizeof(out->why),
		"%s offers SCCP version %u, sccp.version_min is %u",
		reg->device, reg->version, least);
	snprintf(out->cure, sizeof(out->cure),
		"give the phone newer firmware (it has %s), or lower "
		"sccp.version_min",
		*reg->load ? reg->load : "some that does not say its name");
}

static void refuse_type(const struct device *known,
	const struct sccp_register *reg, struct admit_verdict *out)
{
	const char *name = sccp_device_type_name(reg->device_type);
	*out = (struct admit_verdict){
		.code = REASON_FAILURE_DEVICE_TYPE,
		.rule = "device-type-mismatch",
		.phone_text = "Wrong phone model",
	};
	snprintf(out->why, sizeof(out->why),
		"%s says it is a %s (type %u), its entry in the inventory "
		"says %s",
		reg->device, name, reg->device_type, known->model);
	snprintf(out->cure, sizeof(out->cure),
		"dialtone device set %s --model %s, if this is the right phone",
		known->name, name);
}

/* Beside what admit_decide judges there is what SCCP alone knows; who is not
 * proven to be that device does not learn what model it should be. */
static bool may_register(const struct session *s, const struct device *known,
	const struct sccp_register *reg, struct admit_verdict *verdict)
{
	const struct service_world *world = s->seat.world;
	if (strlen(reg->device) > SCCP_NAME_MAX)
		refuse_name(reg, verdict);
	else if (!service_admit(world, s->seat.peer, reg->device, verdict))
		return false;
	else if (reg->version < world->config->sccp_version_min)
		refuse_version(s, reg, verdict);
	else if (known &&
		 !sccp_device_type_fits(reg->device_type, known->model))
		refuse_type(known, reg, verdict);
	else
		return true;
	service_refused(world, s->seat.peer, reg->device, verdict);
	return false;
}

static const char *model_of(const struct session *s,
	const struct sccp_register *reg, char text[DIRECTORY_MODEL_MAX + 1])
{
	const struct peer_cert *cert = s->seat.peer->cert;
	const char *name = sccp_device_type_name(reg->device_type);
	if (cert && *cert->model)
		return cert->model;
	if (name)
		return name;
	snprintf(text, DIRECTORY_MODEL_MAX + 1, "type %u", reg->device_type);
	return text;
}

/* Some phones write their MAC small; the inventory's spelling is everybody's.
 */
static const char *name_of(
	const struct device *known, const struct sccp_register *reg)
{
	return known ? known->name : reg->device;
}

/* Into the directory; false: the verdict says why not. */
static bool enter(struct session *s, const char *device,
	const struct sccp_register *reg, uint32_t keepalive_s,
	const struct moment *now, struct admit_verdict *verdict)
{
	struct directory_entry entry;
	enum directory_result result;
	char model[DIRECTORY_MODEL_MAX + 1];
	service_entry(&entry, s->seat.peer, device, now);
	entry.sccp_version = reg->version;
	entry.keepalive_s = keepalive_s;
	entry.model = model_of(s, reg, model);
	entry.firmware = reg->load;
	if (s->came_back) {
		entry.came_back = s->came_back->words;
		/* Older phones name it in their alarm alone. */
		if (!*reg->load)
			entry.firmware = s->came_back->load;
	}
	return service_register(
		s->seat.world, s->seat.peer, &entry, &result, verdict);
}

static void on_register(struct session *s, const struct sccp_register *reg,
	const struct moment *now)
{
	const struct service_world *world = s->seat.world;
	struct admit_verdict verdict;
	uint32_t keepalive_s = overload_jitter(
		world->overload, world->config->sccp_keepalive_s);
	struct device *known = inventory_find(world->inventory, reg->device);
	const char *device = name_of(known, reg);
	if (!may_register(s, known, reg, &verdict) ||
		!enter(s, device, reg, keepalive_s, now, &verdict)) {
		meters_add(world->meters, METERS_REGISTER_REJECTS);
		sccp_server_reject(&s->engine, verdict.phone_text);
		device_unref(known);
		return;
	}
	if (s->seat.device[0] && !cert_device_equal(s->seat.device, device))
		service_release(&s->seat, REASON_UNREG_DEVICE_UNREGISTERED,
			"registered again under another name", now);
	text_copy(s->seat.device, sizeof(s->seat.device), device);
	free(s->came_back); /* the directory has it */
	s->came_back = NULL;
	s->told_until = 0; /* what it was told to do, it has done */
	accept_phone(s, known, keepalive_s);
	device_unref(known);
}

static void deny_token(struct session *s, const char *device, uint32_t wait_s)
{
	struct log_line line;
	meters_add(s->seat.world->meters, METERS_TOKEN_REJECTS);
	sccp_server_deny_token(&s->engine, wait_s);
	if (!log_wanted(LOG_EV_TOKEN_DENIED))
		return;
	service_log(&s->seat, &line, LOG_EV_TOKEN_DENIED);
	log_str(&line, "device", device);
	log_num(&line, "wait_s", wait_s);
	log_end(&line);
}

/* A token is asked for by a phone that is well served elsewhere: it can wait
 * while others cannot. One who is registered here keeps its call (specs sccp,
 * chan-sccp 517). */
static void on_token(struct session *s, const struct sccp_register *reg)
{
	struct admit_verdict verdict;
	struct overload_part *overload = s->seat.world->overload;
	if (!service_admit(
		    s->seat.world, s->seat.peer, reg->device, &verdict)) {
		deny_token(s, reg->device,
			s->seat.world->config->sccp_secondary_s);
		return;
	}
	if (!overload_reached(overload) ||
		service_is_here(s->seat.world, reg->device)) {
		sccp_server_grant_token(&s->engine);
		return;
	}
	overload_add(&overload->figures.tokens_rejected, 1);
	deny_token(s, reg->device, overload_wait_s(overload, TOKEN_WAIT_S));
}

/* ---- why it came back ---- */

static void log_alarm(struct session *s, const struct sccp_alarm_report *r,
	const struct sccp_server_event *e)
{
	struct log_line line;
	if (!log_wanted(LOG_EV_ALARM) ||
		!failures_may_log(s->seat.world->failures))
		return;
	service_log(&s->seat, &line, LOG_EV_ALARM);
	log_fmt(&line, "message", "0x%04x", e->message_id);
	log_num(&line, "severity", e->severity);
	log_str(&line, "said_by", r->device);
	log_str(&line, "why", s->came_back->words);
	log_str(&line, "model", r->model);
	log_str(&line, "firmware", r->load);
	log_str(&line, "ip", r->address);
	log_str(&line, "gateway", r->gateway);
	log_str(&line, "switch", r->switch_name);
	log_str(&line, "switch_port", r->switch_port);
	log_str(&line, "vlan", r->vlan);
	log_str(&line, "last_sent", r->last_sent);
	log_str(&line, "last_received", r->last_received);
	log_str(&line, "broken", r->whole ? NULL : "yes");
	log_end(&line);
}

static void on_alarm(struct session *s, const struct sccp_server_event *e)
{
	struct sccp_alarm_report r;
	sccp_alarm_read(&r, e->text);
	free(s->came_back);
	s->came_back = memory_zero(sizeof(*s->came_back));
	sccp_alarm_words(&r, s->came_back->words);
	text_copy(s->came_back->load, sizeof(s->came_back->load), r.load);
	log_alarm(s, &r, e);
}

static void log_frame(struct session *s, enum log_event event,
	const struct sccp_server_event *e)
{
	struct log_line line;
	if (!log_wanted(event))
		return;
	service_log(&s->seat, &line, event);
	if (e->message_id)
		log_fmt(&line, "message", "0x%04x", e->message_id);
	log_str(&line, "text", e->text);
	log_end(&line);
}

static const struct {
	enum sccp_close why;
	enum reason_unreg cause;
} causes[] = {
	{SCCP_CLOSE_KEEPALIVE_TIMEOUT, REASON_UNREG_KEEPALIVE_TIMEOUT},
	{SCCP_CLOSE_THROTTLED, REASON_UNREG_THROTTLING},
	{SCCP_CLOSE_UNREGISTERED, REASON_UNREG_DEVICE_UNREGISTERED},
	{SCCP_CLOSE_REGISTER_TOO_SHORT, REASON_UNREG_MALFORMED},
	{SCCP_CLOSE_NOT_READING, REASON_UNREG_NO_RESPONSE},
	{SCCP_CLOSE_RESET_UNANSWERED, REASON_UNREG_NO_RESPONSE},
	{SCCP_CLOSE_CAPABILITIES_BAD, REASON_UNREG_CAPABILITIES},
	{SCCP_CLOSE_CAPABILITIES_LATE, REASON_UNREG_INITIALIZATION},
};

/* Goodbyes and silence are no faults; a rejection is recorded
 * already. */
static bool is_fault(enum sccp_close why)
{
	return why != SCCP_CLOSE_UNREGISTERED && why != SCCP_CLOSE_REJECTED &&
	       why != SCCP_CLOSE_KEEPALIVE_TIMEOUT && why != SCCP_CLOSE_IDLE &&
	       why != SCCP_CLOSE_RESET_UNANSWERED;
}

/* It was accepted, and did not become a phone that can be used. */
static void record_capabilities(const struct session *s, enum sccp_close why)
{
	struct admit_verdict verdict = {
		.code = why == SCCP_CLOSE_CAPABILITIES_BAD
				? REASON_FAILURE_CAPABILITIES
				: REASON_FAILURE_CAPABILITY_TIMEOUT,
		.rule = sccp_close_name(why),
	};
	text_copy(verdict.why, sizeof(verdict.why), sccp_close_text(why));
	snprintf(verdict.cure, sizeof(verdict.cure),
		"look at the firmware of %s, and at its link", s->seat.device);
	service_refused(s->seat.world, s->seat.peer, s->seat.device, &verdict);
}

static void on_close(struct session *s, enum sccp_close why)
{
	s->seat.ended = sccp_close_name(why);
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].why == why)
			s->seat.cause = causes[i].cause;
	if (why == SCCP_CLOSE_CAPABILITIES_BAD ||
		why == SCCP_CLOSE_CAPABILITIES_LATE)
		record_capabilities(s, why);
	else if (is_fault(why))
		service_fault(s->seat.world, s->seat.peer, s->seat.device,
			s->seat.ended, sccp_close_text(why));
}

static bool was_told(const struct session *s, const struct moment *now)
{
	return now->mono_ms < s->told_until;
}

static void on_unregister(struct session *s, const struct moment *now)
{
	if (was_told(s, now))
		service_release(&s->seat, s->told, "it was told to", now);
	else
		service_release(&s->seat, REASON_UNREG_DEVICE_UNREGISTERED,
			"the phone unregistered", now);
}

static void on_event(struct session *s, const struct sccp_server_event *e,
	const struct moment *now)
{
	switch (e->type) {
	case SCCP_SERVER_REGISTER:
		on_register(s, e->reg, now);
		break;
	case SCCP_SERVER_REGISTERED:
		log_frame(s, LOG_EV_READY, e);
		break;
	case SCCP_SERVER_TOKEN:
		on_token(s, e->reg);
		break;
	case SCCP_SERVER_UNREGISTER:
		on_unregister(s, now);
		break;
	case SCCP_SERVER_ALARM:
		on_alarm(s, e);
		break;
	case SCCP_SERVER_IGNORED:
		log_frame(s, LOG_EV_IGNORED, e);
		break;
	case SCCP_SERVER_CLOSE:
		on_close(s, e->why);
		break;
	}
}

static void drain(struct session *s, const struct moment *now)
{
	struct sccp_server_event e;
	while (sccp_server_next(&s->engine, &e))
		on_event(s, &e, now);
}

static void feed(
	void *self, const void *data, size_t n, const struct moment *now)
{
	struct session *s = self;
	sccp_server_feed(&s->engine, data, n, now);
	drain(s, now);
	service_heard(&s->seat, now);
}

static void order(void *self, enum phone_order what, const struct moment *now)
{
	static const struct {
		enum sccp_reset kind;
		enum reason_unreg cause;
	} orders[] = {
		[PHONE_RESET] = {SCCP_RESET, REASON_UNREG_CALLMANAGER_RESET},
		[PHONE_RESTART] = {SCCP_RESTART,
			REASON_UNREG_CALLMANAGER_RESTART},
		[PHONE_APPLY] = {SCCP_APPLY, REASON_UNREG_APPLY_CONFIG},
	};
	struct session *s = self;
	if (!s->seat.device[0])
		return;
	sccp_server_reset(&s->engine, orders[what].kind, now);
	s->told = orders[what].cause;
	s->told_until = now->mono_ms + s->seat.world->limits.sccp.reset_ms;
	drain(s, now);
}

/* A phone that hangs up when it was told to go does as it was told. */
static void leave(void *self, enum reason_unreg cause, const struct moment *now)
{
	struct session *s = self;
	bool told = was_told(s, now) && cause == REASON_UNREG_CONNECTIVITY;
	service_leave(self, told ? s->told : cause, now);
}

static void tick(void *self, const struct moment *now)
{
	struct session *s = self;
	sccp_server_tick(&s->engine, now);
	drain(s, now);
}

static const uint8_t *out(const void *self, size_t *n)
{
	const struct session *s = self;
	return sccp_server_out(&s->engine, n);
}

static void sent(void *self, size_t n)
{
	struct session *s = self;
	sccp_server_sent(&s->engine, n);
}

static uint64_t deadline(const void *self)
{
	const struct session *s = self;
	return sccp_server_deadline(&s->engine);
}

static void deinit(void *self)
{
	struct session *s = self;
	sccp_server_deinit(&s->engine);
	free(s->came_back);
}

const struct service service_sccp = {
	.protocol = CONFIG_SCCP,
	.tells_address = true,
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
