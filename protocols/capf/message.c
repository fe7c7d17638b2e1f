/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing the elements of a CAPF message. */
#include "protocols/capf/message.h"

#include <assert.h>
#include <string.h>

enum {
	ELEMENT_HEADER = 3, /* tag and length */
	CERT_ENTRY = 1,	    /* what every entry of a list begins with */
	CERT_TYPE = 2,	    /* bytes of it before the DER */
	REASON_INFO_MAX = 1024,
	BYTE = 8,
};

/* ---- reading ---- */

static bool width_is_right(
	unsigned tag, size_t n, size_t wanted, struct capf_refusal *why)
{
	if (n == wanted)
		return true;
	return capf_refuse(why, n ? CAPF_RULE_WIDTH : CAPF_RULE_EMPTY,
		"%s: %zu bytes; wanted %zu", capf_element_name(tag), n, wanted);
}

static bool text_is_right(unsigned tag, const struct capf_bytes *value,
	size_t max, struct capf_refusal *why)
{
	const char *name = capf_element_name(tag);
	const uint8_t *nul = value->n ? memchr(value->p, '\0', value->n) : NULL;
	if (!nul)
		return capf_refuse(why, CAPF_RULE_TEXT,
			"%s: %zu bytes and no NUL at their end", name,
			value->n);
	if (nul != value->p + value->n - 1)
		return capf_refuse(why, CAPF_RULE_TEXT,
			"%s: a NUL at byte %zu of %zu; wanted at the end alone",
			name, (size_t)(nul - value->p) + 1, value->n);
	if (value->n - 1 > max)
		return capf_refuse(why, CAPF_RULE_TEXT_LONG,
			"%s: %zu characters; %zu are the most", name,
			value->n - 1, max);
	return true;
}

static bool device_is_right(
	const struct capf_bytes *value, struct capf_refusal *why)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789._-";
	if (!text_is_right(CAPF_EL_DEVICE_NAME, value, CAPF_DEVICE_MAX, why))
		return false;
	size_t good = strspn((const char *)value->p, letters);
	if (good && good == value->n - 1)
		return true;
	return capf_refuse(why, CAPF_RULE_DEVICE_NAME,
		"DEVICE_NAME: byte %zu is 0x%02x; a name is made of "
		"A-Z a-z 0-9 . _ -",
		good + 1, value->p[good]);
}

static bool read_text(
	unsigned tag, const struct capf_bytes *value, struct capf_refusal *why)
{
	if (tag == CAPF_EL_DEVICE_NAME)
		return device_is_right(value, why);
	return text_is_right(tag, value,
		tag == CAPF_EL_PASSWORD ? CAPF_PASSWORD_MAX : REASON_INFO_MAX,
		why);
}

/* Specs capf 4, tag 4: entries of 01 | u16 length | u16 type | DER. */
static bool read_certs(struct capf_message *m, const struct capf_bytes *value,
	struct capf_refusal *why)
{
	struct bytes_in in = bytes_in(value->p, value->n);
	while (in.left) {
		unsigned mark = bytes_u8(&in);
		size_t n = bytes_be16(&in);
		struct bytes_in entry = bytes_part(&in, n);
		if (mark != CERT_ENTRY || in.bad || n <= CERT_TYPE)
			return capf_refuse(why, CAPF_RULE_CERTIFICATES,
				"CERTIFICATE: entry %zu is 0x%02x with a "
				"length of %zu; wanted 0x01 and 3 bytes to "
				"the end",
				m->n_certs + 1, mark, n);
		if (m->n_certs == CAPF_CERTS_MAX)
			return capf_refuse(why, CAPF_RULE_CERTIFICATES,
				"CERTIFICATE: more than %d entries",
				CAPF_CERTS_MAX);
		struct capf_cert *cert = &m->certs[m->n_certs++];
		cert->type = bytes_be16(&entry);
		cert->der = (struct capf_bytes){entry.p, entry.left};
	}
	return true;
}

static bool read_value(
	struct capf_message *m, unsigned tag, struct capf_refusal *why)
{
	const struct capf_bytes *value = &m->elements[tag];
	switch (capf_element_form(tag)) {
	case CAPF_U8:
		return width_is_right(tag, value->n, sizeof(uint8_t), why);
	case CAPF_U16:
		return width_is_right(tag, value->n, sizeof(uint16_t), why);
	case CAPF_TEXT:
		return read_text(tag, value, why);
	case CAPF_CERTS:
		return read_certs(m, value, why);
	case CAPF_BYTES:
		break;
	}
	return true;
}

