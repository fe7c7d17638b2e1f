/* SPDX-License-Identifier: Apache-2.0 */
/* The server side of one SIP connection: bytes in, events and bytes out. */
#ifndef PROTOCOLS_SIP_SERVER_H
#define PROTOCOLS_SIP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/bytes.h"
#include "protocols/moment.h"
#include "protocols/sip/alarm.h"
#include "protocols/sip/auth.h"
#include "protocols/sip/bindings.h"

enum {
	SIP_DEVICE_MAX = 63, /* device name, characters */
	SIP_TEXT_MAX = 255,  /* Reason, User-Agent and the like, kept */
};

/* What one server asks of every connection; outlives the engine. */
struct sip_server_config {
	uint32_t first_message_ms; /* until the first whole message */
	uint32_t idle_ms;	   /* silence allowed while nothing is bound
				    * (standby connections: 300 s and more) */
	uint32_t message_ms;	   /* from first to last byte of a message */
	uint32_t message_max;	   /* bytes, headers and body: 11000 */
	uint32_t head_max;	   /* bytes of start line and headers: 8192 */
	uint32_t lines_max;	   /* header lines: 100 */
	uint32_t params_max;	   /* ';' per header line: 64 */
	uint32_t contacts_max;	   /* Contacts per REGISTER: 16 */
	uint32_t requests_max;	   /* messages in 5 s before throttling */
	size_t out_max;		   /* bytes waiting to be sent, at most */
	uint32_t answer_ms;	   /* until a request of ours is answered */
	uint32_t flow_timer_s;	   /* RFC 5626: told to outbound clients, who
				    * are gone when they say nothing so long;
				    * 0: none */
	const char *node;	   /* Warning agent, Server name */
	bool tls;		   /* for what we print; never for trust */
	bool udp;		   /* likewise */
	bool locate;		   /* INVITE is the host's: LOCATE */
	uint64_t *answered;	   /* by the status's first digit, relaxed;
				    * NULL: nobody counts */
};

extern const struct sip_server_config sip_server_defaults;

/* Where a REGISTER's device name was read. */
enum sip_device_source {
	SIP_DEVICE_CISCO,    /* +u.sip!devicename.ccm.cisco.com */
	SIP_DEVICE_INSTANCE, /* MAC in +sip.instance: SEP<MAC> */
	SIP_DEVICE_AOR,	     /* user part of To */
};

enum sip_register_kind {
	SIP_REGISTER_BIND,	 /* adds, refreshes or removes contacts */
	SIP_REGISTER_UNBIND_ALL, /* Contact: *, or every contact with 0 */
	SIP_REGISTER_QUERY,	 /* no Contact: asks what is bound */
	SIP_REGISTER_STANDBY,	 /* cisco-keep-alive: touches no binding */
};

/* Option tags of Supported that change what we do. X(symbol, tag) */
#define SIP_SUPPORTS_LIST(X)    \
	X(PATH, "path")         \
	X(OUTBOUND, "outbound") \
	X(GRUU, "gruu")         \
	X(DUPLICATE_REG, "X-cisco-duplicate-reg")

enum sip_supports_bit {
#define X(symbol, tag) SIP_SUPPORTS_BIT_##symbol,
	SIP_SUPPORTS_LIST(X)
#undef X
};

enum sip_supports {
#define X(symbol, tag) SIP_SUPPORTS_##symbol = 1 << SIP_SUPPORTS_BIT_##symbol,
	SIP_SUPPORTS_LIST(X)
#undef X
};

/* A REGISTER that passed every check of its own form. Texts are never NULL;
 * they live as long as it does. */
