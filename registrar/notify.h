/* SPDX-License-Identifier: Apache-2.0 */
/* What a service manager is told and gives: systemd's, if it started us. */
#ifndef REGISTRAR_NOTIFY_H
#define REGISTRAR_NOTIFY_H

#include <stddef.h>
#include <stdint.h>

/*
 * sd_notify(3): lines of "NAME=value". Where nobody wants to know, or we were
 * built without libsystemd, nothing happens; this holds for all of these.
 * Thread-safe.
 */
void notify_say(const char *lines);
/* RELOADING=1; "READY=1" is to follow once that is over. Thread-safe. */
void notify_reloading(void);
/* A WATCHDOG=1 is wanted in each such time; 0: it is not. */
uint64_t notify_watchdog_ms(void);

/*
 * The sockets that we were started with (LISTEN_FDS): how many, numbered from
 * NOTIFY_FIRST; *names, one for each ("unknown" where none was given), is the
 * caller's, each and the array, and NULL when there are none.
 */
enum { NOTIFY_FIRST = 3 };
size_t notify_sockets(char ***names);
/* The manager keeps a copy of the descriptor, for whoever it starts after us;
 * it drops all copies of that name, and has done so when we come back. */
void notify_keep(const char *name, int fd);
void notify_drop(const char *name);

#endif
