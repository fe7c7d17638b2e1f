/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone trust remove, diff: who is locked out, before it is done. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "registrar/ctl/ctl.h"
#include "registrar/ctl/say.h"
#include "registrar/memory.h"

enum { FILES_MAX = 256 };

static const struct ctl_option options[] = {
	{"--store", "store", ctl_take_text, false},
	{"--force", "force", ctl_take_true, true},
};

static bool is_said(const json_t *said, const char *key)
{
	return json_is_true(json_object_get(said, key));
}

/* ---- what the registrar says ---- */

/* What was typed. */
struct words {
	int most; /* names */
	size_t n_options;
	json_t *names, *said;
};

/* *out is the caller's. CTL_REFUSED: it would not take that set at all. */
static int ask(const struct ctl *ctl, const struct words *w, const char *key,
	json_t *value, json_t **out)
{
	struct ctl_answer a;
	char *who;
	json_t *question = json_pack("{sO sO*}", key, value, "store",
		json_object_get(w->said, "store"));
	char *text = json_dumps(question, JSON_COMPACT);
	const struct ctl_body body = {"application/json", text, strlen(text)};
	int status =
		ctl_admin_ask(ctl, "POST", "/v1/trust/impact", &body, &a, &who);
	free(text);
	json_decref(question);
	if (status != CTL_OK)
		return status;
	status = ctl_take_json(&a, who, out);
	if (a.status == 409)
		status = CTL_REFUSED;
	ctl_answer_deinit(&a);
	free(who);
	return status;
}

static const struct ctl_column row_columns[] = {
	{"DEVICE", "device"},
	{"CERT", "certificate"},
	{"ANCHOR", "anchor"},
	{"THEN", "then"},
	{"MIC PASSES", "micPasses"},
	{"REGISTERED", "registered"},
	{"LAST SEEN", "lastSeen"},
	{"JUDGED", "judged"},
};

static const struct ctl_column anchor_columns[] = {
	{"FILE", "file"},
	{"LOCKED OUT", "lockedOut"},
	{"REGISTERED", "registered"},
};

#define COLUMNS(list) list, sizeof(list) / sizeof((list)[0])

static void print_impact(const json_t *o)
{
	long long n = ctl_number(o, "lockedOut");
	long long guessed = ctl_number(o, "notJudged");
	printf("Of %lld devices whose certificate is known %lld would be "
	       "locked out: %lld are registered now, %lld have a MIC that "
	       "would pass.\n",
		ctl_number(o, "devices"), n, ctl_number(o, "registered"),
		ctl_number(o, "micPasses"));
	if (guessed)
		printf("%lld of them are judged by their last anchor alone: "
		       "their certificate is not kept yet.\n",
			guessed);
	if (ctl_number(o, "letIn"))
		printf("%lld could come in that cannot now.\n",
			ctl_number(o, "letIn"));
	if (n == 0)
		return;
	putchar('\n');
	ctl_print_table(
		json_object_get(o, "byAnchor"), COLUMNS(anchor_columns));
	putchar('\n');
	ctl_print_table(json_object_get(o, "list"), COLUMNS(row_columns));
}

/* ---- remove ---- */

/* Out of the loader's sight, and still there: its name begins with a dot. */
static char *hidden_name(const char *file)
{
	char at[32];
	struct tm tm;
	time_t now = time(NULL);
	gmtime_r(&now, &tm);
	strftime(at, sizeof(at), "%Y%m%dT%H%M%SZ", &tm);
	return memory_format(".removed-%s-%s", at, file);
}

/* Adds the command that brings it back to *undo. */
static void add_undo(
	char **undo, const char *folder, const char *file, const char *hidden)
{
	char *longer = memory_format("mv '%s/%s' '%s/%s' && %s", folder, hidden,
		folder, file, *undo);
	free(*undo);
	*undo = longer;
}

static bool is_list(const char *file)
{
	const char *dot = strrchr(file, '.');
	return dot && strcasecmp(dot, ".crl") == 0;
}

/* Those that are lists of revoked certificates, or those that are none. */
static int hide_some(int fd, const char *folder, const json_t *files,
	bool lists, char **undo)
{
	size_t i;
	json_t *one;
	json_array_foreach((json_t *)files, i, one)
	{
		const char *file = json_string_value(one);
		if (is_list(file) != lists)
			continue;
		char *hidden = hidden_name(file);
		int error = renameat(fd, file, fd, hidden) < 0 ? errno : 0;
		if (!error)
			add_undo(undo, folder, file, hidden);
		free(hidden);
		if (error) {
			say("%s/%s: %s", folder, file, strerror(error));
			say_next("ls -ld '%s'", folder);
			return CTL_FAILED;
		}
	}
	return CTL_OK;
}

/* On the disk when it answers. A list goes after its CA: without it, the
 * registrar would let in for a moment whom it names; without the CA, it keeps
 * the set in force. */
static int hide(const char *folder, const json_t *files, char **undo)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		say("%s: %s", folder, strerror(errno));
		say_next("ls -ld '%s'", folder);
		return CTL_FAILED;
	}
	int status = hide_some(fd, folder, files, false, undo);
	if (status == CTL_OK)
		status = hide_some(fd, folder, files, true, undo);
	if (fsync(fd) < 0)
		say("%s: fsync: %s", folder, strerror(errno));
	close(fd);
	return status;
}

