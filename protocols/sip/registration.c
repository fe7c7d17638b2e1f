/* SPDX-License-Identifier: Apache-2.0 */
/* What a REGISTER asks for: which device, which AOR, which contacts. */
#include "protocols/sip/registration.h"

#include <stdlib.h>
#include <string.h>

#include "protocols/sip/extension.h"
#include "protocols/sip/uri.h"

enum {
	/* RFC 3261 10.2.1.1 and 20.19: malformed values count as this. */
	EXPIRES_MALFORMED_S = 3600,
	/* What goes back is "Contact: TEXT;expires=4294967295;x-cisco-newreg"
	 * and CR LF, in the 1024 bytes of a phone's line buffer. */
	CONTACT_TEXT_MAX = 1024 - 48,
	MAC_DIGITS = 12,
	MODEL_SIZE = 16,
	REG_ID_MAX = 0x7fffffff,
	Q_ONE = 1000,
};

static const char DEVICE_PARAM[] = "+u.sip!devicename.ccm.cisco.com";
static const char MODEL_PARAM[] = "+u.sip!model.ccm.cisco.com";
static const char INSTANCE_PARAM[] = "+sip.instance";
/* A UUID is Cisco's when only its last part, the MAC, is not zero. */
static const char INSTANCE_MAC[] = "<urn:uuid:00000000-0000-0000-0000-";

/* SEP and the MAC's twelve digits in capitals; false: no MAC, or zero. */
static bool mac_device(struct sip_slice mac, char *device)
{
	bool zero = true;
	if (mac.n != MAC_DIGITS || !sip_field_all(mac, SIP_CHARS_HEX))
		return false;
	memcpy(device, "SEP", 3);
	for (size_t i = 0; i < mac.n; i++) {
		char c = mac.p[i];
		zero &= c == '0';
		device[3 + i] = c >= 'a' ? (char)(c - 'a' + 'A') : c;
	}
	device[3 + mac.n] = '\0';
	return !zero;
}

/* The MAC in `"<urn:uuid:00000000-0000-0000-0000-020000aabb01>"`. */
static bool instance_device(struct sip_slice value, char *device)
{
	char text[64];
	size_t n = strlen(INSTANCE_MAC);
	if (!value.p || !sip_field_unquote(value, text, sizeof(text)) ||
		!sip_field_starts(sip_field_text(text), INSTANCE_MAC))
		return false;
	struct sip_slice mac = {text + n, strcspn(text + n, ">")};
	return strcmp(mac.p + mac.n, ">") == 0 && mac_device(mac, device);
}

/*
 * A register being read. Its block has room for all that can come of the
 * message; `end` is where the next text goes.
 */
struct reader {
	struct sip_register *reg;
	struct sip_contact *contacts;
	struct sip_auth *auth;
	char *device; /* what reg->device points to */
	char *model;
	char *end;
};

/* A device name as one Contact gives it; empty: it gives none. */
struct claim {
	char device[SIP_DEVICE_MAX + 1];
	enum sip_device_source source;
};

static enum sip_rule claim_name(struct claim *claim, struct sip_slice value)
{
	char name[SIP_DEVICE_MAX + 1];
	if (!value.p || !sip_field_unquote(value, name, sizeof(name)) ||
		!sip_field_all(sip_field_text(name), SIP_CHARS_NAME))
		return SIP_RULE_DEVICE_NAME;
	bool named = claim->device[0] && claim->source == SIP_DEVICE_CISCO;
	if (named && strcmp(claim->device, name) != 0)
		return SIP_RULE_DEVICE_NAMES;
	memcpy(claim->device, name, sizeof(name));
	claim->source = SIP_DEVICE_CISCO;
	return SIP_RULE_OK;
}

/*
 * What one parameter of a Contact says of the name: Cisco's own counts, else
 * the first instance that holds a MAC. Phones send +sip.instance twice,
 * active and wired MAC.
 */
static enum sip_rule claim_param(
	struct claim *claim, const struct sip_param *param)
{
	if (sip_field_is_nocase(param->name, DEVICE_PARAM))
		return claim_name(claim, param->value);
	if (claim->device[0] ||
		!sip_field_is_nocase(param->name, INSTANCE_PARAM))
		return SIP_RULE_OK;
	if (!instance_device(param->value, claim->device))
		claim->device[0] = '\0';
	claim->source = SIP_DEVICE_INSTANCE;
	return SIP_RULE_OK;
}

