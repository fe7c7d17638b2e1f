/* SPDX-License-Identifier: Apache-2.0 */
/* A phone's line over UDP: what it asks is asked again until it is heard. */
#include "bench/udp_line.h"

#include <stdlib.h>
#include <string.h>

#include "protocols/moment.h"
#include "protocols/sip/datagram.h"
#include "protocols/sip/transactions.h"

enum { RETX = 10, T1_MS = 500, T2_MS = 4000 };

int udp_line_open(struct udp_line *l, const struct target *target,
	const struct sockaddr *from, uv_alloc_cb alloc, uv_udp_recv_cb received)
{
	int error = from ? uv_udp_bind(&l->udp, from, 0) : 0;
	if (!error)
		error = uv_udp_connect(
			&l->udp, (const struct sockaddr *)&target->address);
	if (!error)
		error = uv_udp_recv_start(&l->udp, alloc, received);
	return error;
}

static bool post(struct udp_line *l, const void *data, size_t n)
{
	uv_buf_t buffer = uv_buf_init((char *)data, (unsigned)n);
	int sent = uv_udp_try_send(&l->udp, &buffer, 1, NULL);
	/* A full socket loses it, as any line may. */
	return sent >= 0 || sent == UV_EAGAIN;
}

static uint64_t key_of(const void *data, size_t n)
{
	struct sip_head head;
	sip_head_index(&head, data, n);
	return sip_transactions_key(&head);
}

static void forget(struct udp_line *l)
{
	free(l->asked);
	l->asked = NULL;
}

static void ask(struct udp_line *l, const void *data, size_t n)
{
	forget(l);
	l->key = key_of(data, n);
	l->asked = malloc(n);
	if (!l->asked)
		abort();
	memcpy(l->asked, data, n);
	l->n = n;
	l->left = RETX;
	l->pause_ms = T1_MS;
	l->again_ms = uv_now(l->udp.loop) + T1_MS;
}

bool udp_line_send(struct udp_line *l, const void *data, size_t n)
{
	const uint8_t *p = data, *end = p + n;
	bool request, sent = true;
	while (p < end && sent) {
		n = sip_datagram_first(p, (size_t)(end - p), &request);
		if (request)
			ask(l, p, n);
		sent = post(l, p, n);
		p += n;
	}
	return sent;
}

bool udp_line_takes(struct udp_line *l, const void *data, size_t n)
{
	bool answer = n >= 4 && memcmp(data, "SIP/", 4) == 0;
	if (!answer)
		return true;
	if (!l->asked || key_of(data, n) != l->key)
		return false;
	forget(l);
	return true;
}

uint64_t udp_line_deadline(const struct udp_line *l)
{
	return l->asked && l->left ? l->again_ms : MOMENT_NEVER;
}

void udp_line_tick(struct udp_line *l, uint64_t now_ms)
{
	if (now_ms < udp_line_deadline(l))
		return;
	l->left--;
	l->pause_ms = 2 * l->pause_ms < T2_MS ? 2 * l->pause_ms : T2_MS;
	l->again_ms = now_ms + l->pause_ms;
	post(l, l->asked, l->n);
}

void udp_line_deinit(struct udp_line *l)
{
	forget(l);
}
