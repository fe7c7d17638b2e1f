/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone capf list, show, stale, ledger, audit, status. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/ctl/ctl.h"
#include "registrar/memory.h"

#define COLUMNS(list) list, sizeof(list) / sizeof((list)[0])

/* ---- lists ---- */

struct view {
	const char *path, *key, *behind;
	const struct ctl_column *columns;
	size_t n_columns;
	const char *none; /* said when it is empty */
};

static int show_view(const struct ctl *ctl, const struct view *v)
{
	json_t *o;
	int status = ctl_pages(ctl, v->path, v->key, v->behind, &o);
	if (status != CTL_OK)
		return status;
	const json_t *list = json_object_get(o, v->key);
	if (ctl->json)
		ctl_print_json(o);
	else if (json_array_size(list) == 0)
		puts(v->none);
	else
		ctl_print_table(list, v->columns, v->n_columns);
	json_decref(o);
	return CTL_OK;
}

/* "PATH?key=value&...", malloc'ed. */
static char *with_query(const char *path, json_t *query)
{
	char *whole = memory_format("%s?", path);
	const char *key;
	json_t *v;
	json_object_foreach(query, key, v)
	{
		char *head = memory_format("%s%s%s=", whole,
			whole[strlen(whole) - 1] == '?' ? "" : "&", key);
		free(whole);
		whole = ctl_path(
			head, json_is_string(v) ? json_string_value(v) : "yes");
		free(head);
	}
	return whole;
}

static int show_list(const struct ctl *ctl, int argc, char **argv,
	const struct ctl_option *options, size_t n, struct view *v)
{
	json_t *query = json_object();
	int status = ctl_read_options(argc, argv, options, n, query);
	if (status == CTL_OK) {
		char *path = with_query(v->path, query);
		v->path = path;
		status = show_view(ctl, v);
		free(path);
	}
	json_decref(query);
	return status;
}

static const struct ctl_column operation_columns[] = {
	{"DEVICE", "device"},
	{"OPERATION", "certificateOperation"},
	{"STATUS", "operationStatus"},
	{"REASON", "reason.name"},
	{"MODE", "mode"},
	{"ORIGIN", "origin"},
	{"QUEUED", "queued"},
	{"TURN", "turn"},
	{"CHANGED", "changed"},
	{"VISITS", "visits"},
};

int ctl_capf_list(const struct ctl *ctl, int argc, char **argv)
{
	static const struct ctl_option options[] = {
		{"--pending", "pending", ctl_take_true, true},
		{"--failed", "failed", ctl_take_true, true},
	};
	struct view v = {"/v1/capf/operations", "operations", "after",
		COLUMNS(operation_columns), "No device has such an operation."};
	return show_list(ctl, argc, argv, COLUMNS(options), &v);
}

static const struct ctl_column issued_columns[] = {
	{"SERIAL", "serial"},
	{"DEVICE", "device"},
	{"STATE", "state"},
	{"ISSUER", "issuer"},
	{"ISSUED", "issued"},
	{"CONFIRMED", "confirmed"},
	{"EXPIRES", "notAfter"},
	{"KEY", "key"},
	{"ORIGIN", "origin"},
};

int ctl_capf_ledger(const struct ctl *ctl, int argc, char **argv)
{
	static const struct ctl_option options[] = {
		{"--device", "device", ctl_take_text, false},
		{"--state", "state", ctl_take_text, false},
		{"--issuer", "issuer", ctl_take_text, false},
		{"--expires-before", "expiresBefore", ctl_take_until, false},
	};
	struct view v = {"/v1/capf/ledger", "ledger", "after",
		COLUMNS(issued_columns), "No such LSC was issued."};
	return show_list(ctl, argc, argv, COLUMNS(options), &v);
}

