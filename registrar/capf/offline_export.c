/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as files in capf.offline_folder, as long as nobody answered them. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs/file.h"
#include "registrar/capf/offline_inside.h"
#include "registrar/log.h"
#include "registrar/memory.h"

enum {
	BATCH = 64, /* exported, then marked in one transaction */
	KEYID_DIGITS = 16,
};

static const char *const endings[] = {".csr", ".pub.pem", ".ext"};
enum { ENDINGS = sizeof(endings) / sizeof(endings[0]) };

/* ---- writing ---- */

static int write_file(const struct capf_offline *o, const struct capf_csr *c,
	const char *ending, const char *text, struct diag *d)
{
	char *path = memory_format("%s/%s%s", o->folder, c->name, ending);
	int error = cert_file_write(path, 0640, text, strlen(text), d);
	free(path);
	return error;
}

/* The request comes last: who sees it finds the others. */
static int write_request(
	const struct capf_offline *o, const struct capf_csr *c, struct diag *d)
{
	char *extensions = capf_offline_extensions(c);
	int error = write_file(o, c, ".pub.pem", c->key, d);
	if (!error)
		error = write_file(o, c, ".ext", extensions, d);
	if (!error)
		error = write_file(o, c, ".csr", c->request, d);
	free(extensions);
	return error;
}

static void tell(const struct capf_csr *c)
{
	struct log_line line;
	log_begin(&line, LOG_EV_CAPF_EXPORTED);
	log_str(&line, "device", c->device);
	log_str(&line, "request", c->name);
	log_str(&line, "why", c->fault);
	log_end(&line);
}

/* Is it to be written? One of which no request can be made never is. */
static bool is_due(const struct capf_csr *c)
{
	return !c->exported_at && !c->answered;
}

static int write_batch(struct capf_offline *o, const struct capf_csr_list *list,
	size_t *at, struct diag *d)
{
	struct capf_csr_mark marks[BATCH];
	const struct capf_csr *written[BATCH];
	size_t n = 0, marked;
	int error = 0;
	for (; *at < list->n && n < BATCH && !error; ++*at) {
		const struct capf_csr *c = &list->item[*at];
		if (!is_due(c))
			continue;
		if (c->request)
			error = write_request(o, c, d);
		written[n] = c;
		marks[n] = (struct capf_csr_mark){
			c->device, c->key_sha256, sizeof(c->key_sha256)};
		n += !error;
	}
	int kept = n ? capf_csr_exported(o->desk, marks, n, &marked, d) : 0;
	for (size_t i = 0; i < n && !kept; i++)
		tell(written[i]);
	return error ? error : kept;
}

/* ---- what was answered, or has another key by now, goes ---- */

/* Bytes of NAME-KEYID in the name of a file of ours; 0: it is none. */
static size_t stem_of(const char *file)
{
	size_t n = strlen(file);
	for (size_t i = 0; i < ENDINGS; i++) {
		size_t ending = strlen(endings[i]);
		if (n <= ending + KEYID_DIGITS + 1 ||
			strcmp(file + n - ending, endings[i]) != 0)
			continue;
		size_t stem = n - ending;
		const char *id = file + stem - KEYID_DIGITS;
		if (id[-1] == '-' &&
			strspn(id, "0123456789abcdef") >= KEYID_DIGITS)
			return stem;
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names that still wait, sorted; *n of them. The list's. */
static const char **waiting(const struct capf_csr_list *list, size_t *n)
{
	const char **names = memory_zero((list->n + 1) * sizeof(*names));
	*n = 0;
	for (size_t i = 0; i < list->n; i++)
		if (!list->item[i].answered)
			names[(*n)++] = list->item[i].name;
	qsort(names, *n, sizeof(*names), by_name);
	return names;
}

static void sweep_one(
	struct capf_offline *o, const char *file, const char **names, size_t n)
{
	size_t stem = file[0] == '.' ? 0 : stem_of(file);
	if (!stem)
		return;
	char *name = memory_format("%.*s", (int)stem, file);
	if (!bsearch(&name, names, n, sizeof(*names), by_name)) {
		char *path = memory_format("%s/%s", o->folder, file);
		unlink(path); /* it is tried again */
		free(path);
	}
	free(name);
}

static int sweep(struct capf_offline *o, const struct capf_csr_list *list,
	struct diag *d)
{
	size_t n;
	DIR *dir = opendir(o->folder);
	if (!dir)
		return diag_set(
			d, -errno, "%s: %s", o->folder, strerror(errno));
	const char **names = waiting(list, &n);
	for (const struct dirent *e = readdir(dir); e; e = readdir(dir))
		sweep_one(o, e->d_name, names, n);
	free(names);
	closedir(dir);
	return 0;
}

int capf_offline_export(struct capf_offline *o, struct diag *d)
{
	struct capf_csr_list list;
	size_t at = 0;
	int error = capf_csr_read(o->desk, o->config, NULL, &list, d);
	while (!error && at < list.n)
		error = write_batch(o, &list, &at, d);
	if (!error)
		error = sweep(o, &list, d);
	capf_csr_list_deinit(&list);
	return error;
}
