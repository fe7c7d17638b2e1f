/* SPDX-License-Identifier: Apache-2.0 */
/* The engines of SCCP, SIP and HTTP phones behind one face. */
#ifndef BENCH_TALK_H
#define BENCH_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/http_phone.h"
#include "protocols/moment.h"
#include "protocols/sccp/generation.h"
#include "protocols/sccp/phone.h"
#include "protocols/sip/phone.h"

/* What phones speak.
 * X(symbol, option word, as a console prints it, TLS port, plain port) */
#define TALK_PHONE_LIST(X)                      \
	X(SCCP, "sccp", "SCCP", "2443", "2000") \
	X(SIP, "sip", "SIP", "5061", "5060")

/* And what servers can be asked that know no phones. */
#define TALK_PROTOCOL_LIST(X) \
	TALK_PHONE_LIST(X)    \
	X(HTTP, "http", "HTTP", "443", "80")

enum talk_protocol {
#define X(symbol, ...) TALK_##symbol,
	TALK_PROTOCOL_LIST(X)
#undef X
};

const char *talk_protocol_name(enum talk_protocol protocol); /* "SCCP" */
const char *talk_default_port(enum talk_protocol protocol, bool tls);

enum talk_mode { TALK_REGISTER, TALK_STANDBY };

/* Strings are the caller's and outlive the talk. */
struct talk_config {
	enum talk_protocol protocol;
	enum talk_mode mode; /* STANDBY: not of HTTP */
	bool token;	     /* ask for one before registering */
	bool tls;
	bool udp; /* SIP alone; never with tls */
	const char *device;
	const char *line;	 /* SIP: the user that registers */
	const char *server;	 /* SIP: host of the request URI; HTTP: Host */
	const char *local;	 /* SIP: host:port of our end */
	uint32_t local_ipv4;	 /* SCCP: network order */
	const char *last_reason; /* why it was gone; NULL: "Initialized" */
	/* SCCP: how it speaks; NULL: as is typical of the version. */
	const struct sccp_generation *generation;
	uint32_t device_type; /* SCCP and SIP number models alike */
	uint8_t sccp_version; /* highest one offered */
	bool leaves;	      /* SIP: a reset is RESET, as SCCP's always is;
			       * else it comes back over the connection */
	bool brief;	      /* SIP: the first REGISTER is a refresh */
	const char *username; /* SIP: for digest; NULL: none */
	const char *password;
	uint32_t answer_ms; /* patience for each answer; 0: the engine's */
	uint64_t seed;	    /* SIP: random */
};

enum talk_event_type {
	TALK_EVENT_REGISTERED, /* or, in standby, the keepalive was answered */
	TALK_EVENT_UNREGISTERED,
	TALK_EVENT_REJECTED,
	TALK_EVENT_RESET, /* the server wants us gone and back */
	TALK_EVENT_WAIT,  /* not now: it asks again by itself in wait_s */
	TALK_EVENT_ALIVE, /* a keepalive or a refresh was answered */
	TALK_EVENT_NOTE,  /* worth a line, changes nothing */
	TALK_EVENT_FAILED,
};

struct talk_event {
	enum talk_event_type type;
	uint32_t wait_s; /* WAIT */
	/* RESET: what it will say next time it was gone for. */
	const char *last_reason;
	char text[160]; /* printable, also where the server's words are not */
};

struct talk {
	enum talk_protocol protocol;
	enum talk_mode mode;
	bool leaves;
	struct moment now;     /* as last told */
	uint64_t token_due_ms; /* SCCP: asks for a token again then */
	const char *username;  /* SIP: the configuration's */
	const char *password;
	union {
		struct sccp_phone sccp;
		struct sip_phone sip;
		struct http_phone http;
	};
};

/* The engine contract. start() also begins the conversation. */
void talk_start(struct talk *t, const struct talk_config *config,
	const struct moment *now);
void talk_deinit(struct talk *t);
void talk_unregister(struct talk *t, const struct moment *now);
void talk_feed(
	struct talk *t, const void *data, size_t n, const struct moment *now);
/* true: it has asked whether the server is still there; ALIVE will answer.
 * Tick before each feed: the engines ask when time has passed, however they
 * learn of it. */
bool talk_tick(struct talk *t, const struct moment *now);
bool talk_next(struct talk *t, struct talk_event *event);
const uint8_t *talk_out(const struct talk *t, size_t *n);
void talk_sent(struct talk *t, size_t n);
uint64_t talk_deadline(const struct talk *t);

/* Copies text cut to fit, all but printable ASCII turned into '?': a server's
 * words must not forge lines, move a terminal's cursor or break JSON. */
void talk_printable(char *dst, size_t size, const char *text);

#endif
