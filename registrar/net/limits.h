/* SPDX-License-Identifier: Apache-2.0 */
/* Caps on connections: in all, half open, half open per address. */
#ifndef REGISTRAR_NET_LIMITS_H
#define REGISTRAR_NET_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct limits;

/* Shared by all workers; thread-safe. */
struct limits *limits_new(uint32_t connections_max, uint32_t half_open_max,
	uint32_t half_open_per_address);
/* A part of another one's, 1/share of each cap: who is counted here is counted
 * there, too. It goes first. */
struct limits *limits_share(struct limits *whole, uint32_t share);
void limits_free(struct limits *l);

/* Is there room for one more connection? Taken by limits_enter. A part does
 * not speak for the whole. */
bool limits_room(struct limits *l);
/* Counts a new, half-open connection from address; false: that address has
 * too many already and nothing was counted. Flows of UDP are counted apart:
 * their address may be forged, and its owner is to get in over TCP. */
bool limits_enter(struct limits *l, const char *address, bool udp);
/* It is half open no more; then, some day, gone. Each is called once. */
void limits_opened(struct limits *l, const char *address, bool udp);
void limits_leave(struct limits *l);

/* Has that address three or more connections half open over TCP, and more than
 * a sixteenth of all that are? */
bool limits_heavy(struct limits *l, const char *address);

struct limits_counts {
	uint32_t connections;
	uint32_t half_open;
	uint32_t connections_max, half_open_max; /* as they are in force */
};
struct limits_counts limits_count(struct limits *l);

/* Unregistered flows of UDP that one worker may have. */
uint32_t limits_idle_flows(uint32_t half_open_max, size_t workers);

#endif
