/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone capf csr list, export, import: keys for a CA outside. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "certs/file.h"
#include "certs/pem.h"
#include "registrar/ctl/ctl.h"
#include "registrar/ctl/say.h"
#include "registrar/memory.h"

static const char requests_path[] = "/v1/capf/requests";

/* ---- list ---- */

static const struct ctl_column columns[] = {
	{"DEVICE", "device"},
	{"KEY", "key"},
	{"SINCE", "at"},
	{"EXPORTED", "exported"},
	{"ANSWERED", "answered"},
	{"REQUEST", "name"},
	{"FAULT", "fault"},
};

static int list(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o;
	if (argc)
		return ctl_misused(ctl);
	int status = ctl_admin(ctl, "GET", requests_path, &o);
	if (status != CTL_OK)
		return status;
	const json_t *rows = json_object_get(o, "requests");
	if (ctl->json)
		ctl_print_json(o);
	else if (json_array_size(rows) == 0)
		puts("No request waits for a CA outside.");
	else
		ctl_print_table(
			rows, columns, sizeof(columns) / sizeof(columns[0]));
	json_decref(o);
	return CTL_OK;
}

/* ---- export ---- */

static int write_text(
	const char *dir, const char *name, const char *ending, const char *text)
{
	struct diag d;
	char *path = memory_format("%s/%s%s", dir, name, ending);
	int error = cert_file_write(path, 0644, text, strlen(text), &d);
	free(path);
	return error ? say_file(dir, d.text) : CTL_OK;
}

static int write_request(const char *dir, const json_t *row)
{
	static const struct {
		const char *key, *ending;
	} files[] = {{"publicKey", ".pub.pem"}, {"extensions", ".ext"},
		{"request", ".csr"}};
	int status = CTL_OK;
	for (size_t i = 0; i < 3 && status == CTL_OK; i++)
		status = write_text(dir, ctl_text(row, "name"), files[i].ending,
			ctl_text(row, files[i].key));
	return status;
}

/* What one export does. */
struct export
{
	const char *dir;
	bool all; /* also those that were exported before */
	bool dry; /* nothing is written */
	json_t *written, *skipped;
};

static int write_rows(const json_t *o, struct export *e)
{
	size_t i;
	json_t *row;
	int status = CTL_OK;
	json_array_foreach(json_object_get(o, "requests"), i, row)
	{
		json_t *name = json_object_get(row, "name");
		if (status != CTL_OK ||
			(!e->all && json_object_get(row, "exported")))
			continue;
		if (json_is_true(json_object_get(row, "answered")))
			continue;
		if (!json_object_get(row, "request")) {
			say("%s", ctl_text(row, "fault"));
			json_array_append(e->skipped, name);
			continue;
		}
		status = e->dry ? CTL_OK : write_request(e->dir, row);
		if (status == CTL_OK)
			json_array_append(e->written, name);
	}
	if (status == CTL_OK && !e->dry && json_array_size(e->written))
		status = write_text(
			e->dir, "README", ".txt", ctl_text(o, "readme"));
	return status;
}

static int ask(const struct ctl *ctl, const char *device, json_t **out)
{
	char *path = device ? ctl_path("/v1/capf/requests?device=", device)
			    : memory_dup(requests_path);
	int status = ctl_admin(ctl, "GET", path, out);
	free(path);
	return status;
}

static int export_of(
	const struct ctl *ctl, const char *device, struct export *e)
{
	json_t *o;
	int status = ask(ctl, device, &o);
	if (status != CTL_OK)
		return status;
	status = write_rows(o, e);
	json_decref(o);
	return status;
}

/* What lies on the disk now is not exported again by itself. */
static int mark(const struct ctl *ctl, const json_t *written)
{
	json_t *o, *names = json_pack("{sO}", "requests", written);
	char *text = json_dumps(names, JSON_COMPACT);
	const struct ctl_body body = {"application/json", text, strlen(text)};
	int status = ctl_admin_send(
		ctl, "POST", "/v1/capf/requests/exported", &body, &o);
	if (status == CTL_OK)
		json_decref(o);
	free(text);
	json_decref(names);
	return status;
}

static int make_dir(const char *dir)
{
	if (mkdir(dir, 0755) == 0 || errno == EEXIST)
		return CTL_OK;
	say("%s: %s", dir, strerror(errno));
	say_next("ls -ld '%s'", dir);
	return CTL_FAILED;
}

