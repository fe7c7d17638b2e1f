/* SPDX-License-Identifier: Apache-2.0 */
/* A host for the SIP server engine: one device, real bindings, no socket. */
#include "tests/protocols/sip/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPIRES_S = 120, MIN_EXPIRES_S = 60, SOURCE_PORT = 40001 };

void sip_host_prepare(struct sip_host *h)
{
	if (h->started)
		return;
	h->started = true;
	h->config = sip_server_defaults;
	h->limits = (struct sip_binding_limits){EXPIRES_S, MIN_EXPIRES_S};
}

void sip_host_init(struct sip_host *h, const struct moment *now)
{
	sip_host_prepare(h);
	sip_server_init(&h->server, &h->config, now);
	if (h->source[0])
		sip_server_set_source(&h->server, h->source, SOURCE_PORT);
}

void sip_host_deinit(struct sip_host *h)
{
	sip_server_deinit(&h->server);
	sip_bindings_deinit(&h->bindings);
}

static void accept_it(struct sip_host *h, bool newreg)
{
	static const struct sip_gruu_user temporary[SIP_BINDINGS_MAX] = {
		{"tg.one"}};
	struct sip_grant grant = {
		.expires_s = h->limits.expires_s,
		.newreg = newreg,
		.bindings = &h->bindings,
		.temporary = temporary,
		.others = h->others[0] ? h->others : NULL,
		.alive_until_ms = sip_bindings_last_ms(&h->bindings),
	};
	sip_server_accept(&h->server, &grant);
}

static void refuse_it(struct sip_host *h, enum sip_bind_verdict verdict)
{
	bool brief = verdict == SIP_BIND_TOO_BRIEF;
	struct sip_refusal refusal = {
		.status = sip_bind_status(verdict),
		.warning = sip_bind_text(verdict),
		.min_expires_s = brief ? h->limits.min_expires_s : 0,
	};
	sip_server_reject(&h->server, &refusal);
}

void sip_host_apply(struct sip_host *h, const struct moment *now)
{
	size_t added;
	if (h->reg.kind == SIP_REGISTER_STANDBY) {
		sip_server_accept(&h->server, &(struct sip_grant){0});
		return;
	}
	bool fresh = sip_bindings_expire(&h->bindings, now) == 0;
	enum sip_bind_verdict verdict = sip_bindings_apply(
		&h->bindings, &h->reg.request, &h->limits, now, &added);
	if (verdict == SIP_BIND_OK)
		accept_it(h, fresh && added > 0);
	else
		refuse_it(h, verdict);
}

static const char *const kinds[] = {
	[SIP_REGISTER_BIND] = "bind",
	[SIP_REGISTER_UNBIND_ALL] = "unbind-all",
	[SIP_REGISTER_QUERY] = "query",
	[SIP_REGISTER_STANDBY] = "standby",
};

static const char *const sources[] = {
	[SIP_DEVICE_CISCO] = "cisco",
	[SIP_DEVICE_INSTANCE] = "instance",
	[SIP_DEVICE_AOR] = "aor",
};

/* What only some have, each behind a comma. */
static void show_extras(const struct sip_register *reg, char *text, size_t n)
{
	const struct sip_auth *auth = reg->auth;
	char extra[512];
	text[0] = '\0';
	if (reg->bulk)
		sip_host_append(text, n, ", bulk");
	if (reg->flow)
		sip_host_append(text, n, ", flow");
	if (reg->supports & SIP_SUPPORTS_DUPLICATE_REG)
		sip_host_append(text, n, ", duplicate-reg");
	if (reg->alarm.code) {
		snprintf(extra, sizeof(extra), ", alarm %u %s", reg->alarm.code,
			reg->alarm.last);
		sip_host_append(text, n, extra);
	}
	if (reg->request.path[0]) {
		snprintf(extra, sizeof(extra), ", path %s", reg->request.path);
		sip_host_append(text, n, extra);
	}
	if (!auth)
		return;
	snprintf(extra, sizeof(extra), ", auth %s %s@%s nonce %s nc %u",
		sip_algorithm_name(auth->algorithm), auth->username,
		auth->realm, auth->nonce, auth->count);
	sip_host_append(text, n, extra);
}

