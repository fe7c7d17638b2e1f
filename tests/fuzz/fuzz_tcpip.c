/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a captured frame, and as segments of a stream. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/tcpip/packet.h"
#include "protocols/tcpip/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth)
{
	if (!truth)
		abort();
}

static void as_frame(int link, const uint8_t *data, size_t size)
{
	struct packet p;
	if (packet_read(link, data, size, &p) != PACKET_TCP)
		return;
	check(p.data >= data && p.data + p.n <= data + size);
}

/* Steps of three: how far on, how long, and whether to take. Each byte of the
 * stream is its number's low byte, whatever order and overlap it came in. */
static void as_stream(const uint8_t *data, size_t size)
{
	struct stream s = {0};
	uint8_t piece[256];
	uint32_t next = 0xffffff00, missing;
	const uint8_t *out;
	size_t n;
	stream_begin(&s, next);
	for (size_t i = 0; i + 3 <= size; i += 3) {
		uint32_t seq = next + data[i] - 64;
		for (size_t at = 0; at < sizeof(piece); at++)
			piece[at] = (uint8_t)(seq + at);
		stream_put(&s, seq, piece, data[i + 1]);
		if (i + 6 > size)
			stream_end(&s);
		while (data[i + 2] & 1 && stream_next(&s, &out, &n, &missing)) {
			check(n > 0);
			next += missing;
			for (size_t at = 0; at < n; at++)
				check(out[at] == (uint8_t)(next + at));
			next += (uint32_t)n;
		}
	}
	stream_deinit(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int links[] = {PACKET_LINK_NULL, PACKET_LINK_ETHERNET,
		PACKET_LINK_RAW, PACKET_LINK_LOOP, PACKET_LINK_SLL,
		PACKET_LINK_IPV4, PACKET_LINK_IPV6, PACKET_LINK_SLL2};
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		as_frame(links[i], data, size);
	as_stream(data, size);
	return 0;
}
