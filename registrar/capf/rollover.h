/* SPDX-License-Identifier: Apache-2.0 */
/* The CAPF root is replaced without losing a phone. */
#ifndef REGISTRAR_CAPF_ROLLOVER_H
#define REGISTRAR_CAPF_ROLLOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "certs/diag.h"
#include "certs/identity.h"

struct server;

/* idle -> start -> started -> finish -> idle. X(symbol, name) */
#define ROLLOVER_STATE_LIST(X)                                               \
	X(IDLE, "idle")		  /* one root */                             \
	X(STARTING, "starting")	  /* a start was cut short: start again */   \
	X(STARTED, "started")	  /* the new root signs, both are trusted */ \
	X(FINISHING, "finishing") /* a finish was cut short: finish again */

enum rollover_state {
#define X(symbol, name) ROLLOVER_##symbol,
	ROLLOVER_STATE_LIST(X)
#undef X
};
const char *rollover_state_name(enum rollover_state state);

/* A device that hangs on the old root. */
struct rollover_phone {
	char device[CERT_DEVICE_MAX + 1];
	bool registered;
	int64_t seen; /* unix seconds; 0: never */
	bool recent;  /* live, or seen within capf.live_days: holds up finish */
	bool queued;  /* an install is pending */
	char last[512]; /* its last failure; "" */
};

struct rollover_view {
	enum rollover_state state;
	char old_name[CERT_NAME_MAX + 1], new_name[CERT_NAME_MAX + 1];
	char old_sha256[65], new_sha256[65];
	size_t done; /* devices whose last LSC is the new root's */
	size_t left; /* devices on the old one; of these: */
	size_t offline, recent, queued;
	struct rollover_phone *phones; /* those left, by name; caller frees */
};
int rollover_look(struct server *s, struct rollover_view *out, struct diag *d);
void rollover_view_deinit(struct rollover_view *v);

/* New root made, put into both stores, in force there, and it signs. */
int rollover_start(struct server *s, struct diag *d);
/* Queues every phone of the old root that has nothing pending. */
int rollover_issue(struct server *s, unsigned per_min, bool tell,
	size_t *queued, struct diag *d);
/* -EPERM with view->recent > 0: phones depend on it; force: all the same, and
 * it is logged. */
int rollover_finish(struct server *s, bool force, struct rollover_view *view,
	struct diag *d);
/* Back to the old root, while the new one has issued nothing. */
int rollover_cancel(struct server *s, struct diag *d);

#endif
