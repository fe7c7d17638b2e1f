/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of simulated phones: from files, or out of a lab's CAs. */
#include "bench/credential.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

#include "certs/pem.h"

static const struct {
	const char *file;
	enum cert_lab_ca ca;
} leaves[] = {
#define X(symbol, option, file, ca) {file, CERT_LAB_##ca},
	CERT_LAB_LEAF_LIST(X)
#undef X
};

const char *credential_kind_name(enum credential_kind kind)
{
	static const char *const names[] = {"none", "LSC", "MIC"};
	return names[kind];
}

/* Every leaf that is no MIC stands where a phone keeps its LSC. */
static enum credential_kind kind_of(enum cert_lab_leaf leaf)
{
	if (leaf == CERT_LAB_LEAF_MIC || leaf == CERT_LAB_LEAF_MIC_SHA1)
		return CREDENTIAL_MIC;
	return CREDENTIAL_LSC;
}

static void append(struct credential *c, X509 *cert)
{
	if (!c->chain)
		c->chain = sk_X509_new_null();
	if (!c->chain || !sk_X509_push(c->chain, cert))
		abort();
	X509_up_ref(cert);
}

void credential_deinit(struct credential *c)
{
	X509_free(c->cert);
	EVP_PKEY_free(c->key);
	sk_X509_pop_free(c->chain, X509_free);
	*c = (struct credential){0};
}

void credential_copy(const struct credential *from, struct credential *out)
{
	*out = (struct credential){.kind = from->kind};
	if (!from->cert)
		return;
	X509_up_ref(from->cert);
	EVP_PKEY_up_ref(from->key);
	out->cert = from->cert;
	out->key = from->key;
	for (int i = 0; i < sk_X509_num(from->chain); i++)
		append(out, sk_X509_value(from->chain, i));
}

int credential_use(const struct credential *c, SSL *ssl)
{
	if (!c->cert)
		return 0;
	ERR_clear_error();
	int ok = SSL_use_cert_and_key(ssl, c->cert, c->key, c->chain, 1);
	ERR_clear_error();
	return ok ? 0 : -EINVAL;
}

/* The path of cert with its suffix, if any, made .key. */
static int key_beside(const char *cert, char key[PATH_MAX])
{
	const char *slash = strrchr(cert, '/');
	const char *name = slash ? slash + 1 : cert;
	const char *dot = strrchr(name, '.');
	size_t n = dot ? (size_t)(dot - cert) : strlen(cert);
	int written = snprintf(key, PATH_MAX, "%.*s.key", (int)n, cert);
	return written < PATH_MAX ? 0 : -ENAMETOOLONG;
}

int credential_read(enum credential_kind kind, const char *cert,
	const char *key, struct credential *out, struct diag *d)
{
	char beside[PATH_MAX];
	struct cert_list list = {0};
	*out = (struct credential){.kind = kind};
	if (!key && key_beside(cert, beside) < 0)
		return diag_set(
			d, -ENAMETOOLONG, "%.80s…: path too long", cert);
	int error = cert_pem_read(cert, &list, d);
	if (error)
		return error;
	X509_up_ref(list.cert[0]);
	out->cert = list.cert[0];
	for (size_t i = 1; i < list.n; i++)
		append(out, list.cert[i]);
	cert_list_deinit(&list);

	error = cert_key_read(key ? key : beside, &out->key, d);
	if (!error && X509_check_private_key(out->cert, out->key) != 1)
		error = diag_set(d, -EINVAL, "%s: is not the key of %s",
			key ? key : beside, cert);
	ERR_clear_error();
	if (error)
		credential_deinit(out);
	return error;
}

/* "CERT" or "CERT:KEY" */
static int read_pair(enum credential_kind kind, const char *pair,
	struct credential *out, struct diag *d)
{
	char *cert = strdup(pair);
	if (!cert)
		abort();
	char *colon = strchr(cert, ':');
	if (colon)
		*colon = '\0';
	int error =
		credential_read(kind, cert, colon ? colon + 1 : NULL, out, d);
	free(cert);
	return error;
}

int credential_source_open(struct credential_source *s,
	const struct credential_source_config *config, struct diag *d)
{
	int error = 0;
	*s = (struct credential_source){.config = *config};
	if (config->lsc)
		error = read_pair(CREDENTIAL_LSC, config->lsc, &s->lsc, d);
	if (!error && config->mic)
		error = read_pair(CREDENTIAL_MIC, config->mic, &s->mic, d);
	if (error || config->lsc || config->mic || !config->lab)
		return error;
	return cert_lab_open(config->lab, &s->lab, d);
}

