/* SPDX-License-Identifier: Apache-2.0 */
/* What the host answers to REGISTER, REFER and INVITE, in words. */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "protocols/sip/server_state.h"

/* Readies the answer to what waits; false: the connection is ending. */
static bool resume(
	struct sip_server *s, enum waiting waiting, struct sip_head *head)
{
	const struct sip_server_state *st = s->state;
	if (st->why != SIP_CLOSE_NONE)
		return false;
	assert(st->waiting == waiting);
	sip_head_clear(head);
	head->source = &st->source;
	for (size_t i = 0; i < st->n_kept; i++) {
		const struct kept_line *kept = &st->kept[i];
		sip_head_add(
			head, &(struct sip_line){.header = kept->header,
				      .value = {sip_server_input(s) + kept->at,
					      kept->n}});
	}
	return true;
}

/* Seconds a binding has left, to the nearest. */
static uint32_t left_s(
	const struct sip_binding *binding, const struct moment *now)
{
	if (binding->expires_ms <= now->mono_ms)
		return 0;
	return (uint32_t)((binding->expires_ms - now->mono_ms + 500) / 1000);
}

/*
 * A phone refreshes by the Expires header, so it must not promise more than
 * what the Contacts of this very request got.
 */
static uint32_t promised_s(
	const struct sip_server *s, const struct sip_grant *grant)
{
	const struct sip_register *reg = s->state->reg;
	uint32_t seconds = grant->expires_s;
	if (reg->kind == SIP_REGISTER_UNBIND_ALL)
		return 0;
	for (size_t i = 0; grant->bindings && i < grant->bindings->n; i++) {
		const struct sip_binding *binding = &grant->bindings->list[i];
		uint32_t left = left_s(binding, &s->state->now);
		if (left && left < seconds &&
			strcmp(binding->aor, reg->request.aor) == 0 &&
			strcmp(binding->call_id, reg->request.call_id) == 0)
			seconds = left;
	}
	return seconds;
}

/* Where pub-gruu and temp-gruu would make it longer than a phone reads, they
 * are left out: RFC 5627 5.2 lets a registrar have none. */
enum { GRUUS_MAX = 1024 - 64 };

/*
 * pub-gruu="sip:AOR;gr=urn:uuid:..." and, under a user that tells nobody who
 * it is, temp-gruu="sip:USER@HOST;gr" (RFC 5627 5.1, 5.2).
 */
static void put_gruus(struct sip_answer *a, const struct sip_binding *binding,
	const char *temporary)
{
	char urn[128], text[GRUUS_MAX];
	struct sip_slice instance = sip_binding_instance(binding);
	const char *at = strchr(binding->aor, '@');
	if (!at || !sip_field_unquote(instance, urn, sizeof(urn)) ||
		urn[0] != '<' || strcspn(urn, ">") != strlen(urn) - 1 ||
		!sip_field_all(sip_field_text(urn), SIP_CHARS_AOR))
		return;
	urn[strlen(urn) - 1] = '\0';
	int n = snprintf(text, sizeof(text), ";pub-gruu=\"sip:%s;gr=%s\"",
		binding->aor, urn + 1);
	if (temporary && temporary[0])
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			";temp-gruu=\"sip:%s%s;gr\"", temporary, at);
	if (strlen(binding->text) + (size_t)n < sizeof(text))
		sip_answer_text(a, text);
}

static void put_bindings(struct sip_server *s, struct sip_answer *a,
	const struct sip_grant *grant)
{
	const struct sip_register *reg = s->state->reg;
	bool gruu = reg->supports & SIP_SUPPORTS_GRUU;
	const char *end = grant->newreg ? ";x-cisco-newreg\r\n" : "\r\n";
	for (size_t i = 0; grant->bindings && i < grant->bindings->n; i++) {
		const struct sip_binding *binding = &grant->bindings->list[i];
		uint32_t left = left_s(binding, &s->state->now);
		if (!left || strcmp(binding->aor, reg->request.aor) != 0)
			continue;
		sip_answer_text(a, "Contact: ");
		sip_answer_text(a, binding->text);
		if (gruu)
			put_gruus(a, binding,
				grant->temporary ? grant->temporary[i].text
						 : NULL);
		sip_answer_number(a, ";expires=", left, end);
		end = "\r\n";
	}
	if (grant->others)
		sip_answer_text(a, grant->others);
}

