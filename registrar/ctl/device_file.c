/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone device import, export: the inventory as a CSV file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs/file.h"
#include "registrar/ctl/ctl.h"
#include "registrar/ctl/rehearsal.h"
#include "registrar/ctl/say.h"
#include "registrar/memory.h"

enum { FILE_MAX = 64 << 20 };

static const struct ctl_option options[] = {
	{"--replace", "replace", ctl_take_true, true},
};

/* "FILE:3: profile: ..." for every place. */
static int print_faults(
	const char *file, const char *who, const struct ctl_answer *a)
{
	size_t i;
	json_t *f;
	json_t *o = json_loadb(a->text ? a->text : "", a->n, 0, NULL);
	const json_t *faults = json_object_get(o, "faults");
	if (!json_array_size(faults))
		say_problem(who, o);
	json_array_foreach((json_t *)faults, i, f)
	{
		const char *column = ctl_text(f, "column");
		say("%s:%lld: %s%s%s", file, ctl_number(f, "line"), column,
			*column ? ": " : "", ctl_text(f, "why"));
	}
	if (json_array_size(faults))
		say("nothing of %s was taken", file);
	json_decref(o);
	return CTL_FAILED;
}

static int print_counts(
	const struct ctl *ctl, const struct ctl_answer *a, const char *who)
{
	json_t *o;
	int status = ctl_take_json(a, who, &o);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctl_print_json(o);
	else
		printf("%sadded %lld, changed %lld, unchanged %lld, removed "
		       "%lld\n",
			ctl_would(ctl), ctl_number(o, "added"),
			ctl_number(o, "changed"), ctl_number(o, "unchanged"),
			ctl_number(o, "removed"));
	json_decref(o);
	return CTL_OK;
}

static int send_file(const struct ctl *ctl, const char *file, json_t *flags)
{
	struct diag d;
	struct ctl_answer a;
	char *text, *who;
	size_t n;
	if (cert_file_read(file, FILE_MAX, &text, &n, &d) < 0)
		return say_file(file, d.text);
	const char *path = json_object_get(flags, "replace")
				   ? "/v1/devices/import?replace=true"
				   : "/v1/devices/import";
	const struct ctl_body body = {"text/csv", text, n};
	int status = ctl_admin_ask(ctl, "POST", path, &body, &a, &who);
	if (status == CTL_OK) {
		status = a.status == 200 ? print_counts(ctl, &a, who)
					 : print_faults(file, who, &a);
		ctl_answer_deinit(&a);
		free(who);
	}
	free(text);
	return status;
}

int ctl_device_import(const struct ctl *ctl, int argc, char **argv)
{
	if (argc < 1 || *argv[0] == '-')
		return ctl_misused(ctl);
	json_t *flags = json_object();
	int status = ctl_read_options(argc - 1, argv + 1, options,
		sizeof(options) / sizeof(options[0]), flags);
	if (status == CTL_OK)
		status = send_file(ctl, argv[0], flags);
	json_decref(flags);
	return status;
}

/* The file as a text, or where it is. */
static int write_json(const char *file, const struct ctl_answer *a)
{
	json_t *o = file ? json_pack("{ss}", "file", file)
			 : json_pack("{ss%}", "csv", a->text, a->n);
	if (!o) /* the registrar's is UTF-8; a file's name may be none */
		return CTL_FAILED;
	ctl_print_json(o);
	json_decref(o);
	return CTL_OK;
}

/* Would its folder take it? */
static int try_file(const struct ctl *ctl, const char *file)
{
	const char *slash = strrchr(file, '/');
	char *folder =
		slash ? memory_format("%.*s", (int)(slash - file + 1), file)
		      : memory_dup(".");
	int status = CTL_FAILED;
	if (access(folder, W_OK) < 0) {
		char *why = memory_format("%s: %s", folder, strerror(errno));
		say_file(folder, why);
		free(why);
	} else {
		json_t *files = json_pack("[s]", file), *o = json_object();
		status = rehearsal_print(ctl, files, o);
		json_decref(files);
		json_decref(o);
	}
	free(folder);
	return status;
}

static int write_out(
	const struct ctl *ctl, const char *file, const struct ctl_answer *a)
{
	struct diag d;
	if (!file && ctl->json)
		return write_json(NULL, a);
	if (!file) {
		fwrite(a->text, 1, a->n, stdout);
		return fflush(stdout) == 0 ? CTL_OK : CTL_FAILED;
	}
	if (ctl->dry_run)
		return try_file(ctl, file);
	if (cert_file_write(file, 0600, a->text, a->n, &d) == 0)
		return ctl->json ? write_json(file, a) : CTL_OK;
	return say_file(file, d.text);
}

int ctl_device_export(const struct ctl *ctl, int argc, char **argv)
{
	struct ctl_answer a;
	char *who;
	json_t *o;
	if (argc > 1 || (argc && *argv[0] == '-'))
		return ctl_misused(ctl);
	int status =
		ctl_admin_ask(ctl, "GET", "/v1/devices/export", NULL, &a, &who);
	if (status != CTL_OK)
		return status;
	if (a.status == 200)
		status = write_out(ctl, argc ? argv[0] : NULL, &a);
	else if ((status = ctl_take_json(&a, who, &o)) == CTL_OK)
		json_decref(o);
	ctl_answer_deinit(&a);
	free(who);
	return status;
}
