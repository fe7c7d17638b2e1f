/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone trust add: a CA into a store, judged before it is there. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs/file.h"
#include "certs/pem.h"
#include "registrar/ctl/say.h"
#include "registrar/ctl/trust.h"
#include "registrar/memory.h"

struct adding {
	const struct ctl *ctl;
	struct ctl_trust t;
	struct cert_list list;
	char name[NAME_MAX + 1]; /* in the folder */
};

/* ---- its name ---- */

/* CUCM's (specs certificates 1): CAPF-36205338.pem, and of other CAs
 * Cisco_Root_CA_M2_01.pem. What is no plain letter becomes '_'. */
static void name_it(X509 *cert, char name[NAME_MAX + 1])
{
	struct cert_identity id;
	cert_identity_read(cert, &id);
	bool capf = strncmp(id.cn, "CAPF-", 5) == 0;
	snprintf(name, NAME_MAX + 1, "%.150s%s%s.pem", *id.cn ? id.cn : "CA",
		capf ? "" : "_", capf ? "" : id.serial);
	for (char *p = name; *p; p++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuv"
			    "wxyz0123456789.-_",
			    *p))
			*p = '_';
}

static int take_name(struct adding *a, const char *as)
{
	if (!as) {
		name_it(a->list.cert[0], a->name);
		return CTL_OK;
	}
	if (!*as || *as == '.' || strchr(as, '/') || strlen(as) > NAME_MAX) {
		say("--as %s: must be a file's name, not hidden "
		    "and without a folder",
			as);
		return CTL_USAGE;
	}
	snprintf(a->name, sizeof(a->name), "%s", as);
	return CTL_OK;
}

/* ---- what is there already ---- */

static size_t certificates_of(const struct trust_snapshot *s, const char *file)
{
	size_t n, found = 0;
	const struct trust_anchor *all = trust_snapshot_anchors(s, &n);
	for (size_t i = 0; i < n; i++)
		found += strcmp(all[i].file, file) == 0;
	return found;
}

static const struct trust_anchor *find(
	const struct trust_snapshot *s, const X509 *cert)
{
	unsigned char sha256[32];
	if (X509_digest(cert, EVP_sha256(), sha256, NULL) != 1)
		abort(); /* law 2: no memory */
	return trust_snapshot_find(s, sha256);
}

/* A file that holds just these, or NULL. */
static const char *same_file(
	const struct adding *a, const struct trust_snapshot *s)
{
	const struct trust_anchor *first = find(s, a->list.cert[0]);
	for (size_t i = 0; first && i < a->list.n; i++) {
		const struct trust_anchor *other = find(s, a->list.cert[i]);
		if (!other || strcmp(other->file, first->file) != 0)
			return NULL;
	}
	return first && certificates_of(s, first->file) == a->list.n
		       ? first->file
		       : NULL;
}

static int refuse_twice(
	const struct adding *a, const struct trust_anchor *there)
{
	say("%s is there already, in %s/%s: nothing was done. "
	    "Leave it out of the file, or take that one away first "
	    "(dialtone trust remove %s)",
		there->id.subject, a->t.folder, there->file, there->file);
	say_next("dialtone trust show '%s'", there->file);
	return CTL_REFUSED;
}

static int is_new(const struct adding *a, const struct trust_snapshot *s)
{
	char *path = memory_format("%s/%s", a->t.folder, a->name);
	int status = CTL_OK;
	for (size_t i = 0; status == CTL_OK && i < a->list.n; i++) {
		const struct trust_anchor *there = find(s, a->list.cert[i]);
		if (there)
			status = refuse_twice(a, there);
	}
	if (status == CTL_OK && access(path, F_OK) == 0) {
		say("%s: another file of this name is there: "
		    "nothing was done. Give it another: --as NAME",
			path);
		status = CTL_REFUSED;
	}
	free(path);
	return status;
}

/* ---- doing it ---- */

static json_t *describe(const struct adding *a, const struct trust_snapshot *s)
{
	json_t *o =
		json_pack("{ss ss}", "folder", a->t.folder, "file", a->name);
	json_t *anchors = json_array();
	for (size_t i = 0; i < a->list.n; i++)
		json_array_append_new(anchors,
			ctl_trust_anchor_json(find(s, a->list.cert[i])));
	json_object_set_new(o, "anchors", anchors);
	return o;
}

/* Under its own name, unless it was only to be judged. */
static int keep(const struct adding *a, const char *path, const char *hidden,
	struct diag *d)
{
	if (!a->ctl->dry_run)
		return cert_file_keep(hidden, path, d);
	unlink(hidden);
	return 0;
}

