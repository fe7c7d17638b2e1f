/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone rollover: the CAPF root is replaced without losing a phone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/ctl/ctl.h"

#define COLUMNS(list) list, sizeof(list) / sizeof((list)[0])

static const struct ctl_column phone_columns[] = {
	{"DEVICE", "device"},
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
	if (strcmp(state, "finishing") == 0)
		puts("\nThe old root is not in CallManager-trust any more: "
		     "dialtone rollover finish goes on.");
}

static int print(const struct ctl *ctl, const json_t *o)
{
	if (ctl->json)
		return ctl_print_json(o);
	print_view(o);
	return CTL_OK;
}

static int usage(const char *text)
{
	fputs(text, stderr);
	return CTL_USAGE;
}

/* An order without words. */
static int order(const struct ctl *ctl, int argc, const char *verb,
	const char *method, const char *path)
{
	json_t *o;
	if (argc > 0) {
		fprintf(stderr, "usage: dialtone rollover %s\n", verb);
		return CTL_USAGE;
	}
	int status = ctl_admin(ctl, method, path, &o);
	if (status != CTL_OK)
		return status;
	status = print(ctl, o);
	json_decref(o);
	return status;
}

int ctl_rollover_status(const struct ctl *ctl, int argc, char **argv)
{
	return order(ctl, argc, "status", "GET", "/v1/capf/rollover");
}

int ctl_rollover_start(const struct ctl *ctl, int argc, char **argv)
{
	int status =
		order(ctl, argc, "start", "POST", "/v1/capf/rollover/start");
	if (status == CTL_OK && !ctl->json)
		puts("\nGive 802.1X servers and ASAs both roots now: dialtone "
		     "rollover export --for WHO.\nThen: dialtone rollover "
		     "issue --rate N");
	return status;
}

int ctl_rollover_cancel(const struct ctl *ctl, int argc, char **argv)
{
	return order(ctl, argc, "cancel", "POST", "/v1/capf/rollover/cancel");
}

/* ---- with words ---- */

/* *a is the caller's to undo, if CTL_OK. */
static int send(const struct ctl *ctl, const char *path, const json_t *said,
	struct ctl_answer *a, char **who)
{
	char *text = json_dumps(said, JSON_COMPACT);
	const struct ctl_body body = {
		"application/json", text, strlen(text), false};
	int status = ctl_admin_ask(ctl, "POST", path, &body, a, who);
	free(text);
	return status;
}

static const struct ctl_option issue_options[] = {
	{"--rate", "ratePerMinute", ctl_take_number, false},
	{"--no-reset", "quiet", ctl_take_true, true},
};

int ctl_rollover_issue(const struct ctl *ctl, int argc, char **argv)
{
	struct ctl_answer a;
	char *who;
	json_t *said = json_object(), *o;
	int status = ctl_read_options(argc, argv, COLUMNS(issue_options), said);
	if (status == CTL_USAGE)
		usage("usage: dialtone rollover issue [--rate N] "
		      "[--no-reset]\n"
		      "  --rate      phones that are told in a minute; else "
		      "all at once\n"
		      "  --no-reset  none is told: each comes when it starts "
		      "by itself\n");
	if (status == CTL_OK && json_object_del(said, "quiet") == 0)
		json_object_set_new(said, "tell", json_false());
	if (status == CTL_OK)
		status = send(ctl, "/v1/capf/rollover/issue", said, &a, &who);
	json_decref(said);
	if (status != CTL_OK)
		return status;
	status = ctl_take_json(&a, who, &o);
	if (status == CTL_OK && ctl->json)
		ctl_print_json(o);
	else if (status == CTL_OK)
		printf("%lld phone%s queued; dialtone rollover status "
		       "counts down.\n",
			ctl_number(o, "queued"),
			plural(ctl_number(o, "queued")));
	if (status == CTL_OK)
		json_decref(o);
	ctl_answer_deinit(&a);
	free(who);
	return status;
}

/* The gate is shut, and the answer says for whom. */
static int refused(
	const struct ctl *ctl, const struct ctl_answer *a, const char *who)
{
	json_t *o = json_loadb(a->text, a->n, 0, NULL);
	const json_t *view = json_object_get(o, "rollover");
	if (ctl->json)
		ctl_print_json(o);
	else
		fprintf(stderr, "dialtone: %s: %s\n", who,
			ctl_text(o, "detail"));
	if (!ctl->json && view) {
		print_phones(view);
		puts("\nRefused. --force ends it all the same, and locks "
		     "these phones out.");
	}
	int status = view ? CTL_REFUSED : CTL_FAILED;
	json_decref(o);
	return status;
}

static const struct ctl_option finish_options[] = {
	{"--force", "force", ctl_take_true, true},
};

int ctl_rollover_finish(const struct ctl *ctl, int argc, char **argv)
{
	struct ctl_answer a;
	char *who;
	json_t *said = json_object(), *o;
	int status =
		ctl_read_options(argc, argv, COLUMNS(finish_options), said);
	if (status == CTL_USAGE)
		usage("usage: dialtone rollover finish [--force]\n"
		      "  --force  also while phones hang on the old root\n");
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
	int status = ctl_admin(ctl, "GET", "/v1/capf/rollover", &o);
	if (status != CTL_OK)
		return status;
	const char *state = ctl_text(o, "state");
	if (strcmp(state, "started") != 0) {
		fprintf(stderr,
			"dialtone: the rollover is %s: there are both roots "
			"to export only once it is started\n",
			state);
		status = CTL_FAILED;
	} else if (!ctl->json) {
		printf("With %s and %s; without the old one once the rollover "
		       "is finished: export anew then.\n",
			name_of(o, "oldRoot"), name_of(o, "newRoot"));
	}
	json_decref(o);
	return status == CTL_OK ? ctl_trust_export(ctl, argc, argv) : status;
}
