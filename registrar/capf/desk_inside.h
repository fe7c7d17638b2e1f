/* SPDX-License-Identifier: Apache-2.0 */
/* The desk's own parts: what its files share, and nobody else sees. */
#ifndef REGISTRAR_CAPF_DESK_INSIDE_H
#define REGISTRAR_CAPF_DESK_INSIDE_H

#include <pthread.h>

#include <openssl/evp.h>

#include "registrar/capf/authenticate.h"
#include "registrar/capf/desk.h"
#include "registrar/capf/est.h"
#include "registrar/log.h"

/* What is written down. X(symbol, name in the audit chain, its log event) */
#define DESK_EVENT_LIST(X)                                  \
	X(ORDERED, "ordered", LOG_EVENTS)                   \
	X(CANCELLED, "cancelled", LOG_EVENTS)               \
	X(FORGOTTEN, "device-gone", LOG_EVENTS)             \
	X(ADMITTED, "admitted", LOG_EV_CAPF_ADMITTED)       \
	X(REFUSED, "refused", LOG_EV_CAPF_REFUSED)          \
	X(LATE, "late", LOG_EV_CAPF_REFUSED)                \
	X(REQUESTED, "requested", LOG_EV_CAPF_REQUESTED)    \
	X(IMPORTED, "imported", LOG_EV_CAPF_ISSUED)         \
	X(ISSUED, "issued", LOG_EV_CAPF_ISSUED)             \
	X(DELIVERED, "delivered", LOG_EV_CAPF_ISSUED)       \
	X(AGAIN, "delivered-again", LOG_EV_CAPF_ISSUED)     \
	X(INSTALLED, "installed", LOG_EV_CAPF_INSTALLED)    \
	X(USED, "installed-as-used", LOG_EV_CAPF_INSTALLED) \
	X(ERASED, "erased", LOG_EV_CAPF_ERASED)             \
	X(FETCHED, "fetched", LOG_EV_CAPF_FETCHED)          \
	X(WORKS, "works", LOG_EVENTS)

enum desk_event {
#define X(symbol, name, log) DESK_##symbol,
	DESK_EVENT_LIST(X)
#undef X
};

/* One link of the audit chain, and the log's line once it is on the disk. */
struct desk_note {
	enum desk_event event;
	const char *name; /* of an event that is not of the list, or NULL */
	enum capf_why why;
	char device[CERT_DEVICE_MAX + 1];
	char serial[CERT_SERIAL_MAX + 1];
	char address[PEER_ADDRESS_MAX];
	uint16_t port;
	char detail[CAPF_DETAIL_MAX + 1];
};

/* What the phone is to do next. */
enum desk_step {
	STEP_NEW, /* says who it is */
	STEP_KEY, /* makes a key */
	STEP_CA,  /* waits, as we do, for the CA outside */
	STEP_STORE,
	STEP_ERASE,
	STEP_FETCH,
	STEP_ENDED, /* nothing: its END is decided */
};

/* What a CA outside answered. */
struct ca_reply {
	enum est_result result;
	X509 *cert;
	long retry_s;
	char text[512];
};

/* What has come of a visit since the thread looked last. */
struct visit_news {
	struct capf_server_event *said; /* a copy in one piece, or NULL */
	size_t said_n;			/* bytes of the piece */
	struct ca_reply *reply;
	bool left;
};

struct capf_visit {
	/* Frozen. */
	struct capf_desk *desk;
	uint32_t session;
	struct conn_ref ref;
	char address[PEER_ADDRESS_MAX];
	uint16_t port;

	/* With the desk's `lock`. */
	struct capf_visit *next; /* of those that wait for the thread */
	bool waiting;
	struct visit_news news;
	char left_rule[48], left_text[256];
	bool published;
	struct capf_answer answer;

	/* The connection's alone. */
	char known_as[CERT_DEVICE_MAX + 1];

