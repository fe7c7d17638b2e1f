/* SPDX-License-Identifier: Apache-2.0 */
/* Where phones come for their LSC: one thread decides, signs and writes. */
#ifndef REGISTRAR_CAPF_DESK_H
#define REGISTRAR_CAPF_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/diag.h"
#include "protocols/capf/server.h"
#include "registrar/capf/authority.h"
#include "registrar/capf/records.h"
#include "registrar/config.h"
#include "registrar/inventory.h"
#include "registrar/peer.h"
#include "registrar/reload.h"
#include "registrar/store/capf_store.h"

/* What the desk has of the registrar. All thread-safe. */
struct capf_desk_world {
	const struct config *config;
	struct inventory *inventory;
	struct capf_authority *authority;
	/* A reference of the caller's; NULL: there is no such store. */
	struct trust_snapshot *(*trust)(void *self, enum trust_store store);
	/* Has that connection's service ticked, soon. */
	void (*wake)(void *self, struct conn_ref ref);
	/* Has a registered phone reset; -errno: there is nobody to tell. */
	int (*reset)(void *self, const char *device);
	int64_t (*now)(void *self); /* unix seconds; NULL: the system's */
	uint32_t tend_ms; /* the desk tends itself; 0: the caller does */
	void *self;
};

struct capf_desk;

/* Of work that takes long: how much is done, and whether nobody wants it any
 * more. All atomic. */
struct capf_progress {
	size_t done, all;
	bool stop;
};

/* Opens the records in the state folder (NULL: in memory) and starts the
 * thread. With capf.issuer "est" it opens est, too. -errno with d. */
int capf_desk_open(const struct capf_desk_world *world, const char *folder,
	struct capf_desk **out, struct diag *d);
/* Writes what it has decided; visits that wait get no answer any more. */
void capf_desk_close(struct capf_desk *desk);

/* ---- a phone's visit: one CAPF connection ---- */

struct capf_visit;

/* The connection's, until it leaves. peer is copied as far as needed. */
struct capf_visit *capf_visit_new(
	struct capf_desk *desk, const struct peer *peer);
/* A session id, never the same in a row. */
uint32_t capf_visit_session(const struct capf_visit *v);
/* What the phone said: AUTH, KEY, STORED, ERASED or FETCHED; copied. An answer
 * will come; until then nothing more is to be told. After END nothing is. */
void capf_visit_tell(
	struct capf_visit *v, const struct capf_server_event *event);

struct capf_answer {
	enum {
		CAPF_ANSWER_GENERATE,
		CAPF_ANSWER_STORE,
		CAPF_ANSWER_ERASE,
		CAPF_ANSWER_FETCH,
		CAPF_ANSWER_END,
	} what;
	struct capf_key_wish wish;
	const uint8_t *der; /* STORE; the visit's */
	size_t n;
	unsigned type;		 /* FETCH */
	enum capf_reason reason; /* END */
	/* END with a refusal: for log and failures, else "" */
	enum capf_why why;
	const char *detail;
};
/* Is there an answer to what was told last, or an END that nobody asked for
 * (the phone came again, its operation was cancelled or is late)? True once.
 * Everything that it depends on is on the disk. */
bool capf_visit_answer(struct capf_visit *v, struct capf_answer *out);
/* The device that it is known to be: authenticated, "" before. */
const char *capf_visit_device(const struct capf_visit *v);
/* The connection is over: by itself (END was sent), or by rule and text of the
 * engine, or "phone-gone". Frees it, once the desk has done with it. */
void capf_visit_leave(struct capf_visit *v, const char *rule, const char *text);

/* ---- orders; each is on the disk when it answers. Thread-safe. ---- */

struct capf_order {
	enum capf_kind kind;
	enum capf_mode mode;	/* 0: as the device's profile says */
	int64_t completes_by;	/* 0: no end */
	int64_t turn_at;	/* of the first; 0: now */
	unsigned per_min;	/* so many turns in a minute; 0: all at once */
	bool tell;		/* reset each phone at its turn */
	const char *origin;	/* "admin", "renewal", "rollover" */
	bool replace;		/* a pending operation gives way */
	unsigned string_digits; /* 0: capf.string_digits */
	int64_t string_until;	/* 0: as capf.string_hours says */
	int64_t null_until;	/* 0: a day; never more */
	struct capf_progress *progress; /* strings that are hashed; or NULL */
};
struct capf_ordered {
	/* 0; -ENOENT unknown device, -EEXIST pending already, -EINVAL: warning
	 * says why */
	int error;
	char string[11];   /* the authentication string, told here and never
			    * again; "" */
	char warning[256]; /* what the admin should know: an authentication
			    * string for a phone that will not ask for it, ...
			    */
};
/* For each of n devices, in one transaction. results[n]. */
int capf_desk_order(struct capf_desk *desk, const struct capf_order *order,
	const char *const *devices, size_t n, struct capf_ordered *results,
	struct diag *d);