bool capf_message_read(struct capf_message *m, const struct capf_frame *frame,
	struct capf_refusal *why)
{
	struct bytes_in in = bytes_in(frame->payload, frame->n);
	*m = (struct capf_message){
		.command = frame->command, .session = frame->session};
	while (in.left) {
		size_t at = frame->n - in.left;
		unsigned tag = bytes_u8(&in);
		size_t n = bytes_be16(&in);
		struct bytes_in value = bytes_part(&in, n);
		if (in.bad)
			return capf_refuse(why, CAPF_RULE_OVERRUN,
				"command %u: element %u at byte %zu says "
				"%zu bytes; the message ends before them",
				frame->command, tag, at, n);
		if (!capf_element_name(tag))
			continue; /* newer phones may say more */
		if (m->elements[tag].p)
			return capf_refuse(why, CAPF_RULE_DUPLICATE,
				"command %u: %s comes twice", frame->command,
				capf_element_name(tag));
		m->elements[tag] = (struct capf_bytes){value.p, value.left};
		if (!read_value(m, tag, why))
			return false;
	}
	return true;
}

int capf_message_number(const struct capf_message *m, enum capf_element tag)
{
	const struct capf_bytes *value = &m->elements[tag];
	struct bytes_in in = bytes_in(value->p, value->n);
	if (!value->p)
		return -1;
	return capf_element_form(tag) == CAPF_U16 ? bytes_be16(&in)
						  : bytes_u8(&in);
}

const char *capf_message_text(
	const struct capf_message *m, enum capf_element tag)
{
	return (const char *)m->elements[tag].p;
}

/* ---- writing ---- */

static void put_be16(struct bytes_out *out, size_t v)
{
	bytes_put_le16(out, __builtin_bswap16((uint16_t)v));
}

void capf_builder_init(
	struct capf_builder *b, enum capf_command command, uint32_t session)
{
	b->out = bytes_out(b->data, sizeof(b->data));
	bytes_put_u8(&b->out, CAPF_PROTOCOL);
	bytes_put_u8(&b->out, (uint8_t)command);
	bytes_put_le32(&b->out, __builtin_bswap32(session));
	put_be16(&b->out, 0); /* send() knows it */
}

static void put_head(struct capf_builder *b, enum capf_element tag, size_t n)
{
	bytes_put_u8(&b->out, (uint8_t)tag);
	put_be16(&b->out, n);
}

void capf_builder_number(
	struct capf_builder *b, enum capf_element tag, unsigned value)
{
	bool wide = capf_element_form(tag) == CAPF_U16;
	put_head(b, tag, wide ? sizeof(uint16_t) : sizeof(uint8_t));
	if (wide)
		bytes_put_u8(&b->out, (uint8_t)(value >> BYTE));
	bytes_put_u8(&b->out, (uint8_t)value);
}

void capf_builder_text(
	struct capf_builder *b, enum capf_element tag, const char *text)
{
	if (!text)
		return;
	put_head(b, tag, strlen(text) + 1);
	bytes_put(&b->out, text, strlen(text) + 1);
}

void capf_builder_bytes(struct capf_builder *b, enum capf_element tag,
	const struct capf_bytes *bytes)
{
	if (!bytes->p)
		return;
	put_head(b, tag, bytes->n);
	bytes_put(&b->out, bytes->p, bytes->n);
}

void capf_builder_certs(
	struct capf_builder *b, const struct capf_cert *certs, size_t n)
{
	size_t all = 0;
	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++)
		all += ELEMENT_HEADER + CERT_TYPE + certs[i].der.n;
	put_head(b, CAPF_EL_CERTIFICATE, all);
	for (size_t i = 0; i < n; i++) {
		bytes_put_u8(&b->out, CERT_ENTRY);
		put_be16(&b->out, CERT_TYPE + certs[i].der.n);
		put_be16(&b->out, certs[i].type);
		bytes_put(&b->out, certs[i].der.p, certs[i].der.n);
	}
}

int capf_builder_send(struct capf_builder *b, struct bytes_queue *out)
{
	size_t n = sizeof(b->data) - b->out.left;
	struct bytes_out length =
		bytes_out(b->data + CAPF_LENGTH_AT, sizeof(uint16_t));
	assert(!b->out.bad);
	put_be16(&length, n - CAPF_HEADER);
	return bytes_queue_put(out, b->data, n);
}
