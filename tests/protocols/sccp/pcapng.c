/* SPDX-License-Identifier: Apache-2.0 */
/* A tiny pcapng reader with TCP reassembly, enough for the captures we have. */
#include "tests/protocols/sccp/pcapng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/bytes.h"

enum {
	FILE_MAX = 16 * 1024 * 1024,
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_PACKET = 6,
	BLOCK_OVERHEAD = 12, /* type, length, and length again */
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	LINK_ETHERNET = 1,
	ETHER_IPV4 = 0x0800,
	IP_TCP = 6,
	TCP_SYN = 0x02,
	HELD_MAX = 64, /* segments that wait for an earlier one */
};

struct segment {
	bool syn;
	bool from_server;
	uint32_t seq;
	const uint8_t *data;
	size_t n;
};

/* One direction: what its receiver expects next, and what came too early. */
struct stream {
	bool known;
	uint32_t next;
	size_t offset;
	struct segment held[HELD_MAX];
	unsigned n_held;
};

static uint16_t be16(struct bytes_in *in)
{
	return __builtin_bswap16(bytes_le16(in));
}

/* False for what is no TCP with that port. */
static bool read_segment(
	struct bytes_in in, uint16_t port, struct segment *segment)
{
	bytes_skip(&in, 12); /* Ethernet addresses */
	if (be16(&in) != ETHER_IPV4)
		return false;
	struct bytes_in ip = in;
	size_t header = (size_t)(bytes_u8(&ip) & 0x0f) * 4;
	bytes_skip(&ip, 1);
	size_t total = be16(&ip);
	bytes_skip(&ip, 5);
	if (bytes_u8(&ip) != IP_TCP || total > in.left || header > total)
		return false;
	in.left = total; /* Ethernet pads short frames */
	bytes_skip(&in, header);
	struct bytes_in tcp = in;
	uint16_t from = be16(&tcp), to = be16(&tcp);
	segment->from_server = from == port;
	segment->seq = bytes_be32(&tcp);
	bytes_skip(&tcp, 4);
	bytes_skip(&in, (size_t)(bytes_u8(&tcp) >> 4) * 4);
	segment->syn = bytes_u8(&tcp) & TCP_SYN;
	segment->data = in.p;
	segment->n = in.left;
	return !in.bad && !tcp.bad && (from == port || to == port);
}

static void add_chunk(struct pcapng *p, unsigned packet, struct stream *stream,
	const struct segment *segment, size_t old)
{
	size_t n = segment->n - old;
	p->chunks = realloc(p->chunks, (p->n + 1) * sizeof(*p->chunks));
	if (!p->chunks)
		abort();
	struct pcapng_chunk *c = &p->chunks[p->n++];
	*c = (struct pcapng_chunk){
		.packet = packet,
		.from_server = segment->from_server,
		.offset = stream->offset,
		.data = malloc(n),
		.n = n,
	};
	if (!c->data)
		abort();
	memcpy(c->data, segment->data + old, n);
	stream->next += (uint32_t)n;
	stream->offset += n;
}

/* Takes a segment if its turn has come; false: it is too early. */
static bool take_segment(struct pcapng *p, unsigned packet,
	struct stream *stream, const struct segment *segment)
{
	int32_t early = (int32_t)(segment->seq - stream->next);
	if (early > 0)
		return false;
	size_t old = (size_t) - (int64_t)early;
	if (old < segment->n)
		add_chunk(p, packet, stream, segment, old);
	return true;
}

static void take_held(struct pcapng *p, unsigned packet, struct stream *stream)
{
	for (unsigned i = 0; i < stream->n_held;) {
		if (!take_segment(p, packet, stream, &stream->held[i])) {
			i++;
			continue;
		}
		stream->held[i] = stream->held[--stream->n_held];
		i = 0;
	}
}

static const char *on_segment(struct pcapng *p, unsigned packet,
	struct stream *stream, const struct segment *segment)
{
	if (segment->syn || !stream->known) {
		stream->known = true;
		stream->next = segment->seq + segment->syn;
	}
	if (segment->n == 0)
		return NULL;
	if (take_segment(p, packet, stream, segment)) {
		take_held(p, packet, stream);
		return NULL;
	}
	if (stream->n_held == HELD_MAX)
		return "a TCP segment is missing";
	stream->held[stream->n_held++] = *segment;
	return NULL;
}

/* Cuts the next block off; false at the end of the file. */
static bool next_block(struct bytes_in *file, uint32_t *type,
	struct bytes_in *block, const char **error)
{
	if (file->left == 0)
		return false;
	*type = bytes_le32(file);
	uint32_t length = bytes_le32(file);
	*error = "a block is cut off, or has no length";
	if (length < BLOCK_OVERHEAD || length - 8 > file->left || file->bad)
		return false;
	*block = bytes_in(file->p, length - BLOCK_OVERHEAD);
	bytes_skip(file, length - 8);
	*error = NULL;
	return true;
}

static const char *on_header(uint32_t type, struct bytes_in block)
{
	if (type == BLOCK_SECTION && bytes_le32(&block) != BYTE_ORDER_MAGIC)
		return "not little-endian pcapng";
	if (type == BLOCK_INTERFACE && bytes_le16(&block) != LINK_ETHERNET)
		return "not Ethernet";
	return NULL;
}

static void read_file(struct pcapng *p, struct bytes_in file, uint16_t port)
{
	struct stream streams[2] = {0};
	struct bytes_in block;
	uint32_t type;
	unsigned packet = 0;
	while (!p->error && next_block(&file, &type, &block, &p->error)) {
		struct segment segment;
		if (type != BLOCK_PACKET) {
			p->error = on_header(type, block);
			continue;
		}
		packet++;
		bytes_skip(&block, 12); /* interface and time */
		uint32_t captured = bytes_le32(&block);
		bytes_skip(&block, 4);
		if (captured > block.left) {
			p->error = "a packet is cut off";
			continue;
		}
		block.left = captured;
		if (read_segment(block, port, &segment))
			p->error = on_segment(p, packet,
				&streams[segment.from_server], &segment);
	}
	if (!p->error && (streams[0].n_held || streams[1].n_held))
		p->error = "a TCP segment is missing";
}

void pcapng_open(struct pcapng *p, const char *path, uint16_t server_port)
{
	*p = (struct pcapng){.error = "cannot be read"};
	FILE *f = fopen(path, "rb");
	if (!f)
		return;
	uint8_t *data = malloc(FILE_MAX);
	if (!data)
		abort();
	size_t n = fread(data, 1, FILE_MAX, f);
	if (!ferror(f) && n > 0 && n < FILE_MAX) {
		p->error = NULL;
		read_file(p, bytes_in(data, n), server_port);
	}
	free(data);
	fclose(f);
}

void pcapng_close(struct pcapng *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->chunks[i].data);
	free(p->chunks);
	*p = (struct pcapng){0};
}
