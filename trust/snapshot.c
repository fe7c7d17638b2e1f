/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a frozen CallManager-trust out of a folder, or says why not. */
#include "trust/snapshot.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "certs/must.h"
#include "certs/pem.h"
#include "certs/text.h"
#include "trust/anchor.h"
#include "trust/issuer.h"

enum {
	FILES_MAX = 4096,
	ANCHORS_MAX = 4096,
	SLOTS = 2 * ANCHORS_MAX, /* of the index: a power of two, half empty */
	CHAIN_MAX = 8,		 /* certificates above the leaf */
};

struct trust_snapshot {
	atomic_uint refs;
	uint64_t generation;
	char fingerprint[65];
	struct trust_policy policy; /* a copy of its own */
	struct trust_anchor *anchor;
	size_t n;
	uint16_t slot[SLOTS]; /* open addressing: an anchor's number + 1 */
	X509_STORE *store;
};

/* What one load has in hand. */
struct loader {
	struct trust_snapshot *s;
	const struct trust_load *load;
	const char *file;     /* the one being read */
	size_t first_of_file; /* anchors before it came from other files */
	struct diag *d;
};

const struct trust_policy trust_policy_default = {.auth_level = 2};

static void copy_policy(
	struct trust_policy *to, const struct trust_policy *from)
{
	*to = (struct trust_policy){.auth_level = from->auth_level};
	if (!from->n_anchors)
		return;
	struct trust_anchor_policy *rows =
		cert_must(calloc(from->n_anchors, sizeof(*rows)));
	for (size_t i = 0; i < from->n_anchors; i++) {
		rows[i] = from->anchors[i];
		rows[i].name = cert_must(strdup(from->anchors[i].name));
	}
	to->anchors = rows;
	to->n_anchors = from->n_anchors;
}

static void free_policy(struct trust_policy *policy)
{
	for (size_t i = 0; i < policy->n_anchors; i++)
		free((char *)policy->anchors[i].name);
	free((struct trust_anchor_policy *)policy->anchors);
}

static uint16_t *slot_of(
	struct trust_snapshot *s, const unsigned char sha256[32])
{
	size_t at =
		(size_t)sha256[0] << 16 | (size_t)sha256[1] << 8 | sha256[2];
	for (;; at++) {
		uint16_t *slot = &s->slot[at % SLOTS];
		if (!*slot ||
			!memcmp(s->anchor[*slot - 1].id.sha256_raw, sha256, 32))
			return slot;
	}
}

static int refuse(struct loader *l, int line, const char *why)
{
	if (line)
		return diag_set(l->d, -EINVAL, "%s/%s:%d: %s", l->load->dir,
			l->file, line, why);
	return diag_set(l->d, -EINVAL, "%s/%s: %s", l->load->dir, l->file, why);
}

/* The same CA is in the set: in another file that is no harm. */
static int meet_again(struct loader *l, struct trust_anchor *there, int line)
{
	char why[512];
	if ((size_t)(there - l->s->anchor) >= l->first_of_file) {
		snprintf(why, sizeof(why),
			"the same certificate twice in this file (%.200s, "
			"line %d)",
			there->id.subject, there->line);
		return refuse(l, line, why);
	}
	there->allows |= trust_anchor_policy_allows(
		&l->s->policy, l->file, there->id.sha256);
	enum cert_kind here = trust_anchor_policy_kind(
		&l->s->policy, l->file, there->id.sha256);
	enum cert_kind before = trust_anchor_policy_kind(
		&l->s->policy, there->file, there->id.sha256);
	if (here == CERT_KIND_UNKNOWN || here == before)
		return 0;
	if (before == CERT_KIND_UNKNOWN) {
		there->kind = here;
		return 0;
	}
	snprintf(why, sizeof(why),
		"configured as %s, but as %s under its other name %.200s",
		cert_kind_name(here), cert_kind_name(before), there->file);
	return refuse(l, line, why);
}

static int add_anchor(struct loader *l, X509 *cert, int line)
{
	struct trust_snapshot *s = l->s;
	struct trust_anchor anchor;
	const char *why =
		trust_anchor_init(&anchor, cert, l->file, line, &s->policy);
	if (why)
		return refuse(l, line, why);
	uint16_t *slot = slot_of(s, anchor.id.sha256_raw);
	if (*slot) {
		trust_anchor_deinit(&anchor);
		return meet_again(l, &s->anchor[*slot - 1], line);
	}
	if (s->n == ANCHORS_MAX) {
		trust_anchor_deinit(&anchor);
		return diag_set(l->d, -E2BIG, "%s: more than %d certificates",
			l->load->dir, ANCHORS_MAX);
	}
	if (!s->anchor)
		s->anchor = cert_must(calloc(ANCHORS_MAX, sizeof(anchor)));
	s->anchor[s->n++] = anchor;
	*slot = (uint16_t)s->n;
	return 0;
}