/* Judges the folder with it, where it lies hidden; then gives it its name. */
static int judge_and_keep(const struct adding *a, const char *path,
	const char *hidden, json_t **out)
{
	struct diag d;
	struct trust_snapshot *s;
	struct trust_load load = ctl_trust_load(&a->t);
	load.with = strrchr(hidden, '/') + 1;
	load.with_name = a->name;
	int error = trust_snapshot_load(&load, &s, &d);
	if (error == 0) {
		*out = describe(a, s);
		trust_snapshot_unref(s);
		error = keep(a, path, hidden, &d);
	}
	if (error == 0)
		return CTL_OK;
	unlink(hidden);
	ctl_trust_complain(&d);
	say("nothing was added");
	return CTL_FAILED;
}

static int write_it(const struct adding *a, json_t **out)
{
	struct diag d;
	char hidden[PATH_MAX], *text;
	char *path = memory_format("%s/%s", a->t.folder, a->name);
	size_t n;
	int status = CTL_FAILED;
	if (cert_pem_text(a->list.cert, a->list.n, &text, &n) < 0)
		abort(); /* what was DER a moment ago is so still */
	if (cert_file_stage(path, 0644, text, n, hidden, &d) < 0)
		ctl_trust_complain(&d);
	else
		status = judge_and_keep(a, path, hidden, out);
	OPENSSL_free(text);
	free(path);
	return status;
}

/* The registrar reads it at once, and says what is in force then. */
static int put_in_force(const struct adding *a, json_t *o)
{
	json_t *said;
	if (!a->t.store) {
		ctl_set_text(o, "note",
			"no registrar that answers has this folder: nobody "
			"was told");
		return CTL_OK;
	}
	int status = ctl_admin(a->ctl, "POST", "/v1/trust/reload", &said);
	if (status == CTL_OK)
		json_object_set_new(o, "reload", said);
	else
		say("it is written; see what became of it: "
		    "dialtone trust status");
	return status;
}

static const struct ctl_column fields[] = {
	{"added", "file"},
	{"to", "folder"},
	{"note", "note"},
};
static const struct ctl_column anchor_fields[] = {
	{"anchor", "subject"},
	{"  issues", "issues"},
	{"  known as", "knownAs"},
	{"  ends", "notAfter"},
	{"  usable", "usable"},
	{"  why not", "unusableWhy"},
	{"  SHA-256", "sha256"},
};

static void print(const json_t *o)
{
	size_t i;
	json_t *anchor;
	ctl_print_fields(o, fields, sizeof(fields) / sizeof(fields[0]));
	json_array_foreach(json_object_get(o, "anchors"), i, anchor)
		ctl_print_fields(anchor, anchor_fields,
			sizeof(anchor_fields) / sizeof(anchor_fields[0]));
}

static int add(struct adding *a)
{
	struct trust_snapshot *before = NULL;
	json_t *o = NULL;
	int status = ctl_trust_read(&a->t, &before);
	const char *same = before ? same_file(a, before) : NULL;
	if (same)
		o = json_pack("{ss ss ss}", "file", same, "folder", a->t.folder,
			"note", "it was there already");
	else if (status == CTL_OK)
		status = is_new(a, before);
	if (status == CTL_OK && !same)
		status = write_it(a, &o);
	trust_snapshot_unref(before);
	if (status == CTL_OK && !same && a->ctl->dry_run)
		ctl_set_text(o, "note", "nothing was done; it would be so");
	else if (status == CTL_OK && !same)
		status = put_in_force(a, o);
	if (o && a->ctl->dry_run)
		json_object_set_new(o, "dryRun", json_true());
	if (o && a->ctl->json)
		ctl_print_json(o);
	else if (o)
		print(o);
	json_decref(o);
	return status;
}

int ctl_trust_add(const struct ctl *ctl, int argc, char **argv)
{
	const char *file = NULL, *store = NULL, *as = NULL;
	struct adding a = {.ctl = ctl};
	struct diag d;
	ctl_trust_take(&argc, argv, "--as", &as);
	int status = ctl_trust_words(ctl, argc, argv, &store, &file);
	if (status == CTL_OK && !file)
		status = ctl_misused(ctl);
	if (status != CTL_OK)
		return status;
	if (cert_pem_read(file, &a.list, &d) < 0)
		return ctl_trust_complain(&d);
	status = take_name(&a, as);
	if (status == CTL_OK)
		status = ctl_trust_open(ctl, store, &a.t);
	if (status == CTL_OK)
		status = add(&a);
	cert_list_deinit(&a.list);
	ctl_trust_close(&a.t);
	return status;
}
