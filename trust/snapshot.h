/* SPDX-License-Identifier: Apache-2.0 */
/* A frozen CallManager-trust: anchors and the store they are judged with. */
#ifndef TRUST_SNAPSHOT_H
#define TRUST_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <openssl/x509.h>

#include "certs/diag.h"
#include "certs/identity.h"

/* One CA certificate of the folder. Frozen with its snapshot. */
struct trust_anchor {
	char *file; /* name inside the folder */
	int line;   /* of its BEGIN; 0 for DER */
	X509 *cert;
	enum cert_kind kind;	 /* what its leaves are: LSC or MIC */
	bool kind_said;		 /* by the policy; else by its name */
	struct cert_identity id; /* its own subject, dates, fingerprints */
	const char *known_as;	 /* of a known Cisco CA; else NULL */
	unsigned allows;	 /* of its leaves: set of trust_waiver */
	bool allow_not_critical; /* of itself: its basicConstraints */
	bool enrol_only;	 /* its leaves may enrol, not register */
	bool retiring;		 /* still admits, and its leaves are counted */
	int64_t grace_s;	 /* that its leaves may be past their end */
	bool usable;
	char unusable_why[128]; /* why not, "" when usable */
};

/* What the configuration says of one anchor, by file name or SHA-256. */
struct trust_anchor_policy {
	const char *name;    /* file name, or 64 lower hex digits */
	enum cert_kind kind; /* CERT_KIND_UNKNOWN: not overridden */
	unsigned allows;     /* set of trust_waiver */
	bool allow_not_critical, enrol_only, retiring;
	int64_t grace_s; /* up to TRUST_GRACE_DAYS_MAX */
};

enum {
	TRUST_AUTH_LEVEL_MAX = 5,
	TRUST_GRACE_DAYS_MAX = 3650,
};

struct trust_policy {
	int auth_level; /* strength asked of certificates, 0 to 5: 2 =
			 * 112 bit (RSA-2048, SHA-224 and up) */
	const struct trust_anchor_policy *anchors;
	size_t n_anchors;
};

extern const struct trust_policy trust_policy_default;

struct trust_snapshot;
struct trust_revocation;

/* What to load, and against what. */
struct trust_load {
	const char *dir;
	uint64_t generation;
	time_t now;			     /* 0: nobody knows */
	const struct trust_policy *policy;   /* NULL: the default */
	const struct trust_snapshot *before; /* the set in force, or NULL */
	/* An admin asked: files may have lost CAs, and be of this very second
	 * though nobody can say whether their writer is done. */
	bool explicit_order;
	const char *const *without; /* names of files to leave out */
	size_t n_without;
	/* A hidden file of it, and the name under which it is judged as one
	 * of the others; or NULL. */
	const char *with, *with_name;
	bool keep_lists; /* trust_revocation_keep */
};

/*
 * Loads every file of `dir` that is not hidden, in name order, as one set: all
 * of it or, at the first bad file, nothing; folders in it do not count.
 * Refused, with the rule's name (certs/rule.h), file, line, cause and cure in
 * d: what trust_folder_* and cert_pem_parse refuse, what is no CA's
 * certificate, the same certificate in one file twice (in two files it is one
 * anchor), no certificate at all, and, without an explicit order, a file that
 * has lost a certificate which it had in `before`: a write that was cut short
 * at the border of a block looks just so. -EAGAIN: it passes by itself (a
 * write under way); -ENOENT, -ENOTDIR: the folder, or what a link names, is
 * not there; -E2BIG: a limit (4096 files, 4096 CAs); else -EINVAL or -errno.
 *
 * A CA that can vouch for nobody (unreadable dates, key usage, a key below
 * the auth level; of kind LSC also what trust_form_ca says) is loaded and
 * marked unusable, so that a phone under it gets the true reason and not
 * "unknown CA".
 *
 * Kind: the policy; else a known Cisco CA is MIC; else CN=CAPF-... is LSC;
 * else MIC, the kind that admits least. What the policy says under any of a
 * CA's names counts. The caller owns one reference.
 */
int trust_snapshot_load(const struct trust_load *load,
	struct trust_snapshot **out, struct diag *d);
struct trust_snapshot *trust_snapshot_ref(struct trust_snapshot *s);
void trust_snapshot_unref(struct trust_snapshot *s);

uint64_t trust_snapshot_generation(const struct trust_snapshot *s);
/* SHA-256 over the sorted SHA-256 of its anchors, lower hex: equal on two
 * nodes exactly when both believe the same CAs. */
const char *trust_snapshot_fingerprint(const struct trust_snapshot *s);
const struct trust_anchor *trust_snapshot_anchors(
	const struct trust_snapshot *s, size_t *n);
/* The anchor that is this very certificate, or NULL. O(1). */
const struct trust_anchor *trust_snapshot_find(
	const struct trust_snapshot *s, const unsigned char sha256[32]);
/* Do both say the same, file by file? Then neither judges otherwise. */
bool trust_snapshot_is_same(
	const struct trust_snapshot *a, const struct trust_snapshot *b);
X509_STORE *trust_snapshot_store(const struct trust_snapshot *s);
const struct trust_policy *trust_snapshot_policy(
	const struct trust_snapshot *s);
/* The lists of the folder's .crl files; never NULL. */
const struct trust_revocation *trust_snapshot_revocation(
	const struct trust_snapshot *s);

#endif
