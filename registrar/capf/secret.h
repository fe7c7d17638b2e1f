/* SPDX-License-Identifier: Apache-2.0 */
/* Authentication strings: made by chance, kept salted and hashed. */
#ifndef REGISTRAR_CAPF_SECRET_H
#define REGISTRAR_CAPF_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "registrar/capf/records.h"

enum { CAPF_SECRET_MIN = 4, CAPF_SECRET_MAX = 10 }; /* digits */

/* So many digits, each as likely as any other. The caller cleanses them. */
void capf_secret_make(char out[CAPF_SECRET_MAX + 1], unsigned digits);
/* A new salt, and PBKDF2-HMAC-SHA256 of the string. Some milliseconds. */
void capf_secret_hash(
	const char *secret, uint8_t salt[CAPF_SALT], uint8_t hash[CAPF_HASH]);

/* Has the operation a string that is not void? */
bool capf_secret_is_set(const struct capf_operation *o);
/* Is this its string? Takes as long for a wrong one. */
bool capf_secret_is(const struct capf_operation *o, const char *secret);
/* Nobody comes by it any more. */
void capf_secret_void(struct capf_operation *o);

#endif