static void show_register(const struct sip_register *reg, char *text, size_t n)
{
	char extras[2048];
	show_extras(reg, extras, sizeof(extras));
	snprintf(text, n,
		"register %s %s by %s, model %s, aor %s, contacts %zu%s, "
		"agent %s, reason %s",
		kinds[reg->kind], reg->device, sources[reg->source],
		reg->model[0] ? reg->model : "-", reg->request.aor,
		reg->request.n_contacts, extras,
		reg->user_agent[0] ? reg->user_agent : "-",
		reg->reason[0] ? reg->reason : "-");
}

static void show(const struct sip_server_event *event, char *text, size_t n)
{
	const struct sip_register *reg = event->reg;
	switch (event->type) {
	case SIP_SERVER_REGISTER:
		assert(reg);
		show_register(reg, text, n);
		return;
	case SIP_SERVER_TOKEN:
		assert(reg);
		snprintf(text, n, "token %s by %s", reg->device,
			sources[reg->source]);
		return;
	case SIP_SERVER_ALARM:
		assert(event->alarm);
		snprintf(text, n, "alarm %s of %s: %s",
			event->alarm->name[0] ? event->alarm->name : "-",
			event->alarm->device[0] ? event->alarm->device : "-",
			event->text);
		return;
	case SIP_SERVER_LOCATE:
		snprintf(text, n, "locate %s%s%s", event->text,
			event->gr ? ", gr " : "", event->gr ? event->gr : "");
		return;
	case SIP_SERVER_ORDERED:
		snprintf(text, n, "ordered %s %d", event->text, event->status);
		return;
	case SIP_SERVER_ANSWERED:
		snprintf(text, n, "answered %s %d: %s", event->method,
			event->status, event->text);
		return;
	case SIP_SERVER_RESPONSE:
		snprintf(text, n, "response %d", event->status);
		return;
	case SIP_SERVER_CLOSE:
		snprintf(text, n, "close %s", sip_close_name(event->why));
		return;
	}
}

bool sip_host_next(struct sip_host *h, char *text, size_t n)
{
	struct sip_server_event event;
	if (!sip_server_next(&h->server, &event))
		return false;
	if (event.reg)
		h->reg = *event.reg;
	show(&event, text, n);
	return true;
}

void sip_host_append(char *text, size_t size, const char *more)
{
	size_t n = strlen(text);
	int added = snprintf(text + n, size - n, "%s", more);
	if (added < 0 || n + (size_t)added >= size)
		abort();
}

static bool set(void *self, const char *key, const char *value)
{
	struct sip_host *h = self;
	sip_host_prepare(h);
	const struct {
		const char *key;
		uint32_t *value;
	} keys[] = {
		{"first_message_ms", &h->config.first_message_ms},
		{"idle_ms", &h->config.idle_ms},
		{"message_ms", &h->config.message_ms},
		{"message_max", &h->config.message_max},
		{"head_max", &h->config.head_max},
		{"lines_max", &h->config.lines_max},
		{"params_max", &h->config.params_max},
		{"contacts_max", &h->config.contacts_max},
		{"requests_max", &h->config.requests_max},
		{"answer_ms", &h->config.answer_ms},
		{"flow_timer_s", &h->config.flow_timer_s},
		{"per_aor", &h->limits.per_aor},
		{"expires_s", &h->limits.expires_s},
		{"min_expires_s", &h->limits.min_expires_s},
	};
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].key, key) != 0)
			continue;
		*keys[i].value = (uint32_t)strtoul(value, NULL, 10);
		return true;
	}
	if (strcmp(key, "out_max") == 0)
		h->config.out_max = strtoul(value, NULL, 10);
	else if (strcmp(key, "locate") == 0)
		h->config.locate = strcmp(value, "yes") == 0;
	else if (strcmp(key, "others") == 0)
		snprintf(h->others, sizeof(h->others), "%s\r\n", value);
	else if (strcmp(key, "source") == 0)
		snprintf(h->source, sizeof(h->source), "%s", value);
	else
		return false;
	return true;
}

