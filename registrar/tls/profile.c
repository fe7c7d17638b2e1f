/* SPDX-License-Identifier: Apache-2.0 */
/* Listener profiles: an SSL_CTX each, and the trust they judge clients with. */
#include "registrar/tls/profile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>

#include "registrar/memory.h"
#include "registrar/standing.h"
#include "registrar/tls/lean.h"
#include "trust/revocation.h"

enum { CLIENT_CHAIN_MAX = 32 * 1024 };

static int finding_index = -1;

__attribute__((constructor)) static void make_index(void)
{
	finding_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

void profile_watch(SSL *ssl, struct profile_finding *finding)
{
	SSL_set_ex_data(ssl, finding_index, finding);
	resume_remember(ssl, finding ? &finding->record : NULL);
	if (finding)
		resume_tag(ssl, finding->record.tag);
}

bool profile_conclude(
	const struct profile *p, SSL *ssl, struct profile_finding *finding)
{
	if (!SSL_session_reused(ssl))
		return false;
	const struct trust_anchor *anchor = NULL;
	if (resume_recall(ssl, &finding->record))
		anchor = trust_snapshot_find(
			p->set->trust, finding->record.anchor);
	finding->result = (struct trust_result){
		.verdict = anchor ? TRUST_OK : TRUST_UNREADABLE,
		.kind = anchor ? finding->record.kind : CERT_KIND_UNKNOWN,
		.anchor = anchor,
		.waived = anchor ? finding->record.cert->waived : 0,
	};
	return true;
}

bool profile_stands(
	const struct profiles *in_force, const struct profile_finding *finding)
{
	const struct resume_record *record = &finding->record;
	const struct trust_anchor *anchor =
		trust_snapshot_find(in_force->trust, record->anchor);
	return anchor &&
	       standing_vouches(anchor, record->kind, record->cert->waived) &&
	       !trust_revocation_is_revoked(
		       trust_snapshot_revocation(in_force->trust),
		       record->anchor, peer_cert_listed(record->cert));
}

void profile_finding_deinit(struct profile_finding *finding)
{
	peer_cert_unref(finding->record.cert);
	free(finding->subject);
	free(finding->issuer);
}

void profile_settle(const struct profile *p, SSL *ssl)
{
	profile_watch(ssl, NULL);
	parking_settle(p->set->parking, ssl);
}

/* Was this very certificate found good by this very trust before? */
static bool is_known_good(
	const struct profile *p, const X509 *leaf, struct profile_finding *f)
{
	unsigned char sha256[32];
	if (X509_digest(leaf, EVP_sha256(), sha256, NULL) != 1)
		abort(); /* law 2: no memory */
	const struct trust_anchor *anchor = verdicts_find(
		p->set->verdicts, sha256, time(NULL), &f->record.cert);
	if (anchor)
		f->result = (struct trust_result){.verdict = TRUST_OK,
			.kind = anchor->kind,
			.anchor = anchor,
			.waived = f->record.cert->waived};
	return anchor != NULL;
}

static void judge(const struct profile *p, X509 *leaf,
	STACK_OF(X509) * untrusted, struct profile_finding *f)
{
	const struct trust_snapshot *trust = p->set->trust;
	struct cert_identity identity;
	trust_verify(trust, leaf, untrusted, time(NULL), &f->result);
	if (leaf) {
		cert_identity_read(leaf, &identity);
		f->record.cert = peer_cert_new(&identity, f->result.ca_serial);
	}
	if (f->result.verdict != TRUST_OK) {
		if (leaf && !f->subject) {
			f->subject = memory_dup(identity.subject);
			f->issuer = memory_dup(identity.issuer);
		}
		return;
	}
	f->record.cert->waived = (uint8_t)f->result.waived;
	f->record.cert->level =
		(uint8_t)trust_snapshot_policy(trust)->auth_level;
	verdicts_put(p->set->verdicts, f->result.anchor, f->result.until,
		f->record.cert);
}

/* What a good certificate is to whoever asks later. */
static void note_good(const struct profile *p, X509 *leaf,
	STACK_OF(X509) * untrusted, struct profile_finding *f)
{
	f->record.kind = f->result.kind;
	memcpy(f->record.anchor, f->result.anchor->id.sha256_raw,
		sizeof(f->record.anchor));
	if (p->set->leaves)
		leaves_offer(p->set->leaves, f->record.cert, f->record.kind,
			f->record.anchor, leaf, untrusted);
}

/* Replaces OpenSSL's own verification: trust_verify alone decides. */
static int verify(X509_STORE_CTX *store, void *arg)
{
	const struct profile *p = arg;
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct profile_finding *finding = SSL_get_ex_data(ssl, finding_index);
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	STACK_OF(X509) *untrusted = X509_STORE_CTX_get0_untrusted(store);
	if (!leaf || !is_known_good(p, leaf, finding))
		judge(p, leaf, untrusted, finding);
	enum trust_verdict verdict = finding->result.verdict;
	X509_STORE_CTX_set_error(store, trust_verdict_x509(verdict));
	if (verdict == TRUST_OK)
		note_good(p, leaf, untrusted, finding);
	return verdict == TRUST_OK;
}

/*
 * Specs capf 1: who the phone is turns out inside. Phones read one record per
 * message, so none is put before it, empty, against BEAST; that attack needs
 * somebody who chooses what we say, and nobody does.
 */
static void set_capf_rules(SSL_CTX *ctx)
{
	SSL_CTX_set_options(ctx, SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
}

/* What is no listener's to choose. */
static void set_rules(struct profile *p)
{
	SSL_CTX *ctx = p->ctx;
	SSL_CTX_set_options(
		ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
			     SSL_OP_CIPHER_SERVER_PREFERENCE |
			     SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	if (p->capf) {
		set_capf_rules(ctx);
		return;
	}
	SSL_CTX_set_max_cert_list(ctx, CLIENT_CHAIN_MAX);
	SSL_CTX_set_verify(
		ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify, p);
}

static int set_offer(struct profile *p, struct diag *d)
{
	struct offer offer;
	offer_make(&p->choice, &offer);
	SSL_CTX_set_security_level(p->ctx, offer.level);
	if (SSL_CTX_set_min_proto_version(p->ctx, offer.min_version) == 1 &&
		SSL_CTX_set_cipher_list(p->ctx, offer.suites) == 1 &&
		(!offer.suites_13 || SSL_CTX_set_ciphersuites(
					     p->ctx, offer.suites_13) == 1) &&
		(!*offer.signatures || SSL_CTX_set1_sigalgs_list(
					       p->ctx, offer.signatures) == 1))
		return 0;
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	diag_set(d, -EINVAL, "%s: this OpenSSL does not offer that: %s",
		offer_profile_name(p->choice.profile),
		reason ? reason : "unknown error");
	ERR_clear_error();
	return -EINVAL;
}

static bool serves(const struct profile *p, const struct config_listener *l)
{
	const struct offer_choice *a = &p->choice, *b = &l->offer;
	return p->capf == (l->protocol == CONFIG_CAPF) &&
	       a->profile == b->profile && a->preset == b->preset &&
	       a->null_cipher == b->null_cipher;
}

/* The profile that offers this, made if it is not there. */
static int profile_of(struct profiles *set, const struct config_listener *l,
	struct resume *resume, struct profile **out, struct diag *d)
{
	for (size_t i = 0; i < set->n; i++) {
		*out = &set->list[i];
		if (serves(&set->list[i], l))
			return 0;
	}
	struct profile *p = *out = &set->list[set->n++];
	*p = (struct profile){.set = set,
		.choice = l->offer,
		.capf = l->protocol == CONFIG_CAPF};
	p->ctx = SSL_CTX_new_ex(lean_library(), NULL, TLS_server_method());
	if (!p->ctx)
		abort(); /* law 2: no memory */
	set_rules(p);
	if (resume && !p->capf)
		p->resume = resume_ctx_new(
			resume, p->ctx, set->trust, set->parking);
	int error = set_offer(p, d);
	if (error < 0)
		return error;
	return p->capf ? own_use_capf(set->own, p->ctx, d)
		       : own_use(set->own, p->ctx, d);
}

int profiles_new(const struct config *config, struct trust_snapshot *trust,
	struct own *own, struct resume *resume, struct profiles **out,
	struct diag *d)
{
	struct profiles *set = memory_zero(sizeof(*set));
	size_t room = config->n_listeners ? config->n_listeners : 1;
	int error = 0;
	set->refs = 1;
	set->trust = trust_snapshot_ref(trust);
	set->leaves = resume ? resume->leaves : NULL;
	set->own = own_ref(own);
	set->parking = parking_new();
	set->verdicts = verdicts_new();
	set->list = memory_zero(room * sizeof(*set->list));
	set->of = memory_zero(room * sizeof(struct profile *));
	for (size_t i = 0; error == 0 && i < config->n_listeners; i++)
		if (config->listeners[i].tls)
			error = profile_of(set, &config->listeners[i], resume,
				&set->of[i], d);
	if (error < 0) {
		profiles_unref(set);
		return error;
	}
	*out = set;
	return 0;
}

struct profiles *profiles_ref(struct profiles *set)
{
	__atomic_add_fetch(&set->refs, 1, __ATOMIC_RELAXED);
	return set;
}

void profiles_unref(struct profiles *set)
{
	if (!set || __atomic_sub_fetch(&set->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (size_t i = 0; i < set->n; i++) {
		SSL_CTX_free(set->list[i].ctx);
		resume_ctx_free(set->list[i].resume);
	}
	parking_free(set->parking);
	verdicts_free(set->verdicts);
	trust_snapshot_unref(set->trust);
	own_unref(set->own);
	free(set->list);
	free(set->of);
	free(set);
}

struct profile *profile_ref(struct profile *p)
{
	profiles_ref(p->set);
	return p;
}

void profile_unref(struct profile *p)
{
	if (p)
		profiles_unref(p->set);
}

void profile_tag(
	const struct config_listener *listener, uint8_t tag[RESUME_TAG])
{
	const struct offer_choice *offer = &listener->offer;
	const char *preset = offer_preset_name(offer->preset);
	char text[192];
	int n = snprintf(text, sizeof(text), "%s %s %s %u %s %s %s",
		config_protocol_name(listener->protocol),
		listener->tls ? "tls" : "tcp", listener->address,
		listener->port, offer_profile_name(offer->profile),
		preset ? preset : "own",
		offer->null_cipher ? "null" : "no-null");
	if (EVP_Digest(text, (size_t)n, tag, NULL, EVP_sha256(), NULL) != 1)
		abort(); /* law 2: no memory */
}
