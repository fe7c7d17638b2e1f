/* SPDX-License-Identifier: Apache-2.0 */
/* What a REGISTER asks for: which device, which AOR, which contacts. */
#include "protocols/sip/registration.h"

#include <stdlib.h>
#include <string.h>

#include "protocols/sip/uri.h"

enum {
	/* RFC 3261 10.2.1.1 and 20.19: malformed values count as this. */
	EXPIRES_MALFORMED_S = 3600,
	/* What goes back is "Contact: TEXT;expires=4294967295;x-cisco-newreg"
	 * and CR LF, in the 1024 bytes of a phone's line buffer. */
	CONTACT_TEXT_MAX = 1024 - 48,
	MAC_DIGITS = 12,
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
 * The name in one Contact's parameters: Cisco's own, else the first instance
 * that holds a MAC. Phones send +sip.instance twice, active and wired MAC.
 */
static enum sip_rule read_claim(struct claim *claim, struct sip_slice params)
{
	struct sip_param param;
	enum sip_rule rule = SIP_RULE_OK;
	*claim = (struct claim){0};
	while (rule == SIP_RULE_OK && sip_field_param(&params, &param)) {
		if (sip_field_is_nocase(param.name, DEVICE_PARAM))
			rule = claim_name(claim, param.value);
		if (claim->device[0] ||
			!sip_field_is_nocase(param.name, INSTANCE_PARAM))
			continue;
		if (!instance_device(param.value, claim->device))
			claim->device[0] = '\0';
		claim->source = SIP_DEVICE_INSTANCE;
	}
	return rule;
}

/* One Contact names the device, the others name the same or none. */
static enum sip_rule take_claim(
	struct sip_register *reg, struct sip_slice params)
{
	struct claim claim;
	enum sip_rule rule = read_claim(&claim, params);
	if (rule != SIP_RULE_OK || !claim.device[0])
		return rule;
	if (reg->device[0] && strcmp(reg->device, claim.device) != 0)
		return SIP_RULE_DEVICE_NAMES;
	memcpy(reg->device, claim.device, sizeof(reg->device));
	if (claim.source == SIP_DEVICE_CISCO)
		reg->source = SIP_DEVICE_CISCO;
	else if (reg->source == SIP_DEVICE_AOR)
		reg->source = SIP_DEVICE_INSTANCE;
	return SIP_RULE_OK;
}

/* Without a claim the user of the address is the name. */
static enum sip_rule device_from_aor(struct sip_register *reg, const char *aor)
{
	const char *at = strchr(aor, '@');
	struct sip_slice user = {aor, at ? (size_t)(at - aor) : 0};
	if (reg->device[0])
		return SIP_RULE_OK;
	if (user.n > SIP_DEVICE_MAX || !sip_field_all(user, SIP_CHARS_AOR))
		return SIP_RULE_DEVICE_NAME;
	memcpy(reg->device, user.p, user.n);
	reg->device[user.n] = '\0';
	return SIP_RULE_OK;
}

/* The model number, decimal in quotes; anything else is no model. */
static void take_model(struct sip_register *reg, struct sip_slice params)
{
	struct sip_param param;
	uint32_t number;
	char model[sizeof(reg->model)];
	if (reg->model[0] || !sip_field_find(params, MODEL_PARAM, &param) ||
		!param.value.p ||
		!sip_field_unquote(param.value, model, sizeof(model)) ||
		!sip_field_number(sip_field_text(model), &number))
		return;
	memcpy(reg->model, model, sizeof(model));
}

static uint32_t read_expires(struct sip_slice value)
{
	uint32_t seconds;
	if (value.p && sip_field_number(value, &seconds))
		return seconds;
	return EXPIRES_MALFORMED_S;
}

/* Space for text[SIP_CONTACT_MAX + 1], filled piece by piece. */
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
	for (size_t i = 0; i < s.n; i++)
		b->text[b->n++] = sip_field_space(s.p[i]) ? ' ' : s.p[i];
	b->text[b->n] = '\0';
}

/* Parameters that we set or that are orders to us are not echoed. */
static bool echoed(struct sip_slice name)
{
	return !sip_field_is_nocase(name, "expires") &&
	       !sip_field_is_nocase(name, "cisco-keep-alive") &&
	       !sip_field_is_nocase(name, "x-cisco-newreg");
}

