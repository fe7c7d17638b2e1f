/* SPDX-License-Identifier: Apache-2.0 */
/* One list of revoked certificates (RFC 5280, 5), read and judged strictly. */
#ifndef TRUST_CRL_H
#define TRUST_CRL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <openssl/x509.h>

#include "certs/diag.h"
#include "certs/identity.h"

/*
 * Why a list is refused at load. X(symbol, rule, what is wrong, cure)
 */
#define TRUST_CRL_RULE_LIST(X)                                                \
	X(TOO_LONG, "crl-too-long", "longer than 16 MiB",                     \
		"take a list of certificates that have not expired")          \
	X(TOO_MANY, "crl-too-many",                                           \
		"more than 1024 lists or 500000 entries in the folder",       \
		"remove the lists of CAs whose phones are gone")              \
	X(NONE, "crl-none",                                                   \
		"no certificate revocation list in it (PEM or DER)",          \
		"fetch it from its CA again, or remove the file")             \
	X(HALF, "crl-half-written", "a block that is damaged or has no end",  \
		"copy the whole file: write it beside, then rename it")       \
	X(OTHER, "crl-other-block", "a block that is no X509 CRL",            \
		"put certificates into files of their own, keys elsewhere")   \
	X(DAMAGED, "crl-damaged",                                             \
		"not a certificate revocation list, or a damaged one",        \
		"fetch it from its CA again")                                 \
	X(TRAILING, "crl-trailing-bytes", "bytes behind the list",            \
		"fetch it from its CA again")                                 \
	X(ENTRY, "crl-entry",                                                 \
		"an entry with an unreadable date or reason, or with a "      \
		"serial number that is negative or longer than 32 bytes",     \
		"ask its CA for a new list")                                  \
	X(DATES, "crl-dates",                                                 \
		"its dates cannot be read, or it ends before it begins",      \
		"ask its CA for a new list")                                  \
	X(FUTURE, "crl-future", "issued in the future",                       \
		"look at our clock, and at its CA's")                         \
	X(NUMBER, "crl-number", "its number cannot be read",                  \
		"ask its CA for a new list")                                  \
	X(DELTA, "crl-delta", "a delta, which says only what has changed",    \
		"use its CA's full list")                                     \
	X(INDIRECT, "crl-indirect", "an indirect list, of several CAs",       \
		"use the list that each CA signs for itself")                 \
	X(PARTIAL, "crl-partial",                                             \
		"of some of its CA's certificates or reasons alone",          \
		"use its CA's full list")                                     \
	X(CRITICAL, "crl-critical-extension",                                 \
		"a critical extension that we do not know",                   \
		"ask its CA for a list without it")                           \
	X(UNKNOWN_ISSUER, "crl-unknown-issuer",                               \
		"a CA of that name is here, but with another key",            \
		"put the CA's certificate there, or remove the list too")     \
	X(SIGNATURE, "crl-bad-signature",                                     \
		"its signature fits no CA of that name in the folder",        \
		"put its CA there, or fetch it from its CA again")            \
	X(NO_CRL_SIGN, "crl-no-crl-sign", "its CA's key usage lacks cRLSign", \
		"have the CA's certificate issued with cRLSign")              \
	X(AMBIGUOUS, "crl-ambiguous",                                         \
		"another list of its CA is as new and says something else",   \
		"remove one of them")                                         \
	X(OLDER, "crl-older", "older than its CA's list in force",            \
		"fetch the newest; to go back, remove it, reload, and put it" \
		" there again")                                               \
	X(SHRUNK, "crl-shrunk",                                               \
		"a list of a CA that is still there is gone from it",         \
		"copy the whole file; to give that list up, put the others "  \
		"into a file of another name and remove this one")

enum trust_crl_rule {
#define X(symbol, rule, why, cure) TRUST_CRL_##symbol,
	TRUST_CRL_RULE_LIST(X)
#undef X
		TRUST_CRL_RULES /* how many; none of them */
};

enum {
	TRUST_CRL_FILE_MAX = 16 << 20, /* bytes of one file */
	TRUST_CRL_ENTRIES_MAX = 500000,
	TRUST_CRLS_MAX = 1024,
	TRUST_CRL_NUMBER_MAX = 49, /* decimal digits of 20 bytes (RFC 5280) */
	TRUST_CRL_SERIAL_MAX = CERT_SERIAL_MAX / 2, /* bytes */
	TRUST_CRL_NO_REASON = -1,
};

/* One revoked certificate: 40 bytes, and 6 to 12 of index. */
struct trust_crl_entry {
	uint8_t serial[TRUST_CRL_SERIAL_MAX];
	uint8_t n;
	int8_t reason;	/* RFC 5280 5.3.1, or NO_REASON */
	uint32_t since; /* unix seconds; 0: before 1970, as no one means it */
};

/* Frozen once it is bound; counted. */
struct trust_crl {
	char *path;			       /* as the loader named it */
	const char *file;		       /* the last part of that */
	char issuer[512];		       /* RFC 2253, for people */
	char number[TRUST_CRL_NUMBER_MAX + 1]; /* decimal; "": it has none */
	time_t this_update;
	time_t next_update; /* 0: it does not say */
	uint8_t sha256[32];
	size_t n; /* entries */
	/* ---- crl.c's ---- */
	atomic_uint refs;
	X509_CRL *x509; /* until it is bound, unless it is kept */
	struct trust_crl_entry *entries;
	uint32_t *slots; /* open addressing: an entry's number + 1 */
	size_t mask;
};

/* Takes x509 over in either case. `now` 0: no future is too far. 0, or
 * -EINVAL with d. */
int trust_crl_read(X509_CRL *x509, const char *path, time_t now,
	struct trust_crl **out, struct diag *d);
struct trust_crl *trust_crl_ref(struct trust_crl *crl);
void trust_crl_unref(struct trust_crl *crl);

/* The entry with that serial number (lower hex, as struct cert_identity has
 * it), or NULL. O(1). */
const struct trust_crl_entry *trust_crl_find(
	const struct trust_crl *crl, const char *serial);
/* Below 0: a is older; by their numbers, or by their dates where one has none
 * or both have the same. */
int trust_crl_compare(const struct trust_crl *a, const struct trust_crl *b);

/* Names the file, the list if it is known, and the cure; `more` may be "". */
int trust_crl_refuse(struct diag *d, enum trust_crl_rule rule, const char *path,
	const char *issuer, const char *more);

/* "keyCompromise", ...; "unknown". */
const char *trust_crl_reason(int reason);

#endif
