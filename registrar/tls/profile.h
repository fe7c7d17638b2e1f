/* SPDX-License-Identifier: Apache-2.0 */
/* Listener profiles: an SSL_CTX each, and the trust they judge clients with. */
#ifndef REGISTRAR_TLS_PROFILE_H
#define REGISTRAR_TLS_PROFILE_H

#include <openssl/ssl.h>

#include "certs/diag.h"
#include "certs/identity.h"
#include "registrar/config.h"
#include "registrar/leaves.h"
#include "registrar/tls/offer.h"
#include "registrar/tls/own.h"
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
	int offered; /* the newest TLS version that the phone said it knows */
	/* Whole names of a certificate that was refused; else NULL. */
	char *subject, *issuer;
};

/* What one listener, or several that offer the same, has for its phones. */
struct profile {
	struct profiles *set; /* it lives and dies with it */
	struct offer_choice choice;
	bool capf; /* shows CAPF's root, asks for no certificate */
	SSL_CTX *ctx;
	struct resume_ctx *resume;
};

/* Those of all listeners, under one trust. Frozen once made; counted, because
 * connections outlive a reload. */
struct profiles {
	struct trust_snapshot *trust;
	struct parking *parking;
	struct verdicts *verdicts; /* of `trust` */
	struct leaves *leaves;	   /* NULL: nobody keeps certificates */
	struct own *own;	   /* the registrar's certificates */
	struct profile *list;	   /* no two offer the same */
	size_t n;
	struct profile **of; /* by listener of the configuration; NULL: TCP */
	int refs;
};

/*
 * A profile for each TLS listener of the configuration, as offer.h has it:
 * every one of our own certificates, client certificate required, no
 * renegotiation, no compression. Sessions are resumed as `resume` says (NULL:
 * never), each one re-checked against this trust. A listener of CAPF shows
 * CAPF's root, asks for no certificate and resumes nothing.
 * Takes references of its own on trust and own. 0, or -errno with d.
 */
int profiles_new(const struct config *config, struct trust_snapshot *trust,
	struct own *own, struct resume *resume, struct profiles **out,
	struct diag *d);
struct profiles *profiles_ref(struct profiles *set);
void profiles_unref(struct profiles *set);

/* The same, of the set that it belongs to. */
struct profile *profile_ref(struct profile *p);
void profile_unref(struct profile *p);

/* Names a listener and what it offers: sessions are resumed where they were
 * made, and only as long as that offers the same. */
void profile_tag(
	const struct config_listener *listener, uint8_t tag[RESUME_TAG]);

/* What is found out about this connection's client goes to *finding, whose
 * record.tag says which listener it came to. NULL once the handshake is
 * over. */
void profile_watch(SSL *ssl, struct profile_finding *finding);
/* After the handshake: if it was a resumption, fills *finding as the full
 * handshake that it stands for would have. Says whether it was one. */
bool profile_conclude(
	const struct profile *p, SSL *ssl, struct profile_finding *finding);
/* Would the trust in force let this client in, too, which may be newer than
 * the one that did? Before the facts are taken from the finding. */
bool profile_stands(
	const struct profiles *in_force, const struct profile_finding *finding);
void profile_finding_deinit(struct profile_finding *finding);
/* After that: nothing of the handshake is kept but its keys. */
void profile_settle(const struct profile *p, SSL *ssl);

#endif
