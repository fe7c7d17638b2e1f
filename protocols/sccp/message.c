/* SPDX-License-Identifier: Apache-2.0 */
/* The layouts of SCCP bodies (specs: sccp 3), each read and written alike. */
#include "protocols/sccp/message.h"

#include <assert.h>
#include <string.h>

#include "protocols/sccp/frame.h"
#include "protocols/sccp/ids.h"

/* Protocol versions at which layouts change. */
enum {
	DYNAMIC_DISPLAY = 8,
	DYNAMIC_FEATURE = 15,
	DYNAMIC_LINE = 17,
	LONG_ADDRESS = 17,
	PACKED_FORWARD = 18,
};

/*
 * One pass over a body, in either direction: every layout below names its
 * fields once, and `reading` decides what happens to them.
 */
struct pass {
	bool reading;
	uint8_t version;
	uint32_t id; /* some ids share a struct in two layouts */
	struct bytes_in in;
	struct bytes_out out;
};

static void u8(struct pass *p, uint8_t *v)
{
	if (p->reading)
		*v = bytes_u8(&p->in);
	else
		bytes_put_u8(&p->out, *v);
}

static void u16(struct pass *p, uint16_t *v)
{
	if (p->reading)
		*v = bytes_le16(&p->in);
	else
		bytes_put_le16(&p->out, *v);
}

static void u32(struct pass *p, uint32_t *v)
{
	if (p->reading)
		*v = bytes_le32(&p->in);
	else
		bytes_put_le32(&p->out, *v);
}

/* n bytes as they are; addresses in network order are such. */
static void raw(struct pass *p, void *v, size_t n)
{
	if (p->reading)
		bytes_copy(&p->in, v, n);
	else
		bytes_put(&p->out, v, n);
}

/* Network order on the wire, a number in the struct. */
static void be32(struct pass *p, uint32_t *v)
{
	uint32_t wire = __builtin_bswap32(*v);
	if (p->reading)
		*v = bytes_be32(&p->in);
	else
		bytes_put_le32(&p->out, wire);
}

static void skip(struct pass *p, size_t n)
{
	if (p->reading)
		bytes_skip(&p->in, n);
	else
		bytes_put_zero(&p->out, n);
}

/* A field of n bytes; s has room for n + 1. A cut-off text reads as it is. */
static void text(struct pass *p, char *s, size_t n)
{
	if (!p->reading) {
		bytes_put_text(&p->out, s, n);
		return;
	}
	size_t there = n < p->in.left ? n : p->in.left;
	memset(s, 0, n + 1);
	bytes_text(&p->in, s, there);
	bytes_skip(&p->in, n - there);
}

/* A text that ends with its NUL; s has room for max characters and it. */
static void dynamic(struct pass *p, char *s, size_t max)
{
	if (!p->reading) {
		bytes_put_text(&p->out, s, strnlen(s, max) + 1);
		return;
	}
	const uint8_t *end = NULL;
	if (p->in.left)
		end = memchr(p->in.p, '\0', p->in.left);
	size_t n = end ? (size_t)(end - p->in.p) : p->in.left;
	size_t keep = n < max ? n : max;
	memset(s, 0, max + 1);
	bytes_copy(&p->in, s, keep);
	bytes_skip(&p->in, n - keep + 1);
}

static void nothing(struct pass *p, struct sccp_message *m)
{
}

static void value(struct pass *p, struct sccp_message *m)
{
	u32(p, &m->u.value);
}

/* One number that older phones leave out. */
static void optional_value(struct pass *p, struct sccp_message *m)
{
	if (!p->reading || p->in.left)
		u32(p, &m->u.value);
}

static void sid(struct pass *p, struct sccp_sid *s)
{
	text(p, s->name, SCCP_NAME_MAX + 1);
	u32(p, &s->user);
	u32(p, &s->instance);
}

static void registration(struct pass *p, struct sccp_message *m)
{
	struct sccp_register *r = &m->u.reg;
	text(p, r->device, SCCP_NAME_MAX + 1);
	skip(p, 4); /* user id */
	u32(p, &r->instance);
	be32(p, &r->station_ipv4);
	u32(p, &r->device_type);
	u32(p, &r->max_streams);
	skip(p, 4); /* active streams */
	u8(p, &r->version);
	raw(p, r->features, sizeof(r->features));
	skip(p, 8); /* conferences */
	raw(p, r->mac, sizeof(r->mac));
	skip(p, 4); /* IPv4 scope */
	u32(p, &r->max_lines);
	raw(p, r->ipv6, sizeof(r->ipv6));
	skip(p, 4); /* IPv6 scope */
	text(p, r->load, SCCP_LOAD_MAX);
	skip(p, 48); /* config version stamp */
}

