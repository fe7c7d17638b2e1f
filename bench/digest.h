/* SPDX-License-Identifier: Apache-2.0 */
/* A phone's answer to a digest challenge (RFC 7616, RFC 8760). */
#ifndef BENCH_DIGEST_H
#define BENCH_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

#include "protocols/sip/auth.h"

enum { DIGEST_SIZE = 900 };

struct digest_answer {
	const char *username;
	const char *password;
	const char *method;
	const char *uri;
};

/* Writes the value of an Authorization, with a cnonce of its own and nc 1
 * where the challenge offers qop. False: it does not fit. */
bool digest_authorization(const struct sip_challenge_read *challenge,
	const struct digest_answer *answer, char *dst, size_t size);

#endif