	/* Whoever has the records (capf_desk_enter). */
	enum desk_step step;
	struct visit_news taken;
	struct capf_answer decision;
	char detail[CAPF_DETAIL_MAX + 1];
	char device[CERT_DEVICE_MAX + 1]; /* "" until it is known to be it */
	struct capf_visit *next_of_bucket;
	unsigned version;
	struct capf_key_wish wish;
	EVP_PKEY *key; /* for the CA outside */
	uint8_t key_sha256[32];
	bool asks, asking; /* to be asked, and is being asked */
	bool no_key;	   /* STORE without a key of this visit */
	uint8_t *der;
	char serial[CERT_SERIAL_MAX + 1]; /* of what it is to store */
	struct capf_visit *next_published;
	bool publishing; /* in that list */
	bool making_key; /* counted in state, with `lock` */
	bool gone;	 /* its connection has left */
	bool unattended; /* there is none: the CA is asked by ourselves */
	/* Troubleshoot: types seen, and the first certificate. */
	unsigned fetched;
	uint8_t fetched_sha256[32];
	bool asked_mic;
};

enum {
	DESK_BUCKETS = 1024,
	DESK_SEEN_MAX = 2048, /* registrations to be looked up */
};

/* A device registered. */
struct desk_seen {
	char device[CERT_DEVICE_MAX + 1];
	uint8_t sha256[32]; /* of its certificate; zero: it had none */
};

/* A device's request that the CA outside has and will answer later. */
struct desk_later {
	char device[CERT_DEVICE_MAX + 1];
	int64_t at; /* then it is asked for */
};

/* Names of devices, in one list. */
struct desk_name {
	struct desk_name *next;
	char device[CERT_DEVICE_MAX + 1];
};

/* How much is told in a minute, and how much was not since. */
struct desk_allowance {
	int64_t minute;
	unsigned told, more;
};

/* Why nothing is issued. */
enum desk_halt { HALT_NOT, HALT_CLOCK, HALT_TRUST, HALT_DISK };

/*
 * Who has the records comes in turns, so that orders are not starved by phones,
 * nor phones by orders. `lock` is held for moments, also by connections;
 * whoever has the records may take it, never the other way round.
 */
struct capf_desk {
	struct capf_desk_world world;

	pthread_mutex_t turns;
	pthread_cond_t turn;
	uint64_t next_turn, serving;

	/* Whoever has the records. */
	struct est *est; /* NULL: nobody is to be asked, or any more */
	struct capf_store *store;
	bool changed;	      /* in this transaction */
	int64_t issued_at;    /* in this transaction; 0 */
	int64_t newest_issue; /* capf_store_newest_issue() */
	struct desk_note *notes;
	size_t n_notes;
	struct desk_name *forgetting;
	struct capf_visit *visits[DESK_BUCKETS]; /* by device */
	struct capf_visit *to_publish;
	struct desk_allowance refusals, strangers;
	int64_t counted_at; /* the stale ones */
	int64_t renewed_at; /* LSCs were looked at */
	struct desk_later *later;
	size_t n_later;
	size_t unattended; /* visits of that kind */

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t news;
	struct capf_visit *first, **end; /* that wait */
	struct desk_seen seen[DESK_SEEN_MAX];
	size_t n_seen;
	struct desk_name *forget;
	bool stopping;
	struct capf_desk_state state;
	enum desk_halt halt;
	pthread_t thread;
	int64_t tend_at_ms; /* monotonic; the thread's alone */

	size_t stale;	  /* LSCs, at most; atomic */
	size_t missed;	  /* is any phone to be told when it is back? atomic */
	uint32_t session; /* the last one; atomic */
};

int64_t capf_desk_now(const struct capf_desk *desk);

/* ---- the records; 0 or -errno with d ---- */

/* Waits for its turn with the records, and gives it away; visits whose end was
 * decided meanwhile are told of it then. */