static int load_file(struct loader *l)
{
	char path[PATH_MAX];
	struct stat st;
	int n = snprintf(path, sizeof(path), "%s/%s", l->load->dir, l->file);
	if (n < 0 || (size_t)n >= sizeof(path))
		return diag_set(l->d, -ENAMETOOLONG, "%s: path too long", path);
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	struct cert_list list;
	int error = cert_pem_read(path, &list, l->d);
	l->first_of_file = l->s->n;
	for (size_t i = 0; !error && i < list.n; i++)
		error = add_anchor(l, list.cert[i], list.line[i]);
	cert_list_deinit(&list);
	return error;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names of dir that are not hidden, sorted. */
static int list_names(const char *dir, char ***names, size_t *n, struct diag *d)
{
	DIR *folder = opendir(dir);
	if (!folder)
		return diag_set(d, -errno, "%s: %s", dir, strerror(errno));
	*names = cert_must(calloc(FILES_MAX, sizeof(char *)));
	*n = 0;
	int error = 0;
	const struct dirent *entry = NULL;
	while (errno = 0, !error && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		if (*n == FILES_MAX)
			error = diag_set(d, -E2BIG, "%s: more than %d files",
				dir, FILES_MAX);
		else
			(*names)[(*n)++] = cert_must(strdup(entry->d_name));
	}
	if (!error && errno)
		error = diag_set(d, -errno, "%s: %s", dir, strerror(errno));
	closedir(folder);
	if (*n)
		qsort((void *)*names, *n, sizeof(char *), by_name);
	return error;
}

static bool is_left_out(const struct trust_load *load, const char *file)
{
	for (size_t i = 0; i < load->n_without; i++)
		if (strcmp(load->without[i], file) == 0)
			return true;
	return false;
}

static int load_folder(struct loader *l)
{
	char **names = NULL;
	size_t n = 0;
	int error = list_names(l->load->dir, &names, &n, l->d);
	for (size_t i = 0; !error && i < n; i++) {
		l->file = names[i];
		if (!is_left_out(l->load, l->file))
			error = load_file(l);
	}
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free((void *)names);
	if (error)
		return error;
	if (!l->s->n)
		return diag_set(l->d, -EINVAL,
			"%s: no certificate in it; put the CAPF root and the "
			"manufacturing CAs there",
			l->load->dir);
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

static void write_fingerprint(struct trust_snapshot *s)
{
	unsigned char(*all)[32] = cert_must(calloc(s->n, 32));
	unsigned char sum[32];
	for (size_t i = 0; i < s->n; i++)
		memcpy(all[i], s->anchor[i].id.sha256_raw, 32);
	qsort(all, s->n, 32, by_bytes);
	SHA256(all[0], s->n * 32, sum);
	free(all);
	for (size_t i = 0; i < sizeof(sum); i++)
		snprintf(s->fingerprint + 2 * i, 3, "%02x", sum[i]);
}

static void make_store(struct trust_snapshot *s)
{
	s->store = cert_must(X509_STORE_new());
	X509_STORE_set_get_issuer(s->store, trust_issuer_pick);
	X509_VERIFY_PARAM *param = X509_STORE_get0_param(s->store);
	/* Not X509_STRICT: it refuses every real MIC, which names no key id
	 * of its issuer. */
	if (X509_VERIFY_PARAM_set_flags(param,
		    X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST) !=
			1 ||
		X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_CLIENT) !=
			1 ||
		X509_VERIFY_PARAM_set_trust(param, X509_TRUST_SSL_CLIENT) != 1)
		abort();
	X509_VERIFY_PARAM_set_depth(param, CHAIN_MAX);
	X509_VERIFY_PARAM_set_auth_level(param, s->policy.auth_level);
	for (size_t i = 0; i < s->n; i++)
		if (X509_STORE_add_cert(s->store, s->anchor[i].cert) != 1)
			abort();
}

int trust_snapshot_load(const struct trust_load *load,
	struct trust_snapshot **out, struct diag *d)
{
	const struct trust_policy *p =
		load->policy ? load->policy : &trust_policy_default;
	assert(p->auth_level >= 0 && p->auth_level <= TRUST_AUTH_LEVEL_MAX);
	*out = NULL;
	struct trust_snapshot *s = cert_must(calloc(1, sizeof(*s)));
	atomic_init(&s->refs, 1);
	s->generation = load->generation;
	copy_policy(&s->policy, p);
	struct loader l = {.s = s, .load = load, .d = d};
	ERR_set_mark();
	int error = load_folder(&l);
	if (!error) {
		write_fingerprint(s);
		make_store(s);
	}
	ERR_pop_to_mark();
	if (error) {
		trust_snapshot_unref(s);
		return error;
	}
	*out = s;
	return 0;
}

struct trust_snapshot *trust_snapshot_ref(struct trust_snapshot *s)
{
	atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
	return s;
}

void trust_snapshot_unref(struct trust_snapshot *s)
{
	if (!s || atomic_fetch_sub_explicit(
			  &s->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < s->n; i++)
		trust_anchor_deinit(&s->anchor[i]);
	free(s->anchor);
	free_policy(&s->policy);
	X509_STORE_free(s->store);
	free(s);
}

uint64_t trust_snapshot_generation(const struct trust_snapshot *s)
{
	return s->generation;
}

const char *trust_snapshot_fingerprint(const struct trust_snapshot *s)
{
	return s->fingerprint;
}

const struct trust_anchor *trust_snapshot_anchors(
	const struct trust_snapshot *s, size_t *n)
{
	*n = s->n;
	return s->anchor;
}

const struct trust_anchor *trust_snapshot_find(
	const struct trust_snapshot *s, const unsigned char sha256[32])
{
	const uint16_t *slot = slot_of((struct trust_snapshot *)s, sha256);
	return *slot ? &s->anchor[*slot - 1] : NULL;
}

X509_STORE *trust_snapshot_store(const struct trust_snapshot *s)
{
	return s->store;
}

const struct trust_policy *trust_snapshot_policy(const struct trust_snapshot *s)
{
	return &s->policy;
}
