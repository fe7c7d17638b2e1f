/* SPDX-License-Identifier: Apache-2.0 */
/* The registrar's own certificates and their keys, read as one set. */
#include "registrar/tls/own.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "registrar/memory.h"

static int read_pair(struct own_pair *pair, struct diag *d)
{
	int error = cert_pem_read(pair->files->certificate, &pair->chain, d);
	if (error == 0)
		error = cert_key_read(pair->files->key, &pair->key, d);
	if (error < 0)
		return error;
	if (!X509_check_private_key(pair->chain.cert[0], pair->key)) {
		ERR_clear_error();
		return diag_set(d, -EINVAL,
			"%s: this key does not belong to the certificate in %s",
			pair->files->key, pair->files->certificate);
	}
	cert_identity_read(pair->chain.cert[0], &pair->id);
	return 0;
}

/* RSA key exchange is all that TLS 1.0 phones and NULL-SHA know. */
static int check_keys(
	const struct own *own, const struct config *config, struct diag *d)
{
	bool rsa = false, needed = false;
	for (size_t i = 0; i < own->n; i++)
		rsa |= strncmp(own->pairs[i].id.key, "RSA", 3) == 0;
	for (size_t i = 0; i < config->n_listeners; i++) {
		const struct config_listener *l = &config->listeners[i];
		needed |= l->tls && (l->offer.null_cipher ||
					    l->offer.profile == OFFER_LEGACY);
	}
	if (rsa || !needed)
		return 0;
	return diag_set(d, -EINVAL,
		"a listener with profile legacy or null_cipher needs an RSA "
		"certificate, which its phones' suites exchange keys with: add "
		"one to tls.certificates");
}

int own_load(const struct config *config, struct own **out, struct diag *d)
{
	struct own *own = memory_zero(sizeof(*own));
	int error = 0;
	own->refs = 1;
	*out = NULL;
	for (size_t i = 0; error == 0 && i < config->n_certificates; i++) {
		struct own_pair *pair = memory_grow(
			(void **)&own->pairs, &own->n, sizeof(*pair));
		*pair = (struct own_pair){.files = &config->certificates[i]};
		error = read_pair(pair, d);
	}
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

void own_unref(struct own *own)
{
	if (!own || __atomic_sub_fetch(&own->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	for (size_t i = 0; i < own->n; i++) {
		cert_list_deinit(&own->pairs[i].chain);
		EVP_PKEY_free(own->pairs[i].key);
	}
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
	return true;
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
	diag_set(d, -EINVAL, "%s: OpenSSL does not take it: %s",
		pair->files->certificate, reason ? reason : "unknown error");
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
