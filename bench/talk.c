/* SPDX-License-Identifier: Apache-2.0 */
/* The engines of SCCP, SIP and HTTP phones behind one face. */
#include "bench/talk.h"

#include "bench/digest.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "protocols/sccp/server.h"

static const struct {
	const char *name;
	const char *tls_port;
	const char *plain_port;
} protocols[] = {
#define X(symbol, word, name, tls, plain) {name, tls, plain},
	TALK_PROTOCOL_LIST(X)
#undef X
};

/* What a phone says it restarted for when it was simply plugged in. */
static const char initialized[] = "Initialized";
static const char sip_reason[] =
	"SIP;cause=200;text=\"cisco-alarm:25 Last=initialized\"";
static const char sip_reset[] =
	"SIP;cause=200;text=\"cisco-alarm:22 Last=reset-reset\"";
static const char sip_restart[] =
	"SIP;cause=200;text=\"cisco-alarm:23 Last=reset-restart\"";
static const char sccp_load[] = "SCCP75.9-4-2SR3-1S";

static const char *reason_of(const struct talk_config *config)
{
	return config->last_reason ? config->last_reason : initialized;
}

const char *talk_protocol_name(enum talk_protocol protocol)
{
	return protocols[protocol].name;
}

const char *talk_default_port(enum talk_protocol protocol, bool tls)
{
	return tls ? protocols[protocol].tls_port
		   : protocols[protocol].plain_port;
}