void capf_desk_enter(struct capf_desk *desk);
void capf_desk_leave(struct capf_desk *desk);
/* A transaction; who is to be forgotten goes first. */
int capf_desk_begin(struct capf_desk *desk, struct diag *d);
/* Then what was noted is logged and counted. A failure has undone all, and
 * nothing is issued from now on, says status, until one goes well. */
int capf_desk_commit(struct capf_desk *desk, struct diag *d);
void capf_desk_abort(struct capf_desk *desk);
/* The records failed in the middle: as a commit that fails. */
void capf_desk_fail(struct capf_desk *desk, const struct diag *d);
/* Ends an order's transaction, in which that came out: what the records do not
 * have or do not take is no failure of theirs. */
int capf_desk_close_with(struct capf_desk *desk, int error, struct diag *d);
/* A part that may be undone alone. */
int capf_desk_mark(struct capf_desk *desk, size_t *notes, struct diag *d);
void capf_desk_back_to_mark(struct capf_desk *desk, size_t notes);

int capf_desk_put(
	struct capf_desk *desk, const struct capf_operation *o, struct diag *d);
int capf_desk_audit(
	struct capf_desk *desk, const struct desk_note *note, struct diag *d);
/* A note on the visit's phone. */
struct desk_note capf_desk_note_of(const struct capf_visit *v,
	enum desk_event event, const char *serial, const char *detail);

void capf_desk_halt(struct capf_desk *desk, enum desk_halt by, const char *why);
void capf_desk_works(struct capf_desk *desk, enum desk_halt by);

/* ---- what is in the records (keeping.c) ---- */

/* What is known of the device's certificates. */
int capf_known_of(struct capf_desk *desk, const char *device, int64_t now,
	struct capf_known *out, struct diag *d);
/* The profile that it follows; false: it has left the inventory. */
bool capf_profile_of(struct capf_desk *desk, const char *device,
	struct security_profile *out);
/* That LSC is the phone's now, the device's older ones are not any more, and
 * the operation that it came of is done. A newer one may be on its way. */
int capf_installed(struct capf_desk *desk, const char *device,
	const char *serial, int64_t now, struct diag *d);
/* The operation came to its end: into `state`. */
int capf_finish(struct capf_desk *desk, struct capf_operation *o,
	enum capf_state state, enum capf_why why, struct diag *d);
/* -ENOENT: nothing is pending. */
int capf_pending(struct capf_desk *desk, const char *device,
	struct capf_operation *out, struct diag *d);

/* ---- a visit (visit.c, decide.c) ---- */

/* It waits for the thread, with `lock`. */
void capf_visit_queue(struct capf_visit *v);
/* What was decided is to be told to the connection, and is told. */
void capf_visit_decided(struct capf_visit *v, const struct capf_answer *a);
void capf_visit_publish(struct capf_visit *v);
/* Nobody finds it by its device any more. */
void capf_visit_forget(struct capf_visit *v);
void capf_visit_free(struct capf_visit *v);
void capf_visit_drop_news(struct visit_news *news);

/* The other visit of that device, if any, ends now. */
void capf_visit_supersede(struct capf_desk *desk, const char *device,
	const struct capf_visit *but, enum capf_why why, const char *detail);
/* It is this device from now on. */
void capf_visit_enrol(struct capf_visit *v, const char *device);
/* Ends it: nothing that the phone says counts any more. */
void capf_visit_end(struct capf_visit *v, enum capf_reason reason,
	enum capf_why why, const char *detail);
/* As the configuration says when there is nothing to do. */
enum capf_reason capf_visit_nothing(const struct capf_visit *v);
/* Ends it with a refusal: into the operation, the chain and the answer. o may
 * be FAILED already. */
int capf_visit_refuse(struct capf_visit *v, struct capf_operation *o,
	enum capf_why why, const char *detail, struct diag *d);
/* The same with one key less to try. */
int capf_visit_key_failed(struct capf_visit *v, struct capf_operation *o,
	enum capf_why why, const char *detail, struct diag *d);

