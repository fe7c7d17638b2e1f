/* SPDX-License-Identifier: Apache-2.0 */
/* A listener profile: an SSL_CTX and the trust it judges clients with. */
#ifndef REGISTRAR_TLS_PROFILE_H
#define REGISTRAR_TLS_PROFILE_H

#include <openssl/ssl.h>

#include "certs/diag.h"
#include "certs/identity.h"
#include "registrar/config.h"
#include "registrar/tls/resume.h"
#include "registrar/tls/verdicts.h"
#include "trust/snapshot.h"
#include "trust/verify.h"

/* What one handshake found out about the client's certificate. The host
 * owns it and names it with profile_watch() before the handshake. */
struct profile_finding {
	struct trust_result result;
	/* The tag is the host's; the rest is of the certificate presented,
	 * or of the session that was resumed; record.cert NULL: neither. */
	struct resume_record record;
};

/* Frozen once made; counted, because connections outlive a reload. */
struct profile {
	SSL_CTX *ctx;
	struct trust_snapshot *trust;
	struct resume_ctx *resume;
	struct parking *parking;
	struct verdicts *verdicts; /* of `trust` */
	/* The registrar's own certificates, for status. */
	struct cert_identity *own;
	size_t n_own;
	int refs;
};

/*
 * The `modern` profile: TLS 1.2 and 1.3, every configured server
 * certificate, client certificate required, no renegotiation, no
 * compression. Sessions are resumed as `resume` says (NULL: never), each one
 * re-checked against this profile's trust.
 * Takes its own reference on trust. 0, or -errno with d naming the file.
 */
int profile_modern(const struct config *config, struct trust_snapshot *trust,
	struct resume *resume, struct profile **out, struct diag *d);
struct profile *profile_ref(struct profile *p);
void profile_unref(struct profile *p);

/* What is found out about this connection's client goes to *finding, whose
 * record.tag says which listener it came to. NULL once the handshake is
 * over. */
void profile_watch(SSL *ssl, struct profile_finding *finding);
/* After the handshake: if it was a resumption, fills *finding as the full
 * handshake that it stands for would have. Says whether it was one. */
bool profile_conclude(
	const struct profile *p, SSL *ssl, struct profile_finding *finding);
/* After that: nothing of the handshake is kept but its keys. */
void profile_settle(const struct profile *p, SSL *ssl);

#endif
