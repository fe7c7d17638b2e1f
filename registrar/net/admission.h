/* SPDX-License-Identifier: Apache-2.0 */
/* Who is served now, who waits, who is refused: one worker's TLS strangers. */
#ifndef REGISTRAR_NET_ADMISSION_H
#define REGISTRAR_NET_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "registrar/net/limits.h"
#include "registrar/net/room.h"
#include "registrar/overload.h"
#include "registrar/tls/resume.h"

/*
 * Beyond limits.handshakes in progress, accepted sockets wait as bare
 * descriptors with their ClientHello unread. Every guest was counted by
 * limits_enter(); whoever is refused here is taken off it.
 */
struct admission {
	const struct config *config;
	const struct resume *resume;
	struct limits *limits;
	struct overload_part *overload;
	struct room *room;
	uint32_t in_progress;
	uint64_t longest_ms; /* that a newcomer had waited, since the tick */
};

void admission_init(struct admission *a, const struct config *config,
	size_t workers, const struct resume *resume, struct limits *limits,
	struct overload_part *overload);
/* Closes all who wait. */
void admission_deinit(struct admission *a);

/* May one more be accepted and started without waiting? */
bool admission_at_once(const struct admission *a);
/* Lets an accepted socket wait. It is classified by its ClientHello; in a full
 * room it takes the place of another (room_take_heaviest). */
void admission_wait(struct admission *a, int fd, void *listener,
	const struct in6_addr *address, uint64_t now_ms);
/*
 * The next to be started; false: nobody may be. `idle` says that the worker
 * has nothing else to do; then more than limits.handshakes may be in
 * progress: they wait for their phones and not for us.
 */
bool admission_next(struct admission *a, bool idle, uint64_t now_ms,
	struct room_guest *out);
bool admission_somebody_waits(const struct admission *a);

/* A TLS connection was started; its handshake ended, well or not. */
void admission_started(struct admission *a);
void admission_ended(struct admission *a);

/* Some times a second while anybody waits: refuses who waited too long, and
 * reports. backlog: connections in the kernel. */
void admission_tick(struct admission *a, uint64_t backlog, uint64_t now_ms);

#endif
