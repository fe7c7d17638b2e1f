/* SPDX-License-Identifier: Apache-2.0 */
/* Trust and certificates in force, and how newer ones take their place. */
#ifndef REGISTRAR_RELOAD_H
#define REGISTRAR_RELOAD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/diag.h"
#include "registrar/config.h"
#include "registrar/tls/profile.h"
#include "registrar/tls/resume.h"
#include "trust/snapshot.h"

/* X(symbol, name, what CUCM calls it, the option that names its folder) */
#define TRUST_STORE_LIST(X)                                              \
	X(CALLMANAGER, "callmanager", "CallManager-trust", trust_folder) \
	X(CAPF, "capf", "CAPF-trust", trust_capf)

enum trust_store {
#define X(symbol, name, title, option) STORE_##symbol,
	TRUST_STORE_LIST(X)
#undef X
		TRUST_STORES
};
const char *trust_store_name(enum trust_store store);
const char *trust_store_title(enum trust_store store);
/* Its folder; "": the configuration has no such store. */
const char *trust_store_folder(
	const struct config *config, enum trust_store store);

/* What is on the disk but not in force, and why. */
struct reload_refusal {
	int64_t since_ms; /* unix: the first refusal; 0: nothing is refused */
	int64_t last_ms;  /* the last one */
	uint64_t retries; /* looks since the first that ended like it */
	const char *rule; /* stays */
	char file[NAME_MAX + 1]; /* inside the folder; "": none in particular */
	int line;		 /* 0: none in particular */
	char why[512];
	const char *cure; /* stays */
};

enum { RELOAD_RULES_MAX = 64 };

/* One store, for status. */
struct trust_store_state {
	int64_t loaded_ms; /* unix: of the set in force */
	struct reload_refusal refused;
	/* Refusals since the start, by rule; what is tried again for the
	 * same reason is one. */
	struct {
		const char *rule;
		uint64_t n;
	} refusals[RELOAD_RULES_MAX];
	size_t n_refusals;
};

/* Called once a set is in force, on the thread that reloads. before is NULL
 * at the start. */
typedef void (*reload_fn)(void *self, enum trust_store store,
	struct trust_snapshot *before, struct trust_snapshot *after);

struct reload;

/* Nothing is in force before the first reload_run(). */
struct reload *reload_new(const struct config *config, struct resume *resume,
	reload_fn took_effect, void *self);
/* CAPF's listeners show that root; before the first reload_run(). */
void reload_use_capf(struct reload *r, struct capf_authority *authority);
void reload_free(struct reload *r);

/*
 * Reads the stores and puts them in force, each one for itself: the whole new
 * set, or what was in force stays. A folder that says what is in force already
 * changes nothing; CAPF's listeners get the root that it shows now. asked: an
 * admin wants it; then files may have lost certificates, our own certificates
 * are read anew, too, and it is logged whatever comes of it. 0, or -errno with
 * d: the first refusal. From any thread, one at a time.
 */
int reload_run(struct reload *r, bool asked, struct diag *d);

/* ---- what is in force; thread-safe ---- */

/* A reference of the caller's, NULL: there is no such store; and what is said
 * of it, unless out is NULL. */
struct trust_snapshot *reload_trust(struct reload *r, enum trust_store store,
	struct trust_store_state *out);
struct profiles *reload_profiles(struct reload *r);
/* Where the pointer to those lies, to be read atomically. */
struct profiles *const *reload_profiles_at(const struct reload *r);
/* Of the registrar's own certificates. */
struct reload_refusal reload_own_refused(struct reload *r);

#endif
