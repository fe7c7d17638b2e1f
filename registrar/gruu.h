/* SPDX-License-Identifier: Apache-2.0 */
/* Temporary GRUUs: users of URIs that lead to a phone and tell nobody which. */
#ifndef REGISTRAR_GRUU_H
#define REGISTRAR_GRUU_H

#include <stdbool.h>
#include <stdint.h>

#include "protocols/sip/server.h"
#include "registrar/locations.h"

/*
 * RFC 5627 5.1 and its appendix A: nothing is kept of them. One is a block of
 * AES under a key of this process: the AOR's hash, that of instance and
 * Call-ID, and the CSeq. So each REGISTER makes another, which nobody can
 * connect with the one before, and all of them are good until the phone begins
 * a new Call-ID. Thread-safe; frozen.
 */
struct gruu;
struct gruu *gruu_new(void);
void gruu_free(struct gruu *g);

/* The user for a binding that has an instance; "" for one that has none. */
void gruu_make(const struct gruu *g, const struct sip_binding *binding,
	char user[SIP_GRUU_SIZE]);

/* What such a user leads to. */
struct gruu_meaning {
	uint64_t aor_hash; /* for locations_find_hash() */
	uint32_t check;
	uint32_t cseq;
};
/* False: its form is not that of one. Strangers' ones lead nowhere. */
bool gruu_read(
	const struct gruu *g, const char *user, struct gruu_meaning *meaning);
bool gruu_means(
	const struct gruu_meaning *meaning, const struct location *location);

#endif