int ctl_capf_stale(const struct ctl *ctl, int argc, char **argv)
{
	const struct view v = {"/v1/capf/ledger?state=stale", "ledger", "after",
		COLUMNS(issued_columns),
		"Every LSC that was issued has arrived."};
	int status = ctl_no_words(ctl, argc, argv);
	return status == CTL_OK ? show_view(ctl, &v) : status;
}

/* ---- one device ---- */

static const struct ctl_column operation_fields[] = {
	{"device", "device"},
	{"certificate operation", "certificateOperation"},
	{"operation status", "operationStatus"},
	{"  number", "status"},
	{"last operation", "operation"},
	{"  state", "state"},
	{"reason", "reason.name"},
	{"  meaning", "reason.text"},
	{"  detail", "reason.detail"},
	{"authentication", "authenticationMode"},
	{"  string until", "stringUntil"},
	{"  wrong strings", "wrongStrings"},
	{"  null string until", "nullStringUntil"},
	{"origin", "origin"},
	{"queued", "queued"},
	{"turn", "turn"},
	{"told", "told"},
	{"completes by", "completesBy"},
	{"changed", "changed"},
	{"visits", "visits"},
	{"failed keys", "keyFailures"},
	{"last from", "address"},
	{"LSC", "lsc.serial"},
	{"  state", "lsc.state"},
	{"  issuer", "lsc.issuer"},
	{"  issued", "lsc.issued"},
	{"  confirmed", "lsc.confirmed"},
	{"  expires", "lsc.notAfter"},
	{"  key", "lsc.key"},
	{"  SHA-256", "lsc.sha256"},
};

int ctl_capf_show(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o;
	if (argc != 1 || *argv[0] == '-')
		return ctl_misused(ctl);
	int status = ctl_named_get(ctl, "/v1/capf/operations/", argv[0], &o);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctl_print_json(o);
	else
		ctl_print_fields(o, COLUMNS(operation_fields));
	json_decref(o);
	return CTL_OK;
}

/* ---- the audit chain ---- */

static const struct ctl_column audit_columns[] = {
	{"NUMBER", "number"},
	{"AT", "at"},
	{"EVENT", "event"},
	{"DEVICE", "device"},
	{"SERIAL", "serial"},
	{"FROM", "address"},
	{"DETAIL", "detail"},
};

static int check_audit(const struct ctl *ctl)
{
	json_t *o;
	int status = ctl_admin(ctl, "POST", "/v1/capf/audit/check", &o);
	if (status != CTL_OK)
		return status;
	const json_t *head = json_object_get(o, "head");
	if (ctl->json)
		ctl_print_json(o);
	else if (!head)
		puts("The audit chain holds: it has no link yet.");
	else
		printf("The audit chain holds: %lld links, the last one of %s\n"
		       "with the hash %s. Keep number and hash elsewhere: "
		       "they\nprove later that none before them was changed.\n",
			ctl_number(o, "links"), ctl_text(head, "at"),
			ctl_text(head, "hash"));
	json_decref(o);
	return CTL_OK;
}

int ctl_capf_audit(const struct ctl *ctl, int argc, char **argv)
{
	static const struct ctl_option options[] = {
		{"--from", "from", ctl_take_text, false},
	};
	struct view v = {"/v1/capf/audit", "audit", "from",
		COLUMNS(audit_columns), "The audit chain has no such link."};
	if (argc == 1 && strcmp(argv[0], "--check") == 0)
		return check_audit(ctl);
	return show_list(ctl, argc, argv, COLUMNS(options), &v);
}

/* ---- the clock ---- */

static const struct ctl_column clock_fields[] = {
	{"our clock", "now"},
	{"newest LSC, or clock accepted", "newest"},
	{"nothing is issued, because", "why"},
	{"LSCs not valid yet", "ahead"},
};

