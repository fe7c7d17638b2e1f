/* SPDX-License-Identifier: Apache-2.0 */
/* How phones of one generation speak (specs: sccp 2, 3.2 and 4). */
#include "protocols/sccp/generation.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/sccp/alarm.h"
#include "protocols/sccp/devices.h"
#include "protocols/sccp/ids.h"

enum {
	RTP_STREAMS = 5,
	RTP_STREAMS_SINCE = 8, /* version; older phones say 0 */
	SPCP_STREAMS = 36,
	MAC_BYTES = 6,
	MAC_DIGITS = 12,
	XML_MAX = 1000,
	VIDEO_BODY = 1000,	 /* about what an 8945 sends */
	ALARM_INFORMATION = 2,	 /* severity */
	ALARM_PARAMETER = 67584, /* what real phones send */
};

static const struct sccp_generation rows[] = {
#define X(n, l, type, v, body, f1, f2, f3, m, o, w) \
	{.name = n,                                 \
		.load = l,                          \
		.device_type = type,                \
		.version = v,                       \
		.register_body = body,              \
		.features = {f1, f2, f3},           \
		.mac = SCCP_MAC_##m,                \
		.order = SCCP_ORDER_##o,            \
		.ways = w},
	SCCP_GENERATION_LIST(X)
#undef X
};

enum { ROWS = sizeof(rows) / sizeof(*rows) };

