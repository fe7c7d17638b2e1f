/* SPDX-License-Identifier: Apache-2.0 */
/* Builds a frozen CallManager-trust out of a folder, or says why not. */
#include "trust/snapshot.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "certs/must.h"
#include "certs/pem.h"
#include "certs/rule.h"
#include "trust/anchor.h"
#include "trust/folder.h"
#include "trust/issuer.h"
#include "trust/revocation.h"

enum {
	ANCHORS_MAX = 4096,
	SLOTS = 2 * ANCHORS_MAX, /* of the index: a power of two, half empty */
	CHAIN_MAX = 8,		 /* certificates above the leaf */
};

/* Which certificates stood in a file. */
struct content {
	char *file;
	unsigned char (*sha256)[32];
	size_t n;
};

struct trust_snapshot {
	atomic_uint refs;
	uint64_t generation;
	char fingerprint[65];
	struct trust_policy policy; /* a copy of its own */
	struct trust_anchor *anchor;
	size_t n;
	uint16_t slot[SLOTS];	 /* open addressing: an anchor's number + 1 */
	struct content *content; /* by file name */
	size_t n_content;
	X509_STORE *store;
	struct trust_revocation *revocation;
};

/* What one load has in hand. */
struct loader {
	struct trust_snapshot *s;
	const struct trust_load *load;
	struct trust_folder folder;
	const struct trust_folder_file *file; /* the one being read */
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

static int refuse(
	struct loader *l, enum cert_rule rule, int line, const char *detail)
{
	return cert_rule_refuse(
		l->d, rule, -EINVAL, l->file->path, line, detail);
}

static bool holds(const struct content *c, const unsigned char sha256[32])
{
	for (size_t i = 0; i < c->n; i++)
		if (memcmp(c->sha256[i], sha256, 32) == 0)
			return true;
	return false;
}

static int add_anchor(
	struct loader *l, struct content *content, X509 *cert, int line)
{
	struct trust_snapshot *s = l->s;
	struct trust_anchor anchor;
	enum cert_rule rule = trust_anchor_init(
		&anchor, cert, l->file->name, line, &s->policy);
	if (rule)
		return refuse(l, rule, line, "");
	uint16_t *slot = slot_of(s, anchor.id.sha256_raw);
	bool twice = holds(content, anchor.id.sha256_raw);
	memcpy(content->sha256[content->n++], anchor.id.sha256_raw, 32);
	if (*slot) {
		struct trust_anchor *there = &s->anchor[*slot - 1];
		trust_anchor_deinit(&anchor);
		if (twice)
			return refuse(
				l, CERT_RULE_TWICE, line, there->id.subject);
		/* In another file that is no harm. */
		rule = trust_anchor_meet(there, l->file->name, &s->policy);
		return rule ? refuse(l, rule, line, there->file) : 0;
	}
	if (s->n == ANCHORS_MAX) {
		trust_anchor_deinit(&anchor);
		return cert_rule_refuse(l->d, CERT_RULE_CROWDED_SET, -E2BIG,
			l->load->dir, 0, "");
	}
	if ((s->n & (s->n - 1)) == 0)
		s->anchor = cert_must(realloc(
			s->anchor, (s->n ? 2 * s->n : 1) * sizeof(anchor)));
	s->anchor[s->n++] = anchor;
	*slot = (uint16_t)s->n;
	return 0;
}

static int content_by_name(const void *a, const void *b)
{
	const struct content *one = a, *other = b;
	return strcmp(one->file, other->file);
}

/* Has the file lost what it had in the set in force? */
static int check_shrunk(struct loader *l, const struct content *now)
{
	const struct trust_snapshot *before = l->load->before;
	const struct content *then =
		before && !l->load->explicit_order && before->n_content
			? bsearch(now, before->content, before->n_content,
				  sizeof(*now), content_by_name)
			: NULL;
	for (size_t i = 0; then && i < then->n; i++)
		if (!holds(now, then->sha256[i]))
			return refuse(l, CERT_RULE_SHRUNK, 0,
				trust_snapshot_find(before, then->sha256[i])
					->id.subject);
	return 0;
}

static int take_certificates(struct loader *l, const char *data, size_t n)
{
	struct trust_snapshot *s = l->s;
	struct cert_list list;
	int error = cert_pem_parse(data, n, l->file->path, &list, l->d);
	if (error)
		return error;
	struct content *content = &s->content[s->n_content++];
	content->file = cert_must(strdup(l->file->name));
	content->sha256 = cert_must(calloc(list.n, 32));
	for (size_t i = 0; !error && i < list.n; i++)
		error = add_anchor(l, content, list.cert[i], list.line[i]);
	cert_list_deinit(&list);
	return error ? error : check_shrunk(l, content);
}

static bool is_left_out(const struct trust_load *load, const char *file)
{
	for (size_t i = 0; i < load->n_without; i++)
		if (strcmp(load->without[i], file) == 0)
			return true;
	return false;
}

static bool is_list(const char *file)
{
	const char *dot = strrchr(file, '.');
	return dot && strcmp(dot, ".crl") == 0;
}

static int load_file(struct loader *l, size_t i)
{
	char *data = NULL;
	size_t n = 0;
	l->file = &l->folder.file[i];
	if (is_left_out(l->load, l->file->name))
		return 0;
	bool list = is_list(l->file->name);
	int error = trust_folder_read(&l->folder, i,
		list ? TRUST_CRL_FILE_MAX : CERT_FILE_MAX, &data, &n, l->d);
	if (error)
		return error > 0 ? 0 : error;
	error = list ? trust_revocation_parse(
			       l->s->revocation, l->file->path, data, n, l->d)
		     : take_certificates(l, data, n);
	/* It may have been a private key, laid here by mistake. */
	OPENSSL_cleanse(data, n);
	free(data);
	return error;
}

static int load_files(struct loader *l)
{
	struct trust_snapshot *s = l->s;
	int error = 0;
	s->content = cert_must(calloc(l->folder.n + 1, sizeof(s->content[0])));
	for (size_t i = 0; !error && i < l->folder.n; i++)
		error = load_file(l, i);
	if (!error)
		error = trust_folder_unchanged(&l->folder, l->d);
	if (error || s->n)
		return error;
	cert_rule_refuse(l->d, CERT_RULE_EMPTIED, -EINVAL, l->load->dir, 0, "");
	return -EINVAL;
}

/* Who starts us or orders a load says with it that the files are complete. */
static time_t settled_at(const struct trust_load *load)
{
	return load->before && !load->explicit_order ? load->now : 0;
}

static int load_folder(struct loader *l)
{
	int error = trust_folder_open(
		&l->folder, l->load->dir, settled_at(l->load), l->d);
	if (error)
		return error;
	if (l->load->with)
		error = trust_folder_add(
			&l->folder, l->load->with, l->load->with_name, l->d);
	if (!error)
		error = load_files(l);
	trust_folder_close(&l->folder);
	return error;
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, 32);
}

