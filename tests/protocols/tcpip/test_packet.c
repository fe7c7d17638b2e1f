/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about captured frames, of every link layer that is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/tcpip/packet.h"

enum { FRAME_MAX = 512, PAYLOAD = 5 };

struct frame {
	size_t n;
	uint8_t data[FRAME_MAX];
};

static void add(struct frame *f, const void *data, size_t n)
{
	assert_true(f->n + n <= sizeof(f->data));
	memcpy(f->data + f->n, data, n);
	f->n += n;
}

#define ADD(f, ...)                                    \
	do {                                           \
		const uint8_t bytes[] = {__VA_ARGS__}; \
		add(f, bytes, sizeof(bytes));          \
	} while (0)

/* Port 50000 to 5061, number 0x01020304, PSH and ACK, four option bytes. */
static void add_tcp(struct frame *f)
{
	ADD(f, 0xc3, 0x50, 0x13, 0xc5, 1, 2, 3, 4, 0, 0, 0, 0, 6 << 4, 0x18,
		0xff, 0xff, 0, 0, 0, 0, 1, 1, 1, 1);
	add(f, "hello", PAYLOAD);
}

static void add_ipv4(struct frame *f, unsigned fragment, unsigned protocol)
{
	size_t tcp = 24 + PAYLOAD;
	ADD(f, 0x46, 0, 0, (uint8_t)(24 + tcp), 0, 0, (uint8_t)(fragment >> 8),
		(uint8_t)fragment, 64, (uint8_t)protocol, 0, 0, 10, 0, 0, 2, 10,
		0, 0, 1, 1, 1, 1, 1);
	add_tcp(f);
}

/* With a hop-by-hop header in front of what follows. */
static void add_ipv6(struct frame *f)
{
	size_t tcp = 24 + PAYLOAD;
	ADD(f, 0x60, 0, 0, 0, 0, (uint8_t)(8 + tcp), 0, 64);
	ADD(f, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2);
	ADD(f, 0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1);
	ADD(f, 6, 0, 1, 4, 0, 0, 0, 0);
	add_tcp(f);
}

static void looks_right(int link, const struct frame *f, bool ipv6)
{
	struct packet p;
	uint8_t *exact = malloc(f->n);
	assert_non_null(exact);
	memcpy(exact, f->data, f->n);
	assert_int_equal(packet_read(link, exact, f->n, &p), PACKET_TCP);
	assert_int_equal(p.ipv6, ipv6);
	assert_int_equal(p.from.port, 50000);
	assert_int_equal(p.to.port, 5061);
	assert_int_equal(p.from.address[ipv6 ? 15 : 3], 2);
	assert_int_equal(p.to.address[ipv6 ? 15 : 3], 1);
	assert_int_equal(p.seq, 0x01020304);
	assert_int_equal(p.flags & (PACKET_SYN | PACKET_ACK), PACKET_ACK);
	assert_int_equal(p.n, PAYLOAD);
	assert_memory_equal(p.data, "hello", PAYLOAD);
	free(exact);
}

static void add_ethernet(struct frame *f, unsigned type)
{
	ADD(f, 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 7, (uint8_t)(type >> 8),
		(uint8_t)type);
}

static void ethernet_is_read_with_its_tags_and_padding(void **state)
{
	struct frame plain = {0}, tagged = {0}, twice = {0}, six = {0};
	add_ethernet(&plain, 0x0800);
	add_ipv4(&plain, 0x4000, 6); /* do not fragment */
	ADD(&plain, 0, 0, 0, 0);     /* to 60 bytes */
	looks_right(PACKET_LINK_ETHERNET, &plain, false);
	add_ethernet(&tagged, 0x8100);
	ADD(&tagged, 0, 100, 0x08, 0x00);
	add_ipv4(&tagged, 0, 6);
	looks_right(PACKET_LINK_ETHERNET, &tagged, false);
	add_ethernet(&twice, 0x88a8);
	ADD(&twice, 0, 100, 0x81, 0x00, 0, 7, 0x86, 0xdd);
	add_ipv6(&twice);
	looks_right(PACKET_LINK_ETHERNET, &twice, true);
	add_ethernet(&six, 0x86dd);
	add_ipv6(&six);
	looks_right(PACKET_LINK_ETHERNET, &six, true);
}

static void other_links_are_read(void **state)
{
	struct frame raw = {0}, raw6 = {0}, null = {0}, sll = {0}, sll2 = {0};
	add_ipv4(&raw, 0, 6);
	looks_right(PACKET_LINK_RAW, &raw, false);
	looks_right(PACKET_LINK_IPV4, &raw, false);
	add_ipv6(&raw6);
	looks_right(PACKET_LINK_RAW, &raw6, true);
	looks_right(PACKET_LINK_IPV6, &raw6, true);
	ADD(&null, 2, 0, 0, 0);
	add_ipv4(&null, 0, 6);
	looks_right(PACKET_LINK_NULL, &null, false);
	looks_right(PACKET_LINK_LOOP, &null, false);
	ADD(&sll, 0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x08, 0x00);
	add_ipv4(&sll, 0, 6);
	looks_right(PACKET_LINK_SLL, &sll, false);
	ADD(&sll2, 0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6,
		0, 0);
	add_ipv6(&sll2);
	looks_right(PACKET_LINK_SLL2, &sll2, true);
	assert_true(packet_link_known(PACKET_LINK_SLL2));
	assert_false(packet_link_known(127)); /* 802.11 radiotap */
}

static void what_is_no_whole_segment_is_told_apart(void **state)
{
	struct packet p;
	struct frame udp = {0}, piece = {0}, arp = {0}, good = {0};
	add_ipv4(&udp, 0, 17);
	assert_int_equal(packet_read(PACKET_LINK_RAW, udp.data, udp.n, &p),
		PACKET_OTHER);
	add_ipv4(&piece, 0x2000, 6);
	assert_int_equal(packet_read(PACKET_LINK_RAW, piece.data, piece.n, &p),
		PACKET_FRAGMENT);
	add_ethernet(&arp, 0x0806);
	assert_int_equal(packet_read(PACKET_LINK_ETHERNET, arp.data, arp.n, &p),
		PACKET_OTHER);
	add_ipv4(&good, 0, 6);
	for (size_t n = 1; n < good.n - PAYLOAD; n++)
		assert_int_equal(packet_read(PACKET_LINK_RAW, good.data, n, &p),
			PACKET_BROKEN);
	/* The captor kept less than there was: what is there counts. */
	assert_int_equal(
		packet_read(PACKET_LINK_RAW, good.data, good.n - 2, &p),
		PACKET_TCP);
	assert_int_equal(p.n, PAYLOAD - 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ethernet_is_read_with_its_tags_and_padding),
		cmocka_unit_test(other_links_are_read),
		cmocka_unit_test(what_is_no_whole_segment_is_told_apart),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("packet", tests, NULL, NULL);
}
