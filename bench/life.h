/* SPDX-License-Identifier: Apache-2.0 */
/* One phone's life: it comes to CAPF when it has to, registers, comes back. */
#ifndef BENCH_LIFE_H
#define BENCH_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/enrol.h"
#include "bench/flash.h"
#include "bench/handset.h"

/* When a phone comes to CAPF before it registers. X(symbol, word) */
#define LIFE_WHEN_LIST(X)                                                     \
	X(LACKING, "lacking") /* it has no LSC */                             \
	X(RESET, "reset")     /* that, and when the server resets it; with an \
			       * authentication string only somebody at the   \
			       * phone makes it come */                       \
	X(ALWAYS, "always")   /* that, and whenever it starts */

enum life_when {
#define X(symbol, word) LIFE_WHEN_##symbol,
	LIFE_WHEN_LIST(X)
#undef X
};

/* How far it wants to come. */
enum life_until { LIFE_REGISTERED, LIFE_ENROLLED };

/* What became of a phone at CAPF, over all its visits. */
struct life_enrolment {
	struct enrol_result last; /* visit; NONE: there was none */
	unsigned visits;
	unsigned retries; /* visits after a broken one */
};

struct life;

/* What phones of one fleet share; outlives them. */
struct life_setup {
	struct handset_setup handset;	 /* its callbacks are ours */
	const struct enrol_setup *enrol; /* NULL: there is no CAPF */
	enum life_when when;
	enum life_until until;
	uint32_t retry_ms;	   /* a broken visit is tried again after it */
	enum enrol_step die_after; /* once in a life; ENROL_STEPS: never */
	/* Lost or refused, it comes again: after a second, doubled up to 60,
	 * half of it by chance. */
	bool comes_back;
	/* Registered, or enrolled if it wants no more: for the first time. */
	void (*on_in)(struct life *l);
	/* A visit to CAPF has ended; NULL: nobody wants to know. */
	void (*on_visit)(struct life *l, const struct enrol_result *result);
	/* A try to register has failed, and it comes again; or NULL. */
	void (*on_setback)(struct life *l, const struct handset_result *result);
	/* It is over; life_deinit() is due. */
	void (*on_over)(struct life *l);
};

enum life_state {
	LIFE_NEW,
	LIFE_VISITING,	  /* CAPF */
	LIFE_WAITING,	  /* to try CAPF again, or the registrar */
	LIFE_REGISTERING, /* the handset is in use */
	LIFE_OFF,	  /* without power */
	LIFE_OVER,
};

struct life {
	const struct life_setup *setup;
	enum life_state state;
	struct handset handset;
	struct flash flash;
	struct life_enrolment enrolment;
	struct enrol *visit; /* while VISITING */
	uv_timer_t timer;    /* while WAITING */
	unsigned number;     /* which of the fleet */
	unsigned tries;	     /* of one visit, or to register, so far */
	unsigned comings;    /* after it was lost, or had no power */
	bool in;	     /* on_in was called */
	bool died;	     /* power was cut after die_after */
	bool stopping;
	bool falling; /* power is cut; OFF when its connection is closed */
	bool rises;   /* and is back again already */
	void *owner;
};

/* Takes over the flash. console.to of l->handset may be set. */
void life_init(struct life *l, const struct life_setup *setup,
	const char *device, const char *line, struct flash *flash);
/* When it is over. */
void life_deinit(struct life *l);
void life_start(struct life *l);
/* Fills in what handsets call. */
void life_set_up(struct life_setup *setup);
/* And what visits call. */
void life_set_up_enrol(struct enrol_setup *setup);
/* Leaves in order, wherever it is; hang_up: without a goodbye. */
void life_leave(struct life *l, bool hang_up);
/* Power is cut: all is gone but the flash. And comes back: it starts. */
void life_power_off(struct life *l);
void life_power_on(struct life *l);
/* It did what was asked: the last outcome is good, and, where it should have
 * enrolled, it has an LSC or CAPF ended its last visit well. */
bool life_good(const struct life *l);

#endif
