/* SPDX-License-Identifier: Apache-2.0 */
/* Digest authentication of SIP phones: nonces, and who knows the password. */
#ifndef REGISTRAR_DIGEST_H
#define REGISTRAR_DIGEST_H

#include <stdint.h>

#include "protocols/moment.h"
#include "protocols/sip/auth.h"
#include "registrar/peer.h"

enum {
	DIGEST_NONCE_SIZE = 16 + 32 + 1,
	DIGEST_HA1_MAX = 32, /* bytes: SHA-256 has that many, MD5 16 */
};

/*
 * Nonces carry the time they were made and a MAC over it and the connection
 * they were made for, under a key of this process: nothing is kept of them,
 * and what somebody overheard is of no use over another connection.
 * Thread-safe; frozen.
 */
struct digest;
struct digest *digest_new(void);
void digest_free(struct digest *d);

void digest_nonce(const struct digest *d, struct conn_ref ref,
	const struct moment *now, char nonce[DIGEST_NONCE_SIZE]);

/* H(username:realm:password), as many bytes as the algorithm makes: all that
 * is kept of a password. */
void digest_ha1(enum sip_algorithm algorithm, const char *username,
	const char *realm, const char *password, uint8_t ha1[DIGEST_HA1_MAX]);

/* The highest count that a connection used with its newest nonce: one that
 * comes twice is a replay. Zeroed: none yet. */
struct digest_seen {
	uint64_t made_ms;
	uint32_t count;
};

/* X(symbol, rule, what it means) */
#define DIGEST_LIST(X)                                                         \
	X(GOOD, "digest-good", "it knows the password")                        \
	X(STALE, "digest-stale",                                               \
		"the nonce is too old, not of this connection or used before") \
	X(REALM, "digest-realm", "the answer is for another realm")            \
	X(WRONG, "digest-wrong", "user name or password is wrong")

enum digest_verdict {
#define X(symbol, rule, text) DIGEST_##symbol,
	DIGEST_LIST(X)
#undef X
};

const char *digest_verdict_rule(enum digest_verdict verdict);
const char *digest_verdict_text(enum digest_verdict verdict);

struct digest_check {
	struct conn_ref ref;
	const char *realm;
	const uint8_t *ha1; /* of auth's algorithm; NULL: none is known */
	const char *method; /* of the request; its URI was compared before */
	uint32_t lifetime_s;
};

/* STALE only where everything else is right: a new nonce is all it takes.
 * GOOD counts in *seen. */
enum digest_verdict digest_judge(const struct digest *d,
	const struct sip_auth *auth, const struct digest_check *check,
	const struct moment *now, struct digest_seen *seen);

#endif
