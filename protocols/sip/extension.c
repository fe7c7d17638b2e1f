/* SPDX-License-Identifier: Apache-2.0 */
/* What RFC 3327, 5626 and 8760 add to a REGISTER. */
#include "protocols/sip/extension.h"

#include <string.h>

#include "protocols/sip/uri.h"

static bool supported(const struct sip_register *reg, unsigned bits)
{
	return (reg->supports & bits) == bits;
}

/* One Via: whoever sent it is at the other end of this connection. */
static bool direct(const struct sip_head *head)
{
	struct sip_slice rest = sip_head_value(head, SIP_HEADER_VIA), via;
	sip_field_list(&rest, &via);
	return sip_head_count(head, SIP_HEADER_VIA) == 1 && !rest.p;
}

/* `ob` in the Path of the proxy that is next to the phone: the last one. */
static bool first_hop_is_outbound(const struct sip_head *head)
{
	struct sip_slice last = {NULL, 0}, element;
	struct sip_address address;
	struct sip_uri uri;
	struct sip_param ob;
	for (size_t i = 0; i < head->n; i++) {
		struct sip_slice rest = head->lines[i].value;
		if (head->lines[i].header != SIP_HEADER_PATH)
			continue;
		while (sip_field_list(&rest, &element))
			last = element;
	}
	return last.p && sip_field_address(last, &address) &&
	       sip_uri_read(address.uri, &uri) &&
	       sip_field_find(uri.params, "ob", &ob);
}

enum sip_rule sip_extension_flow(struct sip_register *reg,
	struct sip_contact *contacts, const struct sip_head *head)
{
	struct sip_binding_request *request = &reg->request;
	bool asked = false;
	for (size_t i = 0; i < request->n_contacts; i++) {
		if (!contacts[i].instance.n)
			contacts[i].reg_id = 0;
		asked |= contacts[i].reg_id != 0;
	}
	if (!asked)
		return SIP_RULE_OK;
	if (direct(head) || first_hop_is_outbound(head)) {
		reg->flow = supported(reg, SIP_SUPPORTS_OUTBOUND);
		return request->n_contacts > 1 ? SIP_RULE_REG_ID_CONTACTS
					       : SIP_RULE_OK;
	}
	if (supported(reg, SIP_SUPPORTS_OUTBOUND))
		return SIP_RULE_FIRST_HOP;
	for (size_t i = 0; i < request->n_contacts; i++)
		contacts[i].reg_id = 0;
	return SIP_RULE_OK;
}

static unsigned supports_of(struct sip_slice tag)
{
	static const struct {
		const char *tag;
		unsigned bit;
	} tags[] = {
#define X(symbol, tag) {tag, SIP_SUPPORTS_##symbol},
		SIP_SUPPORTS_LIST(X)
#undef X
	};
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
		if (sip_field_is_nocase(tag, tags[i].tag))
			return tags[i].bit;
	}
	return 0;
}

void sip_extension_supported(
	struct sip_register *reg, const struct sip_head *head)
{
	for (size_t i = 0; i < head->n; i++) {
		struct sip_slice rest = head->lines[i].value, tag;
		if (head->lines[i].header != SIP_HEADER_SUPPORTED)
			continue;
		/* Option tags are tokens: no comma stands within one. */
		while (rest.n > 0) {
			const char *comma = memchr(rest.p, ',', rest.n);
			tag = rest;
			tag.n = comma ? (size_t)(comma - rest.p) : rest.n;
			rest.p += tag.n + (comma != NULL);
			rest.n -= tag.n + (comma != NULL);
			reg->supports |= supports_of(sip_field_trim(tag));
		}
	}
}

enum sip_rule sip_extension_path(
	struct sip_register *reg, const struct sip_head *head, char **room)
{
	struct sip_slice element;
	struct sip_address address;
	char *path = *room;
	size_t n = 0;
	if (!sip_head_find(head, SIP_HEADER_PATH))
		return SIP_RULE_OK;
	for (size_t i = 0; i < head->n; i++) {
		struct sip_slice rest = head->lines[i].value;
		if (head->lines[i].header != SIP_HEADER_PATH)
			continue;
		while (sip_field_list(&rest, &element)) {
			if (!sip_field_printable(element) ||
				!sip_field_address(element, &address) ||
				!address.bracketed ||
				n + element.n + 2 > SIP_CONTACT_MAX)
				return SIP_RULE_PATH;
			if (n)
				path[n++] = ',';
			memcpy(path + n, element.p, element.n);
			n += element.n;
		}
	}
	path[n] = '\0';
	*room += n + 1;
	reg->request.path = path;
	return supported(reg, SIP_SUPPORTS_PATH) ? SIP_RULE_OK
						 : SIP_RULE_PATH_UNSUPPORTED;
}

enum sip_rule sip_extension_auth(struct sip_register *reg,
	const struct sip_message *m, struct sip_auth *auth, char **room)
{
	for (size_t i = 0; i < m->head.n; i++) {
		const struct sip_line *line = &m->head.lines[i];
		if (line->header != SIP_HEADER_AUTHORIZATION)
			continue;
		enum sip_auth_step step =
			sip_auth_read(line->value, auth, room);
		if (step == SIP_AUTH_BROKEN)
			return SIP_RULE_AUTHORIZATION;
		if (step == SIP_AUTH_OTHER)
			continue;
		reg->auth = auth;
		return sip_uri_same(sip_field_text(auth->uri), m->uri)
			       ? SIP_RULE_OK
			       : SIP_RULE_AUTHORIZATION_URI;
	}
	return SIP_RULE_OK;
}
