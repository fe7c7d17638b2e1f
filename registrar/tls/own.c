/* SPDX-License-Identifier: Apache-2.0 */
/* The registrar's own certificates and their keys, read as one set. */
#include "registrar/tls/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "registrar/memory.h"

static int read_pair(struct own_pair *pair,
	const struct config_certificate *files, struct diag *d)
{
	*pair = (struct own_pair){.name = files->certificate};
	int error = cert_pem_read(files->certificate, &pair->chain, d);
	if (error == 0)
		error = cert_key_read(files->key, &pair->key, d);
	if (error < 0)
		return error;
	if (!X509_check_private_key(pair->chain.cert[0], pair->key)) {
		ERR_clear_error();
		return diag_set(d, -EINVAL,
			"%s: this key does not belong to the certificate in %s",
			files->key, files->certificate);
	}
	cert_identity_read(pair->chain.cert[0], &pair->id);
	return 0;
}

static void take_capf(struct own *own, struct capf_authority *authority)
{
	struct capf_roots *roots = capf_authority_roots(authority);
	const struct capf_root *root = capf_roots_tls(roots);
	struct own_pair *pair = &own->capf;
	X509 **cert = memory_zero(sizeof(X509 *));
	X509_up_ref(root->cert);
	EVP_PKEY_up_ref(root->key);
	*cert = root->cert;
	*pair = (struct own_pair){.name = "CAPF's root",
		.chain = {.cert = cert, .n = 1},
		.key = root->key,
		.id = root->id};
	capf_roots_unref(roots);
}

static bool is_rsa(const struct own_pair *pair)
{
	return strncmp(pair->id.key, "RSA", 3) == 0;
}

/* RSA key exchange is all that TLS 1.0 phones and NULL-SHA know. */
static int check_keys(
	const struct own *own, const struct config *config, struct diag *d)
{
	bool rsa = false, needed = false, capf_needed = false;
	for (size_t i = 0; i < own->n; i++)
		rsa |= is_rsa(&own->pairs[i]);
	for (size_t i = 0; i < config->n_listeners; i++) {
		const struct config_listener *l = &config->listeners[i];
		bool *which =
			l->protocol == CONFIG_CAPF ? &capf_needed : &needed;
		*which |= l->tls && (l->offer.null_cipher ||
					    l->offer.profile == OFFER_LEGACY);
	}
	if (capf_needed && own->capf.chain.n && !is_rsa(&own->capf))
		return diag_set(d, -EINVAL,
			"a capf listener with profile legacy needs a root with "
			"an RSA key, which its phones' suites exchange keys "
			"with, and %s has %s: give the listener profile modern",
			own->capf.id.cn, own->capf.id.key);
	if (rsa || !needed)
		return 0;
	return diag_set(d, -EINVAL,
		"a listener with profile legacy or null_cipher needs an RSA "
		"certificate, which its phones' suites exchange keys with: add "
		"one to tls.certificates");
}

int own_load(const struct config *config, struct capf_authority *authority,
	struct own **out, struct diag *d)
{
	struct own *own = memory_zero(sizeof(*own));
	int error = 0;
	own->refs = 1;
	*out = NULL;
	for (size_t i = 0; error == 0 && i < config->n_certificates; i++) {
		struct own_pair *pair = memory_grow(
			(void **)&own->pairs, &own->n, sizeof(*pair));
		error = read_pair(pair, &config->certificates[i], d);
	}
	if (authority)
		take_capf(own, authority);
	if (error == 0)
		error = check_keys(own, config, d);
	if (error < 0) {
		own_unref(own);
		return error;
	}
	*out = own;
	return 0;
}

struct own *own_ref(struct own *own)
{
	__atomic_add_fetch(&own->refs, 1, __ATOMIC_RELAXED);
	return own;
}

static void drop_pair(struct own_pair *pair)
{
	cert_list_deinit(&pair->chain);
	EVP_PKEY_free(pair->key);
}

void own_unref(struct own *own)
{
	if (!own || __atomic_sub_fetch(&own->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (size_t i = 0; i < own->n; i++)
		drop_pair(&own->pairs[i]);
	drop_pair(&own->capf);
	free(own->pairs);
	free(own);
}

static bool is_same_chain(const struct cert_list *a, const struct cert_list *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (X509_cmp(a->cert[i], b->cert[i]) != 0)
			return false;
	return true;
}

bool own_is_same(const struct own *a, const struct own *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!is_same_chain(&a->pairs[i].chain, &b->pairs[i].chain))
			return false;
	return is_same_chain(&a->capf.chain, &b->capf.chain);
}

bool own_has_capf(const struct own *own, struct capf_authority *authority)
{
	if (!authority)
		return own->capf.chain.n == 0;
	struct capf_roots *roots = capf_authority_roots(authority);
	bool has = own->capf.chain.n == 1 &&
		   X509_cmp(own->capf.chain.cert[0],
			   capf_roots_tls(roots)->cert) == 0;
	capf_roots_unref(roots);
	return has;
}

static int use_pair(const struct own_pair *pair, SSL_CTX *ctx, struct diag *d)
{
	STACK_OF(X509) *rest = sk_X509_new_null();
	for (size_t i = 1; rest && i < pair->chain.n; i++)
		sk_X509_push(rest, pair->chain.cert[i]);
	bool taken = rest && SSL_CTX_use_cert_and_key(ctx, pair->chain.cert[0],
				     pair->key, rest, 0) == 1;
	sk_X509_free(rest);
	if (taken)
		return 0;
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());
	diag_set(d, -EINVAL, "%s: OpenSSL does not take it: %s", pair->name,
		reason ? reason : "unknown error");
	ERR_clear_error();
	return -EINVAL;
}

int own_use(const struct own *own, SSL_CTX *ctx, struct diag *d)
{
	int error = 0;
	for (size_t i = 0; error == 0 && i < own->n; i++)
		error = use_pair(&own->pairs[i], ctx, d);
	return error;
}

int own_use_capf(const struct own *own, SSL_CTX *ctx, struct diag *d)
{
	if (own->capf.chain.n)
		return use_pair(&own->capf, ctx, d);
	return diag_set(d, -EINVAL, "there is no root for the capf listener");
}