static int export_all(
	const struct ctl *ctl, int argc, char **argv, struct export *e)
{
	int status = e->dry ? CTL_OK : make_dir(e->dir);
	if (status == CTL_OK && argc == 0)
		status = export_of(ctl, NULL, e);
	for (int i = 0; i < argc && status == CTL_OK; i++)
		status = export_of(ctl, argv[i], e);
	/* Those that were written were, whatever came after them. */
	if (json_array_size(e->written)) {
		int marked = mark(ctl, e->written);
		status = status == CTL_OK ? marked : status;
	}
	if (status != CTL_OK)
		return status;
	json_t *o = json_pack("{ss sO sO sb}", "folder", e->dir, "written",
		e->written, "skipped", e->skipped, "dryRun", e->dry);
	if (ctl->json)
		ctl_print_json(o);
	else if (json_array_size(e->written))
		printf("%s%zu requests are in %s; README.txt there says how "
		       "to sign them.\n",
			ctl_would(ctl), json_array_size(e->written), e->dir);
	else
		puts("Nothing to export: all that waits was exported before "
		     "(--all exports it again), or has its certificate.");
	json_decref(o);
	return json_array_size(e->skipped) ? CTL_FAILED : CTL_OK;
}

static int export(const struct ctl *ctl, int argc, char **argv)
{
	struct export e = {.dir = ".", .dry = ctl->dry_run};
	int names = 0;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--all") == 0)
			e.all = true;
		else if (strcmp(argv[i], "--out") == 0 && i + 1 < argc)
			e.dir = argv[++i];
		else if (argv[i][0] == '-')
			return ctl_misused(ctl);
		else
			argv[names++] = argv[i];
	}
	if (names && e.all)
		return ctl_misused(ctl);
	e.all = e.all || names;
	e.written = json_array();
	e.skipped = json_array();
	int status = export_all(ctl, names, argv, &e);
	json_decref(e.written);
	json_decref(e.skipped);
	return status;
}

/* ---- import ---- */

/* Says what became of each, and keeps it in `rows`. */
static int take_rows(
	const struct ctl *ctl, const char *file, json_t *o, json_t *rows)
{
	size_t i;
	json_t *row;
	json_array_foreach(json_object_get(o, "certificates"), i, row)
	{
		const char *why = ctl_text(row, "why");
		json_object_set_new(row, "file", json_string(file));
		json_array_append(rows, row);
		if (*why)
			say("%s: %s: %s", file, ctl_text(row, "subject"), why);
		else if (!ctl->json)
			printf("%s%s: %s has its certificate; the phone gets "
			       "it when it comes.\n",
				ctl_would(ctl), file, ctl_text(row, "device"));
	}
	return ctl_number(o, "refused") ? CTL_FAILED : CTL_OK;
}

static int import_file(const struct ctl *ctl, const char *file, json_t *rows)
{
	struct diag d;
	json_t *o;
	char *data;
	size_t n;
	if (cert_file_read(file, CERT_FILE_MAX, &data, &n, &d) < 0) {
		return say_file(file, d.text);
	}
	const struct ctl_body body = {"application/x-pem-file", data, n};
	int status =
		ctl_admin_send(ctl, "POST", "/v1/capf/certificates", &body, &o);
	free(data);
	if (status != CTL_OK) {
		say("nothing of %s was taken", file);
		return status;
	}
	status = take_rows(ctl, file, o, rows);
	json_decref(o);
	return status;
}

static int import(const struct ctl *ctl, int argc, char **argv)
{
	int status = CTL_OK;
	if (argc == 0 || argv[0][0] == '-')
		return ctl_misused(ctl);
	json_t *rows = json_array();
	for (int i = 0; i < argc; i++) {
		int one = import_file(ctl, argv[i], rows);
		status = status == CTL_OK ? one : status;
	}
	json_t *o = json_pack("{so}", "certificates", rows);
	if (ctl->json)
		ctl_print_json(o);
	json_decref(o);
	return status;
}

int ctl_capf_csr(const struct ctl *ctl, int argc, char **argv)
{
	if (argc == 0)
		return ctl_misused(ctl);
	if (strcmp(argv[0], "list") == 0)
		return list(ctl, argc - 1, argv + 1);
	if (strcmp(argv[0], "export") == 0)
		return export(ctl, argc - 1, argv + 1);
	if (strcmp(argv[0], "import") == 0)
		return import(ctl, argc - 1, argv + 1);
	return ctl_misused(ctl);
}