void sip_server_accept(struct sip_server *s, const struct sip_grant *grant)
{
	struct sip_head head;
	struct sip_answer a;
	struct sip_server_state *st = s->state;
	if (!resume(s, FOR_REGISTER, &head))
		return;
	const struct sip_register *reg = st->reg;
	bool changes = reg->kind == SIP_REGISTER_BIND ||
		       reg->kind == SIP_REGISTER_UNBIND_ALL;
	sip_server_begin(s, &a, &head, 200, NULL);
	if (changes)
		sip_answer_number(
			&a, "Expires: ", promised_s(s, grant), "\r\n");
	if (reg->kind != SIP_REGISTER_STANDBY)
		put_bindings(s, &a, grant);
	if (reg->request.path[0])
		sip_answer_again(&a, &head, SIP_HEADER_PATH);
	if (reg->flow)
		sip_answer_text(&a, "Require: outbound\r\n");
	if (reg->flow && s->config->flow_timer_s)
		sip_answer_number(
			&a, "Flow-Timer: ", s->config->flow_timer_s, "\r\n");
	sip_answer_text(&a, sip_server_supported);
	sip_server_finish(s, &a);
	if (changes) {
		st->alive_ms = grant->alive_until_ms;
		st->flow = reg->flow && s->config->flow_timer_s &&
			   st->alive_ms != MOMENT_NEVER;
	}
	sip_server_consume(s);
}

void sip_server_challenge(
	struct sip_server *s, const struct sip_challenge *challenge)
{
	struct sip_head head;
	struct sip_answer a;
	if (!resume(s, FOR_REGISTER, &head))
		return;
	sip_server_begin(s, &a, &head, 401, NULL);
	for (int i = 0; i < SIP_ALGORITHMS; i++)
		sip_answer_line(&a,
			"WWW-Authenticate: Digest realm=\"%.63s\","
			"nonce=\"%.127s\",algorithm=%s,qop=\"auth\"%s",
			challenge->realm, challenge->nonce,
			sip_algorithm_name((enum sip_algorithm)i),
			challenge->stale ? ",stale=true" : "");
	sip_server_finish(s, &a);
	sip_server_consume(s);
}

void sip_server_reject(struct sip_server *s, const struct sip_refusal *why)
{
	struct sip_head head;
	struct sip_answer a;
	bool locate = s->state->waiting == FOR_LOCATE;
	if (!resume(s, locate ? FOR_LOCATE : FOR_REGISTER, &head))
		return;
	sip_server_begin(s, &a, &head, why->status, why->phrase);
	if (why->retry_after_s)
		sip_answer_number(
			&a, "Retry-After: ", why->retry_after_s, "\r\n");
	if (why->min_expires_s)
		sip_answer_number(
			&a, "Min-Expires: ", why->min_expires_s, "\r\n");
	if (why->warning)
		sip_answer_warning(&a, s->config->node, why->warning);
	sip_server_finish(s, &a);
	sip_server_consume(s);
}

void sip_server_redirect(
	struct sip_server *s, const struct sip_target *targets, size_t n)
{
	struct sip_head head;
	struct sip_answer a;
	if (!resume(s, FOR_LOCATE, &head))
		return;
	sip_server_begin(s, &a, &head, 302, NULL);
	for (size_t i = 0; i < n; i++)
		sip_answer_line(&a, "Contact: <%.960s>;q=%u.%03u;expires=%u",
			targets[i].uri, targets[i].q / 1000u,
			targets[i].q % 1000u, targets[i].expires_s);
	sip_server_finish(s, &a);
	sip_server_consume(s);
}

void sip_server_grant_token(struct sip_server *s)
{
	struct sip_head head;
	struct sip_answer a;
	if (!resume(s, FOR_TOKEN, &head))
		return;
	sip_server_begin(s, &a, &head, 202, NULL);
	sip_server_put_contact(s, &a);
	sip_server_finish(s, &a);
	sip_server_consume(s);
}

void sip_server_deny_token(struct sip_server *s, uint32_t wait_s)
{
	struct sip_head head;
	struct sip_answer a;
	if (!resume(s, FOR_TOKEN, &head))
		return;
	sip_server_begin(s, &a, &head, 503, NULL);
	if (wait_s)
		sip_answer_number(&a, "Retry-After: ", wait_s, "\r\n");
	sip_server_finish(s, &a);
	sip_server_consume(s);
}