static void write_fingerprint(struct trust_snapshot *s)
{
	size_t lists = trust_revocation_count(s->revocation);
	unsigned char(*all)[32] = cert_must(calloc(s->n + lists, 32));
	unsigned char sum[32];
	for (size_t i = 0; i < s->n; i++)
		memcpy(all[i], s->anchor[i].id.sha256_raw, 32);
	for (size_t i = 0; i < lists; i++)
		memcpy(all[s->n + i],
			trust_revocation_at(s->revocation, i)->sha256, 32);
	qsort(all, s->n + lists, 32, by_bytes);
	SHA256(all[0], (s->n + lists) * 32, sum);
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
	s->revocation = trust_revocation_new(load->now);
	if (load->keep_lists)
		trust_revocation_keep(s->revocation);
	struct loader l = {.s = s, .load = load, .d = d};
	ERR_set_mark();
	int error = load_folder(&l);
	if (!error)
		error = trust_revocation_bind(s->revocation, s->anchor, s->n,
			load->before ? load->before->revocation : NULL, d);
	if (!error) {
		assert(s->n);
		for (size_t i = 0; i < s->n; i++)
			trust_anchor_judge(&s->anchor[i], &s->policy);
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
	for (size_t i = 0; i < s->n_content; i++) {
		free(s->content[i].file);
		free(s->content[i].sha256);
	}
	free(s->content);
	free(s->anchor);
	free_policy(&s->policy);
	X509_STORE_free(s->store);
	trust_revocation_free(s->revocation);
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

static bool is_same_anchor(
	const struct trust_anchor *a, const struct trust_anchor *b)
{
	return strcmp(a->file, b->file) == 0 && a->line == b->line &&
	       memcmp(a->id.sha256_raw, b->id.sha256_raw, 32) == 0 &&
	       a->kind == b->kind && a->allows == b->allows &&
	       a->kind_said == b->kind_said &&
	       a->allow_not_critical == b->allow_not_critical &&
	       a->enrol_only == b->enrol_only && a->retiring == b->retiring &&
	       a->grace_s == b->grace_s && a->usable == b->usable;
}

/* A certificate may stand in several files: which could lose it is not told
 * by the anchors. */
static bool is_same_content(const struct content *a, const struct content *b)
{
	return strcmp(a->file, b->file) == 0 && a->n == b->n &&
	       memcmp(a->sha256, b->sha256, 32 * a->n) == 0;
}

/* Their contents are in the fingerprint. */
static bool has_same_lists(
	const struct trust_snapshot *a, const struct trust_snapshot *b)
{
	size_t n = trust_revocation_count(a->revocation);
	if (n != trust_revocation_count(b->revocation))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(trust_revocation_at(a->revocation, i)->file,
			    trust_revocation_at(b->revocation, i)->file) != 0)
			return false;
	return true;
}

bool trust_snapshot_is_same(
	const struct trust_snapshot *a, const struct trust_snapshot *b)
{
	if (strcmp(a->fingerprint, b->fingerprint) != 0 || a->n != b->n ||
		a->n_content != b->n_content || !has_same_lists(a, b))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (!is_same_anchor(&a->anchor[i], &b->anchor[i]))
			return false;
	for (size_t i = 0; i < a->n_content; i++)
		if (!is_same_content(&a->content[i], &b->content[i]))
			return false;
	return true;
}

X509_STORE *trust_snapshot_store(const struct trust_snapshot *s)
{
	return s->store;
}

const struct trust_policy *trust_snapshot_policy(const struct trust_snapshot *s)
{
	return &s->policy;
}

const struct trust_revocation *trust_snapshot_revocation(
	const struct trust_snapshot *s)
{
	return s->revocation;
}