struct sip_register {
	enum sip_register_kind kind;
	enum sip_device_source source;
	bool bulk;	   /* body asked to register all lines */
	bool flow;	   /* outbound and a reg-id that counts (RFC 5626) */
	unsigned supports; /* enum sip_supports */
	const char *device;
	const char *model;	     /* +u.sip!model, decimal, or "" */
	const char *user_agent;	     /* cut at SIP_TEXT_MAX, as is reason */
	const char *reason;	     /* Reason header: why it came back */
	struct sip_alarm alarm;	     /* what that says, if it is Cisco's */
	const struct sip_auth *auth; /* NULL: no digest came */
	struct sip_binding_request request; /* for sip_bindings_apply() */
};

enum sip_server_event_type {
	SIP_SERVER_REGISTER, /* answer accept() or reject() */
	SIP_SERVER_TOKEN,    /* REFER token-registration: grant_token() or
			      * deny_token() */
	SIP_SERVER_LOCATE,   /* INVITE, where config.locate says so: answer
			      * redirect() or reject() */
	SIP_SERVER_ALARM,    /* REFER x-cisco-alarm; already answered 202 */
	SIP_SERVER_ANSWERED, /* answered by the engine alone: OPTIONS, 4xx.
			      * status, text = rule that decided */
	SIP_SERVER_ORDERED,  /* an order was answered, with status; 408: not
			      * in time. text = the order's name */
	SIP_SERVER_RESPONSE, /* a response to nothing we asked */
	SIP_SERVER_CLOSE,    /* close once out() is drained; the last event */
};

/* Why an engine ends its connection. X(symbol, name, text) */
#define SIP_CLOSE_LIST(X)                                                  \
	X(NONE, "none", "still open")                                      \
	X(MESSAGE_TOO_LONG, "sip-message-too-long",                        \
		"message longer than the cap")                             \
	X(HEAD_TOO_LONG, "sip-head-too-long",                              \
		"headers without end below the cap")                       \
	X(BAD_LENGTH, "sip-bad-content-length",                            \
		"Content-Length missing, repeated or not a number")        \
	X(NOT_SIP, "sip-not-sip", "the first line is not SIP")             \
	X(LINE_END, "sip-bad-line-end",                                    \
		"a header line ends with a bare CR or LF")                 \
	X(FLOW_SILENT, "sip-flow-silent",                                  \
		"no keep-alive came within the Flow-Timer")                \
	X(FIRST_MESSAGE_LATE, "sip-first-message-late",                    \
		"no complete first message in time")                       \
	X(MESSAGE_LATE, "sip-message-late", "a message took too long")     \
	X(IDLE, "sip-idle", "silent with nothing bound for too long")      \
	X(EXPIRED, "sip-expired", "every binding expired")                 \
	X(THROTTLED, "sip-throttled", "too many messages in five seconds") \
	X(NOT_READING, "sip-not-reading", "answers pile up unread")

enum sip_close {
#define X(symbol, name, text) SIP_CLOSE_##symbol,
	SIP_CLOSE_LIST(X)
#undef X
};

const char *sip_close_name(enum sip_close why);
const char *sip_close_text(enum sip_close why);

/* Everything in an event is valid until the next call on the engine; reg
 * until its REGISTER or TOKEN was answered. */
struct sip_server_event {
	enum sip_server_event_type type;
	enum sip_close why; /* CLOSE; ANSWERED: NONE, or it ends by this */
	const struct sip_register *reg; /* REGISTER; TOKEN: device only */
	const char *method;		/* ANSWERED: as received */
	int status;			/* ANSWERED, ORDERED, RESPONSE */
	const char *text; /* ANSWERED: rule; LOCATE: AOR; ALARM: what it says */
	const struct sip_alarm_report *alarm; /* ALARM */
	const char *gr; /* LOCATE: `gr` of its URI, "" without a value (then
			 * it is a temporary GRUU); NULL: none */
};

struct sip_server {
	const struct sip_server_config *config;
	struct bytes_queue in;
	struct bytes_queue out;
	struct sip_server_state *state;
};

/* feed, tick, next, out, sent, deadline: the engine contract, as described
 * in protocols/sccp/server.h. parser set-up (osip) is done once per process
 * by sip_message_setup() in message.h, before the first thread. */
