/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors over bytes and a bounded byte queue: all that protocols share. */
#include "protocols/bytes.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { QUEUE_MIN = 512 };

struct bytes_in bytes_in(const void *data, size_t n)
{
	return (struct bytes_in){.p = data, .left = n};
}

/* The next n bytes, or NULL (and `bad`) when fewer are left. */
static const uint8_t *take(struct bytes_in *in, size_t n)
{
	if (n > in->left) {
		in->bad = true;
		in->left = 0;
		return NULL;
	}
	const uint8_t *p = in->p;
	in->p = n ? p + n : p;
	in->left -= n;
	return p;
}

uint8_t bytes_u8(struct bytes_in *in)
{
	const uint8_t *p = take(in, 1);
	return p ? p[0] : 0;
}

uint16_t bytes_le16(struct bytes_in *in)
{
	const uint8_t *p = take(in, 2);
	return p ? (uint16_t)(p[0] | p[1] << 8) : 0;
}

uint32_t bytes_le32(struct bytes_in *in)
{
	const uint8_t *p = take(in, 4);
	if (!p)
		return 0;
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}

uint16_t bytes_be16(struct bytes_in *in)
{
	return __builtin_bswap16(bytes_le16(in));
}

uint32_t bytes_be24(struct bytes_in *in)
{
	uint32_t high = bytes_u8(in);
	return high << 16 | bytes_be16(in);
}

uint32_t bytes_be32(struct bytes_in *in)
{
	return __builtin_bswap32(bytes_le32(in));
}

struct bytes_in bytes_part(struct bytes_in *in, size_t n)
{
	struct bytes_in part = bytes_in(in->p, n <= in->left ? n : 0);
	take(in, n);
	part.bad = in->bad;
	return part;
}

void bytes_skip(struct bytes_in *in, size_t n)
{
	take(in, n);
}

void bytes_copy(struct bytes_in *in, void *dst, size_t n)
{
	const uint8_t *p = take(in, n);
	if (!p)
		memset(dst, 0, n);
	else if (n)
		memcpy(dst, p, n);
}

void bytes_text(struct bytes_in *in, char *dst, size_t n)
{
	bytes_copy(in, dst, n);
	dst[n] = '\0';
	size_t len = strlen(dst);
	memset(dst + len, 0, n - len);
}

void bytes_queue_init(struct bytes_queue *q, size_t max)
{
	assert(max <= UINT32_MAX / 2); /* growing doubles */
	*q = (struct bytes_queue){.max = (uint32_t)max};
}

void bytes_queue_deinit(struct bytes_queue *q)
{
	free(q->data);
	*q = (struct bytes_queue){.max = q->max};
}

size_t bytes_queue_len(const struct bytes_queue *q)
{
	return q->tail - q->head;
}

/* Makes room for n more bytes at the tail; the caller has checked max. */
static void reserve(struct bytes_queue *q, size_t n)
{
	size_t len = bytes_queue_len(q);
	if (q->cap - q->tail >= n)
		return;
	if (q->cap >= len + n && q->head >= len) {
		memcpy(q->data, q->data + q->head, len);
		q->head = 0;
		q->tail = (uint32_t)len;
		return;
	}
	size_t cap = q->cap > QUEUE_MIN ? q->cap : QUEUE_MIN;
	while (cap < len + n)
		cap *= 2;
	uint8_t *data = malloc(cap);
	if (!data)
		abort(); /* law 2: no memory; the content is capped by max */
	if (len)
		memcpy(data, q->data + q->head, len);
	free(q->data);
	q->data = data;
	q->cap = (uint32_t)cap;
	q->head = 0;
	q->tail = (uint32_t)len;
}

void bytes_queue_reserve(struct bytes_queue *q, size_t n)
{
	if (n <= q->max - bytes_queue_len(q))
		reserve(q, n);
}

uint8_t *bytes_queue_extend(struct bytes_queue *q, size_t n)
{
	if (n > q->max - bytes_queue_len(q))
		return NULL;
	reserve(q, n);
	uint8_t *p = q->data + q->tail;
	memset(p, 0, n);
	q->tail += (uint32_t)n;
	return p;
}

int bytes_queue_put(struct bytes_queue *q, const void *data, size_t n)
{
	if (n > q->max - bytes_queue_len(q))
		return -ENOBUFS;
	if (n == 0)
		return 0;
	reserve(q, n);
	memcpy(q->data + q->tail, data, n);
	q->tail += (uint32_t)n;
	return 0;
}

const uint8_t *bytes_queue_peek(const struct bytes_queue *q, size_t *n)
{
	*n = bytes_queue_len(q);
	return *n ? q->data + q->head : NULL;
}

void bytes_queue_drop(struct bytes_queue *q, size_t n)
{
	assert(n <= bytes_queue_len(q));
	q->head += (uint32_t)n;
	if (q->head == q->tail)
		bytes_queue_deinit(q);
}

struct bytes_out bytes_out(void *data, size_t n)
{
	return (struct bytes_out){.p = data, .left = n};
}

/* Room for n bytes, or NULL (and `bad`). */
static uint8_t *room(struct bytes_out *out, size_t n)
{
	if (out->bad || n > out->left) {
		out->bad = true;
		return NULL;
	}
	uint8_t *p = out->p;
	out->p += n;
	out->left -= n;
	return p;
}

void bytes_put_u8(struct bytes_out *out, uint8_t v)
{
	bytes_put(out, &v, 1);
}

void bytes_put_le16(struct bytes_out *out, uint16_t v)
{
	uint8_t b[] = {v & 0xff, v >> 8};
	bytes_put(out, b, sizeof(b));
}

void bytes_put_le32(struct bytes_out *out, uint32_t v)
{
	uint8_t b[] = {v & 0xff, v >> 8 & 0xff, v >> 16 & 0xff, v >> 24};
	bytes_put(out, b, sizeof(b));
}

void bytes_put(struct bytes_out *out, const void *data, size_t n)
{
	uint8_t *p = room(out, n);
	if (p && n)
		memcpy(p, data, n);
}

void bytes_put_zero(struct bytes_out *out, size_t n)
{
	uint8_t *p = room(out, n);
	if (p)
		memset(p, 0, n);
}

void bytes_put_text(struct bytes_out *out, const char *text, size_t n)
{
	uint8_t *p = room(out, n);
	if (!p || n == 0)
		return;
	size_t len = strnlen(text, n - 1);
	memcpy(p, text, len);
	memset(p + len, 0, n - len);
}
