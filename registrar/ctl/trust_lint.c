/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone trust lint: every file of a store judged by itself. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/x509v3.h>

#include "registrar/ctl/trust.h"
#include "registrar/ctl/wrap.h"
#include "registrar/memory.h"
#include "trust/folder.h"
#include "trust/revocation.h"

enum {
	SOON_DAYS = 90,
	DAY_S = 86400,
	KEY_BITS_LEAST = 2048,
};

/* X(symbol, name, what it means, cure) */
#define WARNING_LIST(X)                                                        \
	X(EXPIRED, "expired", "it has ended, and vouches for nobody",          \
		"remove it: dialtone trust remove FILE")                       \
	X(SOON, "expires-soon", "it ends within 90 days",                      \
		"give its phones certificates of a CA that lasts longer")      \
	X(SHA1, "sha1", "its own certificate is signed with SHA-1",            \
		"nothing, if it is a manufacturing CA; its phones may need "   \
		"allow_sha1")                                                  \
	X(WEAK_KEY, "weak-key", "its RSA key is shorter than 2048 bits",       \
		"give its phones certificates of a stronger CA")               \
	X(NO_KEY_ID, "no-key-id",                                              \
		"it has no key id, so that another CA of its name is told "    \
		"apart by its signatures alone",                               \
		"nothing, if it is Cisco's; else have it issued anew")         \
	X(TWIN, "twin", "another CA of its name is here",                      \
		"nothing while its phones change over; then remove the older " \
		"one")                                                         \
	X(UNUSABLE, "unusable", "it is loaded, and vouches for nobody",        \
		"remove it, or have it issued anew")                           \
	X(NOBODY, "no-devices", "no device's last certificate hangs on it",    \
		"remove it, if no phone is to come with it any more")          \
	X(CRL_DUE, "crl-due", "its next list is due within a day",             \
		"fetch the next one from its CA")                              \
	X(CRL_OVERDUE, "crl-overdue",                                          \
		"it has ended; it is still in force, and what was revoked "    \
		"since is not in it",                                          \
		"fetch the newest from its CA")                                \
	X(CRL_SUPERSEDED, "crl-superseded", "a newer list of its CA is here",  \
		"remove it")                                                   \
	X(CRL_ORPHAN, "crl-orphan", "its CA is not here",                      \
		"remove it, or add the CA")                                    \
	X(POLICY, "policy-of-nothing",                                         \
		"trust.anchors names it, and no file or SHA-256 here is that", \
		"correct the name, or take the entry out")

enum warning {
#define X(symbol, name, meaning, cure) WARNING_##symbol,
	WARNING_LIST(X)
#undef X
};

static const struct {
	const char *name, *meaning, *cure;
} warnings[] = {
#define X(symbol, name, meaning, cure) {name, meaning, cure},
	WARNING_LIST(X)
#undef X
};

struct lint {
	struct ctl_trust t;
	struct trust_folder folder;
	const char **refused_names; /* of the folder's files */
	size_t n_refused;
	json_t *refused, *warned;
};

/* ---- what is refused ---- */

/* The file that a complaint opens with, or NULL. */
static const struct trust_folder_file *file_of(
	const struct lint *l, const char *text)
{
	const struct trust_folder_file *found = NULL;
	for (size_t i = 0; i < l->folder.n; i++) {
		const struct trust_folder_file *file = &l->folder.file[i];
		size_t n = strlen(file->path);
		if (strncmp(text, file->path, n) == 0 && text[n] == ':' &&
			(!found || strlen(found->path) < n))
			found = file;
	}
	return found;
}

static void refuse(struct lint *l, const char *file, const struct diag *d)
{
	json_t *o = ctl_trust_refusal_json(d);
	ctl_set_text(o, "file", file);
	json_array_append_new(l->refused, o);
}

/* Loads it without what was refused so far. NULL: nothing is left, or the
 * folder itself was refused. */
