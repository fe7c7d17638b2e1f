/* SPDX-License-Identifier: Apache-2.0 */
/* Who is served now, who waits, who is refused: one worker's TLS strangers. */
#include "registrar/net/admission.h"

#include <assert.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "protocols/tls/hello.h"
#include "registrar/net/address.h"
#include "registrar/tls/claim.h"

enum {
	HELLO_MAX = 4096, /* more says no phone */
	DEAD_MAX = 32,	  /* refused in a row before somebody else's turn */
};

void admission_init(struct admission *a, const struct config *config,
	size_t workers, const struct resume *resume, struct limits *limits,
	struct overload_part *overload)
{
	size_t waiting = config->waiting_max / workers;
	*a = (struct admission){
		.config = config,
		.resume = resume,
		.limits = limits,
		.overload = overload,
		.room = room_new(waiting ? waiting : 1, config->wait_ms),
	};
}

static void publish(struct admission *a)
{
	struct overload_figures *f = &a->overload->figures;
	overload_set(&f->in_progress, a->in_progress);
	overload_set(&f->resuming, room_count(a->room, ROOM_RESUMING));
	overload_set(&f->strangers, room_count(a->room, ROOM_STRANGERS));
}

/* ---- refusing ---- */

/* With a reset: it is known at once, and no TIME_WAIT is left behind. */
static void refuse(
	struct admission *a, const struct room_guest *guest, uint64_t *counter)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	char address[PEER_ADDRESS_MAX];
	setsockopt(guest->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(guest->fd);
	address_text(&guest->address, address);
	limits_opened(a->limits, address, false);
	limits_leave(a->limits);
	overload_add(counter, 1);
}

static bool is_there(int fd, uint32_t *silent_ms)
{
	struct tcp_info info;
	socklen_t n = sizeof(info);
	*silent_ms = 0;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n) < 0)
		return false;
	*silent_ms = info.tcpi_last_data_recv;
	return info.tcpi_state == TCP_ESTABLISHED;
}

void admission_deinit(struct admission *a)
{
	struct room_guest guest;
	while (a->room && room_take(a->room, 0, &guest))
		refuse(a, &guest, &a->overload->figures.gone);
	room_free(a->room);
	a->room = NULL;
}

/* ---- coming in ---- */

bool admission_somebody_waits(const struct admission *a)
{
	return room_count(a->room, ROOM_RESUMING) ||
	       room_count(a->room, ROOM_STRANGERS);
}

bool admission_at_once(const struct admission *a)
{
	return a->in_progress < a->config->handshakes_max &&
	       !admission_somebody_waits(a);
}

static enum room_class classify(const struct admission *a, int fd)
{
	uint8_t data[HELLO_MAX];
	struct tls_hello hello;
	ssize_t n = recv(fd, data, sizeof(data), MSG_PEEK | MSG_DONTWAIT);
	if (n > 0 && tls_hello_read(data, (size_t)n, &hello) &&
		claim_holds(a->resume, &hello, time(NULL)))
		return ROOM_RESUMING;
	return ROOM_STRANGERS;
}

void admission_wait(struct admission *a, int fd, void *listener,
	const struct in6_addr *address, uint64_t now_ms)
{
	struct overload_figures *f = &a->overload->figures;
	struct room_guest guest = {
		.fd = fd, .listener = listener, .address = *address};
	struct room_guest out;
	uint32_t silent_ms;
	/* Silence since the ClientHello: the time in the kernel's backlog. */
	if (!is_there(fd, &silent_ms)) {
		refuse(a, &guest, &f->gone);
		return;
	}
	if (silent_ms >= a->config->patience_ms) {
		refuse(a, &guest, &f->expired);
		return;
	}
	guest.since_ms = now_ms > silent_ms ? now_ms - silent_ms : 0;
	guest.class = classify(a, fd);
	if (silent_ms > a->longest_ms)
		a->longest_ms = silent_ms;
	if (room_full(a->room)) {
		room_take_heaviest(a->room, &out);
		refuse(a, &out, &f->room_full);
	}
	room_put(a->room, &guest);
	publish(a);
}

/* ---- going on ---- */

static bool worth_it(
	struct admission *a, const struct room_guest *guest, uint64_t now_ms)
{
	struct overload_figures *f = &a->overload->figures;
	uint32_t silent_ms;
	if (!is_there(guest->fd, &silent_ms)) {
		refuse(a, guest, &f->gone);
		return false;
	}
	if (guest->since_ms + a->config->patience_ms <= now_ms) {
		refuse(a, guest, &f->expired);
		return false;
	}
	overload_add(guest->class == ROOM_RESUMING ? &f->waited_resuming
						   : &f->waited_strangers,
		1);
	return true;
}

bool admission_next(
	struct admission *a, bool idle, uint64_t now_ms, struct room_guest *out)
{
	if (!idle && a->in_progress >= a->config->handshakes_max)
		return false;
	for (int i = 0; i < DEAD_MAX && room_take(a->room, now_ms, out); i++)
		if (worth_it(a, out, now_ms))
			return true;
	return false;
}

void admission_started(struct admission *a)
{
	a->in_progress++;
	publish(a);
}

void admission_ended(struct admission *a)
{
	assert(a->in_progress > 0);
	a->in_progress--;
	publish(a);
}

/* ---- time ---- */

/* Of those who wait, and of those who came and went between two ticks. */
static uint64_t oldest_ms(struct admission *a, uint64_t now_ms)
{
	uint64_t oldest = a->longest_ms;
	a->longest_ms = 0;
	for (int class = 0; class < ROOM_CLASSES; class ++) {
		uint64_t ms = room_oldest_ms(a->room, class, now_ms);
		oldest = ms > oldest ? ms : oldest;
	}
	return oldest;
}

void admission_tick(struct admission *a, uint64_t backlog, uint64_t now_ms)
{
	struct overload_figures *f = &a->overload->figures;
	struct room_guest out;
	uint64_t patience_ms = a->config->patience_ms;
	while (now_ms > patience_ms &&
		room_take_older(a->room, now_ms - patience_ms, &out))
		refuse(a, &out, &f->expired);
	overload_set(&f->oldest_ms, oldest_ms(a, now_ms));
	overload_set(&f->backlog, backlog);
	publish(a);
	overload_report(a->overload, now_ms);
}