/* One Contact names the device, the others name the same or none. */
static enum sip_rule take_claim(struct reader *r, const struct claim *claim)
{
	struct sip_register *reg = r->reg;
	if (!claim->device[0])
		return SIP_RULE_OK;
	if (reg->device[0] && strcmp(reg->device, claim->device) != 0)
		return SIP_RULE_DEVICE_NAMES;
	memcpy(r->device, claim->device, sizeof(claim->device));
	if (claim->source == SIP_DEVICE_CISCO)
		reg->source = SIP_DEVICE_CISCO;
	else if (reg->source == SIP_DEVICE_AOR)
		reg->source = SIP_DEVICE_INSTANCE;
	return SIP_RULE_OK;
}

/* Without a claim the user of the address is the name. */
static enum sip_rule device_from_aor(struct reader *r, const char *aor)
{
	const char *at = strchr(aor, '@');
	struct sip_slice user = {aor, at ? (size_t)(at - aor) : 0};
	if (r->device[0])
		return SIP_RULE_OK;
	if (user.n > SIP_DEVICE_MAX || !sip_field_all(user, SIP_CHARS_AOR))
		return SIP_RULE_DEVICE_NAME;
	memcpy(r->device, user.p, user.n);
	r->device[user.n] = '\0';
	return SIP_RULE_OK;
}

/* The model number, decimal in quotes; anything else is no model. */
static void take_model(struct reader *r, struct sip_slice value)
{
	uint32_t number;
	char model[MODEL_SIZE];
	if (r->model[0] || !value.p ||
		!sip_field_unquote(value, model, sizeof(model)) ||
		!sip_field_number(sip_field_text(model), &number))
		return;
	memcpy(r->model, model, sizeof(model));
}

/* 0.123 or 1.000, in thousandths (RFC 3261 25.1). */
static bool read_q(struct sip_slice value, uint16_t *q)
{
	uint16_t sum = 0;
	if (!value.n || value.n > 5 || (value.n > 1 && value.p[1] != '.'))
		return false;
	for (size_t i = 0; i < 5; i++) {
		char c = i < value.n ? value.p[i] : '0';
		if (i == 1)
			continue;
		if (c < '0' || c > '9')
			return false;
		sum = (uint16_t)(sum * 10 + (c - '0'));
	}
	*q = sum;
	return sum <= Q_ONE;
}

static uint32_t read_expires(struct sip_slice value)
{
	uint32_t seconds;
	if (value.p && sip_field_number(value, &seconds))
		return seconds;
	return EXPIRES_MALFORMED_S;
}

/* Text of at most CONTACT_TEXT_MAX, filled piece by piece. */
struct builder {
	char *text;
	size_t n;
	bool full;
};

static void append(struct builder *b, struct sip_slice s)
{
	if (s.n > CONTACT_TEXT_MAX - b->n) {
		b->full = true;
		return;
	}
	char *dst = b->text + b->n;
	memcpy(dst, s.p, s.n);
	b->n += s.n;
	bool odd = !sip_field_printable(s);
	for (size_t i = 0; odd && i < s.n; i++) {
		char c = sip_field_space(s.p[i]) ? ' ' : s.p[i];
		dst[i] = sip_chars_in(c, SIP_CHARS_SHOWN) ? c : '?';
	}
}

/* What the parameters of one Contact add up to. */
struct contact_params {
	struct builder text;
	struct claim claim;
	enum sip_rule rule; /* of the claim */
	struct sip_slice model;
	bool has_model; /* the first counts, whatever it says */
	bool keepalive;
	bool has_q;
};

/* What a Contact says of itself, each at most once: two readers could take
 * different ones. */
static enum sip_rule read_preference(struct contact_params *p,
	struct sip_contact *contact, const struct sip_param *param)
{
	uint32_t number;
	if (sip_field_is_nocase(param->name, "q")) {
		if (p->has_q || !read_q(param->value, &contact->q))
			return SIP_RULE_Q;
		p->has_q = true;
	}
	if (sip_field_is_nocase(param->name, "reg-id")) {
		if (contact->reg_id || !param->value.p ||
			!sip_field_number(param->value, &number) ||
			number < 1 || number > REG_ID_MAX)
			return SIP_RULE_REG_ID;
		contact->reg_id = number;
	}
	return SIP_RULE_OK;
}

