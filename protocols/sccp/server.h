/* SPDX-License-Identifier: Apache-2.0 */
/* The server side of one SCCP connection: bytes in, events and bytes out. */
#ifndef PROTOCOLS_SCCP_SERVER_H
#define PROTOCOLS_SCCP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "protocols/bytes.h"
#include "protocols/moment.h"
#include "protocols/sccp/message.h"

enum {
	SCCP_ALARM_MAX = 2048, /* alarm text or XML kept for the event */
};

/* What one server asks of every connection; outlives the engine. */
struct sccp_server_config {
	uint32_t first_frame_ms;  /* until the first whole frame */
	uint32_t idle_ms;	  /* silence allowed while not registered */
	uint32_t grace_ms;	  /* for the phone to close after a reject
				   * or an unregister */
	uint32_t token_ms;	  /* for the Register behind a token */
	uint32_t capabilities_ms; /* for the answer to CapabilitiesReq */
	uint32_t reset_ms;	  /* for the phone to go after a Reset */
	uint32_t body_max_before; /* frame length field, before register */
	uint32_t body_max_after;  /* the same, once registered */
	uint32_t events_max;	  /* frames in 5 s before throttling, 2000 */
	uint8_t version_max;	  /* highest protocol version to answer */
	size_t out_max;		  /* bytes waiting to be sent, at most */
};

extern const struct sccp_server_config sccp_server_defaults;

enum sccp_server_event_type {
	SCCP_SERVER_REGISTER,	/* wants in: answer accept() or reject() */
	SCCP_SERVER_REGISTERED, /* the phone finished its conversation */
	SCCP_SERVER_TOKEN,	/* asks to fall back here: grant_token()
				 * or deny_token(). Who asks again before the
				 * wait is over is answered without an event */
	SCCP_SERVER_UNREGISTER, /* said goodbye; already acknowledged */
	SCCP_SERVER_ALARM,	/* why it came back, in its own words */
	SCCP_SERVER_IGNORED,	/* unknown, out of order: worth a log line */
	SCCP_SERVER_CLOSE,	/* close once out() is drained; why says it.
				 * The last event of a connection. */
};

/* Why an engine ends its connection. X(symbol, name, text) */
#define SCCP_CLOSE_LIST(X)                                                     \
	X(NONE, "none", "still open")                                          \
	X(LENGTH_UNDER_4, "sccp-length-under-4", "frame length field below 4") \
	X(FRAME_TOO_LONG, "sccp-frame-too-long", "frame longer than the cap")  \
	X(VERSION_IMPOSSIBLE, "sccp-lost-framing",                             \
		"header version far above any known one")                      \
	X(REGISTER_TOO_SHORT, "sccp-register-too-short",                       \
		"RegisterReq shorter than its mandatory 36 bytes")             \
	X(FIRST_FRAME_LATE, "sccp-first-frame-late",                           \
		"no complete first frame in time")                             \
	X(IDLE, "sccp-idle", "silent and not registered for too long")         \
	X(KEEPALIVE_TIMEOUT, "sccp-keepalive-timeout",                         \
		"registered, then three keepalive intervals of silence")       \
	X(THROTTLED, "sccp-throttled", "too many messages in five seconds")    \
	X(REJECTED, "sccp-rejected", "registration was rejected")              \
	X(UNREGISTERED, "sccp-unregistered", "the phone unregistered")         \
	X(TOKEN_UNUSED, "sccp-token-unused",                                   \
		"a token was granted, and no Register followed in time")       \
	X(CAPABILITIES_LATE, "sccp-capabilities-late",                         \
		"registered, but CapabilitiesReq was not answered in time")    \
	X(CAPABILITIES_BAD, "sccp-capabilities-bad",                           \
		"CapabilitiesRes that names none of the codecs it counts")     \
	X(RESET_UNANSWERED, "sccp-reset-unanswered",                           \
		"told to reset, and it neither left nor came back")            \
	X(NOT_READING, "sccp-not-reading", "answers pile up unread")

enum sccp_close {
#define X(symbol, name, text) SCCP_CLOSE_##symbol,
	SCCP_CLOSE_LIST(X)
#undef X
};

const char *sccp_close_name(enum sccp_close why);
const char *sccp_close_text(enum sccp_close why);

/*
 * Everything in an event is valid until the next call on the engine. What a
 * phone said (device name, load, alarm text) may hold any byte but NUL.
 */
