/* SPDX-License-Identifier: Apache-2.0 */
/* What CAPF keeps: operations, the ledger of LSCs, phones' certificates. */
#ifndef REGISTRAR_CAPF_RECORDS_H
#define REGISTRAR_CAPF_RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/identity.h"
#include "registrar/capf/status.h"
#include "registrar/peer.h"

enum { CAPF_SALT = 16, CAPF_HASH = 32, CAPF_DETAIL_MAX = 511 };
/*
 * So much before our time LSCs begin, for who judges them may have a clock that
 * is behind. For the same reason a clock that goes back by as much is no fault:
 * what was issued before it did is good already.
 */
enum { CAPF_BACKDATED_S = 300 };
/* So long a phone may come by null string, or by string, at most. */
enum { CAPF_NULL_MAX_S = 86400, CAPF_STRING_MAX_S = 720 * 3600 };

/* The last operation of a device. Times are unix seconds, 0: none. */
struct capf_operation {
	char device[CERT_DEVICE_MAX + 1];
	enum capf_kind kind;
	enum capf_mode mode;
	enum capf_state state;
	enum capf_why why;		  /* the last failure */
	char detail[CAPF_DETAIL_MAX + 1]; /* and what came, with the cure */
	char origin[16];		  /* "admin", "renewal", "rollover" */
	int64_t queued_at;
	int64_t turn_at;      /* when the phone is told to come */
	int64_t completes_by; /* afterwards it is LATE */
	int64_t changed_at;   /* of state, why and detail */
	bool tell;	      /* the phone is reset at its turn */
	int64_t told_at; /* below 0: not to be reached then; told when back */
	uint32_t visits, key_failures;
	char address[PEER_ADDRESS_MAX]; /* of the last visit */
	/* STRING: salted and hashed; all zero: none is set any more. */
	uint8_t salt[CAPF_SALT], hash[CAPF_HASH];
	int64_t string_until;
	uint32_t wrong_strings;
	int64_t null_until;		  /* NULL */
	char serial[CERT_SERIAL_MAX + 1]; /* of the LSC it came to, "" */
};

/* What became of an LSC. X(symbol, name) */
#define CAPF_ISSUED_LIST(X)                                                 \
	X(STALE, "stale")	  /* not known to have reached the phone */ \
	X(INSTALLED, "installed") /* confirmed, or used */                  \
	X(REPLACED, "replaced")	  /* the phone has a newer one */           \
	X(DELETED, "deleted")	  /* the phone gave it back */

enum capf_issued_state {
#define X(symbol, name) CAPF_ISSUED_##symbol,
	CAPF_ISSUED_LIST(X)
#undef X
		CAPF_ISSUED_STATES
};
const char *capf_issued_name(enum capf_issued_state state);
int capf_issued_find(const char *name);

/* One line of the ledger. */
struct capf_issued {
	char serial[CERT_SERIAL_MAX + 1]; /* 32 hex digits; another CA's: its */
	char device[CERT_DEVICE_MAX + 1];
	enum capf_issued_state state;
	uint8_t sha256[32];	/* of the certificate */
	uint8_t key_sha256[32]; /* of its SubjectPublicKeyInfo */
	uint8_t issuer[32];	/* SHA-256 of the issuing certificate; zero: a
				 * CA outside, whose own is not known */
	char issuer_cn[CERT_NAME_MAX + 1];
	int64_t issued_at, confirmed_at;
	int64_t not_before, not_after;
	char key[32];	 /* "RSA-2048", "P-256" */
	char origin[16]; /* of the operation */
};

/* A certificate that a phone showed at Troubleshoot. */
struct capf_shown {
	char device[CERT_DEVICE_MAX + 1];
	unsigned type; /* enum capf_cert_type, as the phone said */
	int64_t at;
	size_t n;
	const uint8_t *der;
};

/* A phone's key that waits for a CA outside. */
struct capf_request {
	char device[CERT_DEVICE_MAX + 1];
	uint8_t key_sha256[32];
	int64_t at;
	int64_t exported_at; /* 0: not yet */
	size_t n;
	const uint8_t *spki; /* DER */
};

/*
 * One link of the audit chain. hash = SHA-256 over the previous link's hash and
 * this link's text; the first one's previous is all zero.
 */
struct capf_audit {
	uint64_t number; /* from 1 on, without a gap */
	int64_t at;
	char event[24]; /* "issued", "refused", "installed", ... */
	char device[CERT_DEVICE_MAX + 1];
	char serial[CERT_SERIAL_MAX + 1];
	char address[PEER_ADDRESS_MAX];
	char detail[CAPF_DETAIL_MAX + 1];
	uint8_t hash[32];
};

#endif