static void alarm_text(struct pass *p, struct sccp_message *m)
{
	u32(p, &m->u.alarm.severity);
	text(p, m->u.alarm.text, 80);
	u32(p, &m->u.alarm.parm1);
	u32(p, &m->u.alarm.parm2);
}

static void token(struct pass *p, struct sccp_message *m)
{
	struct sccp_token *t = &m->u.token;
	sid(p, &t->sid);
	be32(p, &t->station_ipv4);
	u32(p, &t->device_type);
	if (p->id == SCCP_ID_SPCP_TOKEN_REQ)
		u32(p, &t->max_streams);
	else
		skip(p, 20); /* IPv6 address and its type, order unsure */
}

static void capabilities(struct pass *p, struct sccp_message *m)
{
	struct sccp_capabilities *c = &m->u.capabilities;
	u32(p, &c->count);
	for (size_t i = 0; i < SCCP_CODECS_MAX; i++) {
		u32(p, &c->codecs[i].payload);
		u32(p, &c->codecs[i].max_frames);
		skip(p, 8); /* parameters */
	}
}

static void subscription_req(struct pass *p, struct sccp_message *m)
{
	struct sccp_subscription *s = &m->u.subscription;
	u32(p, &s->transaction);
	u32(p, &s->feature);
	u32(p, &s->timer);
	text(p, s->id, 64);
}

static void subscription(struct pass *p, struct sccp_message *m)
{
	struct sccp_subscription *s = &m->u.subscription;
	u32(p, &s->transaction);
	u32(p, &s->feature);
	u32(p, &s->timer);
	u32(p, &s->cause);
}

static void register_ack(struct pass *p, struct sccp_message *m)
{
	struct sccp_register_ack *a = &m->u.ack;
	u32(p, &a->keepalive_s);
	/* Six bytes and two of padding, which a longer template may use. */
	text(p, a->date_template, 6 + (p->reading ? 0 : 1));
	skip(p, p->reading ? 2 : 1);
	u32(p, &a->secondary_keepalive_s);
	u8(p, &a->version);
	raw(p, a->features, sizeof(a->features));
}

static void reject(struct pass *p, struct sccp_message *m)
{
	text(p, m->u.text, 32);
}

static void required_load(struct pass *p, struct sccp_message *m)
{
	text(p, m->u.text, 16);
}

static void buttons(struct pass *p, struct sccp_message *m)
{
	struct sccp_buttons *b = &m->u.buttons;
	u32(p, &b->offset);
	u32(p, &b->count);
	u32(p, &b->total);
	for (size_t i = 0; i < SCCP_BUTTONS_MAX; i++) {
		u8(p, &b->slots[i].instance);
		u8(p, &b->slots[i].type);
	}
}

static void keys(struct pass *p, struct sccp_message *m)
{
	struct sccp_keys *k = &m->u.keys;
	u32(p, &k->offset);
	u32(p, &k->count);
	u32(p, &k->total);
	for (size_t i = 0; i < SCCP_KEYS_MAX; i++) {
		text(p, k->keys[i].label, 16);
		u32(p, &k->keys[i].event);
	}
}

static void sets(struct pass *p, struct sccp_message *m)
{
	struct sccp_sets *s = &m->u.sets;
	u32(p, &s->offset);
	u32(p, &s->count);
	u32(p, &s->total);
	for (size_t i = 0; i < SCCP_SETS_MAX; i++) {
		raw(p, s->sets[i].position, SCCP_SET_KEYS);
		for (size_t k = 0; k < SCCP_SET_KEYS; k++)
			u16(p, &s->sets[i].info[k]);
	}
}

static void select_keys(struct pass *p, struct sccp_message *m)
{
	u32(p, &m->u.select.line);
	u32(p, &m->u.select.call);
	u32(p, &m->u.select.set);
	u32(p, &m->u.select.mask);
}

static void config(struct pass *p, struct sccp_message *m)
{
	struct sccp_config_stat *c = &m->u.config;
	sid(p, &c->sid);
	text(p, c->user, 40);
	text(p, c->server, 40);
	u32(p, &c->lines);
	u32(p, &c->speed_dials);
}

static void line(struct pass *p, struct sccp_message *m)
{
	struct sccp_line_stat *l = &m->u.line;
	u32(p, &l->line);
	text(p, l->number, 24);
	text(p, l->name, 40);
	text(p, l->label, 40);
	u32(p, &l->options);
}

static void line_v2(struct pass *p, struct sccp_message *m)
{
	struct sccp_line_stat *l = &m->u.line;
	u32(p, &l->line);
	u32(p, &l->options);
	dynamic(p, l->number, 24);
	dynamic(p, l->name, 40);
	dynamic(p, l->label, 40);
}