static struct trust_snapshot *load_rest(struct lint *l)
{
	struct trust_load load = ctl_trust_load(&l->t);
	for (;;) {
		struct diag d;
		struct trust_snapshot *s;
		load.without = l->refused_names;
		load.n_without = l->n_refused;
		if (trust_snapshot_load(&load, &s, &d) == 0)
			return s;
		const struct trust_folder_file *file = file_of(l, d.text);
		if (file && l->n_refused < l->folder.n) {
			refuse(l, file->name, &d);
			l->refused_names[l->n_refused++] = file->name;
			continue;
		}
		if (!l->n_refused || file)
			refuse(l, NULL, &d);
		return NULL;
	}
}

/* ---- what is worth knowing ---- */

static void warn(struct lint *l, enum warning warning, const char *file,
	int line, const char *more)
{
	json_t *o = json_pack("{ss ss ss}", "rule", warnings[warning].name,
		"meaning", warnings[warning].meaning, "cure",
		warnings[warning].cure);
	ctl_set_text(o, "file", file);
	if (line)
		json_object_set_new(o, "line", json_integer(line));
	ctl_set_text(o, "detail", more);
	json_array_append_new(l->warned, o);
}

/* How many devices hang on it, or -1: not known. */
static long long devices_of(const struct lint *l, const struct trust_anchor *a)
{
	size_t i;
	json_t *o;
	json_array_foreach(json_object_get(l->t.store, "list"), i,
		o) if (strcmp(ctl_text(o, "sha256"), a->id.sha256) == 0 &&
		       json_object_get(o, "devices")) return ctl_number(o,
		"devices");
	return -1;
}

static bool is_short(const struct trust_anchor *a)
{
	const EVP_PKEY *key = X509_get0_pubkey(a->cert);
	return key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
	       EVP_PKEY_get_bits(key) < KEY_BITS_LEAST;
}

static void look_at_dates(struct lint *l, const struct trust_anchor *a)
{
	char at[21];
	time_t left = a->id.not_after - time(NULL);
	if (!a->id.times_ok || left >= (time_t)SOON_DAYS * DAY_S)
		return;
	cert_time_text(a->id.not_after, at);
	warn(l, left <= 0 ? WARNING_EXPIRED : WARNING_SOON, a->file, a->line,
		at);
}

static void look_at_twins(struct lint *l, const struct trust_anchor *all,
	size_t n, const struct trust_anchor *a)
{
	for (size_t i = 0; i < n; i++)
		if (&all[i] != a &&
			X509_NAME_cmp(X509_get_subject_name(all[i].cert),
				X509_get_subject_name(a->cert)) == 0)
			warn(l, WARNING_TWIN, a->file, a->line, all[i].file);
}

static void look_at_anchor(struct lint *l, const struct trust_anchor *a)
{
	look_at_dates(l, a);
	if (!a->usable)
		warn(l, WARNING_UNUSABLE, a->file, a->line, a->unusable_why);
	if (X509_get_signature_nid(a->cert) == NID_sha1WithRSAEncryption)
		warn(l, WARNING_SHA1, a->file, a->line, a->id.subject);
	if (is_short(a))
		warn(l, WARNING_WEAK_KEY, a->file, a->line, a->id.key);
	if (!X509_get0_subject_key_id(a->cert))
		warn(l, WARNING_NO_KEY_ID, a->file, a->line, a->id.subject);
	if (devices_of(l, a) == 0)
		warn(l, WARNING_NOBODY, a->file, a->line, a->id.subject);
}

static void look_at_crls(struct lint *l, const struct trust_snapshot *s)
{
	static const int of[] = {
		[TRUST_CRL_CURRENT] = -1,
		[TRUST_CRL_DUE] = WARNING_CRL_DUE,
		[TRUST_CRL_OVERDUE] = WARNING_CRL_OVERDUE,
		[TRUST_CRL_SUPERSEDED] = WARNING_CRL_SUPERSEDED,
		[TRUST_CRL_ORPHAN] = WARNING_CRL_ORPHAN,
	};
	const struct trust_revocation *r = trust_snapshot_revocation(s);
	for (size_t i = 0; i < trust_revocation_count(r); i++) {
		const struct trust_crl *crl = trust_revocation_at(r, i);
		int warning = of[trust_revocation_state(r, i, time(NULL))];
		if (warning >= 0)
			warn(l, (enum warning)warning, crl->file, 0,
				crl->issuer);
	}
}

