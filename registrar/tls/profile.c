/* SPDX-License-Identifier: Apache-2.0 */
/* A listener profile: an SSL_CTX and the trust it judges clients with. */
#include "registrar/tls/profile.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>

#include "certs/pem.h"
#include "registrar/memory.h"
#include "registrar/tls/lean.h"

enum { CLIENT_CHAIN_MAX = 32 * 1024 };

/*
 * SCCP phones speak TLS 1.2 with RSA key exchange and CBC (specs tls-phones
 * 5), so those two close the list; the first common suite of ours counts.
 */
static const char suites_12[] = "ECDHE-ECDSA-AES128-GCM-SHA256:"
				"ECDHE-RSA-AES128-GCM-SHA256:"
				"ECDHE-ECDSA-AES256-GCM-SHA384:"
				"ECDHE-RSA-AES256-GCM-SHA384:"
				"ECDHE-ECDSA-CHACHA20-POLY1305:"
				"ECDHE-RSA-CHACHA20-POLY1305:"
				"AES128-GCM-SHA256:AES256-GCM-SHA384:"
				"AES256-SHA:AES128-SHA";

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
		anchor = trust_snapshot_find(p->trust, finding->record.anchor);
	finding->result = (struct trust_result){
		.verdict = anchor ? TRUST_OK : TRUST_UNREADABLE,
		.kind = anchor ? finding->record.kind : CERT_KIND_UNKNOWN,
		.anchor = anchor,
	};
	return true;
}

void profile_settle(const struct profile *p, SSL *ssl)
{
	profile_watch(ssl, NULL);
	parking_settle(p->parking, ssl);
}

/* Was this very certificate found good by this very trust before? */
static bool is_known_good(
	const struct profile *p, const X509 *leaf, struct profile_finding *f)
{
	unsigned char sha256[32];
	if (X509_digest(leaf, EVP_sha256(), sha256, NULL) != 1)
		abort(); /* law 2: no memory */
	const struct trust_anchor *anchor =
		verdicts_find(p->verdicts, sha256, time(NULL), &f->record.cert);
	if (anchor)
		f->result = (struct trust_result){.verdict = TRUST_OK,
			.kind = anchor->kind,
			.anchor = anchor};
	return anchor != NULL;
}

static void judge(const struct profile *p, X509 *leaf,
	STACK_OF(X509) * untrusted, struct profile_finding *f)
{
	struct cert_identity identity;
	if (leaf) {
		cert_identity_read(leaf, &identity);
		f->record.cert = peer_cert_new(&identity);
	}
	trust_verify(p->trust, leaf, untrusted, time(NULL), &f->result);
	if (f->result.verdict == TRUST_OK)
		verdicts_put(p->verdicts, f->result.anchor, f->result.until,
			f->record.cert);
}

/* Replaces OpenSSL's own verification: trust_verify alone decides. */
static int verify(X509_STORE_CTX *store, void *arg)
{
	const struct profile *p = arg;
	SSL *ssl = X509_STORE_CTX_get_ex_data(
		store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct profile_finding *finding = SSL_get_ex_data(ssl, finding_index);
	X509 *leaf = X509_STORE_CTX_get0_cert(store);
	if (!leaf || !is_known_good(p, leaf, finding))
		judge(p, leaf, X509_STORE_CTX_get0_untrusted(store), finding);
	enum trust_verdict verdict = finding->result.verdict;
	X509_STORE_CTX_set_error(store, trust_verdict_x509(verdict));
	if (verdict == TRUST_OK) {
		finding->record.kind = finding->result.kind;
		memcpy(finding->record.anchor,
			finding->result.anchor->id.sha256_raw,
			sizeof(finding->record.anchor));
	}
	return verdict == TRUST_OK;
}

static int ssl_refused(struct diag *d, const char *file, const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	diag_set(d, -EINVAL, "%s: %s: %s", file, what,
		reason ? reason : "unknown error");
	ERR_clear_error();
	return -EINVAL;
}

static int use_certificate(struct profile *p,
	const struct config_certificate *pair, struct diag *d)
{
	struct cert_list chain = {0};
	EVP_PKEY *key = NULL;
	int error = cert_pem_read(pair->certificate, &chain, d);
	if (error == 0)
		error = cert_key_read(pair->key, &key, d);
	if (error < 0)
		goto out;
	if (!X509_check_private_key(chain.cert[0], key)) {
		ERR_clear_error();
		error = diag_set(d, -EINVAL,
			"%s: this key does not belong to the certificate in %s",
			pair->key, pair->certificate);
		goto out;
	}
	STACK_OF(X509) *rest = sk_X509_new_null();
	for (size_t i = 1; rest && i < chain.n; i++)
		sk_X509_push(rest, chain.cert[i]);
	if (!rest || SSL_CTX_use_cert_and_key(
			     p->ctx, chain.cert[0], key, rest, 0) != 1)
		error = ssl_refused(
			d, pair->certificate, "OpenSSL does not take it");
	sk_X509_free(rest);
	if (error == 0)
		cert_identity_read(
			chain.cert[0], memory_grow((void **)&p->own, &p->n_own,
					       sizeof(*p->own)));
out:
	cert_list_deinit(&chain);
	EVP_PKEY_free(key);
	return error;
}

static void set_rules(struct profile *p)
{
	SSL_CTX *ctx = p->ctx;
	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_security_level(ctx, 1);
	SSL_CTX_set_options(
		ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
			     SSL_OP_CIPHER_SERVER_PREFERENCE |
			     SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(ctx, 0);
	SSL_CTX_set_max_cert_list(ctx, CLIENT_CHAIN_MAX);
	SSL_CTX_set_verify(
		ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify, p);
}

int profile_modern(const struct config *config, struct trust_snapshot *trust,
	struct resume *resume, struct profile **out, struct diag *d)
{
	struct profile *p = memory_zero(sizeof(*p));
	int error = 0;
	p->refs = 1;
	p->trust = trust_snapshot_ref(trust);
	p->ctx = SSL_CTX_new_ex(lean_library(), NULL, TLS_server_method());
	if (!p->ctx)
		abort(); /* law 2: no memory */
	p->parking = parking_new();
	p->verdicts = verdicts_new();
	set_rules(p);
	if (resume)
		p->resume = resume_ctx_new(resume, p->ctx, trust, p->parking);
	if (SSL_CTX_set_cipher_list(p->ctx, suites_12) != 1)
		error = ssl_refused(d, "profile modern", "cipher list");
	for (size_t i = 0; error == 0 && i < config->n_certificates; i++)
		error = use_certificate(p, &config->certificates[i], d);
	if (error < 0) {
		profile_unref(p);
		return error;
	}
	*out = p;
	return 0;
}

struct profile *profile_ref(struct profile *p)
{
	__atomic_add_fetch(&p->refs, 1, __ATOMIC_RELAXED);
	return p;
}

void profile_unref(struct profile *p)
{
	if (!p || __atomic_sub_fetch(&p->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	SSL_CTX_free(p->ctx);
	resume_ctx_free(p->resume);
	parking_free(p->parking);
	verdicts_free(p->verdicts);
	trust_snapshot_unref(p->trust);
	free(p->own);
	free(p);
}
