/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of `dialtone` share. */
#ifndef REGISTRAR_CTL_CTL_H
#define REGISTRAR_CTL_CTL_H

#include <stdbool.h>

#include <jansson.h>

/* Exit status (design: 0 ok, 1 failed, 2 usage, 3 refused by a gate). */
enum { CTL_OK = 0, CTL_FAILED = 1, CTL_USAGE = 2, CTL_REFUSED = 3 };
#define CTL_DEFAULT_URL "http://127.0.0.1:8088"

struct ctl_command;

/* What goes for every command. */
struct ctl {
	const char *url;    /* of the status plane */
	const char *socket; /* of the admin plane; NULL: status knows it */
	bool json;
	bool dry_run; /* nothing is changed: orders go with ?dryRun=true */
	const struct ctl_command *command; /* the one that runs */
};

/* Says how the command is used; CTL_USAGE. */
int ctl_misused(const struct ctl *ctl);
/* The same, unless there are no words. */
int ctl_no_words(const struct ctl *ctl, int argc, char **argv);
/* Before what an order says it did: "", or that nothing was done. */
const char *ctl_would(const struct ctl *ctl);

/*
 * GETs a resource. 0 with *out owned by the caller; else prints why on
 * stderr and answers an exit status. *http_status may be NULL.
 */
int ctl_get(const struct ctl *ctl, const char *path, json_t **out,
	long *http_status);

/* The same, or NULL without a word when nobody answers. */
json_t *ctl_look(const struct ctl *ctl, const char *path);

/* Gives an order to the admin plane: likewise. */
int ctl_admin(const struct ctl *ctl, const char *method, const char *path,
	json_t **out);

/* What is sent along. */
struct ctl_body {
	const char *type; /* "application/json" */
	const char *data;
	size_t n;
	const char *progress; /* that path says {"done": 1, "of": 2} while the
			       * answer is being made; NULL: none does */
};
/* The same with a body, which may be NULL. */
int ctl_admin_send(const struct ctl *ctl, const char *method, const char *path,
	const struct ctl_body *body, json_t **out);
/* The answer itself, whatever its status; CTL_OK: it came, from *who, which
 * the caller frees. */
struct ctl_answer;
int ctl_admin_ask(const struct ctl *ctl, const char *method, const char *path,
	const struct ctl_body *body, struct ctl_answer *out, char **who);

/* "/v1/devices/" and a name, escaped; malloc'ed. */
char *ctl_path(const char *folder, const char *name);
/* All pages of a list that the admin plane has under `key`: {key: [...]}, the
 * caller's. path already has a question mark; `next` of a page is what `behind`
 * ("after", "from") asks for. */
int ctl_pages(const struct ctl *ctl, const char *path, const char *key,
	const char *behind, json_t **out);

/* ---- for those ---- */

/* One request and its answer: `error` says why there is none. */
struct ctl_answer {
	const char *error; /* NULL: it came */
	long system_error; /* errno of a connection that failed, or 0 */
	long status;
	char *text;
	size_t n, room;
};
/* socket NULL: over TCP. body NULL: none. */
struct ctl_answer ctl_ask(const char *url, const char *method,
	const char *socket, const struct ctl_body *body);
void ctl_answer_deinit(struct ctl_answer *a);
/* Its JSON, if it is a 200; else prints what `who` said against it. */
int ctl_take_json(const struct ctl_answer *a, const char *who, json_t **out);

/* ---- options of a command ---- */

/* "--name VALUE" becomes a member of an object; `take` answers false when the
 * value is none. alone: no value follows. */
struct ctl_option {
	const char *name;
	const char *key;
	bool (*take)(json_t *into, const char *key, const char *value);
	bool alone;
};
bool ctl_take_text(json_t *into, const char *key, const char *value);
bool ctl_take_number(json_t *into, const char *key, const char *value);
bool ctl_take_flag(json_t *into, const char *key, const char *value);
bool ctl_take_true(json_t *into, const char *key, const char *value);
bool ctl_take_false(json_t *into, const char *key, const char *value);
bool ctl_take_null(json_t *into, const char *key, const char *value);
/* "90m", "2h", "3d" from now on, as a UTC time. */
bool ctl_take_span(json_t *into, const char *key, const char *value);
/* The same, or a time as it is, which the registrar judges. */
bool ctl_take_until(json_t *into, const char *key, const char *value);
/* Reads all words. CTL_OK, or CTL_USAGE when one is none of the options. */
int ctl_read_options(int argc, char **argv, const struct ctl_option *options,
	size_t n, json_t *into);

/* ---- what is kept by name ---- */

#define CTL_NEW "?new=true"
#define CTL_CHANGE ""

/* NAME and options, as they were typed, for a resource in `folder`. */
struct ctl_named {
	const char *folder;
	int argc;
	char **argv;
	const struct ctl_option *options;
	size_t n_options;
};
/* query: CTL_NEW or CTL_CHANGE. *out is the caller's, as with ctl_get(). */
int ctl_named_send(const struct ctl *ctl, const struct ctl_named *n,
	const char *query, json_t **out);
int ctl_named_get(const struct ctl *ctl, const char *folder, const char *name,
	json_t **out);
/* Says so, too. */
int ctl_named_remove(
	const struct ctl *ctl, const char *folder, const char *name);

/* ---- printing ---- */

/* The text of a member, "" when it is not there. */
const char *ctl_text(const json_t *object, const char *key);
long long ctl_number(const json_t *object, const char *key);
/* Sets a member, unless text is NULL or "". */
void ctl_set_text(json_t *object, const char *key, const char *text);

