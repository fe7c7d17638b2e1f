/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone capf install, delete, troubleshoot, cancel. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "certs/file.h"
#include "certs/identity.h"
#include "registrar/ctl/capf.h"
#include "registrar/ctl/ctl.h"
#include "registrar/ctl/say.h"
#include "registrar/ctl/wrap.h"
#include "registrar/memory.h"

/* "10", "10/min". */
static bool take_rate(json_t *into, const char *key, const char *value)
{
	char number[12];
	size_t n = strcspn(value, "/");
	if (n == 0 || n >= sizeof(number) ||
		(value[n] && strcmp(value + n, "/min") != 0))
		return false;
	snprintf(number, sizeof(number), "%.*s", (int)n, value);
	return ctl_take_number(into, key, number);
}

static const struct ctl_option options[] = {
	{"--csv", "csv", ctl_take_text, false},
	{"--model", "model", ctl_take_text, false},
	{"--subnet", "subnet", ctl_take_text, false},
	{"--issuer", "issuer", ctl_take_text, false},
	{"--expires-before", "expiresBefore", ctl_take_until, false},
	{"--strings-to", "stringsTo", ctl_take_text, false},
	/* those that are sent on */
	{"--mode", "mode", ctl_take_text, false},
	{"--rate", "ratePerMinute", take_rate, false},
	{"--completes-by", "completesBy", ctl_take_until, false},
	{"--no-reset", "tell", ctl_take_false, true},
	{"--replace", "replace", ctl_take_true, true},
	{"--digits", "stringDigits", ctl_take_number, false},
	{"--string-until", "stringUntil", ctl_take_until, false},
	{"--null-until", "nullUntil", ctl_take_until, false},
};
enum { OPTIONS = sizeof(options) / sizeof(options[0]), NOT_SENT = 6 };

/* ---- authentication strings: told once, so not to be lost ---- */

static json_t *with_member(const json_t *list, const char *key)
{
	size_t i;
	json_t *one, *found = json_array();
	json_array_foreach((json_t *)list, i, one)
	{
		if (json_object_get(one, key))
			json_array_append(found, one);
	}
	return found;
}

/* Before anything is queued: a file that cannot be written afterwards would
 * cost every string, and one that is there may be the only list of others. */
static int make_file(const char *file)
{
	int fd = *file ? open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				 0600)
		       : -1;
	if (fd >= 0)
		close(fd);
	if (!*file || fd >= 0)
		return CTL_OK;
	say("%s: %s%s", file, strerror(errno),
		errno == EEXIST ? "; no list of strings is overwritten" : "");
	say_next("ls -ld '%s'", file);
	return CTL_FAILED;
}

static const char list_head[] =
	"Authentication strings for CAPF, made %s. Each serves its own phone, "
	"once.\nAt the phone: Settings > Security Configuration, unlock with "
	"**#, LSC > Update,\ntype the string, Submit.\n\n";
enum { LIST_LINE = CERT_DEVICE_MAX + 32 };

/* The list for the installers, malloc'ed; in one piece from the beginning, so
 * that none of it stays behind. */
static char *list_text(const json_t *strings, size_t *n)
{
	size_t room =
		sizeof(list_head) + 32 + json_array_size(strings) * LIST_LINE;
	char *text = memory_zero(room);
	char at[21];
	size_t i;
	json_t *one;
	cert_time_text(time(NULL), at);
	*n = (size_t)snprintf(text, room, list_head, at);
	json_array_foreach((json_t *)strings, i, one)
	{
		*n += (size_t)snprintf(text + *n, LIST_LINE, "%-24.63s %.10s\n",
			ctl_text(one, "device"), ctl_text(one, "string"));
	}
	return text;
}

/* Into the file; those that it does not take are shown, not lost. */
static int write_file(const char *file, const char *text, size_t n)
{
	struct diag d;
	if (cert_file_write(file, 0600, text, n, &d) == 0) {
		say("The authentication strings are in %s.", file);
		return CTL_OK;
	}
	say_file(file, d.text);
	say("here they are:\n%.*s", (int)n, text);
	return CTL_FAILED;
}

static int write_strings(const char *file, const json_t *devices)
{
	size_t n;
	json_t *strings = with_member(devices, "string");
	char *text = list_text(strings, &n);
	int status = CTL_OK;
	if (json_array_size(strings) == 0 && *file)
		unlink(file); /* ours, and empty */
	else if (*file)
		status = write_file(file, text, n);
	else if (json_array_size(strings))
		printf("%s\n", text);
	memory_wipe(text);
	json_decref(strings);
	return status;
}

static void take_strings_out(json_t *devices)
{
	size_t i;
	json_t *one;
	json_array_foreach(devices, i, one)
	{
		json_object_del(one, "string");
	}
}

/* ---- what came of it ---- */

static const struct ctl_column refused_columns[] = {
	{"DEVICE", "device"},
	{"NOT QUEUED, BECAUSE", "why"},
};
static void print_refused(const json_t *devices)
{
	json_t *those = with_member(devices, "why");
	if (json_array_size(those)) {
		ctl_print_table(those, refused_columns, 2);
		putchar('\n');
	}
	json_decref(those);
}

/* "SEP001122334455 and 3 more: ..." */
static void print_warning(const json_t *first)
{
	char head[128] = "";
	long long more = ctl_number(first, "more");
	if (more)
		snprintf(head, sizeof(head), " and %lld more", more);
	char *text = memory_format("%s%s: %s", ctl_text(first, "device"), head,
		ctl_text(first, "warning"));
	wrap_print("", text);
	free(text);
	putchar('\n');
}

/* Each warning once, with the first device and how many more it is for: they
 * may be ten thousand. */
