/* SPDX-License-Identifier: Apache-2.0 */
/* What the anchors of a store have revoked: their CRLs, bound to them. */
#ifndef TRUST_REVOCATION_H
#define TRUST_REVOCATION_H

#include <stdbool.h>

#include "trust/crl.h"
#include "trust/snapshot.h"

/*
 * Whose word counts: a list is of every anchor that has its issuer's name, the
 * key that signed it and the right to (cRLSign, where it has a key usage). A
 * list whose issuer's name no anchor has is an orphan: it says nothing, so that
 * a CA can be removed by hand with its list left, and counts as any other once
 * its CA is here. One in the name of an anchor that none of them signed is
 * refused, and so is each that says less than all (delta, indirect, partial):
 * half a list lets in whom the other half names. Of two lists of one CA the
 * newer is in force, by number, by date where one has none; the other is
 * superseded and may be removed. None may be older than the one that was in
 * force, so that no old file lets anybody back in. A list that has ended stays
 * in force: its entries are still revoked. A CA without a list has revoked
 * nobody: neither is a phone's fault.
 *
 * An anchor that another anchor issued, and whose serial number that one's
 * list names, is revoked itself, and all it vouches for with it. Nothing is
 * inferred beyond that: an anchor stands on its own, so a revoked CA above
 * does not pull down anchors that it issued but does not name.
 *
 * Memory: some 50 bytes an entry, 5 MB for 100,000 (rounded up to powers of
 * two in part); generations share the lists that have not changed.
 */
struct trust_revocation;

/* `now`: what is in the future; 0: nothing is. */
struct trust_revocation *trust_revocation_new(time_t now);
/* Before _parse: the lists themselves (crl->x509) stay when it is bound, for
 * who passes them on; many times the memory, and nothing is shared. */
void trust_revocation_keep(struct trust_revocation *r);
void trust_revocation_free(struct trust_revocation *r);

/* Adds the lists of one file (one or many, PEM or DER). 0, or -EINVAL with d
 * (rule: TRUST_CRL_RULE_LIST); then r is good for _free alone. */
int trust_revocation_parse(struct trust_revocation *r, const char *file,
	const void *data, size_t n, struct diag *d);
/* Once, after all files: checks signatures and takes the place of `before`,
 * the one in force (or NULL). Frozen from then on. The same answers. */
int trust_revocation_bind(struct trust_revocation *r,
	const struct trust_anchor *anchors, size_t n,
	const struct trust_revocation *before, struct diag *d);

/* Has the anchor with that SHA-256 revoked its certificate of that serial
 * number (lower hex, as struct cert_identity has it), or been revoked? r may
 * be NULL. O(1), no lock, no memory. */
bool trust_revocation_is_revoked(const struct trust_revocation *r,
	const uint8_t anchor[32], const char *serial);

struct trust_revoked {
	const struct trust_crl *crl; /* that says so */
	const struct trust_crl_entry *entry;
	bool anchor; /* it is the anchor itself */
};
bool trust_revocation_find(const struct trust_revocation *r,
	const uint8_t anchor[32], const char *serial,
	struct trust_revoked *out);
/* The anchor's list in force, or NULL. */
const struct trust_crl *trust_revocation_of(
	const struct trust_revocation *r, const uint8_t anchor[32]);
/* "capf.crl (CRL number 7, issued ...) names it since ..., reason: ..." */
void trust_revoked_text(
	const struct trust_revoked *revoked, char *out, size_t size);

/* ---- for status ---- */

enum { TRUST_CRL_DUE_S = 86400 };

/* X(symbol, name) */
#define TRUST_CRL_STATE_LIST(X)                               \
	X(CURRENT, "current")                                 \
	X(DUE, "due")	      /* ends within a day */         \
	X(OVERDUE, "overdue") /* has ended; still in force */ \
	X(SUPERSEDED, "superseded")                           \
	X(ORPHAN, "orphan") /* its CA is not here */

enum trust_crl_state {
#define X(symbol, name) TRUST_CRL_##symbol,
	TRUST_CRL_STATE_LIST(X)
#undef X
};
const char *trust_crl_state_name(enum trust_crl_state state);

/* In the order of files; r may be NULL. */
size_t trust_revocation_count(const struct trust_revocation *r);
const struct trust_crl *trust_revocation_at(
	const struct trust_revocation *r, size_t i);
enum trust_crl_state trust_revocation_state(
	const struct trust_revocation *r, size_t i, time_t now);

#endif