/* Prints the object as JSON; answers CTL_OK. */
int ctl_print_json(const json_t *object);

/* A table for people: header row, then one row per object of the list; a
 * column shows the text or number at a path like "certificate.kind". */
struct ctl_column {
	const char *title;
	const char *path;
};
void ctl_print_table(
	const json_t *list, const struct ctl_column *columns, size_t n_columns);
/* "title: value" lines of one object; absent members are left out. */
void ctl_print_fields(const json_t *object, const struct ctl_column *columns,
	size_t n_columns);

/* The commands. argv[0] is the first word after the command's own. */
int ctl_status(const struct ctl *ctl, int argc, char **argv);
int ctl_phones(const struct ctl *ctl, int argc, char **argv);
int ctl_phone(const struct ctl *ctl, int argc, char **argv);
int ctl_phone_reset(const struct ctl *ctl, int argc, char **argv);
int ctl_phone_restart(const struct ctl *ctl, int argc, char **argv);
int ctl_phone_apply(const struct ctl *ctl, int argc, char **argv);
int ctl_phone_history(const struct ctl *ctl, int argc, char **argv);
int ctl_explain(const struct ctl *ctl, int argc, char **argv);
int ctl_failures(const struct ctl *ctl, int argc, char **argv);
int ctl_trust_list(const struct ctl *ctl, int argc, char **argv);
int ctl_trust_show(const struct ctl *ctl, int argc, char **argv);
int ctl_trust_add(const struct ctl *ctl, int argc, char **argv);
int ctl_trust_check(const struct ctl *ctl, int argc, char **argv);
int ctl_trust_lint(const struct ctl *ctl, int argc, char **argv);
int ctl_trust_remove(const struct ctl *ctl, int argc, char **argv);
int ctl_trust_diff(const struct ctl *ctl, int argc, char **argv);
int ctl_trust_expiry(const struct ctl *ctl, int argc, char **argv);
int ctl_trust_retiring(const struct ctl *ctl, int argc, char **argv);
int ctl_trust_export(const struct ctl *ctl, int argc, char **argv);
int ctl_trust_status(const struct ctl *ctl, int argc, char **argv);
int ctl_trust_reload(const struct ctl *ctl, int argc, char **argv);
int ctl_ticket_keys_show(const struct ctl *ctl, int argc, char **argv);
int ctl_ticket_keys_rotate(const struct ctl *ctl, int argc, char **argv);
int ctl_ticket_keys_revoke_all(const struct ctl *ctl, int argc, char **argv);
int ctl_device_add(const struct ctl *ctl, int argc, char **argv);
int ctl_device_set(const struct ctl *ctl, int argc, char **argv);
int ctl_device_remove(const struct ctl *ctl, int argc, char **argv);
int ctl_device_list(const struct ctl *ctl, int argc, char **argv);
int ctl_device_show(const struct ctl *ctl, int argc, char **argv);
int ctl_device_import(const struct ctl *ctl, int argc, char **argv);
int ctl_device_export(const struct ctl *ctl, int argc, char **argv);
int ctl_profile_list(const struct ctl *ctl, int argc, char **argv);
int ctl_profile_show(const struct ctl *ctl, int argc, char **argv);
int ctl_profile_add(const struct ctl *ctl, int argc, char **argv);
int ctl_profile_set(const struct ctl *ctl, int argc, char **argv);
int ctl_profile_remove(const struct ctl *ctl, int argc, char **argv);
int ctl_auto_open(const struct ctl *ctl, int argc, char **argv);
int ctl_auto_close(const struct ctl *ctl, int argc, char **argv);
int ctl_auto_show(const struct ctl *ctl, int argc, char **argv);
int ctl_rollover_start(const struct ctl *ctl, int argc, char **argv);
int ctl_rollover_issue(const struct ctl *ctl, int argc, char **argv);
int ctl_rollover_status(const struct ctl *ctl, int argc, char **argv);
int ctl_rollover_export(const struct ctl *ctl, int argc, char **argv);
int ctl_rollover_finish(const struct ctl *ctl, int argc, char **argv);
int ctl_rollover_cancel(const struct ctl *ctl, int argc, char **argv);
int ctl_capf_install(const struct ctl *ctl, int argc, char **argv);
int ctl_capf_delete(const struct ctl *ctl, int argc, char **argv);
int ctl_capf_troubleshoot(const struct ctl *ctl, int argc, char **argv);
int ctl_capf_cancel(const struct ctl *ctl, int argc, char **argv);
int ctl_capf_list(const struct ctl *ctl, int argc, char **argv);
int ctl_capf_show(const struct ctl *ctl, int argc, char **argv);
int ctl_capf_stale(const struct ctl *ctl, int argc, char **argv);
int ctl_capf_ledger(const struct ctl *ctl, int argc, char **argv);
int ctl_capf_audit(const struct ctl *ctl, int argc, char **argv);
int ctl_capf_csr(const struct ctl *ctl, int argc, char **argv);
int ctl_capf_clock(const struct ctl *ctl, int argc, char **argv);
int ctl_capf_status(const struct ctl *ctl, int argc, char **argv);
int ctl_phone_cert(const struct ctl *ctl, int argc, char **argv);
int ctl_lab_init(const struct ctl *ctl, int argc, char **argv);
int ctl_lab_phone(const struct ctl *ctl, int argc, char **argv);
int ctl_lab_revoke(const struct ctl *ctl, int argc, char **argv);

#endif