static void print_warnings(const json_t *devices)
{
	size_t i;
	json_t *one, *first, *list = json_array(), *by_text = json_object();
	json_array_foreach((json_t *)devices, i, one)
	{
		const char *warning = ctl_text(one, "warning");
		if (!*warning)
			continue;
		first = json_object_get(by_text, warning);
		if (first) {
			json_object_set_new(first, "more",
				json_integer(ctl_number(first, "more") + 1));
			continue;
		}
		json_object_set(by_text, warning, one);
		json_array_append(list, one);
	}
	json_array_foreach(list, i, one)
	{
		print_warning(one);
	}
	json_decref(by_text);
	json_decref(list);
}

/* 3: nothing but operations that are pending was in the way. */
static int exit_status(const json_t *o)
{
	size_t i;
	json_t *one;
	long long refused = ctl_number(o, "refused"), pending = 0;
	json_array_foreach(json_object_get(o, "devices"), i, one)
	{
		pending += json_is_true(json_object_get(one, "pending"));
	}
	if (refused == 0)
		return ctl_number(o, "queued") ? CTL_OK : CTL_FAILED;
	return pending == refused ? CTL_REFUSED : CTL_FAILED;
}

static void print_sum(const struct ctl *ctl, const json_t *o, const char *verb)
{
	long long queued = ctl_number(o, "queued");
	if (!queued && !ctl_number(o, "refused"))
		puts("No device fits: nothing was queued.");
	else
		printf("%s%s: queued %lld, refused %lld.\n", ctl_would(ctl),
			verb, queued, ctl_number(o, "refused"));
	if (*ctl_text(o, "lastTurn"))
		printf("The last one is told at %s.\n",
			ctl_text(o, "lastTurn"));
}

static int print(const struct ctl *ctl, const char *verb, const char *file,
	const json_t *o)
{
	json_t *devices = json_object_get(o, "devices");
	int status = exit_status(o), written = CTL_OK;
	if (!ctl->dry_run && (*file || !ctl->json))
		written = write_strings(file, devices);
	if (ctl->json) {
		if (*file)
			take_strings_out(devices);
		ctl_print_json(o);
	} else {
		print_refused(devices);
		print_warnings(devices);
		print_sum(ctl, o, verb);
	}
	return status == CTL_OK ? written : status;
}

/* ---- the order ---- */

static int send_order(const struct ctl *ctl, const json_t *body, json_t **out)
{
	char *text = json_dumps(body, JSON_COMPACT);
	const struct ctl_body sent = {
		"application/json", text, strlen(text), "/v1/capf/progress"};
	int status =
		ctl_admin_send(ctl, "POST", "/v1/capf/operations", &sent, out);
	free(text);
	return status;
}

static int order_with_file(const struct ctl *ctl, const char *verb,
	const char *file, const json_t *body)
{
	json_t *o;
	int status = ctl->dry_run ? CTL_OK : make_file(file);
	prctl(PR_SET_DUMPABLE, 0); /* strings are no core file's */
	if (status != CTL_OK)
		return status;
	status = send_order(ctl, body, &o);
	if (status != CTL_OK && *file && !ctl->dry_run)
		unlink(file);
	if (status != CTL_OK)
		return status;
	status = print(ctl, verb, file, o);
	json_decref(o);
	return status;
}

static int order(const struct ctl *ctl, int argc, char **argv, const char *verb)
{
	int names = 0;
	json_t *said = json_object();
	json_t *body = json_pack("{ss}", "operation", verb);
	while (names < argc && argv[names][0] != '-')
		names++;
	int status = ctl_read_options(
		argc - names, argv + names, options, OPTIONS, said);
	if (status == CTL_OK)
		status = ctl_capf_who(names, argv, said, body);
	if (status == CTL_USAGE)
		ctl_misused(ctl);
	for (size_t i = NOT_SENT; i < OPTIONS; i++)
		json_object_set(body, options[i].key,
			json_object_get(said, options[i].key));
	const char *file = ctl_text(said, "stringsTo");
	if (status == CTL_OK)
		status = order_with_file(ctl, verb, file, body);
	json_decref(body);
	json_decref(said);
	return status;
}

int ctl_capf_install(const struct ctl *ctl, int argc, char **argv)
{
	return order(ctl, argc, argv, "install");
}

int ctl_capf_delete(const struct ctl *ctl, int argc, char **argv)
{
	return order(ctl, argc, argv, "delete");
}

int ctl_capf_troubleshoot(const struct ctl *ctl, int argc, char **argv)
{
	return order(ctl, argc, argv, "troubleshoot");
}

/* ---- cancel ---- */

static int cancel(const struct ctl *ctl, const char *device, json_t *done)
{
	json_t *o;
	char *path = ctl_path("/v1/capf/operations/", device);
	int status = ctl_admin(ctl, "DELETE", path, &o);
	free(path);
	if (status != CTL_OK)
		return status;
	json_array_append(done, json_object_get(o, "cancelled"));
	if (!ctl->json)
		printf("%sNothing is pending for %s any more.\n",
			ctl_would(ctl), ctl_text(o, "cancelled"));
	json_decref(o);
	return CTL_OK;
}

int ctl_capf_cancel(const struct ctl *ctl, int argc, char **argv)
{
	int status = CTL_OK;
	if (argc < 1 || *argv[0] == '-')
		return ctl_misused(ctl);
	json_t *done = json_array();
	for (int i = 0; i < argc; i++) {
		int one = cancel(ctl, argv[i], done);
		status = one == CTL_OK ? status : one;
	}
	json_t *o =
		json_pack("{so sb}", "cancelled", done, "dryRun", ctl->dry_run);
	if (ctl->json)
		ctl_print_json(o);
	json_decref(o);
	return status;
}
