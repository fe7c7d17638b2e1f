/* SPDX-License-Identifier: Apache-2.0 */
/* One visit of a simulated phone to CAPF: TCP, TLS, and what is asked of it. */
#ifndef BENCH_ENROL_H
#define BENCH_ENROL_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "bench/console.h"
#include "bench/flash.h"
#include "bench/handset.h"
#include "bench/keys.h"
#include "bench/target.h"
#include "protocols/capf/phone.h"
#include "protocols/tls/engine.h"

/*
 * What happens in a visit, one after the other; each message a step when it
 * has been read, or handed to the socket. KEY_MADE: the flash has the pending
 * key; STORED: it has the LSC; DELETED: it has none any more.
 * X(symbol, word)
 */
#define ENROL_STEP_LIST(X)                    \
	X(CONNECT, "connect")                 \
	X(TLS, "tls")                         \
	X(AUTH_REQUEST, "auth-request")       \
	X(AUTH_RESPONSE, "auth-response")     \
	X(KEY_REQUEST, "key-request")         \
	X(IN_PROGRESS, "in-progress")         \
	X(KEY_MADE, "key-made")               \
	X(KEY_RESPONSE, "key-response")       \
	X(STORE_REQUEST, "store-request")     \
	X(STORED, "stored")                   \
	X(STORE_RESPONSE, "store-response")   \
	X(DELETE_REQUEST, "delete-request")   \
	X(DELETED, "deleted")                 \
	X(DELETE_RESPONSE, "delete-response") \
	X(FETCH_REQUEST, "fetch-request")     \
	X(FETCH_RESPONSE, "fetch-response")   \
	X(END_SESSION, "end-session")

enum enrol_step {
#define X(symbol, word) ENROL_##symbol,
	ENROL_STEP_LIST(X)
#undef X
		ENROL_STEPS /* none of them */
};
const char *enrol_step_name(enum enrol_step step);

/*
 * How a visit ended: by END_SESSION, by the connection, by ourselves.
 * X(symbol, name, console level and tag)
 */
#define ENROL_OUTCOME_LIST(X)                                              \
	X(NONE, "none", "ERR", "CAPF_NONE")                                \
	X(SUCCESS, "success", "NOT", "CAPF_OK")		    /* reason 1 */ \
	X(NO_ACTION, "no-action", "NOT", "CAPF_NOTHING")    /* 0 */        \
	X(DECLINED, "declined", "ERR", "CAPF_DECLINED")	    /* 7 */        \
	X(UNKNOWN, "unknown-device", "ERR", "CAPF_UNKNOWN") /* 9 */        \
	X(OTHER, "other-reason", "ERR", "CAPF_DECLINED")                   \
	X(ALERT, "alert", "ERR", "CAPF_ALERT") /* a fatal one */           \
	X(LOST, "lost", "ERR", "CAPF_LOST")    /* the server hung up */    \
	X(TIMEOUT, "timeout", "ERR", "CAPF_TIMEOUT")                       \
	X(REFUSED, "refused", "ERR", "CAPF_REFUSED") /* no TCP */          \
	X(FAILED, "failed", "ERR", "CAPF_FAILED")    /* broken protocol */ \
	X(DIED, "died", "NOT", "CAPF_POWER_CUT")     /* die_after */       \
	X(STOPPED, "stopped", "NOT", "CAPF_STOPPED")

enum enrol_outcome {
#define X(symbol, ...) ENROL_BY_##symbol,
	ENROL_OUTCOME_LIST(X)
#undef X
		ENROL_OUTCOMES
};
const char *enrol_outcome_name(enum enrol_outcome outcome);
/* Neither END_SESSION nor we ended it: phones try again. */
bool enrol_outcome_broken(enum enrol_outcome outcome);
/* SUCCESS or NO_ACTION. */
bool enrol_outcome_good(enum enrol_outcome outcome);

/* What a phone cannot do, and answers so. X(symbol, word) */
#define ENROL_FAULT_LIST(X) \
	X(KEYGEN, "keygen") \
	X(STORE, "store")   \
	X(DELETE, "delete") \
	X(FETCH, "fetch")