/* Can an LSC name that device? False: why not, and the cure. */
bool capf_desk_can_name(const char *device, char why[256]);
/* -ENOENT: nothing is pending. */
int capf_desk_cancel(
	struct capf_desk *desk, const char *device, struct diag *d);
/* What that would answer now; nothing is changed. */
int capf_desk_may_cancel(
	struct capf_desk *desk, const char *device, struct diag *d);
/* The device is no longer in the inventory. */
void capf_desk_forget(struct capf_desk *desk, const char *device);

/* Imports a CA's certificate for a request that waits. -ENOENT: nobody asked
 * for such a one; -EINVAL: unfit; -EBUSY: nothing is issued now, try again; d
 * says why. */
int capf_desk_import(struct capf_desk *desk, X509 *cert,
	char device[CERT_DEVICE_MAX + 1], struct diag *d);
/* What that would answer now; nothing is changed. */
int capf_desk_may_import(struct capf_desk *desk, X509 *cert,
	char device[CERT_DEVICE_MAX + 1], struct diag *d);

/* An event that is no phone's (a step of a rollover), into the audit chain: on
 * the disk when it answers. */
int capf_desk_note(struct capf_desk *desk, const char *event,
	const char *detail, struct diag *d);

/* ---- our clock, judged by the ledger ---- */

enum { CAPF_AHEAD_MAX = 1000 };
struct capf_clock {
	int64_t now, newest; /* unix seconds; that of the ledger, 0: none */
	bool right;
	char why[CAPF_DETAIL_MAX + 1]; /* it is not, and the cure; "" */
	/* LSCs that phones have, or may have, and that are not valid yet: their
	 * devices, as far as there is room. */
	size_t ahead;
	char devices[CAPF_AHEAD_MAX][CERT_DEVICE_MAX + 1];
};
int capf_desk_clock(
	struct capf_desk *desk, struct capf_clock *out, struct diag *d);
/* It is right, says an admin, and the ledger's newest LSCs were issued under
 * one that was ahead: issuing goes on, and the chain has it. -EBUSY: the ledger
 * does not speak against it; -EPERM: it is outside our root's life. */
int capf_desk_accept_clock(struct capf_desk *desk, struct diag *d);
/* What that would answer now; nothing is changed. */
int capf_desk_may_accept_clock(struct capf_desk *desk, struct diag *d);

/* ---- looking ---- */

/* Walks the audit chain, in parts between which the desk works. *head is its
 * last link then, number 0: it has none. -EINVAL: it does not hold; -ECANCELED:
 * it was stopped. p may be NULL. */
int capf_desk_check_audit(struct capf_desk *desk, struct capf_progress *p,
	struct capf_audit *head, struct diag *d);

/* The records, to be read under the desk's lock: between these two the desk
 * decides nothing, so be quick; nothing may be changed. */
struct capf_store *capf_desk_look(struct capf_desk *desk);
void capf_desk_looked(struct capf_desk *desk);

struct capf_desk_state {
	size_t visits;	    /* connections now */
	size_t making_keys; /* of them, phones that make a key */
	size_t waiting;	    /* for the desk's thread */
	uint64_t issued, refused, delivered_again, removed, fetched; /* since
								      * start */
	/* Why nothing is issued: "" if it is; the clock, or the disk. */
	char halted[256];
	int64_t halted_since;
};
struct capf_desk_state capf_desk_state(struct capf_desk *desk);

/* ---- what happens ---- */

/* The device registered, with that certificate (SHA-256; NULL: with none): an
 * LSC that was stale is installed, and a phone that could not be told at its
 * turn, because nobody could reach it, is told now. Costs a look at two
 * counters when there is neither; never waits. */
void capf_desk_registered(
	struct capf_desk *desk, const char *device, const uint8_t *sha256);
/* Turns, ends of time, renewals, and what a CA outside said it would answer
 * later. Now and then, from any one thread. */
void capf_desk_tend(struct capf_desk *desk);

#endif
