/* SPDX-License-Identifier: Apache-2.0 */
/* The TLS handshakes of a capture file, told in plain words. */
#include "registrar/explain/capture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <pcap/pcap.h>

#include "protocols/tcpip/packet.h"
#include "protocols/tcpip/stream.h"
#include "registrar/explain/handshake.h"
#include "registrar/explain/plain.h"
#include "registrar/explain/rules.h"
#include "registrar/explain/words.h"
#include "registrar/memory.h"

enum { BUCKETS = 4096 };

/* Both ends of a connection, the client's first. */
struct key {
	bool ipv6;
	struct packet_end client, server;
};

/* One TCP connection. `tls` is there as long as it may be TLS and tell more,
 * `reading` as long as anything may. */
struct flow {
	struct key key;
	struct flow *next_in_bucket, *next;
	struct timeval at; /* of its first packet */
	struct tls_seen *tls;
	struct stream streams[2]; /* by enum tls_seen_end */
	uint64_t missing[2];
	bool over; /* FIN or RST came: the ports may be used again */
	bool reading;
	struct handshake seen;
	struct plain plain; /* without TLS, or under a NULL cipher */
};

struct capture {
	struct flow *buckets[BUCKETS];
	struct flow *first, **last;
	size_t packets, flows, tls, other, fragments, broken, not_read;
};

/* ---- connections ---- */

static bool same_end(const struct packet_end *a, const struct packet_end *b)
{
	return a->port == b->port &&
	       memcmp(a->address, b->address, sizeof(a->address)) == 0;
}

static bool same_key(const struct key *a, const struct key *b)
{
	return a->ipv6 == b->ipv6 && same_end(&a->client, &b->client) &&
	       same_end(&a->server, &b->server);
}

static unsigned bucket_of(const struct key *k)
{
	uint32_t h = 2166136261u ^ k->client.port;
	h = (h * 16777619u) ^ k->server.port;
	for (size_t i = 0; i < sizeof(k->client.address); i++)
		h = (h * 16777619u) ^ k->client.address[i] ^
		    (uint32_t)k->server.address[i] << 8;
	return (h ^ h >> 12) % BUCKETS;
}

static struct flow *find(struct capture *c, const struct key *k)
{
	struct flow *f = c->buckets[bucket_of(k)];
	while (f && !same_key(&f->key, k))
		f = f->next_in_bucket;
	return f;
}

static void drop_tls(struct flow *f)
{
	if (f->tls)
		tls_seen_deinit(f->tls);
	free(f->tls);
	f->tls = NULL;
}

/* Nothing more is wanted of its bytes. */
static void stop_reading(struct flow *f)
{
	drop_tls(f);
	plain_deinit(&f->plain);
	for (int i = 0; i < 2; i++)
		stream_deinit(&f->streams[i]);
	f->reading = false;
}

static struct flow *add(
	struct capture *c, const struct key *k, struct timeval at)
{
	if (c->flows == CAPTURE_CONNECTIONS_MAX) {
		c->not_read++;
		return NULL;
	}
	struct flow *f = memory_zero(sizeof(*f));
	f->key = *k;
	f->at = at;
	f->tls = memory_zero(sizeof(*f->tls));
	tls_seen_init(f->tls);
	plain_init(&f->plain);
	f->reading = true;
	unsigned bucket = bucket_of(k);
	f->next_in_bucket = c->buckets[bucket]; /* newest first: it is found */
	c->buckets[bucket] = f;
	*c->last = f;
	c->last = &f->next;
	c->flows++;
	return f;
}

static struct key key_of(const struct packet *p, bool from_client)
{
	struct key k = {.ipv6 = p->ipv6};
	k.client = from_client ? p->from : p->to;
	k.server = from_client ? p->to : p->from;
	return k;
}

/* Who did not begin a connection in the capture has the lower port: servers'
 * ports are agreed on. */
static bool begins_as_client(const struct packet *p)
{
	if (p->flags & PACKET_SYN)
		return !(p->flags & PACKET_ACK);
	return p->from.port >= p->to.port;
}

