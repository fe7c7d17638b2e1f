/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of simulated phones: from files, or out of a lab's CAs. */
#ifndef BENCH_CREDENTIAL_H
#define BENCH_CREDENTIAL_H

#include <openssl/ssl.h>

#include "certs/diag.h"
#include "certs/lab.h"

enum credential_kind { CREDENTIAL_NONE, CREDENTIAL_LSC, CREDENTIAL_MIC };

const char *credential_kind_name(enum credential_kind kind); /* "LSC", ... */

/* What one phone shows. Zeroed is none. */
struct credential {
	enum credential_kind kind; /* what the phone takes it for */
	X509 *cert;
	EVP_PKEY *key;
	STACK_OF(X509) * chain; /* sent behind cert */
};

/* cert holds the leaf first, then its chain; key NULL: cert's path with .key
 * for its suffix. 0, or -errno with d set. */
int credential_read(enum credential_kind kind, const char *cert,
	const char *key, struct credential *out, struct diag *d);
void credential_copy(const struct credential *from, struct credential *out);
int credential_use(const struct credential *c, SSL *ssl); /* 0 or -EINVAL */
void credential_deinit(struct credential *c);

/*
 * Where the certificates of a fleet come from, first match: lsc, mic (files,
 * "CERT" or "CERT:KEY", the same for every phone); lab (a folder of
 * certs/lab.h); nothing at all.
 */
struct credential_source_config {
	const char *lsc;
	const char *mic;
	const char *lab;
	int leaf; /* enum cert_lab_leaf, or -1: as a phone chooses */
	/*
	 * FILES_FIRST takes LAB/phones/<device>/<leaf>.pem where it is there
	 * (leaf -1: lsc.pem, else mic.pem). What is not there is issued in
	 * memory (leaf -1: an LSC), all on one key pair.
	 */
	enum { CREDENTIAL_FILES_FIRST, CREDENTIAL_ISSUE_ALL } way;
	const char *key; /* of what is issued: as in cert_lab_phone */
};

struct credential_source {
	struct credential_source_config config;
	struct credential lsc, mic; /* of the files */
	struct cert_lab *lab;
	EVP_PKEY *key; /* shared by all that is issued */
};

int credential_source_open(struct credential_source *s,
	const struct credential_source_config *config, struct diag *d);
void credential_source_close(struct credential_source *s);
int credential_get(struct credential_source *s, const char *device,
	struct credential *out, struct diag *d);
/*
 * What a phone has that comes to CAPF: its MIC, and an LSC if it had one before
 * (leaf is one, or FILES_FIRST finds lsc.pem). Of a lab it has a MIC always,
 * issued if need be; but in a fleet (ISSUE_ALL) that has LSCs nobody has.
 * Either may come out as none.
 */
int credential_begin(struct credential_source *s, const char *device,
	struct credential *lsc, struct credential *mic, struct diag *d);
/* Issues this leaf, whatever the source's `leaf` and `way`; needs a lab. */
int credential_issue(struct credential_source *s, const char *device,
	enum cert_lab_leaf leaf, struct credential *out, struct diag *d);

#endif
