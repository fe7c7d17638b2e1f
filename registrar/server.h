/* SPDX-License-Identifier: Apache-2.0 */
/* The registrar as a whole: its stores, its workers, its status. */
#ifndef REGISTRAR_SERVER_H
#define REGISTRAR_SERVER_H

#include <stddef.h>
#include <stdint.h>

#include "certs/diag.h"
#include "registrar/capf/authority.h"
#include "registrar/capf/desk.h"
#include "registrar/census.h"
#include "registrar/config.h"
#include "registrar/directory.h"
#include "registrar/failures.h"
#include "registrar/locations.h"
#include "registrar/net/conn.h"
#include "registrar/net/limits.h"
#include "registrar/overload.h"
#include "registrar/reload.h"
#include "registrar/tls/profile.h"

struct server;

/* Builds everything and starts to serve. Owns nothing of config, which must
 * outlive it. 0, or -errno with d: one line that says what and where. */
int server_new(
	const struct config *config, struct server **out, struct diag *d);
/* Closes every connection and frees everything. */
void server_free(struct server *s);

/*
 * Reads the trust folders, each as reload_run() has it, for connections to
 * come; what is refused stays as it was, and log and status say why. What the
 * watch sees is reloaded without this. Thread-safe.
 */
int server_reload(struct server *s, bool explicit_order, struct diag *d);
/* The same as an explicit order, but later, on the watch's thread. */
void server_ask_reload(struct server *s);

/*
 * Tells a registered phone, on its connection. 0: it is on its way; -ENOENT or
 * -ENOTCONN with d: there is nobody to tell. Thread-safe.
 */
int server_order(struct server *s, const char *device, enum phone_order order,
	struct diag *d);
/* What that would answer now, and the phone's connection unless ref is NULL;
 * nobody is told anything. */
int server_may_order(struct server *s, const char *device, struct conn_ref *ref,
	struct diag *d);

/*
 * After a reload: each worker closes those of its phones whose certificate is
 * revoked now and, where trust.removed says so, those whose CA was removed.
 * Answers before they have. Thread-safe.
 */
void server_sweep(struct server *s);

/* Keeps ticket keys young, does what is due of CAPF, warns of lists of revoked
 * certificates that end. Call it now and then, from the main loop. */
void server_tend(struct server *s);

/* Have the loops of all workers turned since this was last asked? If not, it
 * is logged. Of the main loop. */
bool server_is_alive(struct server *s);

/* ---- for status; thread-safe ---- */

struct server_listener {
	const struct config_listener *config;
	uint16_t port;	/* the real one */
	bool inherited; /* whoever started us had it open */
};

const struct config *server_config(const struct server *s);
struct directory *server_directory(struct server *s);
struct history *server_history(struct server *s);
/* NULL: no listener is CAPF's. */
struct capf_desk *server_capf(struct server *s);
struct capf_authority *server_authority(struct server *s);
struct capf_counts *server_capf_counts(struct server *s);
struct inventory *server_inventory(struct server *s);
struct leaves *server_leaves(struct server *s);
struct census_sources server_census(struct server *s);
struct impact *server_impact(struct server *s);
struct locations *server_locations(struct server *s);
struct failures *server_failures(struct server *s);
struct limits_counts server_limits(struct server *s);
/* What admission does, and why. */
struct overload_view server_overload(struct server *s);
/* Sums of all workers; what one of them counted. */
struct conn_counters server_counters(struct server *s);
struct conn_counters server_worker_counters(struct server *s, size_t worker);
/* The same of what they count by name and by time. */
void server_meters(struct server *s, struct meters *sum);
const struct meters *server_worker_meters(struct server *s, size_t worker);
const struct server_listener *server_listeners(
	const struct server *s, size_t *n);
/* The profiles in force; the caller unrefs them. */
struct profiles *server_profiles(struct server *s);
/* A reference of the caller's; NULL: there is no such store. */
struct trust_snapshot *server_trust(struct server *s, enum trust_store store);
/* The same, and what is said of it. */
struct trust_snapshot *server_trust_state(struct server *s,
	enum trust_store store, struct trust_store_state *out);
/* Why changes of that store's folder are not noticed; "": they are. */
void server_trust_unwatched(
	struct server *s, enum trust_store store, char *why, size_t n);
/* Of the registrar's own certificates. */
struct reload_refusal server_own_refused(struct server *s);
int64_t server_started_ms(const struct server *s);
size_t server_workers(const struct server *s);
struct server_memory {
	size_t resident;
	/* What it grew by since nobody was connected, by connection; 0 where
	 * there are too few to tell. */
	size_t per_connection;
	size_t session_cache; /* in use; resident only as far as touched */
};
struct server_memory server_memory(struct server *s);
/* Keys, cache and verdicts of resumption. */
struct resume *server_resume(struct server *s);

#endif