/* The first instance counts; phones send it twice, active and wired MAC. */
static void read_instance(struct contact_params *p, struct sip_contact *contact,
	const struct sip_param *param)
{
	if (p->text.full || contact->instance.n || !param->value.p ||
		!sip_field_is_nocase(param->name, INSTANCE_PARAM))
		return;
	size_t behind =
		(size_t)(param->whole.p + param->whole.n - param->value.p);
	contact->instance = (struct sip_slice){
		p->text.text + p->text.n - behind, param->value.n};
}

/* Parameters that we set or that are orders to us are not echoed. */
static void read_param(struct contact_params *p, struct sip_contact *contact,
	const struct sip_param *param)
{
	struct sip_slice name = param->name;
	if (sip_field_is_nocase(name, "cisco-keep-alive")) {
		p->keepalive = true;
		return;
	}
	if (sip_field_is_nocase(name, "x-cisco-newreg"))
		return;
	if (sip_field_is_nocase(name, "expires")) {
		if (!contact->has_expires)
			contact->expires_s = read_expires(param->value);
		contact->has_expires = true;
		return;
	}
	append(&p->text, param->whole);
	read_instance(p, contact, param);
	if (p->rule == SIP_RULE_OK)
		p->rule = claim_param(&p->claim, param);
	if (p->rule == SIP_RULE_OK)
		p->rule = read_preference(p, contact, param);
	if (!p->has_model && sip_field_is_nocase(name, MODEL_PARAM)) {
		p->has_model = true;
		p->model = param->value;
	}
}

static enum sip_rule read_contact(struct reader *r, struct sip_contact *contact,
	struct sip_slice text, struct contact_params *p)
{
	struct sip_address address;
	struct sip_uri uri;
	struct sip_param param;
	*p = (struct contact_params){0};
	p->text.text = r->end;
	*contact = (struct sip_contact){.text = r->end, .q = Q_ONE};
	if (!sip_field_address(text, &address) ||
		!sip_uri_read(address.uri, &uri))
		return SIP_RULE_CONTACT;
	if (!address.bracketed && memchr(address.uri.p, '?', address.uri.n))
		return SIP_RULE_CONTACT_QUESTION;
	append(&p->text, (struct sip_slice){
				 text.p, (size_t)(address.params.p - text.p)});
	contact->uri = (struct sip_slice){
		r->end + (address.uri.p - text.p), address.uri.n};
	while (sip_field_param(&address.params, &param))
		read_param(p, contact, &param);
	r->end[p->text.n] = '\0';
	r->end += p->text.n + 1;
	return p->text.full ? SIP_RULE_CONTACT_TOO_LONG : SIP_RULE_OK;
}

/* Walks the Contacts of all lines; `line` starts at 0. */
static bool next_contact(const struct sip_head *head, size_t *line,
	struct sip_slice *rest, struct sip_slice *contact)
{
	while (!rest->p && *line < head->n) {
		const struct sip_line *l = &head->lines[(*line)++];
		if (l->header == SIP_HEADER_CONTACT)
			*rest = l->value;
	}
	return sip_field_list(rest, contact);
}

/* What the Contacts of one REGISTER add up to. */
struct tally {
	size_t n;
	size_t zero; /* with an expiry of 0 */
	size_t keepalive;
};

static enum sip_rule add_contact(
	struct reader *r, struct sip_slice text, struct tally *tally)
{
	struct contact_params params;
	struct sip_binding_request *request = &r->reg->request;
	struct sip_contact *contact = &r->contacts[tally->n];
	enum sip_rule rule = read_contact(r, contact, text, &params);
	if (rule != SIP_RULE_OK)
		return rule;
	take_model(r, params.model);
	bool zero = request->has_expires && request->expires_s == 0;
	if (contact->has_expires)
		zero = contact->expires_s == 0;
	tally->n++;
	tally->zero += zero;
	tally->keepalive += params.keepalive;
	if (params.rule != SIP_RULE_OK)
		return params.rule;
	return take_claim(r, &params.claim);
}

static enum sip_rule read_star(struct sip_register *reg, size_t n)
{
	bool zero = reg->request.has_expires && reg->request.expires_s == 0;
	reg->kind = SIP_REGISTER_UNBIND_ALL;
	return n == 1 && zero ? SIP_RULE_OK : SIP_RULE_CONTACT_STAR;
}

