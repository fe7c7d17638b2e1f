/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone trust export: what others need to judge phones as we do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certs/pem.h"
#include "registrar/ctl/ctl.h"
#include "registrar/ctl/rehearsal.h"
#include "registrar/ctl/say.h"
#include "registrar/ctl/trust.h"
#include "registrar/memory.h"
#include "trust/export.h"

enum { WITH_FILES_MAX = 64 };

struct wish {
	int to; /* enum trust_export_for */
	const char *out;
	const char *store;
	const char *with[WITH_FILES_MAX];
	size_t n_with;
};

static int refuse(const struct ctl *ctl, const char *why, const char *word)
{
	say("%s%s", why, word);
	return ctl_misused(ctl);
}

static int read_words(
	const struct ctl *ctl, int argc, char **argv, struct wish *w)
{
	for (int i = 0; i < argc; i += 2) {
		const char *word = argv[i];
		if (i + 1 == argc)
			return refuse(ctl, "no value behind ", word);
		const char *value = argv[i + 1];
		if (strcmp(word, "--for") == 0)
			w->to = trust_export_find(value);
		else if (strcmp(word, "--out") == 0)
			w->out = value;
		else if (strcmp(word, "--store") == 0)
			w->store = value;
		else if (strcmp(word, "--with") != 0)
			return refuse(ctl, "unexpected word ", word);
		else if (w->n_with == WITH_FILES_MAX)
			return refuse(
				ctl, "more than 64 files: --with ", value);
		else
			w->with[w->n_with++] = value;
		if (strcmp(word, "--for") == 0 && w->to < 0)
			return refuse(ctl, "nobody known: --for ", value);
	}
	return w->to < 0 ? refuse(ctl, "for whom?", "") : CTL_OK;
}

/* The certificates of all files, one list. */
static int read_with(const struct wish *w, struct cert_list *all)
{
	struct diag d = {0};
	for (size_t i = 0; i < w->n_with; i++) {
		struct cert_list one;
		if (cert_pem_read(w->with[i], &one, &d)) {
			return say_file(w->with[i], d.text);
		}
		for (size_t j = 0; j < one.n; j++) {
			X509_up_ref(one.cert[j]);
			*(X509 **)memory_grow((void **)&all->cert, &all->n,
				sizeof(X509 *)) = one.cert[j];
		}
		cert_list_deinit(&one);
	}
	return CTL_OK;
}

static void set_time(json_t *o, const char *key, time_t t)
{
	char at[21];
	cert_time_text(t, at);
	ctl_set_text(o, key, at);
}

static json_t *describe(const struct trust_export_ca *ca)
{
	const struct trust_anchor *a = ca->anchor;
	json_t *o = json_object();
	ctl_set_text(o, "subject", ca->id.subject);
	ctl_set_text(o, "issuer", ca->id.issuer);
	ctl_set_text(o, "serial", ca->id.serial);
	ctl_set_text(o, "key", ca->id.key);
	if (ca->id.times_ok) {
		set_time(o, "notBefore", ca->id.not_before);
		set_time(o, "notAfter", ca->id.not_after);
	}
	ctl_set_text(o, "sha1", ca->id.sha1);
	ctl_set_text(o, "sha256", ca->id.sha256);
	ctl_set_text(o, "file", a ? a->file : NULL);
	ctl_set_text(o, "issues", a ? cert_kind_name(a->kind) : NULL);
	ctl_set_text(o, "leftOut", ca->left_out);
	if (*ca->left_out)
		return o;
	ctl_set_text(o, "name", ca->name);
	if (ca->crl) {
		ctl_set_text(o, "crl", ca->crl->file);
		ctl_set_text(o, "crlNumber", ca->crl->number);
		if (ca->crl->next_update)
			set_time(o, "crlNextUpdate", ca->crl->next_update);
	}
	ctl_set_text(o, "trustpoint", ca->trustpoint);
	ctl_set_text(o, "missingIssuer", ca->missing);
	json_object_set_new(o, "rooted", json_boolean(ca->rooted));
	json_object_set_new(o, "retiring", json_boolean(a && a->retiring));
	json_object_set_new(o, "enrolOnly", json_boolean(a && a->enrol_only));
	json_object_set_new(o, "old", json_boolean(ca->old));
	if (a && ca->phones >= 0)
		json_object_set_new(o, "devices", json_integer(ca->phones));
	return o;
}

static json_t *manifest_of(
	const struct trust_export_order *order, const struct trust_export *e)
{
	size_t n, n_files;
	const struct trust_export_ca *ca = trust_export_cas(e, &n);
	const struct cert_folder_file *file = trust_export_files(e, &n_files);
	json_t *here = json_array(), *out = json_array(), *files = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			*ca[i].left_out ? out : here, describe(&ca[i]));
	for (size_t i = 0; i < n_files; i++)
		json_array_append_new(files, json_string(file[i].name));
	json_array_append_new(files, json_string("manifest.json"));
	json_t *o = json_pack("{ss ss sI sb so so so}", "for",
		trust_export_name(order->to), "fingerprint",
		trust_snapshot_fingerprint(order->trust), "verifyDepth",
		(json_int_t)trust_export_depth(e), "checksCrls",
		trust_export_checks(e), "cas", here, "leftOut", out, "files",
		files);
	ctl_set_text(o, "devicesUncounted", order->uncounted);
	return o;
}