static void speed_dial(struct pass *p, struct sccp_message *m)
{
	u32(p, &m->u.dial.index);
	text(p, m->u.dial.number, 24);
	text(p, m->u.dial.name, 40);
}

static void forward(struct pass *p, struct sccp_message *m)
{
	struct sccp_forward_stat *f = &m->u.forward;
	size_t number_n = p->version >= PACKED_FORWARD ? 25 : 24;
	u32(p, &f->active);
	u32(p, &f->line);
	for (size_t i = 0; i < SCCP_FORWARDS; i++) {
		u32(p, &f->to[i].active);
		text(p, f->to[i].number, number_n);
	}
}

static void feature(struct pass *p, struct sccp_message *m)
{
	u32(p, &m->u.feature.index);
	u32(p, &m->u.feature.type);
	text(p, m->u.feature.label, 40);
	u32(p, &m->u.feature.status);
}

static void feature_v2(struct pass *p, struct sccp_message *m)
{
	u32(p, &m->u.feature.index);
	u32(p, &m->u.feature.type);
	u32(p, &m->u.feature.status);
	dynamic(p, m->u.feature.label, 40);
}

static void service(struct pass *p, struct sccp_message *m)
{
	u32(p, &m->u.service.index);
	text(p, m->u.service.url, 256);
	text(p, m->u.service.label, 40);
}

static void service_v2(struct pass *p, struct sccp_message *m)
{
	u32(p, &m->u.service.index);
	dynamic(p, m->u.service.url, 256);
	dynamic(p, m->u.service.label, 40);
}

static void time_date(struct pass *p, struct sccp_message *m)
{
	struct sccp_time_date *t = &m->u.time;
	u32(p, &t->year);
	u32(p, &t->month);
	u32(p, &t->weekday);
	u32(p, &t->day);
	u32(p, &t->hour);
	u32(p, &t->minute);
	u32(p, &t->second);
	u32(p, &t->ms);
	u32(p, &t->unix_s);
}

static void servers(struct pass *p, struct sccp_message *m)
{
	struct sccp_servers *s = &m->u.servers;
	bool is_long = p->version >= LONG_ADDRESS;
	for (size_t i = 0; i < SCCP_SERVERS_MAX; i++)
		text(p, s->name[i], 48);
	for (size_t i = 0; i < SCCP_SERVERS_MAX; i++)
		u32(p, &s->port[i]);
	for (size_t i = 0; i < SCCP_SERVERS_MAX; i++) {
		if (is_long)
			skip(p, 4); /* type 0: IPv4 */
		raw(p, &s->ipv4[i], sizeof(s->ipv4[i]));
		if (is_long)
			skip(p, 12);
	}
}

static void prompt(struct pass *p, struct sccp_message *m)
{
	u32(p, &m->u.prompt.timeout_s);
	text(p, m->u.prompt.text, 32);
	u32(p, &m->u.prompt.line);
	u32(p, &m->u.prompt.call);
}

static void prompt_v2(struct pass *p, struct sccp_message *m)
{
	u32(p, &m->u.prompt.timeout_s);
	u32(p, &m->u.prompt.line);
	u32(p, &m->u.prompt.call);
	dynamic(p, m->u.prompt.text, SCCP_PROMPT_V2_MAX);
}

typedef void layout_fn(struct pass *p, struct sccp_message *m);