/* A keepalive touches no binding: nothing is left to apply. */
static enum sip_rule read_contacts(
	struct reader *r, const struct sip_head *head, size_t n)
{
	struct tally tally = {0};
	struct sip_slice text, rest = {NULL, 0};
	size_t line = 0;
	struct sip_register *reg = r->reg;
	reg->kind = SIP_REGISTER_QUERY;
	if (n == 0)
		return SIP_RULE_OK;
	if (reg->request.star)
		return read_star(reg, n);
	while (next_contact(head, &line, &rest, &text)) {
		enum sip_rule rule = add_contact(r, text, &tally);
		if (rule != SIP_RULE_OK)
			return rule;
	}
	reg->kind =
		tally.zero == n ? SIP_REGISTER_UNBIND_ALL : SIP_REGISTER_BIND;
	if (tally.keepalive)
		reg->kind = SIP_REGISTER_STANDBY;
	else
		reg->request.n_contacts = n;
	if (tally.keepalive && tally.keepalive < n)
		return SIP_RULE_KEEPALIVE_MIXED;
	return sip_extension_flow(reg, r->contacts, head);
}

static enum sip_rule read_aor(struct sip_slice to, char *aor, size_t size)
{
	struct sip_address address;
	struct sip_uri uri;
	if (!sip_field_address(to, &address) ||
		!sip_uri_read(address.uri, &uri) || !uri.sip)
		return SIP_RULE_TO_URI;
	if (!address.bracketed && memchr(address.uri.p, '?', address.uri.n))
		return SIP_RULE_TO_URI;
	return sip_uri_aor(&uri, aor, size) ? SIP_RULE_OK
					    : SIP_RULE_AOR_TOO_LONG;
}

/* An AOR is shorter than the URI it comes from. */
static size_t aor_size(struct sip_slice to)
{
	return (to.n < SIP_AOR_MAX ? to.n : SIP_AOR_MAX) + 1;
}

/* A value for people, at the end of the block. */
static const char *show(struct reader *r, struct sip_slice value)
{
	char *text = r->end;
	size_t n = value.n < SIP_TEXT_MAX ? value.n : SIP_TEXT_MAX;
	sip_field_show(value, text, n + 1);
	r->end += n + 1;
	return text;
}

static enum sip_rule read_header(struct reader *r, const struct sip_head *head)
{
	struct sip_binding_request *request = &r->reg->request;
	struct sip_slice id = sip_head_value(head, SIP_HEADER_CALL_ID);
	struct sip_slice expires = sip_head_value(head, SIP_HEADER_EXPIRES);
	if (id.n > SIP_CALL_ID_MAX || !sip_field_all(id, SIP_CHARS_VISIBLE))
		return SIP_RULE_CALL_ID;
	request->call_id = show(r, id);
	request->has_expires = expires.p != NULL;
	if (expires.p)
		request->expires_s = read_expires(expires);
	r->reg->user_agent =
		show(r, sip_head_value(head, SIP_HEADER_USER_AGENT));
	struct sip_slice reason = sip_head_value(head, SIP_HEADER_REASON);
	r->reg->reason = show(r, reason);
	sip_alarm_reason(reason, &r->reg->alarm);
	struct sip_slice to = sip_head_value(head, SIP_HEADER_TO);
	char *aor = r->end;
	enum sip_rule rule = read_aor(to, aor, aor_size(to));
	if (rule == SIP_RULE_OK)
		r->end += strlen(aor) + 1;
	request->aor = aor;
	return rule;
}

/* One block for a register, its n contacts and text_n bytes besides. */
static void reader_init(struct reader *r, size_t n, size_t text_n)
{
	size_t contacts = n * sizeof(*r->contacts);
	size_t fixed = sizeof(*r->reg) + contacts + sizeof(*r->auth);
	char *block = malloc(fixed + SIP_DEVICE_MAX + 1 + MODEL_SIZE + text_n);
	if (!block)
		abort(); /* law 2: no memory; a head is capped by head_max */
	r->reg = (struct sip_register *)block;
	r->contacts = (struct sip_contact *)(block + sizeof(*r->reg));
	r->auth = (struct sip_auth *)(block + sizeof(*r->reg) + contacts);
	r->device = block + fixed;
	r->model = r->device + SIP_DEVICE_MAX + 1;
	r->end = r->model + MODEL_SIZE;
	r->device[0] = r->model[0] = '\0';
	*r->reg = (struct sip_register){
		.source = SIP_DEVICE_AOR,
		.device = r->device,
		.model = r->model,
		.user_agent = "",
		.reason = "",
		.request = {.aor = "",
			.call_id = "",
			.path = "",
			.contacts = r->contacts},
	};
}