struct sccp_server_event {
	enum sccp_server_event_type type;
	enum sccp_close why;		 /* CLOSE */
	uint32_t message_id;		 /* the frame that caused it */
	uint32_t value;			 /* IGNORED: the length field;
					  * UNREGISTER: the reason given */
	const struct sccp_register *reg; /* REGISTER, TOKEN (device only) */
	const char *text;		 /* ALARM: its text; IGNORED: why */
	uint32_t severity;		 /* ALARM */
};

/* One button of a phone. */
struct sccp_grant_button {
	enum sccp_button_type
		type;	    /* LINE, SPEED_DIAL, BLF, FEATURE, SERVICE */
	const char *target; /* directory number; URL of a SERVICE; "" of a
			     * FEATURE */
	const char *label;
};

/*
 * What accept() gives a phone. Texts are UTF-8, or built-in labels such as
 * "\x80\x13"; each phone gets them in its own character set. A prompt of NULL
 * is that very label, "Your current options".
 */
struct sccp_grant {
	uint32_t keepalive_s; /* primary interval; expiry at 3 x */
	uint32_t secondary_keepalive_s;
	const char *date_template; /* "D.M.Y", at most 6 characters */
	const char *prompt;	   /* status line once registered */
	const char *server_name;   /* for ServerRes and ConfigStat */
	uint32_t server_ipv4;	   /* for ServerRes, network order */
	uint16_t server_port;
	uint32_t softkeys; /* of sccp_softkeys_read(); 0: every one */
	/* From the top of the phone; copied. What is behind the template's
	 * SCCP_BUTTONS_MAX does not exist; one should be a line. */
	const struct sccp_grant_button *buttons;
	size_t n_buttons;
};

struct sccp_server {
	const struct sccp_server_config *config;
	/* The rest is the engine's own; see server.c. */
	struct bytes_queue in;
	struct bytes_queue out;
	struct sccp_server_state *state;
};

void sccp_server_init(struct sccp_server *s,
	const struct sccp_server_config *config, const struct moment *now);
void sccp_server_deinit(struct sccp_server *s);
/*
 * Takes n received bytes. Call next() until it answers false, then send what
 * out() holds. Nothing is parsed while a REGISTER or TOKEN event waits for
 * its answer, so answer, and call next() again, before feeding more: a host
 * that leaves 64 kB unparsed sees the connection throttled.
 */
void sccp_server_feed(struct sccp_server *s, const void *data, size_t n,
	const struct moment *now);
/* Time passed: call at deadline(), then next() and out() as after feed(). */
void sccp_server_tick(struct sccp_server *s, const struct moment *now);
bool sccp_server_next(struct sccp_server *s, struct sccp_server_event *event);
/*
 * Bytes to send (NULL, 0 when none), valid until the next call, then how many
 * of them were taken.
 */
const uint8_t *sccp_server_out(const struct sccp_server *s, size_t *n);
void sccp_server_sent(struct sccp_server *s, size_t n);
/* The monotonic ms at which tick() is due, or MOMENT_NEVER. */
uint64_t sccp_server_deadline(const struct sccp_server *s);

/*
 * Answers to REGISTER; after each, call next() and out() again. accept copies
 * the grant; reject cuts text at SCCP_REJECT_MAX. An answer to a question
 * that the engine has closed in the meantime is dropped.
 */
void sccp_server_accept(struct sccp_server *s, const struct sccp_grant *grant);
void sccp_server_reject(struct sccp_server *s, const char *text);
/* Answers to TOKEN. */
void sccp_server_grant_token(struct sccp_server *s);
void sccp_server_deny_token(struct sccp_server *s, uint32_t wait_s);

enum sccp_reset {
	SCCP_RESET = 1,	  /* boot again */
	SCCP_RESTART = 2, /* register again, with the configuration read anew */
	SCCP_APPLY = 3,	  /* read the configuration; come again if need be */
};

/*
 * Tells a registered phone to come again; others hear nothing. It answers by
 * unregistering or by hanging up. After a RESET or RESTART that it does not
 * obey within reset_ms, the connection is closed.
 */
void sccp_server_reset(
	struct sccp_server *s, enum sccp_reset kind, const struct moment *now);
/* The version in force (0 before accept) and whether accepted. */
uint8_t sccp_server_version(const struct sccp_server *s);
bool sccp_server_registered(const struct sccp_server *s);

#endif