static void look_at_policy(
	struct lint *l, const struct trust_anchor *all, size_t n)
{
	for (size_t i = 0; l->t.store && i < l->t.policy.n_anchors; i++) {
		const char *name = l->t.policy.anchors[i].name;
		size_t k = 0;
		while (k < n && strcmp(all[k].file, name) != 0 &&
			strcmp(all[k].id.sha256, name) != 0)
			k++;
		if (k == n)
			warn(l, WARNING_POLICY, name, 0, NULL);
	}
}

static size_t look_at(struct lint *l, const struct trust_snapshot *s)
{
	size_t n;
	const struct trust_anchor *all = trust_snapshot_anchors(s, &n);
	for (size_t i = 0; i < n; i++) {
		look_at_anchor(l, &all[i]);
		look_at_twins(l, all, n, &all[i]);
	}
	look_at_crls(l, s);
	look_at_policy(l, all, n);
	return n;
}

/* ---- the command ---- */

/* "capf.pem:1: refused, half-written: ..." */
static void print_all(const json_t *list, const char *what)
{
	size_t i;
	json_t *o;
	json_array_foreach((json_t *)list, i, o)
	{
		char line[16] = "";
		const char *why = ctl_text(o, "why");
		if (ctl_number(o, "line"))
			snprintf(line, sizeof(line), ":%lld",
				ctl_number(o, "line"));
		printf("%s%s%s%s, %s\n", ctl_text(o, "file"), line,
			*ctl_text(o, "file") ? ": " : "", what,
			ctl_text(o, "rule"));
		wrap_print("  why   ", *why ? why : ctl_text(o, "meaning"));
		if (*ctl_text(o, "detail"))
			wrap_print("        ", ctl_text(o, "detail"));
		wrap_print("  cure  ", ctl_text(o, "cure"));
	}
}

static void print(const json_t *o)
{
	print_all(json_object_get(o, "refused"), "refused");
	print_all(json_object_get(o, "warnings"), "warning");
	printf("%s: %lld anchors, %zu refused, %zu warnings\n",
		ctl_text(o, "folder"), ctl_number(o, "anchors"),
		json_array_size(json_object_get(o, "refused")),
		json_array_size(json_object_get(o, "warnings")));
}

static void lint(struct lint *l, size_t *anchors)
{
	struct diag d;
	if (trust_folder_open(&l->folder, l->t.folder, 0, &d) < 0) {
		refuse(l, NULL, &d);
		return;
	}
	l->refused_names = memory_zero((l->folder.n + 1) * sizeof(char *));
	struct trust_snapshot *s = load_rest(l);
	if (s)
		*anchors = look_at(l, s);
	trust_snapshot_unref(s);
	free((void *)l->refused_names);
	trust_folder_close(&l->folder);
}

static int report(const struct ctl *ctl, struct lint *l)
{
	size_t anchors = 0;
	l->refused = json_array();
	l->warned = json_array();
	lint(l, &anchors);
	size_t refused = json_array_size(l->refused);
	json_t *o = json_pack("{ss sI so so}", "folder", l->t.folder, "anchors",
		(json_int_t)anchors, "refused", l->refused, "warnings",
		l->warned);
	if (ctl->json)
		ctl_print_json(o);
	else
		print(o);
	json_decref(o);
	return refused ? CTL_FAILED : CTL_OK;
}

int ctl_trust_lint(const struct ctl *ctl, int argc, char **argv)
{
	const char *store = NULL, *dir = NULL;
	struct lint l = {.n_refused = 0};
	int status = ctl_trust_words(ctl, argc, argv, &store, &dir);
	if (status == CTL_OK && dir && store)
		status = ctl_misused(ctl);
	if (status != CTL_OK)
		return status;
	status = ctl_trust_open(ctl, dir ? dir : store, &l.t);
	if (status == CTL_OK)
		status = report(ctl, &l);
	ctl_trust_close(&l.t);
	return status;
}
