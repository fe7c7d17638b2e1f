/* SPDX-License-Identifier: Apache-2.0 */
/* A library context of OpenSSL's in which certificates are decoded fast. */
#include "registrar/tls/lean.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include <openssl/core.h>
#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>

enum { OPERATIONS = 32, CHOSEN_MAX = 40 };

/*
 * What TLS 1.0 to 1.3 with RSA and EC certificates is made of, each once, as
 * OpenSSL names it first. HMAC, TLS1-PRF and HKDF are MACs, KDFs and keys.
 */
static const char *const names[] = {"SHA1", "SHA2-224", "SHA2-256", "SHA2-384",
	"SHA2-512", "MD5", "MD5-SHA1", "AES-128-CBC", "AES-256-CBC",
	"AES-128-GCM", "AES-256-GCM", "AES-256-CTR", "ChaCha20-Poly1305",
	"AES-128-CBC-HMAC-SHA1", "AES-256-CBC-HMAC-SHA1", "NULL", "HMAC",
	"TLS1-PRF", "HKDF", "TLS13-KDF", "CTR-DRBG", "SEED-SRC", "RSA",
	"RSA-PSS", "EC", "ECDSA", "ECDH", "X25519", "X448", "ED25519", "ED448"};

/* Some of an operation's algorithms; ends with an empty one. */
struct choice {
	OSSL_ALGORITHM list[CHOSEN_MAX + 1];
	size_t n;
};

/* Made once, by `make`; then frozen. */
static struct {
	OSSL_LIB_CTX *full; /* the default provider's own world */
	OSSL_PROVIDER *theirs;
	struct choice choices[OPERATIONS];
	OSSL_LIB_CTX *lean;
	OSSL_PROVIDER *ours; /* in it */
} lean;

static pthread_once_t once = PTHREAD_ONCE_INIT;

static bool is_chosen(const OSSL_ALGORITHM *a)
{
	size_t n = strcspn(a->algorithm_names, ":");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == n &&
			strncmp(a->algorithm_names, names[i], n) == 0)
			return true;
	return false;
}

/* Does it read keys out of certificates? The others are not asked for. */
static bool is_needed(int operation, const OSSL_ALGORITHM *a)
{
	const char *properties = a->property_definition;
	return operation != OSSL_OP_DECODER ||
	       (strstr(properties, "input=der") &&
		       strstr(properties, "structure=SubjectPublicKeyInfo"));
}

static void choose(int operation)
{
	int no_cache;
	struct choice *c = &lean.choices[operation];
	const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(
		lean.theirs, operation, &no_cache);
	for (; all && all->algorithm_names && c->n < CHOSEN_MAX; all++)
		if (is_chosen(all) && is_needed(operation, all))
			c->list[c->n++] = *all;
}

static const OSSL_ALGORITHM *query(void *context, int operation, int *no_cache)
{
	*no_cache = 0;
	if (operation < 0 || operation >= OPERATIONS)
		return NULL;
	return lean.choices[operation].list;
}

/* The TLS groups are told this way. */
static int capabilities(
	void *context, const char *what, OSSL_CALLBACK *tell, void *arg)
{
	return OSSL_PROVIDER_get_capabilities(lean.theirs, what, tell, arg);
}

static const OSSL_PARAM *gettable(void *context)
{
	return OSSL_PROVIDER_gettable_params(lean.theirs);
}

static int get_params(void *context, OSSL_PARAM params[])
{
	return OSSL_PROVIDER_get_params(lean.theirs, params);
}

static const OSSL_DISPATCH dispatch[] = {
	{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query},
	{OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))capabilities},
	{OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, (void (*)(void))gettable},
	{OSSL_FUNC_PROVIDER_GET_PARAMS, (void (*)(void))get_params},
	{0, NULL},
};

/* Its algorithms are the default provider's, and want that one's context. */
static int init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
	const OSSL_DISPATCH **out, void **context)
{
	*out = dispatch;
	*context = OSSL_PROVIDER_get0_provider_ctx(lean.theirs);
	return 1;
}

static void make(void)
{
	lean.full = OSSL_LIB_CTX_new();
	lean.theirs =
		lean.full ? OSSL_PROVIDER_load(lean.full, "default") : NULL;
	for (int i = 0; lean.theirs && i < OPERATIONS; i++)
		choose(i);
	bool complete = lean.choices[OSSL_OP_DECODER].n > 0;
	OSSL_LIB_CTX *library = complete ? OSSL_LIB_CTX_new() : NULL;
	if (library && OSSL_PROVIDER_add_builtin(library, "lean", init) == 1)
		lean.ours = OSSL_PROVIDER_load(library, "lean");
	if (lean.ours)
		lean.lean = library;
	else
		OSSL_LIB_CTX_free(library);
	ERR_clear_error();
}

OSSL_LIB_CTX *lean_library(void)
{
	pthread_once(&once, make);
	return lean.lean;
}

__attribute__((destructor)) static void unmake(void)
{
	if (lean.ours)
		OSSL_PROVIDER_unload(lean.ours);
	OSSL_LIB_CTX_free(lean.lean);
	if (lean.theirs)
		OSSL_PROVIDER_unload(lean.theirs);
	OSSL_LIB_CTX_free(lean.full);
}
