/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone rollover: the CAPF root is replaced without losing a phone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "registrar/ctl/ctl.h"
#include "registrar/ctl/progress.h"
#include "registrar/ctl/say.h"

enum { WATCH_S = 2 };

static const char view_path[] = "/v1/capf/rollover";

#define COLUMNS(list) list, sizeof(list) / sizeof((list)[0])

static const struct ctl_column phone_columns[] = {
	{"DEVICE", "device"},
	{"CERTIFICATE", "certificate"},
	{"REGISTERED", "registered"},
	{"LAST SEEN", "lastSeen"},
	{"HOLDS UP", "recent"},
	{"QUEUED", "queued"},
	{"LAST FAILURE", "lastFailure"},
};

static const char *name_of(const json_t *o, const char *which)
{
	return ctl_text(json_object_get(o, which), "name");
}

static void print_phones(const json_t *o)
{
	const json_t *phones = json_object_get(o, "phones");
	if (json_array_size(phones) == 0)
		return;
	putchar('\n');
	ctl_print_table(phones, COLUMNS(phone_columns));
}

static const char *plural(long long n)
{
	return n == 1 ? "" : "s";
}

static void print_started(const json_t *o)
{
	printf("%s takes the place of %s.\n"
	       "%lld phone%s with its LSC, %lld still on the old root: "
	       "%lld of them offline, %lld queued, %lld in the way of "
	       "rollover finish.\n",
		name_of(o, "newRoot"), name_of(o, "oldRoot"),
		ctl_number(o, "done"), plural(ctl_number(o, "done")),
		ctl_number(o, "left"), ctl_number(o, "offline"),
		ctl_number(o, "queued"), ctl_number(o, "recent"));
	if (ctl_number(o, "notSeen"))
		printf("%lld phone%s whose certificate was not seen, %lld of "
		       "them in the way.\n",
			ctl_number(o, "notSeen"),
			plural(ctl_number(o, "notSeen")),
			ctl_number(o, "notSeenRecent"));
	print_phones(o);
}

static void print_view(const json_t *o)
{
	const char *state = ctl_text(o, "state");
	if (strcmp(state, "idle") == 0)
		printf("No rollover is under way; %s signs.\n",
			name_of(o, "oldRoot"));
	else if (strcmp(state, "starting") == 0)
		printf("A start was cut short: %s is made, and does not sign "
		       "yet. dialtone rollover start goes on with it, "
		       "rollover cancel takes it away.\n",
			name_of(o, "newRoot"));
	else
		print_started(o);
	if (*ctl_text(o, "missing"))
		printf("\n%s.\n", ctl_text(o, "missing"));
}

static int print(const struct ctl *ctl, const json_t *o)
{
	if (ctl->json)
		return ctl_print_json(o);
	fputs(ctl->dry_run ? "Nothing was done; it can be. Now:\n" : "",
		stdout);
	print_view(o);
	return CTL_OK;
}

/* An order without words. */
static int order(const struct ctl *ctl, int argc, char **argv,
	const char *method, const char *path)
{
	json_t *o;
	int status = ctl_no_words(ctl, argc, argv);
	if (status == CTL_OK)
		status = ctl_admin(ctl, method, path, &o);
	if (status != CTL_OK)
		return status;
	status = print(ctl, o);
	json_decref(o);
	return status;
}

/* Answers the first view in which no phone is left, or nothing goes on. */
static int watch(const struct ctl *ctl)
{
	struct progress p;
	json_t *o;
	int status;
	progress_begin(&p);
	while ((status = ctl_admin(ctl, "GET", view_path, &o)) == CTL_OK) {
		long long done = ctl_number(o, "done");
		long long left = ctl_number(o, "left");
		if (left == 0 || strcmp(ctl_text(o, "state"), "started") != 0)
			break;
		if (progress_is_watched())
			progress_show(&p, "phones that have changed over",
				(double)done, (double)(done + left));
		json_decref(o);
		sleep(WATCH_S);
	}
	progress_end(&p);
	if (status == CTL_OK) {
		print(ctl, o);
		json_decref(o);
	}
	return status;
}

int ctl_rollover_status(const struct ctl *ctl, int argc, char **argv)
{
	if (argc == 1 && strcmp(argv[0], "--watch") == 0)
		return watch(ctl);
	return order(ctl, argc, argv, "GET", view_path);
}

int ctl_rollover_start(const struct ctl *ctl, int argc, char **argv)
{
	int status = order(ctl, argc, argv, "POST", "/v1/capf/rollover/start");
	if (status == CTL_OK && !ctl->json && !ctl->dry_run)
		puts("\nGive 802.1X servers and ASAs both roots now: dialtone "
		     "rollover export --for WHO.\nThen: dialtone rollover "
		     "issue --rate N");
	return status;
}

