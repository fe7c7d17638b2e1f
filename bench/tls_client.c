/* SPDX-License-Identifier: Apache-2.0 */
/* The phones' side of TLS: one SSL_CTX for a whole fleet. */
#include "bench/tls_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>

#include "certs/pem.h"

/* What disableTLSCiphers of an 88xx can switch off, in its order. */
static const char phone_ciphers[] =
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
	"AES256-SHA:AES128-SHA";

static int trust(SSL_CTX *ctx, const char *path, struct diag *d)
{
	struct cert_list list = {0};
	int error = cert_pem_read(path, &list, d);
	if (error)
		return error;
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	for (size_t i = 0; i < list.n && !error; i++)
		if (!X509_STORE_add_cert(store, list.cert[i]))
			error = diag_set(
				d, -EINVAL, "%s: OpenSSL refused it", path);
	cert_list_deinit(&list);
	/* Phones trust what their list names, roots or not. */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	return error;
}

static int set_up(
	SSL_CTX *ctx, const struct tls_client_config *config, struct diag *d)
{
	const char *ciphers = config->ciphers ? config->ciphers : phone_ciphers;
	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (config->sessions == TLS_CLIENT_IDS)
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	if (!SSL_CTX_set_min_proto_version(ctx, config->min) ||
		!SSL_CTX_set_max_proto_version(ctx, config->max))
		return diag_set(d, -EINVAL,
			"this OpenSSL does not know the TLS version");
	if (!SSL_CTX_set_cipher_list(ctx, ciphers))
		return diag_set(d, -EINVAL,
			"--ciphers: OpenSSL knows none of '%.200s'", ciphers);
	return config->ca ? trust(ctx, config->ca, d) : 0;
}

int tls_client_new(
	const struct tls_client_config *config, SSL_CTX **out, struct diag *d)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int error = ctx ? set_up(ctx, config, d)
			: diag_set(d, -ENOMEM, "no SSL_CTX");
	ERR_clear_error();
	if (error) {
		SSL_CTX_free(ctx);
		return error;
	}
	*out = ctx;
	return 0;
}

const char *tls_client_version(SSL *ssl)
{
	switch (SSL_get_max_proto_version(ssl)) {
	case TLS1_VERSION:
		return "TLSv1";
	case TLS1_1_VERSION:
		return "TLSv1.1";
	case TLS1_2_VERSION:
		return "TLSv1.2";
	default:
		return "TLSv1.3";
	}
}

void tls_client_ciphers(SSL *ssl, char *dst, size_t size)
{
	STACK_OF(SSL_CIPHER) *offered = SSL_get1_supported_ciphers(ssl);
	size_t n = 0;
	dst[0] = '\0';
	for (int i = 0; i < sk_SSL_CIPHER_num(offered) && n < size; i++)
		n += (size_t)snprintf(dst + n, size - n, "%s%s", i ? ":" : "",
			SSL_CIPHER_get_name(sk_SSL_CIPHER_value(offered, i)));
	sk_SSL_CIPHER_free(offered);
}