/* Puts it in force; *o gets what became of it. */
static int reload(const struct ctl *ctl, json_t *o)
{
	json_t *answer = NULL;
	int status = ctl_admin(ctl, "POST", "/v1/trust/reload", &answer);
	json_object_set_new(o, "inForce", json_boolean(status == CTL_OK));
	json_decref(answer);
	return status;
}

static int remove_now(const struct ctl *ctl, const json_t *files, json_t *o)
{
	char *undo = memory_dup("dialtone trust reload");
	int status = hide(ctl_text(o, "storeFolder"), files, &undo);
	bool removed = status == CTL_OK;
	if (removed)
		status = reload(ctl, o);
	json_object_set_new(o, "removed", json_boolean(removed));
	json_object_set_new(o, "undo", json_string(undo));
	if (!ctl->json)
		printf("\n%s.\nTo undo it: %s\n",
			!removed ? "Not all of it is removed"
			: status == CTL_OK
				? "Removed, and the registrar believes it no "
				  "more"
				: "Removed, but not yet in force",
			undo);
	free(undo);
	return status;
}

static int refuse(const struct ctl *ctl)
{
	if (!ctl->json)
		puts("\nRefused: these phones hang on it. Give them a new LSC "
		     "first; with \"retiring\": true for it in trust.anchors, "
		     "dialtone trust retiring counts them down. --force "
		     "removes it all the same.");
	return CTL_REFUSED;
}

static int decide(const struct ctl *ctl, const json_t *files,
	const json_t *said, json_t *o)
{
	bool safe = ctl_number(o, "lockedOut") == 0;
	if (!ctl->json)
		print_impact(o);
	if (ctl->dry_run)
		return safe ? CTL_OK : CTL_REFUSED;
	if (!safe && !is_said(said, "force"))
		return refuse(ctl);
	return remove_now(ctl, files, o);
}

/* Names, and options behind them. */
static int read_words(
	const struct ctl *ctl, int argc, char **argv, struct words *w)
{
	int n = 0;
	while (n < argc && n < w->most && argv[n][0] != '-')
		json_array_append_new(w->names, json_string(argv[n++]));
	if (n > 0 && (int)json_array_size(w->names) == n) /* all are UTF-8 */
		return ctl_read_options(
			argc - n, argv + n, options, w->n_options, w->said);
	return ctl_misused(ctl);
}

int ctl_trust_remove(const struct ctl *ctl, int argc, char **argv)
{
	struct words w = {FILES_MAX, sizeof(options) / sizeof(options[0]),
		json_array(), json_object()};
	json_t *o = NULL;
	int status = read_words(ctl, argc, argv, &w);
	if (status == CTL_OK)
		status = ask(ctl, &w, "without", w.names, &o);
	if (status == CTL_OK) {
		status = decide(ctl, w.names, w.said, o);
		if (ctl->json)
			ctl_print_json(o);
	}
	json_decref(o);
	json_decref(w.names);
	json_decref(w.said);
	return status;
}

/* ---- diff ---- */

static const struct ctl_column ca_columns[] = {
	{"FILE", "file"},
	{"ISSUES", "issues"},
	{"SUBJECT", "subject"},
	{"SERIAL", "serial"},
};

static void print_cas(const json_t *o, const char *key, const char *title)
{
	const json_t *list = json_object_get(o, key);
	if (json_array_size(list) == 0)
		return;
	puts(title);
	ctl_print_table(list, COLUMNS(ca_columns));
	putchar('\n');
}

static void print_changed(const json_t *o)
{
	size_t i, k;
	json_t *ca, *change;
	json_array_foreach(json_object_get(o, "anchorsChanged"), i, ca)
		json_array_foreach(json_object_get(ca, "changes"), k,
			change) printf("%s: %s was %s, becomes %s\n",
			ctl_text(ca, "file"), ctl_text(change, "what"),
			ctl_text(change, "was"), ctl_text(change, "becomes"));
}

static void print_diff(const json_t *o)
{
	print_cas(o, "anchorsRemoved", "CAs that would go:");
	print_cas(o, "anchorsAdded", "CAs that would come:");
	print_changed(o);
	print_impact(o);
}

int ctl_trust_diff(const struct ctl *ctl, int argc, char **argv)
{
	struct words w = {1, 1, json_array(), json_object()};
	json_t *o = NULL;
	int status = read_words(ctl, argc, argv, &w);
	char *folder = status == CTL_OK ? realpath(argv[0], NULL) : NULL;
	if (status == CTL_OK && !folder) {
		say("%s: %s", argv[0], strerror(errno));
		say_next("ls -ld '%s'", argv[0]);
		status = CTL_FAILED;
	}
	if (status == CTL_OK) {
		json_t *value = json_string(folder);
		status = ask(ctl, &w, "folder", value, &o);
		json_decref(value);
	}
	if (status == CTL_OK) {
		if (ctl->json)
			ctl_print_json(o);
		else
			print_diff(o);
		status = ctl_number(o, "lockedOut") ? CTL_REFUSED : CTL_OK;
	}
	free(folder);
	json_decref(o);
	json_decref(w.names);
	json_decref(w.said);
	return status;
}