int ctl_rollover_cancel(const struct ctl *ctl, int argc, char **argv)
{
	return order(ctl, argc, argv, "POST", "/v1/capf/rollover/cancel");
}

/* ---- with words ---- */

/* *a is the caller's to undo, if CTL_OK. */
static int send(const struct ctl *ctl, const char *path, const json_t *said,
	struct ctl_answer *a, char **who)
{
	char *text = json_dumps(said, JSON_COMPACT);
	const struct ctl_body body = {"application/json", text, strlen(text)};
	int status = ctl_admin_ask(ctl, "POST", path, &body, a, who);
	free(text);
	return status;
}

static const struct ctl_option issue_options[] = {
	{"--rate", "ratePerMinute", ctl_take_number, false},
	{"--no-reset", "quiet", ctl_take_true, true},
	{"--watch", "watch", ctl_take_true, true},
};

int ctl_rollover_issue(const struct ctl *ctl, int argc, char **argv)
{
	struct ctl_answer a;
	char *who;
	json_t *said = json_object(), *o;
	int status = ctl_read_options(argc, argv, COLUMNS(issue_options), said);
	if (status == CTL_USAGE)
		ctl_misused(ctl);
	bool stay = json_object_del(said, "watch") == 0 && !ctl->dry_run;
	if (status == CTL_OK && json_object_del(said, "quiet") == 0)
		json_object_set_new(said, "tell", json_false());
	if (status == CTL_OK)
		status = send(ctl, "/v1/capf/rollover/issue", said, &a, &who);
	json_decref(said);
	if (status != CTL_OK)
		return status;
	status = ctl_take_json(&a, who, &o);
	if (status == CTL_OK && ctl->json && !stay)
		ctl_print_json(o);
	else if (status == CTL_OK && !ctl->json)
		printf("%s%lld phone%s queued; dialtone rollover status "
		       "counts down.\n",
			ctl_would(ctl), ctl_number(o, "queued"),
			plural(ctl_number(o, "queued")));
	if (status == CTL_OK)
		json_decref(o);
	ctl_answer_deinit(&a);
	free(who);
	return status == CTL_OK && stay ? watch(ctl) : status;
}

/* The gate is shut, and the answer says for whom. */
static int refused(
	const struct ctl *ctl, const struct ctl_answer *a, const char *who)
{
	json_t *o = json_loadb(a->text, a->n, 0, NULL);
	const json_t *view = json_object_get(o, "rollover");
	say_problem(who, o);
	if (ctl->json && view) {
		ctl_print_json(o);
	} else if (view) {
		print_phones(view);
		puts(ctl_number(view, "recent")
				? "\nRefused. --force ends it all the same, "
				  "and locks these phones out."
				: "\nRefused. --unseen ends it all the same, "
				  "and locks out those that have an LSC of the "
				  "old root.");
	}
	int status = view ? CTL_REFUSED : CTL_FAILED;
	json_decref(o);
	return status;
}

static const struct ctl_option finish_options[] = {
	{"--force", "force", ctl_take_true, true},
	{"--unseen", "unseen", ctl_take_true, true},
};

int ctl_rollover_finish(const struct ctl *ctl, int argc, char **argv)
{
	struct ctl_answer a;
	char *who;
	json_t *said = json_object(), *o;
	int status =
		ctl_read_options(argc, argv, COLUMNS(finish_options), said);
	if (status == CTL_USAGE)
		ctl_misused(ctl);
	if (status == CTL_OK)
		status = send(ctl, "/v1/capf/rollover/finish", said, &a, &who);
	json_decref(said);
	if (status != CTL_OK)
		return status;
	if (!a.error && a.status == 409) {
		status = refused(ctl, &a, who);
	} else {
		status = ctl_take_json(&a, who, &o);
		if (status == CTL_OK) {
			print(ctl, o);
			json_decref(o);
		}
	}
	ctl_answer_deinit(&a);
	free(who);
	return status;
}

/* ---- for others who judge our phones ---- */

int ctl_rollover_export(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o;
	int status = ctl_admin(ctl, "GET", view_path, &o);
	if (status != CTL_OK)
		return status;
	const char *state = ctl_text(o, "state");
	if (strcmp(state, "started") != 0) {
		say("the rollover is %s: there are both roots "
		    "to export only once it is started",
			state);
		say_next("dialtone rollover start");
		status = CTL_FAILED;
	} else if (!ctl->json) {
		printf("With %s and %s; without the old one once the rollover "
		       "is finished: export anew then.\n",
			name_of(o, "oldRoot"), name_of(o, "newRoot"));
	}
	json_decref(o);
	return status == CTL_OK ? ctl_trust_export(ctl, argc, argv) : status;
}
