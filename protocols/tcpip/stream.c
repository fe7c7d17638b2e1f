/* SPDX-License-Identifier: Apache-2.0 */
/* One direction of a captured TCP connection, put in order. */
#include "protocols/tcpip/stream.h"

#include <stdlib.h>
#include <string.h>

struct stream_piece {
	struct stream_piece *next;
	uint32_t seq;
	size_t n;
	uint8_t data[];
};

/* Sequence numbers go round: the nearer way from b to a. */
static int32_t behind(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static void drop_given(struct stream *s)
{
	free(s->given);
	s->given = NULL;
}

void stream_deinit(struct stream *s)
{
	drop_given(s);
	while (s->first) {
		struct stream_piece *next = s->first->next;
		free(s->first);
		s->first = next;
	}
}

void stream_begin(struct stream *s, uint32_t seq)
{
	if (!s->begun)
		s->next = seq;
	s->begun = true;
}

void stream_put(struct stream *s, uint32_t seq, const void *data, size_t n)
{
	drop_given(s);
	stream_begin(s, seq);
	if (!n || behind(seq + (uint32_t)n, s->next) <= 0)
		return; /* all of it came before */
	struct stream_piece *piece = malloc(sizeof(*piece) + n);
	if (!piece)
		abort(); /* bounded by the limits */
	*piece = (struct stream_piece){.seq = seq, .n = n};
	memcpy(piece->data, data, n);
	struct stream_piece **at = &s->first;
	while (*at && behind((*at)->seq, seq) <= 0)
		at = &(*at)->next;
	piece->next = *at;
	*at = piece;
	s->pieces++;
	s->held += n;
}

void stream_end(struct stream *s)
{
	s->ended = true;
}

bool stream_next(
	struct stream *s, const uint8_t **data, size_t *n, uint32_t *missing)
{
	drop_given(s);
	while (s->first) {
		struct stream_piece *piece = s->first;
		int32_t gap = behind(piece->seq, s->next);
		if (gap > 0 && !s->ended && s->pieces < STREAM_PIECES_MAX &&
			s->held < STREAM_HELD_MAX)
			return false;
		s->first = piece->next;
		s->pieces--;
		s->held -= piece->n;
		s->given = piece;
		size_t old = gap < 0 ? (size_t) - (int64_t)gap : 0;
		if (old >= piece->n) {
			drop_given(s);
			continue;
		}
		*data = piece->data + old;
		*n = piece->n - old;
		*missing = gap > 0 ? (uint32_t)gap : 0;
		s->next = piece->seq + (uint32_t)piece->n;
		return true;
	}
	return false;
}
