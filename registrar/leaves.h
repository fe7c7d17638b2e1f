/* SPDX-License-Identifier: Apache-2.0 */
/* The last LSC and the last MIC of each device, kept to be judged again. */
#ifndef REGISTRAR_LEAVES_H
#define REGISTRAR_LEAVES_H

#include <stdint.h>

#include <openssl/x509.h>

#include "certs/diag.h"
#include "registrar/inventory.h"

enum {
	LEAVES_CHAIN_MAX = 8192, /* bytes of a certificate and its helpers */
	/* Not written yet, in bytes: some 50,000 phones that come while the
	 * disk stands still. What comes then is dropped. */
	LEAVES_QUEUE_MAX = 64 << 20,
	LEAVES_IN_MEMORY_MAX = 200,
};

/*
 * What is kept of one: the certificate's DER and behind it that of the CA
 * certificates which the phone sent along, as far as they fit.
 */
struct leaf {
	struct leaf *next; /* leaves' own */
	char device[CERT_DEVICE_MAX + 1];
	enum cert_kind kind; /* UNKNOWN: all of that device go */
	uint8_t sha256[32];
	uint8_t anchor[32]; /* SHA-256 of who vouched for it */
	int64_t not_after;  /* unix seconds */
	size_t n;
	uint8_t chain[];
};

struct leaves;

/*
 * Opens certificates.db in the state folder (NULL: in memory, at most
 * LEAVES_IN_MEMORY_MAX) and starts the thread that writes it; of
 * trust.certificates_kept the longest unchanged ones go first. Of the devices
 * of the inventory, and where registration.unknown lets any LSC in, the LSCs of
 * others: both prove their name, so that nobody fills it with invented ones.
 * What is of no such device any more goes now. 0, or -errno with d.
 */
int leaves_open(const char *folder, const struct config *config,
	struct inventory *inventory, struct leaves **out, struct diag *d);
/* Writes what waits, then closes. */
void leaves_close(struct leaves *l);

/* ---- thread-safe, none of them waits for the disk ---- */

/*
 * A full handshake: this certificate, of which cert is the digest, was found
 * good now, and `untrusted` (may be NULL, may hold the leaf) came with it. It
 * is taken here and not at the registration, because afterwards nobody has
 * its bytes any more: no connection keeps them. One that is kept already
 * costs a look at cert->kept.
 */
void leaves_offer(struct leaves *l, struct peer_cert *cert, enum cert_kind kind,
	const uint8_t anchor[32], X509 *leaf, STACK_OF(X509) * untrusted);
/* Did the last write fail? */
bool leaves_fail(const struct leaves *l);
/* The device is no longer in the inventory. */
void leaves_forget(struct leaves *l, const char *device);

struct leaves_counts {
	size_t kept;
	size_t waiting;	  /* to be written */
	uint64_t dropped; /* no room to wait, or too long */
};
struct leaves_counts leaves_count(struct leaves *l);

/* ---- reading ---- */

enum leaves_depth { LEAVES_FACTS /* n is 0 */, LEAVES_WHOLE };

/*
 * The next ones behind `last` (NULL: from the start), by device, without case,
 * an LSC before a MIC; those included that wait to be written. A list by
 * `next`, of some hundred at most; NULL: no more.
 */
struct leaf *leaves_after(
	struct leaves *l, enum leaves_depth depth, const struct leaf *last);
void leaves_free(struct leaf *list);

#endif
