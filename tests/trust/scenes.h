/* SPDX-License-Identifier: Apache-2.0 */
/* A trust folder, and certificates that meet every verdict in it. */
#ifndef TESTS_TRUST_SCENES_H
#define TESTS_TRUST_SCENES_H

#include <stdbool.h>

#include "trust/verify.h"

enum { SCENES_MAX = 80 };

struct scene {
	const char *name;
	enum trust_verdict verdict;
	int x509; /* OpenSSL's own error */
	int depth;
	enum cert_kind kind;
	const char *anchor; /* file that vouches; NULL unless OK */
	const char *why;    /* part of the sentence */
	bool no_tls;	    /* OpenSSL's own client cannot present it */
	X509 *leaf;	    /* NULL: none */
	EVP_PKEY *key;	    /* not owned */
	STACK_OF(X509) * untrusted;
};

/* All of them at MADE_NOW, and the snapshot they meet. */
struct scenes {
	struct scene scene[SCENES_MAX];
	size_t n;
	char *folder;
	struct trust_snapshot *snapshot;
};

void scenes_init(struct scenes *s);
void scenes_deinit(struct scenes *s);

#endif
