/* SPDX-License-Identifier: Apache-2.0 */
/* Many handsets on one loop: they come at a rate, stay together, and leave. */
#ifndef BENCH_FLEET_H
#define BENCH_FLEET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <uv.h>

#include "bench/enrol_tally.h"
#include "bench/life.h"
#include "certs/diag.h"

enum fleet_end {
	FLEET_HOLD,    /* leave hold_ms after the last one is in (or lost) */
	FLEET_FOREVER, /* leave at fleet_stop() */
};

enum fleet_goodbye { FLEET_UNREGISTER, FLEET_HANG_UP };

/* How a fleet comes to CAPF. */
struct fleet_capf {
	/* loop, plain, received and the callbacks are filled in */
	struct enrol_setup enrol;
	enum life_when when;
	enum life_until until;
	uint32_t retry_ms;
	enum enrol_step die_after;
	/* NONE: as the flash says, and by null string if that says nothing. */
	enum flash_mode mode;
	const char *flash;	   /* the folder of a single phone's; or NULL */
	struct enrol_tally *tally; /* NULL: nobody counts */
};

struct fleet_config {
	const struct target *target;
	SSL_CTX *ctx; /* NULL: plain TCP */
	struct credential_source *credentials;
	const struct fleet_capf *capf; /* NULL: there is no CAPF */
	struct talk_config talk;       /* as in struct handset_setup */
	const char *device;	       /* of the first one */
	const char *line;
	unsigned count;
	unsigned rate; /* connects per second, 0: all at once */
	uint32_t connect_ms;
	enum fleet_end end;
	uint64_t hold_ms;
	enum fleet_goodbye goodbye;
	FILE *console;	 /* or NULL */
	bool comes_back; /* as in struct life_setup */
	/* Each phone's result is final; called once for every one. */
	void (*on_result)(void *owner, const struct life *l);
	void *owner;
};

enum { FLEET_MAX = 15000 };

struct fleet {
	struct fleet_config config;
	struct enrol_setup enrol;
	struct life_setup setup;
	struct life *lives;
	uv_timer_t ramp;
	uv_timer_t hold;
	uint64_t ramp_from_ms;
	unsigned made;	  /* lives of the array that are init'ed */
	unsigned started; /* of them, in order */
	unsigned decided; /* registered or over, each counted once */
	unsigned over;
	bool stopping;
	uint8_t plain[TLS_PLAIN_MAX];
	char received[HANDSET_READ_MAX];
};

/* Raises the soft limit of descriptors to what `phones` need.
 * 0, or -EMFILE with d set when the hard limit is too low. */
int fleet_raise_limit(unsigned phones, struct diag *d);

/* Makes every phone with its certificate. 0, or -errno with d set; call
 * fleet_deinit() in both cases. */
int fleet_init(struct fleet *f, uv_loop_t *loop,
	const struct fleet_config *config, struct diag *d);
/* The loop ends by itself when every phone is closed. */
void fleet_start(struct fleet *f);
/* Power is cut for all of them; or is back, and they start at the fleet's
 * rate. */
void fleet_power(struct fleet *f, bool on);
/* Everybody leaves now. */
void fleet_stop(struct fleet *f);
/* After the loop has ended, or without fleet_start(). */
void fleet_deinit(struct fleet *f);

#endif