const struct sccp_generation *sccp_generation_find(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

const struct sccp_generation *sccp_generation_of_version(uint8_t version)
{
	static const struct {
		uint8_t since;
		const char *name;
	} typical[] = {
		{23, "ata186"},
		{20, "7975"},
		{17, "7941"},
		{12, "6961"},
		{8, "7960"},
		{4, "7912"},
		{0, "7936"},
	};
	size_t i = 0;
	while (version < typical[i].since)
		i++; /* the last row is since 0 */
	return sccp_generation_find(typical[i].name);
}

/* The address as a number, wherever the bytes are in network order. */
static uint32_t address(const struct sccp_phone_config *c)
{
	struct bytes_in in =
		bytes_in(&c->station_ipv4, sizeof(c->station_ipv4));
	return bytes_be32(&in);
}

/* SEP001380AD9E5F: the last twelve characters are the MAC. */
static void put_mac(const struct sccp_generation *g, const char *device,
	uint8_t mac[MAC_DIGITS])
{
	size_t n = strlen(device);
	if (g->mac == SCCP_MAC_GARBAGE)
		memcpy(mac, "RING", 4);
	if (g->mac < SCCP_MAC_TEXT || n < MAC_DIGITS)
		return;
	const char *digits = device + n - MAC_DIGITS;
	if (g->mac == SCCP_MAC_TEXT) {
		memcpy(mac, digits, MAC_DIGITS);
		return;
	}
	for (size_t i = 0; i < MAC_BYTES; i++) {
		char pair[] = {digits[2 * i], digits[2 * i + 1], '\0'};
		mac[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
}

/* SEPe0d173e11d95, as the 8945 writes it. */
static void put_name(const struct sccp_generation *g, char *dst, size_t size,
	const char *device)
{
	snprintf(dst, size, "%s", device);
	if (g->ways & SCCP_WAY_LOWER_MAC && strlen(dst) > MAC_DIGITS)
		for (char *p = dst + strlen(dst) - MAC_DIGITS; *p; p++)
			*p = (char)tolower((unsigned char)*p);
}

size_t sccp_generation_register(const struct sccp_generation *g,
	const struct sccp_phone_config *c, uint8_t body[SCCP_WRITE_MAX])
{
	struct sccp_message m;
	struct sccp_register *reg = &m.u.reg;
	sccp_message_init(&m, SCCP_ID_REGISTER);
	put_name(g, reg->device, sizeof(reg->device), c->device);
	reg->instance = 1;
	reg->station_ipv4 = address(c);
	reg->device_type = c->device_type;
	reg->max_streams = c->version < RTP_STREAMS_SINCE ? 0 : RTP_STREAMS;
	reg->version = c->version;
	memcpy(reg->features, g->features, sizeof(reg->features));
	put_mac(g, c->device, reg->mac);
	if (c->load)
		snprintf(reg->load, sizeof(reg->load), "%s", c->load);
	sccp_message_write(&m, 0, body);
	return g->register_body;
}

static size_t xml_alarm(const struct sccp_generation *g,
	const struct sccp_phone_config *c, uint8_t body[SCCP_WRITE_MAX])
{
	const char *model = sccp_device_type_name(c->device_type);
	enum sccp_alarm_reason reason =
		sccp_alarm_reason_of_word(c->last_reason);
	uint32_t number = sccp_alarm_reason_number(reason);
	uint32_t ip = address(c);
	char out_of_service[80] = "";
	if (number)
		snprintf(out_of_service, sizeof(out_of_service),
			"<Enum name=\"ReasonForOutOfService\">%u</Enum>\n",
			number);
	memset(body, 0, SCCP_WRITE_MAX);
	int n = snprintf((char *)body, XML_MAX,
		"<x-cisco-alarm>\n"
		"<Alarm Name=\"LastOutOfServiceInformation\">\n"
		"<ParameterList>\n"
		"<String name=\"DeviceName\">%s</String>\n"
		"<String name=\"DeviceIPv4Address\">%u.%u.%u.%u/24</String>\n"
		"<String name=\"ModelNumber\">CP-%s</String>\n"
		"%s</ParameterList>\n</Alarm>\n</x-cisco-alarm>\n",
		c->device, ip >> 24, ip >> 16 & 0xff, ip >> 8 & 0xff, ip & 0xff,
		model ? model : g->name, out_of_service);
	return ((size_t)n + 4) & ~(size_t)3;
}

size_t sccp_generation_alarm(const struct sccp_generation *g,
	const struct sccp_phone_config *c, uint32_t *id,
	uint8_t body[SCCP_WRITE_MAX])
{
	struct sccp_message m;
	*id = g->ways & SCCP_WAY_XML_ALARM ? SCCP_ID_XML_ALARM : SCCP_ID_ALARM;
	if (*id == SCCP_ID_XML_ALARM)
		return xml_alarm(g, c, body);
	sccp_message_init(&m, SCCP_ID_ALARM);
	m.u.alarm.severity = ALARM_INFORMATION;
	snprintf(m.u.alarm.text, sizeof(m.u.alarm.text),
		"Name=%s Load=%s Last=%s", c->device, c->load ? c->load : "",
		c->last_reason);
	m.u.alarm.parm1 = ALARM_PARAMETER;
	memcpy(&m.u.alarm.parm2, &c->station_ipv4, sizeof(c->station_ipv4));
	return sccp_message_write(&m, 0, body);
}

size_t sccp_generation_token(const struct sccp_generation *g,
	const struct sccp_phone_config *c, uint32_t *id,
	uint8_t body[SCCP_WRITE_MAX])
{
	struct sccp_message m;
	*id = g->ways & SCCP_WAY_SPCP ? SCCP_ID_SPCP_TOKEN_REQ
				      : SCCP_ID_TOKEN_REQ;
	sccp_message_init(&m, *id);
	put_name(g, m.u.token.sid.name, sizeof(m.u.token.sid.name), c->device);
	m.u.token.sid.instance = 1;
	m.u.token.station_ipv4 = address(c);
	m.u.token.device_type = c->device_type;
	m.u.token.max_streams = SPCP_STREAMS;
	return sccp_message_write(&m, 0, body);
}

size_t sccp_generation_capabilities(const struct sccp_generation *g,
	uint32_t *id, uint8_t body[SCCP_WRITE_MAX])
{
	/* G.711 µ-law and A-law, G.729 and its annex A: payload, frames. */
	static const struct sccp_codec codecs[] = {
		{4, 60}, {2, 60}, {11, 60}, {12, 60}};
	struct sccp_message m;
	if (g->ways & SCCP_WAY_VIDEO) {
		*id = SCCP_ID_UPDATE_CAPABILITIES_V2;
		memset(body, 0, VIDEO_BODY);
		return VIDEO_BODY;
	}
	*id = SCCP_ID_CAPABILITIES_RES;
	sccp_message_init(&m, *id);
	m.u.capabilities.count = sizeof(codecs) / sizeof(*codecs);
	memcpy(m.u.capabilities.codecs, codecs, sizeof(codecs));
	return sccp_message_write(&m, 0, body);
}