/* Decides what came of it. A failure has changed records, maybe. */
int capf_decide(struct capf_visit *v, struct diag *d);

/* ---- issuing (clock.c, issue.c, outside.c) ---- */

/* May anything be issued now? Else why not, which status says, too. */
enum capf_why capf_issue_may(
	struct capf_desk *desk, int64_t now, char why[CAPF_DETAIL_MAX + 1]);
/* What key the phone is to make. NOTHING: *wish; else why not. */
enum capf_why capf_issue_wish(const struct config *config,
	const struct security_profile *profile, unsigned version,
	struct capf_key_wish *wish, char detail[CAPF_DETAIL_MAX + 1]);
/* Has it begun, and not ended? */
bool capf_issue_is_valid(const struct capf_issued *i, int64_t now);
/* Judges the phone's key and has it certified. */
int capf_issue_key(struct capf_visit *v, struct capf_operation *o,
	struct capf_bytes spki, struct diag *d);
/* An LSC that was made, and what is not seen of it. */
struct capf_made {
	X509 *cert;
	const uint8_t *key_sha256; /* of the key, as the phone sent it */
	const uint8_t *issuer;	   /* SHA-256 of that; NULL: not known */
};
/* Into the ledger, STALE. -EEXIST: that serial number was used before. */
int capf_issue_enter(struct capf_desk *desk, const struct capf_operation *o,
	const struct capf_made *made, char serial[CERT_SERIAL_MAX + 1],
	struct diag *d);
/* The phone is to store that line of the ledger. */
int capf_issue_deliver(struct capf_visit *v, struct capf_operation *o,
	enum desk_event event, const char *serial, struct diag *d);

/* A key for a CA outside: offline it waits, else the CA is to be asked. */
int capf_outside_ask(struct capf_visit *v, struct capf_operation *o,
	struct capf_bytes spki, struct diag *d);
/* After the commit; the reply is news of the visit. */
void capf_outside_begin(struct capf_visit *v);
int capf_outside_replied(
	struct capf_visit *v, struct ca_reply *reply, struct diag *d);
/* Does a key of the phone's wait, or its certificate? 1: and it was answered,
 * or the CA is asked again; 0: it does not. */
int capf_outside_pick_up(
	struct capf_visit *v, struct capf_operation *o, struct diag *d);
/* The key of the device's request, the caller's to free, and the hash of what
 * the phone sent; -ENOENT: there is none. */
int capf_outside_key(struct capf_desk *desk, const char *device, EVP_PKEY **key,
	uint8_t key_sha256[32], struct diag *d);

/* ---- a CA that answers later is asked again (later.c) ---- */

/* In so many seconds, whatever was said of that device before. */
void capf_later_put(struct capf_desk *desk, const char *device, long in_s);
/* All that the records have, soon; then those whose time has come. */
int capf_later_start(struct capf_desk *desk, struct diag *d);
void capf_later_tend(struct capf_desk *desk);

/* ---- the rest ---- */

/* A phone registered with that certificate. */
int capf_used(struct capf_desk *desk, const uint8_t sha256[32], struct diag *d);

/* ---- turns (tend.c) ---- */

/* Is any phone to be told when it is back? (1, or 0) */
size_t capf_tend_missed(struct capf_desk *desk);
/* We begin anew. Who was told a moment ago may never have heard it, or came
 * while nobody was here: told again when back. Whose device went while nobody
 * was here to forget it is forgotten. */
void capf_tend_again(struct capf_desk *desk);
/* It is: *tell says whether it is to be reset, once this is on the disk. */
int capf_tend_back(
	struct capf_desk *desk, const char *device, bool *tell, struct diag *d);
/* What is left of a device that is gone (orders.c). */
int capf_forget(struct capf_desk *desk, const char *device, struct diag *d);
/* The thread (queue.c). */
int capf_queue_start(struct capf_desk *desk, struct diag *d);
void capf_queue_stop(struct capf_desk *desk);

#endif