enum enrol_fault {
#define X(symbol, word) ENROL_FAULT_##symbol,
	ENROL_FAULT_LIST(X)
#undef X
		ENROL_FAULTS /* none */
};

/* Whose client it resembles, where they differ (specs capf 4, 7). */
enum enrol_like {
	/* A 7960 or Jabber: VERSION, DEVICE_NAME, REASON; no PASSWORD by null
	 * string; asked for its certificates it shows LSC and MIC. */
	ENROL_LIKE_CISCO,
	/* Elements by their tags; an empty PASSWORD; the certificate again as
	 * SUDI_DATA if its key is RSA; shows the LSC alone. */
	ENROL_LIKE_USECALLMANAGER,
};

/* REQUEST_IN_PROGRESS while it makes a key: never; at once; three at once and
 * one each second. */
enum enrol_progress {
	ENROL_PROGRESS_NONE,
	ENROL_PROGRESS_ONE,
	ENROL_PROGRESS_MANY
};

struct enrol_result {
	enum enrol_outcome outcome;
	int reason;		 /* of END_SESSION; -1: it did not come */
	enum enrol_step last;	 /* the last step; ENROL_STEPS: none */
	bool delivered;		 /* the flash took an LSC */
	bool removed;		 /* an LSC was erased */
	bool shown;		 /* certificates were sent to be looked at */
	const char *tls_version; /* NULL: no handshake */
	char text[160];		 /* printable */
};

struct enrol;

/* What phones of one fleet share; outlives them. */
struct enrol_setup {
	uv_loop_t *loop;
	const struct target *target;
	SSL_CTX *ctx;
	struct keys *keys;
	unsigned version; /* 2 or 3 */
	enum enrol_like like;
	enum enrol_progress progress;
	const char *string;	/* the authentication string; NULL: none */
	uint32_t connect_ms;	/* for TCP, and again for the handshake */
	uint32_t answer_ms;	/* for each message of the server's; 0: 30 s */
	uint32_t keygen_min_ms; /* a key takes at least a time between these */
	uint32_t keygen_max_ms;
	enum enrol_fault fault;
	uint8_t *plain; /* as in struct handset_setup */
	char *received;
	/* ns since the step before it. */
	void (*on_step)(struct enrol *e, enum enrol_step step, uint64_t ns);
	/* The handles are closed, the result is final; e may be freed. */
	void (*on_closed)(struct enrol *e);
};

/* The phone that comes. All outlives the visit. */
struct enrol_phone {
	const char *device;
	struct flash *flash;	   /* its mode says how it comes */
	unsigned turn;		   /* of shared keys */
	enum enrol_step die_after; /* ENROL_STEPS: it does not */
	struct console *console;
	void *owner;
};

enum enrol_state { ENROL_CONNECTING, ENROL_AT_CAPF, ENROL_CLOSING };

struct enrol {
	const struct enrol_setup *setup;
	struct enrol_phone phone;
	struct enrol_result result;
	enum enrol_state state;
	uv_tcp_t tcp;
	uv_timer_t timer;
	uv_connect_t connect;
	int open_handles;
	bool talks; /* tls is in use; talk, too, once it is up */
	bool talk_on;
	bool overdue;
	struct tls_engine tls;
	struct capf_phone talk;
	uint64_t deadline_ms; /* while CONNECTING */
	uint64_t step_ns;     /* of the last step */
	/* While it makes a key. */
	struct capf_key_wish wish;
	struct keys_order order;
	EVP_PKEY *key;	     /* made, but not yet due */
	uint64_t key_due_ms; /* MOMENT_NEVER: makes none */
	uint64_t progress_due_ms;
};

/* Comes. Freed by whoever gets on_closed(), with enrol_free(). */
struct enrol *enrol_new(
	const struct enrol_setup *setup, const struct enrol_phone *phone);
void enrol_free(struct enrol *e);
/* Ends it now, if it has not ended. */
void enrol_stop(struct enrol *e);

#endif