static enum sip_rule read_contact(
	struct sip_contact *contact, struct sip_slice text, bool *keepalive)
{
	struct sip_address address;
	struct sip_uri uri;
	struct sip_param param;
	if (!sip_field_address(text, &address) ||
		!sip_uri_read(address.uri, &uri))
		return SIP_RULE_CONTACT;
	if (!address.bracketed && memchr(address.uri.p, '?', address.uri.n))
		return SIP_RULE_CONTACT_QUESTION;
	struct builder b = {contact->uri, 0, false};
	append(&b, address.uri);
	b = (struct builder){contact->text, 0, b.full};
	append(&b, (struct sip_slice){
			   text.p, (size_t)(address.params.p - text.p)});
	*keepalive = false;
	while (sip_field_param(&address.params, &param)) {
		if (echoed(param.name))
			append(&b, param.whole);
		if (sip_field_is_nocase(param.name, "cisco-keep-alive"))
			*keepalive = true;
		if (!contact->has_expires &&
			sip_field_is_nocase(param.name, "expires")) {
			contact->has_expires = true;
			contact->expires_s = read_expires(param.value);
		}
	}
	return b.full ? SIP_RULE_CONTACT_TOO_LONG : SIP_RULE_OK;
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

static enum sip_rule add_contact(struct sip_register *reg,
	struct sip_contact *contact, struct sip_slice text, struct tally *tally)
{
	struct sip_address address;
	bool keepalive;
	enum sip_rule rule = read_contact(contact, text, &keepalive);
	if (rule != SIP_RULE_OK)
		return rule;
	sip_field_address(text, &address);
	take_model(reg, address.params);
	bool zero = reg->request.has_expires && reg->request.expires_s == 0;
	if (contact->has_expires)
		zero = contact->expires_s == 0;
	tally->n++;
	tally->zero += zero;
	tally->keepalive += keepalive;
	return take_claim(reg, address.params);
}

static enum sip_rule read_star(struct sip_register *reg, size_t n)
{
	bool zero = reg->request.has_expires && reg->request.expires_s == 0;
	reg->kind = SIP_REGISTER_UNBIND_ALL;
	return n == 1 && zero ? SIP_RULE_OK : SIP_RULE_CONTACT_STAR;
}

static enum sip_rule read_contact_list(
	struct sip_register *reg, const struct sip_head *head, size_t n)
{
	struct sip_contact *contacts = calloc(n, sizeof(*contacts));
	if (!contacts)
		abort(); /* law 2: no memory; n is capped by contacts_max */
	reg->request.contacts = contacts;
	reg->request.n_contacts = n;
	struct tally tally = {0};
	struct sip_slice text, rest = {NULL, 0};
	size_t line = 0;
	while (next_contact(head, &line, &rest, &text)) {
		enum sip_rule rule =
			add_contact(reg, &contacts[tally.n], text, &tally);
		if (rule != SIP_RULE_OK)
			return rule;
	}
	reg->kind = SIP_REGISTER_BIND;
	if (tally.zero == n)
		reg->kind = SIP_REGISTER_UNBIND_ALL;
	if (tally.keepalive)
		reg->kind = SIP_REGISTER_STANDBY;
	return tally.keepalive && tally.keepalive < n ? SIP_RULE_KEEPALIVE_MIXED
						      : SIP_RULE_OK;
}

static enum sip_rule read_contacts(
	struct sip_register *reg, const struct sip_head *head)
{
	struct sip_slice text, rest = {NULL, 0};
	size_t line = 0, n = 0;
	while (next_contact(head, &line, &rest, &text)) {
		reg->request.star |= sip_field_is(text, "*");
		n++;
	}
	reg->kind = SIP_REGISTER_QUERY;
	if (n == 0)
		return SIP_RULE_OK;
	if (reg->request.star)
		return read_star(reg, n);
	return read_contact_list(reg, head, n);
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

static enum sip_rule read_header(
	struct sip_register *reg, const struct sip_message *m)
{
	struct sip_binding_request *request = &reg->request;
	struct sip_slice id = sip_head_value(&m->head, SIP_HEADER_CALL_ID);
	struct sip_slice expires = sip_head_value(&m->head, SIP_HEADER_EXPIRES);
	if (id.n > SIP_CALL_ID_MAX || !sip_field_all(id, SIP_CHARS_VISIBLE))
		return SIP_RULE_CALL_ID;
	memcpy(request->call_id, id.p, id.n);
	request->cseq = m->cseq;
	request->has_expires = expires.p != NULL;
	if (expires.p)
		request->expires_s = read_expires(expires);
	sip_field_show(sip_head_value(&m->head, SIP_HEADER_USER_AGENT),
		reg->user_agent, sizeof(reg->user_agent));
	sip_field_show(sip_head_value(&m->head, SIP_HEADER_REASON), reg->reason,
		sizeof(reg->reason));
	return read_aor(sip_head_value(&m->head, SIP_HEADER_TO), request->aor,
		sizeof(request->aor));
}

enum sip_rule sip_registration_read(
	struct sip_register *reg, const struct sip_message *m)
{
	*reg = (struct sip_register){.source = SIP_DEVICE_AOR};
	enum sip_rule rule = read_header(reg, m);
	if (rule == SIP_RULE_OK)
		rule = read_contacts(reg, &m->head);
	if (rule == SIP_RULE_OK)
		rule = device_from_aor(reg, reg->request.aor);
	/* A keepalive touches no binding: there is nothing left to apply. */
	if (rule != SIP_RULE_OK || reg->kind == SIP_REGISTER_STANDBY)
		sip_registration_deinit(reg);
	/* The multipart around it is not taken apart: it only informs. */
	reg->bulk = sip_field_has(m->body, "<bulkregisterreq");
	return rule;
}

enum sip_rule sip_registration_read_device(
	struct sip_register *reg, const struct sip_message *m)
{
	char aor[SIP_AOR_MAX + 1];
	struct sip_slice text, rest = {NULL, 0};
	struct sip_address address;
	size_t line = 0;
	*reg = (struct sip_register){.source = SIP_DEVICE_AOR};
	while (next_contact(&m->head, &line, &rest, &text)) {
		if (!sip_field_address(text, &address))
			return SIP_RULE_CONTACT;
		enum sip_rule rule = take_claim(reg, address.params);
		if (rule != SIP_RULE_OK)
			return rule;
	}
	if (reg->device[0])
		return SIP_RULE_OK;
	enum sip_rule rule = read_aor(
		sip_head_value(&m->head, SIP_HEADER_FROM), aor, sizeof(aor));
	if (rule != SIP_RULE_OK)
		return rule;
	struct sip_slice user = {aor, strcspn(aor, "@")};
	if (mac_device(user, reg->device)) {
		reg->source = SIP_DEVICE_INSTANCE;
		return SIP_RULE_OK;
	}
	reg->device[0] = '\0';
	return device_from_aor(reg, aor);
}

void sip_registration_deinit(struct sip_register *reg)
{
	free((void *)reg->request.contacts);
	reg->request.contacts = NULL;
	reg->request.n_contacts = 0;
}