/* They were issued under the clock that was ahead, and nobody takes them. */
static void print_ahead(const json_t *o)
{
	enum { SHOWN = 10 };
	size_t i;
	json_t *one;
	const json_t *devices = json_object_get(o, "devices");
	if (json_array_size(devices) == 0)
		return;
	puts("\nThese phones have, or may have, an LSC that is not valid yet; "
	     "give them new ones\n(dialtone capf install NAME --mode mic, or "
	     "null, or string):");
	json_array_foreach((json_t *)devices, i, one)
	{
		if (i < SHOWN)
			printf("  %s\n", json_string_value(one));
	}
	if (ctl_number(o, "ahead") > SHOWN)
		printf("  and %lld more: dialtone capf clock --json\n",
			ctl_number(o, "ahead") - SHOWN);
}

int ctl_capf_clock(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o;
	bool accept = argc == 1 && strcmp(argv[0], "--accept") == 0;
	int status = accept ? CTL_OK : ctl_no_words(ctl, argc, argv);
	if (status == CTL_OK)
		status = ctl_admin(ctl, accept ? "POST" : "GET",
			accept ? "/v1/capf/clock/accept" : "/v1/capf/clock",
			&o);
	if (status != CTL_OK)
		return status;
	if (ctl->json) {
		ctl_print_json(o);
	} else {
		if (accept)
			printf("%sOur clock is accepted: LSCs are issued "
			       "again.\n",
				ctl_would(ctl));
		ctl_print_fields(o, COLUMNS(clock_fields));
		print_ahead(o);
	}
	status = accept || json_is_true(json_object_get(o, "right"))
			 ? CTL_OK
			 : CTL_FAILED;
	json_decref(o);
	return status;
}

/* ---- status ---- */

static const struct ctl_column status_fields[] = {
	{"issuer", "issuer"},
	{"nothing is issued since", "halted.since"},
	{"  because", "halted.why"},
	{"phones that are here", "visits"},
	{"  making a key", "makingKeys"},
	{"  waiting for us", "waiting"},
	{"pending: install", "pending.install"},
	{"  delete", "pending.delete"},
	{"  troubleshoot", "pending.troubleshoot"},
	{"requests to a CA outside", "requestsOutside"},
	{"LSCs installed", "issued.installed"},
	{"  stale", "issued.stale"},
	{"  replaced", "issued.replaced"},
	{"  deleted", "issued.deleted"},
	{"since the start: issued", "sinceStart.issued"},
	{"  delivered again", "sinceStart.deliveredAgain"},
	{"  deleted", "sinceStart.deleted"},
	{"  fetched", "sinceStart.fetched"},
	{"  refused", "sinceStart.refused"},
	{"audit links", "auditLinks"},
};

static const struct ctl_column root_columns[] = {
	{"ROOT", "name"},
	{"USE", "use"},
	{"KEY", "key"},
	{"FROM", "notBefore"},
	{"UNTIL", "notAfter"},
	{"SHA-256", "sha256"},
};

static const struct ctl_column null_columns[] = {
	{"BY NULL STRING", "device"},
	{"OPERATION", "operation"},
	{"UNTIL", "until"},
};

static void print_list(const json_t *o, const char *key,
	const struct ctl_column *columns, size_t n)
{
	const json_t *list = json_object_get(o, key);
	if (json_array_size(list) == 0)
		return;
	putchar('\n');
	ctl_print_table(list, columns, n);
}

int ctl_capf_status(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o;
	int status = ctl_no_words(ctl, argc, argv);
	if (status == CTL_OK)
		status = ctl_get(ctl, "/v1/capf", &o, NULL);
	if (status != CTL_OK)
		return status;
	if (ctl->json) {
		ctl_print_json(o);
	} else {
		ctl_print_fields(o, COLUMNS(status_fields));
		print_list(o, "roots", COLUMNS(root_columns));
		print_list(o, "nullStrings", COLUMNS(null_columns));
	}
	status = json_object_get(o, "halted") ? CTL_FAILED : CTL_OK;
	json_decref(o);
	return status;
}