void credential_source_close(struct credential_source *s)
{
	credential_deinit(&s->lsc);
	credential_deinit(&s->mic);
	EVP_PKEY_free(s->key);
	cert_lab_close(s->lab);
	*s = (struct credential_source){0};
}

int credential_issue(struct credential_source *s, const char *device,
	enum cert_lab_leaf leaf, struct credential *out, struct diag *d)
{
	const struct cert_lab_phone phone = {
		.device = device,
		.leaf = leaf,
		.key = s->config.key,
		.use_key = s->key,
		.now = time(NULL),
	};
	*out = (struct credential){0};
	int error = cert_lab_issue(s->lab, &phone, &out->cert, &out->key, d);
	if (error)
		return error;
	if (!s->key) {
		EVP_PKEY_up_ref(out->key);
		s->key = out->key;
	}
	out->kind = kind_of(leaf);
	if (out->kind == CREDENTIAL_MIC)
		append(out, cert_lab_ca(s->lab, leaves[leaf].ca));
	return 0;
}

/* Beside 0 and -errno: there is no such file, which is no error. */
enum { ABSENT = 1 };

static int read_file(struct credential_source *s, const char *device,
	enum cert_lab_leaf leaf, struct credential *out, struct diag *d)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/phones/%s/%s.pem",
		s->config.lab, device, leaves[leaf].file);
	if (n >= (int)sizeof(path))
		return diag_set(d, -ENAMETOOLONG, "%.80s…: path too long",
			s->config.lab);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return ABSENT;
	return credential_read(kind_of(leaf), path, NULL, out, d);
}

static int find_file(struct credential_source *s, const char *device,
	struct credential *out, struct diag *d)
{
	if (s->config.way == CREDENTIAL_ISSUE_ALL)
		return ABSENT;
	if (s->config.leaf >= 0)
		return read_file(
			s, device, (enum cert_lab_leaf)s->config.leaf, out, d);
	int error = read_file(s, device, CERT_LAB_LEAF_LSC, out, d);
	if (error != ABSENT)
		return error;
	return read_file(s, device, CERT_LAB_LEAF_MIC, out, d);
}

int credential_get(struct credential_source *s, const char *device,
	struct credential *out, struct diag *d)
{
	*out = (struct credential){0};
	if (!s->lab) {
		credential_copy(s->lsc.cert ? &s->lsc : &s->mic, out);
		return 0;
	}
	int error = find_file(s, device, out, d);
	if (error != ABSENT)
		return error;
	int leaf = s->config.leaf;
	return credential_issue(s, device,
		leaf < 0 ? CERT_LAB_LEAF_LSC : (enum cert_lab_leaf)leaf, out,
		d);
}

static bool is_mic(enum cert_lab_leaf leaf)
{
	return kind_of(leaf) == CREDENTIAL_MIC;
}

/* The file, or issued. */
static int find_leaf(struct credential_source *s, const char *device,
	enum cert_lab_leaf leaf, struct credential *out, struct diag *d)
{
	int error = ABSENT;
	if (s->config.way == CREDENTIAL_FILES_FIRST)
		error = read_file(s, device, leaf, out, d);
	return error == ABSENT ? credential_issue(s, device, leaf, out, d)
			       : error;
}

/* The LSC that it had before. */
static int begin_lsc(struct credential_source *s, const char *device,
	struct credential *out, struct diag *d)
{
	bool given = s->config.leaf >= 0;
	enum cert_lab_leaf leaf =
		given ? (enum cert_lab_leaf)s->config.leaf : CERT_LAB_LEAF_LSC;
	if (given)
		return is_mic(leaf) ? 0 : find_leaf(s, device, leaf, out, d);
	if (s->config.way == CREDENTIAL_ISSUE_ALL)
		return 0;
	int error = read_file(s, device, leaf, out, d);
	return error == ABSENT ? 0 : error;
}

int credential_begin(struct credential_source *s, const char *device,
	struct credential *lsc, struct credential *mic, struct diag *d)
{
	*lsc = *mic = (struct credential){0};
	if (!s->lab) {
		credential_copy(&s->lsc, lsc);
		credential_copy(&s->mic, mic);
		return 0;
	}
	int error = begin_lsc(s, device, lsc, d);
	/* Of a fleet that has LSCs nobody needs the MICs: they cost memory. */
	if (error || (lsc->cert && s->config.way == CREDENTIAL_ISSUE_ALL))
		return error;
	int leaf = s->config.leaf;
	bool given = leaf >= 0 && is_mic((enum cert_lab_leaf)leaf);
	error = find_leaf(s, device,
		given ? (enum cert_lab_leaf)leaf : CERT_LAB_LEAF_MIC, mic, d);
	if (error)
		credential_deinit(lsc);
	return error;
}
