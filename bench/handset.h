/* SPDX-License-Identifier: Apache-2.0 */
/* One simulated phone: a connection, TLS or not, and the talk over it. */
#ifndef BENCH_HANDSET_H
#define BENCH_HANDSET_H

#include <stdint.h>

#include <uv.h>

#include "bench/console.h"
#include "bench/credential.h"
#include "bench/names.h"
#include "bench/talk.h"
#include "bench/target.h"
#include "bench/udp_line.h"
#include "protocols/tls/engine.h"

/*
 * How it ended. X(symbol, name, console tag)
 * REGISTERED, STANDBY and ENROLLED are good; the first two stay when the phone
 * leaves in order.
 */
#define HANDSET_OUTCOME_LIST(X)                                              \
	X(NONE, "none", "NONE") /* not over */                               \
	X(REGISTERED, "registered", "REG_OK")                                \
	X(STANDBY, "standby", "STANDBY_OK") /* its keepalive was answered */ \
	X(ENROLLED, "enrolled", "CAPF_OK")  /* wanted no more than CAPF */   \
	X(UNENROLLED, "not-enrolled", "CAPF_FAILED")                         \
	X(REJECTED, "rejected", "REG_REJECTED")                              \
	X(ALERT, "alert", "CONN_ALERT")	      /* a fatal one, either way */  \
	X(LOST, "lost", "CONN_LOST")	      /* the server hung up */       \
	X(TIMEOUT, "timeout", "CONN_TIMEOUT") /* of TCP, TLS or an answer */ \
	X(REFUSED, "refused", "TCP_REFUSED")  /* no TCP connection */        \
	X(FAILED, "failed", "CONN_FAILED")    /* broken TLS or protocol */   \
	X(STOPPED, "stopped", "STOPPED")      /* by us, before it had one */

enum handset_outcome {
#define X(symbol, ...) HANDSET_##symbol,
	HANDSET_OUTCOME_LIST(X)
#undef X
		HANDSET_OUTCOMES
};

const char *handset_outcome_name(enum handset_outcome outcome);
bool handset_outcome_good(enum handset_outcome outcome);

struct handset_result {
	enum handset_outcome outcome;
	int alert; /* fatal alert, -1 when none */
	enum console_alert_side alert_side;
	double seconds;		 /* connect to registered; below 0: never */
	const char *tls_version; /* once the handshake is done, else NULL */
	const char *cipher;
	bool offered;	  /* a session, to resume it */
	bool resumed;	  /* the handshake, as OpenSSL's client side says */
	uint32_t wait_ms; /* it ended while told to wait: so long still */
	unsigned returns; /* how often it came back as it was told to */
	char text[160];	  /* printable; "" when there is nothing to say */
};

struct handset;

/* Is the server still there? Keepalives of SCCP and refreshes of SIP. */
enum handset_pulse { HANDSET_ASKED, HANDSET_ANSWERED };

/* When the server says reset or restart. */
enum handset_obedience {
	HANDSET_ENDS,	 /* the connection does, as lost */
	HANDSET_RETURNS, /* it leaves, and comes back by itself */
};

/* What phones of one fleet share; outlives them. */
struct handset_setup {
	uv_loop_t *loop;
	const struct target *target;
	SSL_CTX *ctx; /* NULL: plain TCP, or UDP where talk.udp says so */
	/* device, line, server, local, local_ipv4 and seed are filled in */
	struct talk_config talk;
	uint32_t connect_ms; /* for TCP, and again for the handshake */
	/* From start to registered; again from the end of each wait that the
	 * server told it to keep; 0: no limit. */
	uint32_t patience_ms;
	uint32_t leave_ms; /* for the answer to our unregister */
	enum handset_obedience on_reset;
	uint8_t *plain; /* TLS_PLAIN_MAX bytes, used by one at a time */
	char *received; /* HANDSET_READ_MAX bytes, likewise */
	/* The handshake is done; NULL: nobody wants to know. */
	void (*on_secured)(struct handset *h);
	/* The result has just become good, for the first time. */
	void (*on_registered)(struct handset *h);
	/* The server tells it to ask again in so many seconds; or NULL. */
	void (*on_wait)(struct handset *h, uint32_t seconds);
	/* ANSWERED: ns after the oldest question still open; or NULL. */
	void (*on_pulse)(
		struct handset *h, enum handset_pulse pulse, uint64_t ns);
	/* Told to come back, it has left, and is as it was before its start:
	 * handset_start() is the owner's to call. NULL: it starts at once. */
	void (*on_return)(struct handset *h);
	/* The handles are closed, the result is final; h may be freed. */
	void (*on_closed)(struct handset *h);
};

enum { HANDSET_READ_MAX = 64 * 1024 };

enum handset_state {
	HANDSET_NEW,
	HANDSET_CONNECTING,
	HANDSET_TALKING, /* or shaking hands: only then is talk_on false */
	HANDSET_UP,	 /* registered */
	HANDSET_LEAVING, /* has sent its unregister */
	HANDSET_CLOSING,
	HANDSET_CLOSED,
};

struct handset {
	const struct handset_setup *setup;
	enum handset_state state;
	struct handset_result result;
	struct console console;
	/* What it shows in TLS; outlives the handset. NULL: nothing. May be
	 * another when it starts again. */
	const struct credential *shown;
	const struct sockaddr *from; /* our end, port 0; NULL: any. IPv4 */
	void *owner;		     /* the fleet's; not looked at here */
	char device[NAMES_DEVICE_MAX + 1];
	char line[NAMES_LINE_MAX + 1];
	char local[80];
	union {
		uv_tcp_t tcp;
		struct udp_line udp; /* if setup->talk.udp */
	};
	uv_timer_t timer;
	uv_connect_t connect;
	int open_handles;
	/* NULL, or where the owner keeps the TLS session between visits: it is
	 * offered, and replaced when a handshake has left a usable one. One
	 * of TLS 1.3 is taken out when it is offered: it is for single use. */
	SSL_SESSION **session;
	const char *last_reason; /* told to go: why it will say it was gone */
	bool returning;		 /* closed, it will start again */
	uint64_t give_up_ms;	 /* until registered */
	uint64_t wait_until_ms;
	uint64_t asked_ns;    /* the oldest open question; 0: none */
	bool overdue;	      /* a deadline passed while nobody looked */
	unsigned asked;	      /* questions that are open */
	uint64_t deadline_ms; /* while CONNECTING or LEAVING */
	uint64_t started_ns;
	bool tls_on; /* tls is in use */
	bool talk_on;
	struct tls_engine tls;
	struct talk talk;
};

/* It shows nothing, and the console is silent: set shown and console.to. */
void handset_init(struct handset *h, const struct handset_setup *setup,
	const char *device, const char *line);
void handset_start(struct handset *h);
/* Says goodbye if it is registered, and closes. */
void handset_leave(struct handset *h);
/* Closes now; a good result stays good only if `outcome` is good, too. */
void handset_close(
	struct handset *h, enum handset_outcome outcome, const char *text);

#endif
