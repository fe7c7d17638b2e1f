/* SPDX-License-Identifier: Apache-2.0 */
/* A library context of OpenSSL's in which certificates are decoded fast. */
#ifndef REGISTRAR_TLS_LEAN_H
#define REGISTRAR_TLS_LEAN_H

#include <openssl/types.h>

/*
 * To read a public key, OpenSSL 3.0 copies the list of all algorithms it has
 * met and builds a chain out of all decoders it is offered, some forty, for
 * each certificate anew. In this context a provider of ours offers the default
 * provider's algorithms, but only those that TLS with RSA and EC certificates
 * needs, and of the decoders those that read keys out of certificates.
 *
 * The context lives as long as the process; NULL when OpenSSL refused, then
 * the default one serves, slower. Thread-safe.
 */
OSSL_LIB_CTX *lean_library(void);

#endif
