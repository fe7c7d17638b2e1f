/* SPDX-License-Identifier: Apache-2.0 */
/* What a phone keeps over power loss: certificates, keys, how it comes. */
#ifndef BENCH_FLASH_H
#define BENCH_FLASH_H

#include "bench/credential.h"
#include "certs/diag.h"

/* How a phone comes to CAPF. X(symbol, number of <capfAuthMode>, word) */
#define FLASH_MODE_LIST(X)        \
	X(STRING, 1, "string")    \
	X(NULL_STRING, 2, "null") \
	X(LSC, 3, "lsc")          \
	X(MIC, 4, "mic")

enum flash_mode {
	FLASH_MODE_NONE,
#define X(symbol, number, word) FLASH_MODE_##symbol = (number),
	FLASH_MODE_LIST(X)
#undef X
};

/*
 * In memory, or in a folder: lsc.pem, lsc.key, mic.pem, mic.key, pending.key,
 * mode. Each change is whole and durable when its function has returned:
 * after a power cut at any point flash_open() finds the state before it or
 * the state behind it.
 */
struct flash {
	const char *dir;       /* NULL: in memory; outlives it */
	struct credential lsc; /* kind NONE: it has none */
	struct credential mic;
	EVP_PKEY *pending; /* made, and not certified yet; or NULL */
	enum flash_mode mode;
};

/* Takes what the folder holds; makes it (0700) when it is not there. 0, or
 * -errno with d set. */
int flash_open(struct flash *f, const char *dir, struct diag *d);
void flash_close(struct flash *f);

/* What it shows in TLS: its LSC, else its MIC, else none. */
const struct credential *flash_shown(const struct flash *f);

/* What it has from its factory, or from a life before this one; by the kind
 * in it. Takes the credential over. */
int flash_fill(struct flash *f, struct credential *c, struct diag *d);
int flash_keep_mode(struct flash *f, enum flash_mode mode, struct diag *d);
/* Takes a reference. */
int flash_keep_pending(struct flash *f, EVP_PKEY *key, struct diag *d);
/* An LSC for the pending key, which then is its own; or a new one for the key
 * that it has. -EINVAL: it is for neither. Takes a reference. */
int flash_keep_lsc(struct flash *f, X509 *cert, struct diag *d);
/* LSC and its key; what is not there is gone already. */
int flash_erase_lsc(struct flash *f, struct diag *d);

#endif
