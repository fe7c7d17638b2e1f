/* SPDX-License-Identifier: Apache-2.0 */
/* SCCP phones: engine events become admissions and directory entries. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/sccp/server.h"
#include "registrar/admit.h"
#include "registrar/log.h"
#include "registrar/memory.h"
#include "registrar/service/service.h"
#include "registrar/text.h"

enum { TOKEN_WAIT_S = 30 };

/* What a connection wants kept beside its engine. */
struct session {
	struct seat seat;
	struct sccp_server engine;
	char *came_back; /* the alarm before its REGISTER; NULL: none came */
};

static void init(void *self, const struct service_world *world,
	const struct peer *peer, const struct moment *now)
{
	struct session *s = self;
	service_sit(&s->seat, world, peer);
	sccp_server_init(&s->engine, &world->limits.sccp, now);
}

/* The lines of the inventory, or one that carries the device's name. */
static unsigned fill_lines(struct inventory *inventory, const char *device,
	struct sccp_line lines[SCCP_LINES_MAX])
{
	struct device *known = inventory_find(inventory, device);
	unsigned n = 0;
	memset(lines, 0, sizeof(*lines) * SCCP_LINES_MAX);
	for (; known && n < known->n_lines && n < SCCP_LINES_MAX; n++) {
		const struct device_line *line = &known->lines[n];
		snprintf(lines[n].number, sizeof(lines[n].number), "%s",
			line->number);
		snprintf(lines[n].label, sizeof(lines[n].label), "%s",
			*line->label ? line->label : line->number);
	}
	device_unref(known);
	if (n > 0)
		return n;
	text_copy(lines[0].number, sizeof(lines[0].number), device);
	text_copy(lines[0].label, sizeof(lines[0].label), device);
	return 1;
}

static void accept_phone(struct session *s, uint32_t keepalive_s)
{
	const struct config *c = s->seat.world->config;
	struct sccp_line lines[SCCP_LINES_MAX];
	struct sccp_grant grant = {
		.keepalive_s = keepalive_s,
		.secondary_keepalive_s = overload_jitter(
			s->seat.world->overload, c->sccp_secondary_s),
		.date_template = c->sccp_date_template,
		.prompt = *c->sccp_prompt ? c->sccp_prompt : NULL,
		.server_name = c->node,
		.server_ipv4 = s->seat.peer->local_ipv4,
		.server_port = s->seat.peer->local_port,
		.lines = lines,
		.n_lines = fill_lines(
			s->seat.world->inventory, s->seat.device, lines),
	};
	sccp_server_accept(&s->engine, &grant);
}

static void on_register(struct session *s, const struct sccp_register *reg,
	const struct moment *now)
{
	struct directory_entry entry;
	struct admit_verdict verdict;
	enum directory_result result;
	char model[DIRECTORY_MODEL_MAX + 1];
	service_entry(&entry, s->seat.peer, reg->device, now);
	entry.sccp_version = reg->version;
	entry.keepalive_s = overload_jitter(s->seat.world->overload,
		s->seat.world->config->sccp_keepalive_s);
	if (!entry.model || !*entry.model) {
		snprintf(model, sizeof(model), "type %u", reg->device_type);
		entry.model = model;
	}
	entry.firmware = reg->load;
	entry.came_back = s->came_back;
	if (!service_admit(
		    s->seat.world, s->seat.peer, reg->device, &verdict) ||
		!service_register(s->seat.world, s->seat.peer, &entry, &result,
			&verdict)) {
		sccp_server_reject(&s->engine, verdict.phone_text);
		return;
	}
	if (s->seat.device[0] &&
		!cert_device_equal(s->seat.device, reg->device))
		service_release(&s->seat, REASON_UNREG_DEVICE_UNREGISTERED,
			"registered again under another name", now);
	text_copy(s->seat.device, sizeof(s->seat.device), reg->device);
	free(s->came_back); /* the directory has it */
	s->came_back = NULL;
	accept_phone(s, entry.keepalive_s);
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
		sccp_server_deny_token(
			&s->engine, s->seat.world->config->sccp_secondary_s);
		return;
	}
	if (!overload_reached(overload) ||
		service_is_here(s->seat.world, reg->device)) {
		sccp_server_grant_token(&s->engine);
		return;
	}
	overload_add(&overload->figures.tokens_rejected, 1);
	sccp_server_deny_token(
		&s->engine, overload_wait_s(overload, TOKEN_WAIT_S));
}

/* Only as much of it as a directory entry takes. */
static void keep_alarm(struct session *s, const char *text)
{
	char kept[DIRECTORY_TEXT_MAX + 1];
	text_copy(kept, sizeof(kept), text);
	free(s->came_back);
	s->came_back = memory_dup(kept);
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
};

/* Goodbyes and silence are no faults; a rejection is recorded already. */
static bool is_fault(enum sccp_close why)
{
	return why != SCCP_CLOSE_UNREGISTERED && why != SCCP_CLOSE_REJECTED &&
	       why != SCCP_CLOSE_KEEPALIVE_TIMEOUT && why != SCCP_CLOSE_IDLE;
}

static void on_close(struct session *s, enum sccp_close why)
{
	s->seat.ended = sccp_close_name(why);
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
		if (causes[i].why == why)
			s->seat.cause = causes[i].cause;
	if (is_fault(why))
		service_fault(s->seat.world, s->seat.peer, s->seat.device,
			s->seat.ended, sccp_close_text(why));
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
		service_release(&s->seat, REASON_UNREG_DEVICE_UNREGISTERED,
			"the phone unregistered", now);
		break;
	case SCCP_SERVER_ALARM:
		keep_alarm(s, e->text);
		if (failures_may_log(s->seat.world->failures))
			log_frame(s, LOG_EV_ALARM, e);
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
	.leave = service_leave,
	.deinit = deinit,
};