/* Every text that is kept is no longer than the value it comes from. */
static size_t texts_of(const struct sip_head *head)
{
	size_t n = aor_size(sip_head_value(head, SIP_HEADER_TO));
	for (size_t i = 0; i < head->n; i++) {
		switch ((int)head->lines[i].header) {
		case SIP_HEADER_CALL_ID:
		case SIP_HEADER_USER_AGENT:
		case SIP_HEADER_REASON:
		case SIP_HEADER_CONTACT:
		case SIP_HEADER_PATH:
			n += head->lines[i].value.n + 1;
			break;
		case SIP_HEADER_AUTHORIZATION:
			n += sip_auth_room(head->lines[i].value);
		}
	}
	return n;
}

/* The register that was read, or its end by a rule. */
static struct sip_register *finish(struct reader *r, enum sip_rule rule)
{
	if (rule == SIP_RULE_OK)
		return r->reg;
	free(r->reg);
	return NULL;
}

struct sip_register *sip_registration_new(
	const struct sip_message *m, enum sip_rule *rule)
{
	struct reader r;
	struct sip_slice text, rest = {NULL, 0};
	size_t line = 0, n = 0;
	bool star = false;
	while (next_contact(&m->head, &line, &rest, &text)) {
		star |= sip_field_is(text, "*");
		n++;
	}
	reader_init(&r, n, texts_of(&m->head) + n + 3);
	r.reg->request.star = star;
	r.reg->request.cseq = m->cseq;
	*rule = read_header(&r, &m->head);
	sip_extension_supported(r.reg, &m->head);
	if (*rule == SIP_RULE_OK)
		*rule = sip_extension_path(r.reg, &m->head, &r.end);
	if (*rule == SIP_RULE_OK)
		*rule = read_contacts(&r, &m->head, n);
	if (*rule == SIP_RULE_OK)
		*rule = sip_extension_auth(r.reg, m, r.auth, &r.end);
	if (*rule == SIP_RULE_OK)
		*rule = device_from_aor(&r, r.reg->request.aor);
	/* The multipart around it is not taken apart: it only informs. */
	r.reg->bulk = sip_field_has(m->body, "<bulkregisterreq");
	return finish(&r, *rule);
}

static enum sip_rule read_claims(struct reader *r, const struct sip_head *head)
{
	struct sip_slice text, rest = {NULL, 0};
	struct sip_address address;
	struct sip_param param;
	size_t line = 0;
	enum sip_rule rule = SIP_RULE_OK;
	while (rule == SIP_RULE_OK && next_contact(head, &line, &rest, &text)) {
		struct claim claim = {0};
		if (!sip_field_address(text, &address))
			return SIP_RULE_CONTACT;
		while (rule == SIP_RULE_OK &&
			sip_field_param(&address.params, &param))
			rule = claim_param(&claim, &param);
		if (rule == SIP_RULE_OK)
			rule = take_claim(r, &claim);
	}
	return rule;
}

static enum sip_rule read_from(struct reader *r, const struct sip_head *head)
{
	char aor[SIP_AOR_MAX + 1];
	enum sip_rule rule = read_aor(
		sip_head_value(head, SIP_HEADER_FROM), aor, sizeof(aor));
	if (rule != SIP_RULE_OK)
		return rule;
	struct sip_slice user = {aor, strcspn(aor, "@")};
	if (mac_device(user, r->device)) {
		r->reg->source = SIP_DEVICE_INSTANCE;
		return SIP_RULE_OK;
	}
	r->device[0] = '\0';
	return device_from_aor(r, aor);
}

struct sip_register *sip_registration_new_device(
	const struct sip_message *m, enum sip_rule *rule)
{
	struct reader r;
	reader_init(&r, 0, 0);
	*rule = read_claims(&r, &m->head);
	if (*rule == SIP_RULE_OK && !r.device[0])
		*rule = read_from(&r, &m->head);
	return finish(&r, *rule);
}