static struct flow *flow_of(struct capture *c, const struct packet *p,
	struct timeval at, enum tls_seen_end *from)
{
	struct key up = key_of(p, true), down = key_of(p, false);
	bool anew = (p->flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN;
	struct flow *f = find(c, &up);
	*from = TLS_SEEN_CLIENT;
	if (f && !(anew && (f->over || f->seen.offered)))
		return f;
	f = anew ? NULL : find(c, &down);
	*from = TLS_SEEN_SERVER;
	if (f)
		return f;
	bool client = begins_as_client(p);
	*from = client ? TLS_SEEN_CLIENT : TLS_SEEN_SERVER;
	return add(c, client ? &up : &down, at);
}

/* ---- bytes ---- */

static void take_events(struct flow *f)
{
	struct tls_seen_event e;
	while (tls_seen_next(f->tls, &e)) {
		handshake_take(&f->seen, &e);
		if (e.type == TLS_SEEN_DATA && e.leaf.n)
			plain_feed(&f->plain, e.from, e.leaf.p, e.leaf.n);
	}
}

static void take_bytes(
	struct flow *f, enum tls_seen_end from, const uint8_t *data, size_t n)
{
	while (f->tls && n) {
		size_t piece = n < TLS_SEEN_FEED_MAX ? n : TLS_SEEN_FEED_MAX;
		tls_seen_feed(f->tls, from, data, piece);
		take_events(f);
		data += piece;
		n -= piece;
		/* Its first bytes were none of TLS. */
		if (!handshake_is_tls(&f->seen) && f->seen.lost[from]) {
			drop_tls(f);
			plain_feed(&f->plain, from, data - piece, piece);
		}
	}
	if (n)
		plain_feed(&f->plain, from, data, n);
}

/* What came in order, piece by piece. */
static void take_stream(struct flow *f, enum tls_seen_end from)
{
	const uint8_t *data;
	size_t n;
	uint32_t missing;
	while (f->reading &&
		stream_next(&f->streams[from], &data, &n, &missing)) {
		f->missing[from] += missing;
		if (missing && f->tls)
			tls_seen_gap(f->tls, from);
		take_bytes(f, from, data, n);
	}
}

/* It told all, or is nothing that is read: its memory is given back. */
static bool has_told(const struct flow *f)
{
	const struct handshake *h = &f->seen;
	if (!f->tls)
		return f->plain.protocol == PLAIN_OTHER;
	return (handshake_is_over(h) && !tls_suite_null_mac(h->suite)) ||
	       (h->lost[0] && h->lost[1]);
}

static void take_packet(
	struct capture *c, const struct packet *p, struct timeval at)
{
	enum tls_seen_end from;
	struct flow *f = flow_of(c, p, at, &from);
	if (!f)
		return;
	f->over = f->over || p->flags & (PACKET_FIN | PACKET_RST);
	if (!f->reading)
		return;
	struct stream *s = &f->streams[from];
	uint32_t seq = p->seq;
	if (p->flags & PACKET_SYN)
		stream_begin(s, ++seq);
	stream_put(s, seq, p->data, p->n);
	take_stream(f, from);
	if (has_told(f))
		stop_reading(f);
}

static void end_flow(struct flow *f)
{
	for (int i = 0; f->reading && i < 2; i++) {
		stream_end(&f->streams[i]);
		take_stream(f, (enum tls_seen_end)i);
	}
	stop_reading(f);
}

/* ---- telling ---- */

static void put_end(json_t *o, const char *key, const char *port_key,
	const struct key *k, const struct packet_end *end)
{
	char text[INET6_ADDRSTRLEN] = "";
	inet_ntop(
		k->ipv6 ? AF_INET6 : AF_INET, end->address, text, sizeof(text));
	json_object_set_new(o, key, json_string(text));
	json_object_set_new(o, port_key, json_integer(end->port));
}

static json_t *explanation(const struct flow *f, const char *device)
{
	char at[21];
	json_t *o = json_object();
	uint64_t missing = f->missing[0] + f->missing[1];
	cert_time_text(f->at.tv_sec, at);
	json_object_set_new(o, "at", json_string(at));
	put_end(o, "client", "clientPort", &f->key, &f->key.client);
	put_end(o, "server", "serverPort", &f->key, &f->key.server);
	json_object_set_new(
		o, "service", json_string(words_service(f->key.server.port)));
	const char *rule = plain_put(o, &f->plain);
	if (handshake_is_tls(&f->seen)) {
		handshake_put(o, &f->seen, f->at.tv_sec, device);
	} else {
		json_object_set_new(o, "rule", json_string(rule));
		explain_rule_put(o, explain_rule(rule, ""), f->plain.device);
	}
	if (missing)
		json_object_set_new(
			o, "missingBytes", json_integer((json_int_t)missing));
	return o;
}

/* TLS, or a registration in the clear, of the device that is asked for. */
static bool is_wanted(const struct flow *f, const char *device)
{
	const struct cert_identity *cert = f->seen.cert;
	if (!handshake_is_tls(&f->seen) && !f->plain.asked)
		return false;
	return !*device || (cert && cert_device_equal(cert->device, device)) ||
	       cert_device_equal(f->plain.device, device);
}

static json_t *tell(struct capture *c, const char *device)
{
	json_t *all = json_array();
	for (struct flow *f = c->first; f; f = f->next) {
		end_flow(f);
		c->tls += handshake_is_tls(&f->seen);
		if (is_wanted(f, device))
			json_array_append_new(all, explanation(f, device));
	}
	return json_pack("{so sI sI sI sI sI sI sI}", "explanations", all,
		"packets", (json_int_t)c->packets, "connections",
		(json_int_t)c->flows, "tls", (json_int_t)c->tls, "otherPackets",
		(json_int_t)c->other, "fragments", (json_int_t)c->fragments,
		"broken", (json_int_t)c->broken, "notRead",
		(json_int_t)c->not_read);
}

static void free_flows(struct capture *c)
{
	struct flow *next, *f = c->first;
	for (; f; f = next) {
		next = f->next;
		stop_reading(f);
		handshake_deinit(&f->seen);
		free(f);
	}
}

/* ---- the file ---- */

static void take_frame(struct capture *c, int link,
	const struct pcap_pkthdr *head, const uint8_t *data)
{
	struct packet p;
	c->packets++;
	switch (packet_read(link, data, head->caplen, &p)) {
	case PACKET_TCP:
		take_packet(c, &p, head->ts);
		break;
	case PACKET_OTHER:
		c->other++;
		break;
	case PACKET_FRAGMENT:
		c->fragments++;
		break;
	case PACKET_BROKEN:
		c->broken++;
		break;
	}
}

/* 0 at the end of the file. What was whole before a damage is kept. */
static int read_frames(
	struct capture *c, pcap_t *file, const char *path, struct diag *d)
{
	struct pcap_pkthdr *head;
	const uint8_t *data;
	int link = pcap_datalink(file);
	int got;
	if (!packet_link_known(link))
		return diag_set(d, -EPROTONOSUPPORT,
			"%s: its link layer, %s, is not read; capture on "
			"Ethernet, loopback or any",
			path, pcap_datalink_val_to_name(link));
	while ((got = pcap_next_ex(file, &head, &data)) == 1)
		take_frame(c, link, head, data);
	if (got == PCAP_ERROR_BREAK)
		return 0;
	return diag_set(d, -EINVAL, "%s: damaged after %zu packets: %s", path,
		c->packets, pcap_geterr(file));
}

int explain_capture(
	const char *path, const char *device, json_t **out, struct diag *d)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	struct capture c = {.first = NULL};
	struct stat st;
	*out = NULL;
	c.last = &c.first;
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return diag_set(d, -EINVAL, "%s: not a regular file", path);
	pcap_t *file = pcap_open_offline(path, why);
	if (!file)
		return diag_set(d, -EINVAL,
			"%s: not a capture that can be "
			"read: %s",
			path, why);
	int error = read_frames(&c, file, path, d);
	pcap_close(file);
	if (error == 0)
		*out = tell(&c, device);
	free_flows(&c);
	return error;
}