void talk_printable(char *dst, size_t size, const char *text)
{
	size_t i = 0;
	for (; text && text[i] && i + 1 < size; i++)
		dst[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	dst[i] = '\0';
}

static void start_sccp(struct sccp_phone *p, const struct talk_config *config,
	const struct moment *now)
{
	const struct sccp_generation *g = config->generation;
	const struct sccp_phone_config c = {
		.generation = g,
		.device = config->device,
		.device_type = config->device_type,
		.version = config->sccp_version,
		.station_ipv4 = config->local_ipv4,
		.load = g ? g->load : sccp_load,
		.last_reason = reason_of(config),
		.answer_ms = config->answer_ms,
	};
	sccp_phone_init(p, &c, now);
	if (config->mode == TALK_STANDBY)
		sccp_phone_standby(p, now);
	else if (config->token || (g && g->ways & SCCP_WAY_SPCP))
		sccp_phone_token(p, now);
	else
		sccp_phone_start(p, now);
}

static void start_sip(struct sip_phone *p, const struct talk_config *config,
	const struct moment *now)
{
	const struct sip_phone_config c = {
		.device = config->device,
		.line = config->line,
		.server = config->server,
		.local = config->local,
		.model = config->device_type,
		.tls = config->tls,
		.udp = config->udp,
		.standby = config->mode == TALK_STANDBY,
		.brief = config->brief,
		.leaves = config->leaves,
		.digest = config->password != NULL,
		.last_reason =
			config->last_reason ? config->last_reason : sip_reason,
		.answer_ms = config->answer_ms,
		.seed = config->seed,
	};
	sip_phone_init(p, &c, now);
	if (config->token)
		sip_phone_token(p, now);
	else
		sip_phone_start(p, now);
}

void talk_start(struct talk *t, const struct talk_config *config,
	const struct moment *now)
{
	t->protocol = config->protocol;
	t->mode = config->mode;
	t->now = *now;
	t->token_due_ms = MOMENT_NEVER;
	t->leaves = config->leaves;
	t->username = config->username ? config->username : config->device;
	t->password = config->password;
	switch (t->protocol) {
	case TALK_SCCP:
		start_sccp(&t->sccp, config, now);
		break;
	case TALK_SIP:
		start_sip(&t->sip, config, now);
		break;
	case TALK_HTTP:
		http_phone_init(&t->http);
		http_phone_start(&t->http, config->server, config->device);
		break;
	}
}

void talk_deinit(struct talk *t)
{
	switch (t->protocol) {
	case TALK_SCCP:
		sccp_phone_deinit(&t->sccp);
		break;
	case TALK_SIP:
		sip_phone_deinit(&t->sip);
		break;
	case TALK_HTTP:
		http_phone_deinit(&t->http);
		break;
	}
}

void talk_unregister(struct talk *t, const struct moment *now)
{
	switch (t->protocol) {
	case TALK_SCCP:
		sccp_phone_unregister(&t->sccp, now);
		break;
	case TALK_SIP:
		sip_phone_unregister(&t->sip, now);
		break;
	case TALK_HTTP:
		http_phone_unregister(&t->http);
		break;
	}
}

void talk_feed(
	struct talk *t, const void *data, size_t n, const struct moment *now)
{
	t->now = *now;
	switch (t->protocol) {
	case TALK_SCCP:
		sccp_phone_feed(&t->sccp, data, n, now);
		break;
	case TALK_SIP:
		sip_phone_feed(&t->sip, data, n, now);
		break;
	case TALK_HTTP:
		http_phone_feed(&t->http, data, n);
		break;
	}
}

static void tick_sccp(struct talk *t)
{
	if (t->now.mono_ms < t->token_due_ms) {
		sccp_phone_tick(&t->sccp, &t->now);
		return;
	}
	t->token_due_ms = MOMENT_NEVER;
	sccp_phone_token(&t->sccp, &t->now);
}

bool talk_tick(struct talk *t, const struct moment *now)
{
	size_t before, after;
	t->now = *now;
	talk_out(t, &before);
	switch (t->protocol) {
	case TALK_SCCP:
		tick_sccp(t);
		break;
	case TALK_SIP:
		sip_phone_tick(&t->sip, now);
		break;
	case TALK_HTTP:
		break; /* has no clock */
	}
	talk_out(t, &after);
	return after > before;
}

__attribute__((format(printf, 3, 4))) static void say(struct talk_event *event,
	enum talk_event_type type, const char *format, ...)
{
	char text[sizeof(event->text)];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	event->type = type;
	talk_printable(event->text, sizeof(event->text), text);
}

static const char *or_nothing(const char *text)
{
	return text ? text : "";
}

static void say_wait(struct talk_event *event, const char *why, uint32_t wait_s)
{
	say(event, TALK_EVENT_WAIT, "%s, asking again in %u s", why, wait_s);
	event->wait_s = wait_s;
}

static void on_sccp_token(
	struct talk *t, struct talk_event *event, uint32_t wait_s)
{
	if (wait_s) {
		say_wait(event, "no token", wait_s);
		t->token_due_ms = t->now.mono_ms + wait_s * UINT64_C(1000);
		return;
	}
	say(event, TALK_EVENT_NOTE, "token granted");
	sccp_phone_start(&t->sccp, &t->now);
}

static void on_sccp_reset(struct talk_event *event, uint32_t kind)
{
	static const char *const kinds[] = {
		"reset", "restart", "new look at its configuration"};
	bool known = kind >= SCCP_RESET && kind <= SCCP_APPLY;
	say(event, TALK_EVENT_RESET, "the server asked for a %s",
		known ? kinds[kind - 1] : "reset of a kind that nobody knows");
	event->last_reason =
		kind == SCCP_RESET ? "Reset-Reset" : "Reset-Restart";
}

static void on_sip_token(
	struct talk *t, struct talk_event *event, uint32_t wait_s)
{
	if (wait_s) {
		say_wait(event, "no token", wait_s);
		return;
	}
	say(event, TALK_EVENT_NOTE, "token granted");
	sip_phone_start(&t->sip, &t->now);
}

static bool next_sccp(struct talk *t, struct talk_event *event)
{
	struct sccp_phone_event e;
	if (!sccp_phone_next(&t->sccp, &e))
		return false;
	const char *text = or_nothing(e.text);
	switch (e.type) {
	case SCCP_PHONE_REGISTERED:
		say(event, TALK_EVENT_REGISTERED, "%s", text);
		break;
	case SCCP_PHONE_REJECTED:
		say(event, TALK_EVENT_REJECTED, "%s", text);
		break;
	case SCCP_PHONE_UNREGISTERED:
		say(event, TALK_EVENT_UNREGISTERED, "%s", text);
		break;
	case SCCP_PHONE_RESET:
		on_sccp_reset(event, e.value);
		break;
	case SCCP_PHONE_TOKEN:
		on_sccp_token(t, event, e.value);
		break;
	case SCCP_PHONE_ALIVE:
		say(event,
			t->mode == TALK_STANDBY ? TALK_EVENT_REGISTERED
						: TALK_EVENT_ALIVE,
			"%s", text);
		break;
	case SCCP_PHONE_FAILED:
		say(event, TALK_EVENT_FAILED, "%s", text);
		break;
	}
	return true;
}

static void on_challenge(struct talk *t, const struct sip_phone_event *e)
{
	char authorization[DIGEST_SIZE];
	const struct digest_answer answer = {
		.username = t->username,
		.password = t->password,
		.method = "REGISTER",
		.uri = e->text,
	};
	bool good = digest_authorization(
		e->challenge, &answer, authorization, sizeof(authorization));
	sip_phone_authorize(&t->sip, good ? authorization : NULL, &t->now);
}

static void on_sip_reset(
	const struct talk *t, struct talk_event *event, const char *action)
{
	bool reset = strcmp(action, "reset") == 0;
	bool goes = reset || strcmp(action, "restart") == 0;
	say(event, goes && t->leaves ? TALK_EVENT_RESET : TALK_EVENT_NOTE,
		"the server asked for a %s", action);
	event->last_reason = reset ? sip_reset : sip_restart;
}

static bool next_sip(struct talk *t, struct talk_event *event)
{
	struct sip_phone_event e;
	if (!sip_phone_next(&t->sip, &e))
		return false;
	const char *text = or_nothing(e.text);
	switch (e.type) {
	case SIP_PHONE_REGISTERED:
	case SIP_PHONE_STANDBY:
		say(event, TALK_EVENT_REGISTERED, "%s", text);
		break;
	case SIP_PHONE_REFRESHED:
		say(event, TALK_EVENT_ALIVE, "refreshed for %u s", e.value);
		break;
	case SIP_PHONE_REJECTED:
		say(event, TALK_EVENT_REJECTED, "%u %s", e.value, text);
		break;
	case SIP_PHONE_RETRY:
		say_wait(event, "busy", e.value);
		break;
	case SIP_PHONE_TOKEN:
		on_sip_token(t, event, e.value);
		break;
	case SIP_PHONE_UNREGISTERED:
		say(event, TALK_EVENT_UNREGISTERED, "%s", text);
		break;
	case SIP_PHONE_RESET:
		on_sip_reset(t, event, text);
		break;
	case SIP_PHONE_CHALLENGED:
		say(event, TALK_EVENT_NOTE, "challenged, algorithm %s",
			sip_algorithm_name(e.challenge->algorithm));
		on_challenge(t, &e);
		break;
	case SIP_PHONE_FAILED:
		say(event, TALK_EVENT_FAILED, "%s", text);
		break;
	}
	return true;
}

static bool next_http(struct http_phone *p, struct talk_event *event)
{
	struct http_phone_event e;
	if (!http_phone_next(p, &e))
		return false;
	switch (e.type) {
	case HTTP_PHONE_REGISTERED:
		say(event, TALK_EVENT_REGISTERED, "%s", e.text);
		break;
	case HTTP_PHONE_REJECTED:
		say(event, TALK_EVENT_REJECTED, "HTTP %u", e.value);
		break;
	case HTTP_PHONE_UNREGISTERED:
		say(event, TALK_EVENT_UNREGISTERED, "%s", e.text);
		break;
	case HTTP_PHONE_FAILED:
		say(event, TALK_EVENT_FAILED, "%s", e.text);
		break;
	}
	return true;
}

bool talk_next(struct talk *t, struct talk_event *event)
{
	switch (t->protocol) {
	case TALK_SCCP:
		return next_sccp(t, event);
	case TALK_SIP:
		return next_sip(t, event);
	case TALK_HTTP:
		return next_http(&t->http, event);
	}
	return false;
}

const uint8_t *talk_out(const struct talk *t, size_t *n)
{
	switch (t->protocol) {
	case TALK_SCCP:
		return sccp_phone_out(&t->sccp, n);
	case TALK_SIP:
		return sip_phone_out(&t->sip, n);
	case TALK_HTTP:
		return http_phone_out(&t->http, n);
	}
	*n = 0;
	return NULL;
}

void talk_sent(struct talk *t, size_t n)
{
	switch (t->protocol) {
	case TALK_SCCP:
		sccp_phone_sent(&t->sccp, n);
		break;
	case TALK_SIP:
		sip_phone_sent(&t->sip, n);
		break;
	case TALK_HTTP:
		http_phone_sent(&t->http, n);
		break;
	}
}

uint64_t talk_deadline(const struct talk *t)
{
	uint64_t due = MOMENT_NEVER;
	switch (t->protocol) {
	case TALK_SCCP:
		due = sccp_phone_deadline(&t->sccp);
		break;
	case TALK_SIP:
		due = sip_phone_deadline(&t->sip);
		break;
	case TALK_HTTP:
		break;
	}
	return due < t->token_due_ms ? due : t->token_due_ms;
}
