/* SPDX-License-Identifier: Apache-2.0 */
/* Cursors over bytes and a bounded byte queue: all that protocols share. */
#ifndef PROTOCOLS_BYTES_H
#define PROTOCOLS_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A reading cursor. A read past the end sets `bad`, moves to the end and
 * answers zero, so a parser may read a whole record and check once.
 */
struct bytes_in {
	const uint8_t *p;
	size_t left;
	bool bad;
};

struct bytes_in bytes_in(const void *data, size_t n);
uint8_t bytes_u8(struct bytes_in *in);
uint16_t bytes_le16(struct bytes_in *in);
uint32_t bytes_le32(struct bytes_in *in);
uint16_t bytes_be16(struct bytes_in *in);
uint32_t bytes_be24(struct bytes_in *in);
uint32_t bytes_be32(struct bytes_in *in);
/* The next n bytes as a cursor of their own; bad when fewer are left. */
struct bytes_in bytes_part(struct bytes_in *in, size_t n);
void bytes_skip(struct bytes_in *in, size_t n);
/* Copies n bytes to dst; zeroes dst when fewer are left. */
void bytes_copy(struct bytes_in *in, void *dst, size_t n);
/*
 * Reads a fixed field of n bytes as a string, cut at the first NUL, into
 * dst[n + 1]. Bytes behind the NUL are garbage by custom and are dropped.
 */
void bytes_text(struct bytes_in *in, char *dst, size_t n);

/*
 * A FIFO of bytes in one growing block, never above `max` bytes of content.
 * Zeroed or init'ed is empty; an emptied queue gives its memory back.
 */
struct bytes_queue {
	uint8_t *data;
	uint32_t head; /* first byte not yet taken */
	uint32_t tail; /* one past the last byte */
	uint32_t cap;
	uint32_t max;
};

void bytes_queue_init(struct bytes_queue *q, size_t max);
void bytes_queue_deinit(struct bytes_queue *q);
/* Appends n bytes. 0, or -ENOBUFS (nothing appended) above max. */
int bytes_queue_put(struct bytes_queue *q, const void *data, size_t n);
/* Makes room for n more bytes at once, if max allows them: what is put next
 * does not have to be moved as the queue grows. */
void bytes_queue_reserve(struct bytes_queue *q, size_t n);
/*
 * Room for n bytes at the tail, zeroed and counted as content at once; NULL
 * above max. Valid until the next call on the queue.
 */
uint8_t *bytes_queue_extend(struct bytes_queue *q, size_t n);
size_t bytes_queue_len(const struct bytes_queue *q);
/* The content; valid until the next call that changes the queue. */
const uint8_t *bytes_queue_peek(const struct bytes_queue *q, size_t *n);
/* Takes n (<= len) bytes from the head. */
void bytes_queue_drop(struct bytes_queue *q, size_t n);

/*
 * A writing cursor over memory of the caller. A write past the end sets
 * `bad` and writes nothing.
 */
struct bytes_out {
	uint8_t *p;
	size_t left;
	bool bad;
};

struct bytes_out bytes_out(void *data, size_t n);
void bytes_put_u8(struct bytes_out *out, uint8_t v);
void bytes_put_le16(struct bytes_out *out, uint16_t v);
void bytes_put_le32(struct bytes_out *out, uint32_t v);
void bytes_put(struct bytes_out *out, const void *data, size_t n);
void bytes_put_zero(struct bytes_out *out, size_t n);
/*
 * Writes text into a fixed field of n bytes, NUL-padded; always leaves a
 * final NUL, so at most n - 1 characters of it are sent.
 */
void bytes_put_text(struct bytes_out *out, const char *text, size_t n);

#endif