static void warn(const struct trust_export *e)
{
	size_t n;
	const struct trust_export_ca *ca = trust_export_cas(e, &n);
	for (size_t i = 0; i < n; i++) {
		if (*ca[i].left_out)
			say("left out: %s: %s", ca[i].id.subject,
				ca[i].left_out);
		else if (*ca[i].missing)
			say("chain without a root: the issuer "
			    "of %s is missing: %s. Give its certificate "
			    "with --with FILE.",
				ca[i].id.subject, ca[i].missing);
	}
}

static const char *path_of(const struct wish *w, char *text, size_t size)
{
	snprintf(text, size, "dialtone-%s",
		trust_export_name((enum trust_export_for)w->to));
	return w->out ? w->out : text;
}

/* In a copy of what is there, which tells whether it would be replaced. */
static int rehearse(const struct ctl *ctl, const char *path, json_t *manifest,
	const struct cert_folder_file *files, size_t n, struct diag *d)
{
	struct rehearsal r;
	int error = rehearsal_begin(&r, path, d);
	if (!error)
		error = cert_folder_write(r.dir, files, n, d);
	if (error) {
		rehearsal_translate(&r, d);
	} else {
		json_t *list = json_array();
		for (size_t i = 0; i < n; i++) {
			char *file =
				memory_format("%s/%s", path, files[i].name);
			json_array_append_new(list, json_string(file));
			free(file);
		}
		rehearsal_print(ctl, list, manifest);
		json_decref(list);
	}
	rehearsal_end(&r);
	return error;
}

static int write_out(const struct ctl *ctl, const struct wish *w,
	const struct trust_export_order *order, struct trust_export *e)
{
	char text[32];
	size_t n;
	struct diag d = {0};
	const char *path = path_of(w, text, sizeof(text));
	json_t *manifest = manifest_of(order, e);
	char *dump = json_dumps(manifest, JSON_INDENT(2));
	char *json = memory_format("%s\n", dump);
	trust_export_add(e, "manifest.json", json, strlen(json));
	const struct cert_folder_file *files = trust_export_files(e, &n);
	int error = ctl->dry_run ? rehearse(ctl, path, manifest, files, n, &d)
				 : cert_folder_write(path, files, n, &d);
	if (error)
		say_file(path, d.text);
	else if (ctl->json && !ctl->dry_run)
		fputs(json, stdout);
	else if (!ctl->dry_run)
		printf("%s: %zu files; README.txt says what to do with them\n",
			path, n);
	free(dump);
	free(json);
	json_decref(manifest);
	return error ? CTL_FAILED : CTL_OK;
}

/* What the registrar counts of each retiring anchor. */
struct counts {
	json_t *answer; /* owns the fingerprints in the list */
	struct trust_export_phones *list;
	size_t n;
	char *uncounted;
};

static void ask_counts(const struct ctl *ctl, struct counts *c)
{
	size_t i;
	json_t *anchor;
	char *url = memory_format("%s/v1/trust/retiring", ctl->url);
	struct ctl_answer a = ctl_ask(url, "GET", NULL, NULL);
	if (!a.error && a.status == 200)
		c->answer = json_loadb(a.text, a.n, 0, NULL);
	if (!c->answer)
		c->uncounted = memory_format(
			"%s: %s", url, a.error ? a.error : "no such answer");
	json_array_foreach(json_object_get(c->answer, "anchors"), i, anchor)
	{
		struct trust_export_phones *row =
			memory_grow((void **)&c->list, &c->n, sizeof(*c->list));
		row->sha256 = ctl_text(anchor, "sha256");
		row->n = ctl_number(anchor, "devices");
	}
	ctl_answer_deinit(&a);
	free(url);
}

static void counts_deinit(struct counts *c)
{
	json_decref(c->answer);
	free(c->list);
	free(c->uncounted);
}

static int run_export(const struct ctl *ctl, const struct wish *w,
	struct trust_snapshot *trust, const struct cert_list *with)
{
	struct trust_export *e;
	struct diag d = {0};
	struct counts counts = {0};
	ask_counts(ctl, &counts);
	const struct trust_export_order order = {
		.to = (enum trust_export_for)w->to,
		.trust = trust,
		.with = with->cert,
		.n_with = with->n,
		.now = time(NULL),
		.phones = counts.list,
		.n_phones = counts.n,
		.uncounted = counts.uncounted,
	};
	int status = CTL_FAILED;
	if (trust_export_make(&order, &e, &d)) {
		say("%s", d.text);
		say_next("dialtone trust list");
	} else {
		warn(e);
		status = write_out(ctl, w, &order, e);
		trust_export_free(e);
	}
	counts_deinit(&counts);
	return status;
}

/* With the lists themselves, which are to go along. */
static int read_store(
	const struct ctl_trust *store, struct trust_snapshot **out)
{
	struct diag d;
	struct trust_load load = ctl_trust_load(store);
	load.keep_lists = true;
	if (trust_snapshot_load(&load, out, &d) == 0)
		return CTL_OK;
	return ctl_trust_complain(&d);
}

int ctl_trust_export(const struct ctl *ctl, int argc, char **argv)
{
	struct wish w = {.to = -1};
	struct trust_snapshot *trust = NULL;
	struct ctl_trust store = {0};
	struct cert_list with = {0};
	int status = read_words(ctl, argc, argv, &w);
	if (status == CTL_OK)
		status = read_with(&w, &with);
	if (status == CTL_OK)
		status = ctl_trust_open(ctl, w.store, &store);
	if (status == CTL_OK)
		status = read_store(&store, &trust);
	if (status == CTL_OK)
		status = run_export(ctl, &w, trust, &with);
	cert_list_deinit(&with);
	trust_snapshot_unref(trust);
	ctl_trust_close(&store);
	return status;
}
