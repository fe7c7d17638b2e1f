/* SPDX-License-Identifier: Apache-2.0 */
/* A little registrar on a test's own loop: the server engines behind uv. */
#ifndef TESTS_BENCH_LITTLE_H
#define TESTS_BENCH_LITTLE_H

#include <openssl/ssl.h>
#include <uv.h>

#include "bench/talk.h"
#include "bench/target.h"

enum little_mood {
	LITTLE_ACCEPTS,
	LITTLE_REJECTS,	     /* with words that a console must not trust */
	LITTLE_IS_SILENT,    /* takes the connection, answers nothing */
	LITTLE_HANGS_UP,     /* as soon as the phone is registered */
	LITTLE_FALLS_SILENT, /* once the phone is registered */
};

enum { LITTLE_CALLERS = 32 };

struct little {
	uv_loop_t *loop;
	uv_tcp_t listener;
	SSL_CTX *ctx; /* NULL: plain TCP */
	enum talk_protocol protocol;
	enum little_mood mood;
	struct target target; /* where it listens */
	unsigned registered;
	unsigned unregistered;
	unsigned together; /* registered at once, at most */
	unsigned standby;  /* keepalives of standby phones */
	/* So many requests for a token or to register (SIP: 503) are told to
	 * wait a second; may be set once it is open. */
	unsigned tells;
	bool tells_and_hangs_up;
	unsigned restarts; /* SCCP: so many are told to, once registered */
	unsigned tokens;   /* granted */
	unsigned calls;
	uint32_t callers[LITTLE_CALLERS]; /* the first ones' addresses */
	uint8_t plain[16384];
	char received[65536];
};

/* Listens on a free port of 127.0.0.1; does not keep the loop alive. */
void little_open(struct little *l, uv_loop_t *loop, enum talk_protocol protocol,
	enum little_mood mood, SSL_CTX *ctx);
/* After the loop has ended. */
void little_close(struct little *l);
/* A server context with these files, which asks for a client certificate
 * of `ca`. */
SSL_CTX *little_tls(const char *cert, const char *key, const char *ca);

#endif