void sip_server_init(struct sip_server *s,
	const struct sip_server_config *config, const struct moment *now);
/* Who is at the other end, for Via; the literal outlives the engine. */
void sip_server_set_source(
	struct sip_server *s, const char *address, uint16_t port);
void sip_server_deinit(struct sip_server *s);
void sip_server_feed(struct sip_server *s, const void *data, size_t n,
	const struct moment *now);
void sip_server_tick(struct sip_server *s, const struct moment *now);
bool sip_server_next(struct sip_server *s, struct sip_server_event *event);
const uint8_t *sip_server_out(const struct sip_server *s, size_t *n);
void sip_server_sent(struct sip_server *s, size_t n);
uint64_t sip_server_deadline(const struct sip_server *s);

/*
 * Answers to REGISTER. accept() sends 200 with Date (except it is told not
 * to), Expires, the Contacts of `bindings` that belong to the request's AOR,
 * the Path as it came, and the SIS tag; newreg adds x-cisco-newreg to the first
 * Contact. For a QUERY it lists what is bound; for STANDBY it names no binding
 * at all. `bindings` may be NULL for STANDBY. alive_until is the monotonic ms
 * at which the last binding ends (MOMENT_NEVER: nothing bound): the engine
 * closes with EXPIRED then.
 * `others` are lines `Contact: ...` CR LF for the same AOR that other
 * connections bound, or NULL. Where the phone supports gruu, Contacts with an
 * instance get a pub-gruu, and a temp-gruu of the users in `temporary`, one for
 * each of `bindings` ("": none), or NULL.
 */
enum { SIP_GRUU_SIZE = 32 };

struct sip_gruu_user {
	char text[SIP_GRUU_SIZE];
};

struct sip_grant {
	uint32_t expires_s;
	bool newreg;
	const struct sip_bindings *bindings;
	uint64_t alive_until_ms;
	const char *others;
	const struct sip_gruu_user *temporary;
};
void sip_server_accept(struct sip_server *s, const struct sip_grant *grant);

/* 401 with a challenge for each algorithm, strongest first (RFC 8760). */
struct sip_challenge {
	const char *realm;
	const char *nonce;
	bool stale; /* right, but for a nonce that is too old */
};
void sip_server_challenge(
	struct sip_server *s, const struct sip_challenge *challenge);

/* reject(), of a LOCATE too, sends status; warning (or NULL) goes out as
 * `Warning: 399 <node> "<warning>"`; retry_after_s and min_expires_s are
 * left out when 0. phrase NULL: the standard one. */
struct sip_refusal {
	int status;
	const char *phrase;
	const char *warning;
	uint32_t retry_after_s;
	uint32_t min_expires_s;
};
void sip_server_reject(struct sip_server *s, const struct sip_refusal *why);
void sip_server_grant_token(struct sip_server *s);
void sip_server_deny_token(struct sip_server *s, uint32_t wait_s);

/* 302 to a LOCATE: these, best first, one Contact a line. */
struct sip_target {
	const char *uri; /* addr-spec */
	uint16_t q;	 /* thousandths */
	uint32_t expires_s;
};
void sip_server_redirect(
	struct sip_server *s, const struct sip_target *targets, size_t n);

/* What a phone can be told at any time. X(symbol, action of service-control)
 */
#define SIP_ORDER_LIST(X)     \
	X(RESET, "reset")     \
	X(RESTART, "restart") \
	X(APPLY, "apply-config")

enum sip_order {
#define X(symbol, action) SIP_ORDER_##symbol,
	SIP_ORDER_LIST(X)
#undef X
};

/*
 * Sends NOTIFY service-control to the phone of that binding, which is the one
 * that its current REGISTER made: its Call-ID goes into RegisterCallId. ORDERED
 * follows. False: an earlier order is not answered yet, or the connection is
 * ending; nothing was sent.
 */
bool sip_server_order(struct sip_server *s, enum sip_order order,
	const struct sip_binding *binding);

#endif
