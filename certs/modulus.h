/* SPDX-License-Identifier: Apache-2.0 */
/* Can the primes of an RSA modulus be found by what is known? */
#ifndef CERTS_MODULUS_H
#define CERTS_MODULUS_H

#include <openssl/bn.h>

#include "certs/bearer_key.h"

/* n has 512 to 4096 bits. OK, BAD_MODULUS, CLOSE_PRIMES or ROCA. */
enum cert_bearer_key cert_modulus_check(const BIGNUM *n);

#endif
