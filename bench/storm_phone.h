/* SPDX-License-Identifier: Apache-2.0 */
/* One phone of a storm: what becomes of it, visit after visit. */
#ifndef BENCH_STORM_PHONE_H
#define BENCH_STORM_PHONE_H

#include "bench/storm.h"

struct storm_phone {
	struct storm *storm;
	struct storm_phone *next; /* in a list of the storm's */
	struct storm_role role;
	SSL_SESSION *session;
	struct handset handset;
	uv_timer_t again; /* tries again, hangs up, or has rested */
	uint64_t due_ns;  /* of its arrival, as uv_hrtime() counts */
	uint64_t told_ms; /* to wait, since then */
	unsigned tries;	  /* of its arrival, so far */
	bool gated;	  /* waits at the gate */
	bool busy;	  /* has passed it, and is on its way */
	bool flying;	  /* handset is in use */
	bool undecided;	  /* its arrival is neither in nor failed */
	bool leaving;	  /* it hangs up by itself */
	bool back;	  /* was held, lost, and comes again */
	struct sockaddr_in from;
	char device[NAMES_DEVICE_MAX + 1];
	char line[NAMES_LINE_MAX + 1];
};

/* The i-th of the storm, named and with its certificate; idle. 0, or -errno
 * with d set. */
int storm_phone_make(
	struct storm *s, unsigned i, struct storm_phone *p, struct diag *d);
/* Fills in what handsets call. */
void storm_phone_set_up(struct handset_setup *setup);
/* It comes: for an arrival that was due at due_ns, or to be primed. */
void storm_phone_come(struct storm_phone *p, uint64_t due_ns);
/* The gate is open for it. */
void storm_phone_enter(struct storm_phone *p);
/* Hangs up now, registered or not, and does not come again by itself. */
void storm_phone_stop(struct storm_phone *p);

#endif
