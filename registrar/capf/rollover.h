/* SPDX-License-Identifier: Apache-2.0 */
/* The CAPF root is replaced without losing a phone. */
#ifndef REGISTRAR_CAPF_ROLLOVER_H
#define REGISTRAR_CAPF_ROLLOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "certs/diag.h"
#include "certs/identity.h"

struct server;

/*
 * idle -> start -> started -> finish -> idle. Which it is can be read off the
 * roots' folder and the stores, so that a restart at any step loses nothing and
 * the same order goes on with what was cut short.
 * X(symbol, name)
 */
#define ROLLOVER_STATE_LIST(X)                                              \
	X(IDLE, "idle")		  /* one root */                            \
	X(STARTING, "starting")	  /* a new root, which does not sign yet */ \
	X(STARTED, "started")	  /* it signs, and both are trusted */      \
	X(FINISHING, "finishing") /* a store does not trust the old one */

enum rollover_state {
#define X(symbol, name) ROLLOVER_##symbol,
	ROLLOVER_STATE_LIST(X)
#undef X
};
const char *rollover_state_name(enum rollover_state state);

/* A device whose LSC the old root signed, or may have signed. Times are unix
 * seconds. */
struct rollover_phone {
	char device[CERT_DEVICE_MAX + 1];
	bool registered;
	/* Nobody has seen which certificate it has, and it registers, or its
	 * profile wants it to have one. */
	bool unseen;
	int64_t seen;	/* last sign of life; 0: none is known */
	bool recent;	/* registered, or seen within capf.live_days, or of the
			 * old root and nobody knows when: holds up the end */
	bool queued;	/* something is pending for it at CAPF */
	char last[512]; /* why that did not come about yet; "" */
};

struct rollover_view {
	enum rollover_state state;
	char old_name[CERT_NAME_MAX + 1], new_name[CERT_NAME_MAX + 1];
	char old_sha256[65], new_sha256[65];
	size_t done;	/* devices whose LSC the new root signed */
	size_t left;	/* devices of the old one; of these: */
	size_t offline; /* not registered now */
	size_t recent, queued;
	size_t unseen;	      /* devices whose certificate nobody has seen */
	size_t unseen_recent; /* of them, those that hold up the end */
	struct rollover_phone *phones; /* those left and unseen, by name */
	size_t n_phones;
	/* Which root is not trusted where it should be, and the cure; "" */
	char missing[256];
};

/* Looks at every device: its certificate was last seen under the old root, or
 * the ledger says that it has one of that, or may have (a stale one, and it has
 * shown none since), and no newer one; or nothing is known of its certificate:
 * neither handshake nor ledger, nor what Troubleshoot fetched. -errno with d.
 */
int rollover_look(struct server *s, struct rollover_view *out, struct diag *d);
void rollover_view_deinit(struct rollover_view *v);

/* ---- orders, from one thread at a time. -errno with d: -ENOTSUP there is no
 * CAPF, or its issuer is outside; -EBUSY not in this state; -EPERM refused ----
 */

/* A new root is made, put into both stores and, once it is in force there,
 * signs. TLS at the CAPF port goes on with the old one's certificate, which
 * phones' ITLs name. Where a rollover is under way whose roots are not both in
 * force in both stores, they are put there again. */
int rollover_start(struct server *s, struct diag *d);
/* Queues every phone of the old root for which nothing is pending: so many
 * turns in a minute (0: all at once), each told to come if `tell`. */
int rollover_issue(struct server *s, unsigned per_min, bool tell,
	size_t *queued, struct diag *d);
/* What somebody takes the blame for: phones that are locked out; phones that
 * may be, for nobody has seen their certificates. */
struct rollover_consent {
	bool force, unseen;
};
/* The old root leaves both stores and its key is destroyed; -EPERM and nothing
 * done while recent phones hang on it, or may, without that consent; -EBUSY: a
 * store does not trust the new one. *view is filled in either case, for the
 * caller to deinit. */
int rollover_finish(struct server *s, const struct rollover_consent *consent,
	struct rollover_view *view, struct diag *d);
/* A start that came to nothing is undone: the new root goes. */
int rollover_cancel(struct server *s, struct diag *d);

/* What each of these would answer now; nothing is changed. */
int rollover_may_start(struct server *s, struct diag *d);
int rollover_may_issue(struct server *s, size_t *queued, struct diag *d);
int rollover_may_finish(struct server *s,
	const struct rollover_consent *consent, struct rollover_view *view,
	struct diag *d);
int rollover_may_cancel(struct server *s, struct diag *d);

#endif