/* id → layout. Where v2 is not 0, that id replaces this one from `since`. */
static const struct row {
	uint32_t id;
	layout_fn *layout;
	uint32_t v2;
	uint8_t since;
} rows[] = {
	{SCCP_ID_KEEP_ALIVE, nothing},
	{SCCP_ID_REGISTER, registration},
	{SCCP_ID_IP_PORT, value},
	{SCCP_ID_FORWARD_STAT_REQ, value},
	{SCCP_ID_SPEED_DIAL_STAT_REQ, value},
	{SCCP_ID_LINE_STAT_REQ, value},
	{SCCP_ID_CONFIG_STAT_REQ, nothing},
	{SCCP_ID_TIME_DATE_REQ, nothing},
	{SCCP_ID_BUTTON_TEMPLATE_REQ, nothing},
	{SCCP_ID_VERSION_REQ, nothing},
	{SCCP_ID_CAPABILITIES_RES, capabilities},
	{SCCP_ID_SERVER_REQ, nothing},
	{SCCP_ID_ALARM, alarm_text},
	{SCCP_ID_SOFT_KEY_SET_REQ, nothing},
	{SCCP_ID_UNREGISTER, optional_value},
	{SCCP_ID_SOFT_KEY_TEMPLATE_REQ, nothing},
	{SCCP_ID_TOKEN_REQ, token},
	{SCCP_ID_HEADSET_STATUS, value},
	{SCCP_ID_AVAILABLE_LINES, value},
	{SCCP_ID_SERVICE_URL_STAT_REQ, value},
	{SCCP_ID_FEATURE_STAT_REQ, value},
	{SCCP_ID_SUBSCRIPTION_STAT_REQ, subscription_req},
	{SCCP_ID_SPCP_TOKEN_REQ, token},
	{SCCP_ID_REGISTER_ACK, register_ack},
	{SCCP_ID_FORWARD_STAT, forward},
	{SCCP_ID_SPEED_DIAL_STAT, speed_dial},
	{SCCP_ID_LINE_STAT, line, SCCP_ID_LINE_STAT_V2, DYNAMIC_LINE},
	{SCCP_ID_LINE_STAT_V2, line_v2},
	{SCCP_ID_CONFIG_STAT, config},
	{SCCP_ID_DEFINE_TIME_DATE, time_date},
	{SCCP_ID_BUTTON_TEMPLATE, buttons},
	{SCCP_ID_VERSION_RES, required_load},
	{SCCP_ID_CAPABILITIES_REQ, nothing},
	{SCCP_ID_REGISTER_REJECT, reject},
	{SCCP_ID_SERVER_RES, servers},
	{SCCP_ID_RESET, value},
	{SCCP_ID_KEEP_ALIVE_ACK, nothing},
	{SCCP_ID_SOFT_KEY_TEMPLATE, keys},
	{SCCP_ID_SOFT_KEY_SET, sets},
	{SCCP_ID_SELECT_SOFT_KEYS, select_keys},
	{SCCP_ID_DISPLAY_PROMPT, prompt, SCCP_ID_DISPLAY_PROMPT_V2,
		DYNAMIC_DISPLAY},
	{SCCP_ID_DISPLAY_PROMPT_V2, prompt_v2},
	{SCCP_ID_UNREGISTER_ACK, value},
	{SCCP_ID_TOKEN_ACK, nothing},
	{SCCP_ID_TOKEN_REJECT, value},
	{SCCP_ID_FEATURE_STAT, feature, SCCP_ID_FEATURE_STAT_V2,
		DYNAMIC_FEATURE},
	{SCCP_ID_FEATURE_STAT_V2, feature_v2},
	{SCCP_ID_SERVICE_URL_STAT, service, SCCP_ID_SERVICE_URL_STAT_V2,
		DYNAMIC_DISPLAY},
	{SCCP_ID_SERVICE_URL_STAT_V2, service_v2},
	{SCCP_ID_SUBSCRIPTION_STAT, subscription},
	{SCCP_ID_SPCP_TOKEN_ACK, value},
	{SCCP_ID_SPCP_TOKEN_REJECT, value},
};

static const struct row *find(uint32_t id)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].id == id)
			return &rows[i];
	return NULL;
}

void sccp_message_init(struct sccp_message *m, uint32_t id)
{
	memset(m, 0, sizeof(*m));
	m->id = id;
}

uint32_t sccp_message_form(uint32_t id, uint8_t version)
{
	const struct row *row = find(id);
	return row && row->v2 && version >= row->since ? row->v2 : id;
}

enum sccp_body sccp_message_read(struct sccp_message *m, uint32_t id,
	uint8_t version, const uint8_t *body, size_t n)
{
	const struct row *row = find(id);
	struct pass p = {
		.reading = true,
		.version = version,
		.id = id,
		.in = bytes_in(body, n),
	};
	sccp_message_init(m, id);
	if (!row)
		return SCCP_BODY_UNKNOWN;
	row->layout(&p, m);
	if (p.in.bad)
		return SCCP_BODY_SHORT;
	return p.in.left < 4 ? SCCP_BODY_WHOLE : SCCP_BODY_LONG;
}

size_t sccp_message_write(
	struct sccp_message *m, uint8_t version, uint8_t body[SCCP_WRITE_MAX])
{
	m->id = sccp_message_form(m->id, version);
	const struct row *row = find(m->id);
	struct pass p = {
		.version = version,
		.id = m->id,
		.out = bytes_out(body, SCCP_WRITE_MAX),
	};
	assert(row);
	row->layout(&p, m);
	size_t n = SCCP_WRITE_MAX - p.out.left;
	bytes_put_zero(&p.out, -n & 3);
	assert(!p.out.bad);
	return SCCP_WRITE_MAX - p.out.left;
}

int sccp_message_send(struct sccp_message *m, uint8_t version,
	uint32_t header_version, struct bytes_queue *out)
{
	uint8_t body[SCCP_WRITE_MAX];
	size_t n = sccp_message_write(m, version, body);
	return sccp_frame_put(out, header_version, m->id, body, n);
}