static void init(void *self, const struct moment *now)
{
	sip_host_init(self, now);
}

static void deinit(void *self)
{
	sip_host_deinit(self);
}

static void feed(
	void *self, const void *data, size_t n, const struct moment *now)
{
	struct sip_host *h = self;
	sip_server_feed(&h->server, data, n, now);
}

static void tick(void *self, const struct moment *now)
{
	struct sip_host *h = self;
	sip_server_tick(&h->server, now);
}

static bool next(void *self, char *text, size_t n)
{
	return sip_host_next(self, text, n);
}

static const uint8_t *out(void *self, size_t *n)
{
	struct sip_host *h = self;
	return sip_server_out(&h->server, n);
}

static void sent(void *self, size_t n)
{
	struct sip_host *h = self;
	sip_server_sent(&h->server, n);
}

static uint64_t deadline(void *self)
{
	struct sip_host *h = self;
	return sip_server_deadline(&h->server);
}

/* `reject STATUS [retry SECONDS] [warning]` */
static bool reject(struct sip_host *h, const char *args)
{
	char *rest;
	struct sip_refusal refusal = {.status = (int)strtol(args, &rest, 10)};
	if (strncmp(rest, " retry ", 7) == 0)
		refusal.retry_after_s = (uint32_t)strtoul(rest + 7, &rest, 10);
	if (*rest == ' ')
		refusal.warning = rest + 1;
	sip_server_reject(&h->server, &refusal);
	return true;
}

/* `order ACTION`: to the phone of the first binding */
static bool order(struct sip_host *h, const char *action)
{
	static const char *const actions[] = {
#define X(symbol, action) action,
		SIP_ORDER_LIST(X)
#undef X
	};
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(actions[i], action) == 0)
			return h->bindings.n > 0 &&
			       sip_server_order(&h->server, (enum sip_order)i,
				       h->bindings.list);
	}
	return false;
}

static bool challenge(struct sip_host *h, bool stale)
{
	sip_server_challenge(&h->server,
		&(struct sip_challenge){
			.realm = "lab.test", .nonce = "0123", .stale = stale});
	return true;
}

/* To two places. */
static bool redirect(struct sip_host *h)
{
	static const struct sip_target targets[] = {
		{"sip:a@192.0.2.1;transport=tls", 1000, 60},
		{"sip:b@192.0.2.2:5070", 500, 7},
	};
	sip_server_redirect(&h->server, targets, 2);
	return true;
}

static bool verb(void *self, const char *line, const struct moment *now)
{
	struct sip_host *h = self;
	if (strncmp(line, "order ", 6) == 0)
		return order(h, line + 6);
	if (strcmp(line, "busy") == 0) /* an order is out already */
		return !sip_server_order(
			&h->server, SIP_ORDER_RESET, h->bindings.list);
	if (strcmp(line, "challenge") == 0)
		return challenge(h, false);
	if (strcmp(line, "challenge stale") == 0)
		return challenge(h, true);
	if (strcmp(line, "redirect") == 0)
		return redirect(h);
	if (strcmp(line, "apply") == 0) {
		sip_host_apply(h, now);
		return true;
	}
	if (strncmp(line, "reject ", 7) == 0)
		return reject(h, line + 7);
	if (strcmp(line, "grant") == 0) {
		sip_server_grant_token(&h->server);
		return true;
	}
	if (strncmp(line, "deny ", 5) != 0)
		return false;
	sip_server_deny_token(
		&h->server, (uint32_t)strtoul(line + 5, NULL, 10));
	return true;
}

const struct conversation_engine sip_host_engine = {
	.name = "sip server",
	.size = sizeof(struct sip_host),
	.set = set,
	.init = init,
	.deinit = deinit,
	.feed = feed,
	.tick = tick,
	.next = next,
	.out = out,
	.sent = sent,
	.deadline = deadline,
	.verb = verb,
};
