/* SPDX-License-Identifier: Apache-2.0 */
/* A dry run of what writes files: in a copy of the folder, which then goes. */
#include "registrar/ctl/rehearsal.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/file.h"
#include "registrar/ctl/ctl.h"
#include "registrar/memory.h"

enum { FILE_MAX = 8 << 20, DEPTH_MAX = 8 };

/* One thing below a folder; `path` is from there on. Folders come before what
 * is in them (`leaving`: behind). */
struct thing {
	const char *path;
	const struct stat *st;
	bool leaving;
};
typedef int visit_fn(
	void *self, const char *dir, const struct thing *thing, struct diag *d);

/* ---- the walk ---- */

static int walk(const char *dir, const char *below, int depth, visit_fn *visit,
	void *self, struct diag *d);

static int visit_one(const char *dir, const char *path, int depth,
	visit_fn *visit, void *self, struct diag *d)
{
	struct stat st;
	char *whole = memory_format("%s/%s", dir, path);
	int error = lstat(whole, &st) < 0 ? -errno : 0;
	free(whole);
	if (error)
		return error == -ENOENT ? 0 : error;
	struct thing thing = {path, &st, false};
	error = visit(self, dir, &thing, d);
	if (error || !S_ISDIR(st.st_mode))
		return error;
	error = walk(dir, path, depth + 1, visit, self, d);
	thing.leaving = true;
	return error ? error : visit(self, dir, &thing, d);
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than DEPTH_MAX */
static int walk(const char *dir, const char *below, int depth, visit_fn *visit,
	void *self, struct diag *d)
{
	char *whole = memory_format("%s/%s", dir, below);
	DIR *list = depth < DEPTH_MAX ? opendir(whole) : NULL;
	int error = !list && depth < DEPTH_MAX ? -errno : 0;
	const struct dirent *e;
	while (!error && list && (e = readdir(list))) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		char *path = memory_format(
			"%s%s%s", below, *below ? "/" : "", e->d_name);
		error = visit_one(dir, path, depth, visit, self, d);
		free(path);
	}
	if (error && !*d->text)
		diag_set(d, error, "%s: %s", whole, strerror(-error));
	if (list)
		closedir(list);
	free(whole);
	return error;
}

/* ---- the copy ---- */

static int copy_link(const char *from, const char *to)
{
	char target[PATH_MAX];
	ssize_t n = readlink(from, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = '\0';
	return symlink(target, to) < 0 ? -errno : 0;
}

static int copy_file(const char *from, const char *to, struct diag *d)
{
	char *data;
	size_t n;
	int error = cert_file_read(from, FILE_MAX, &data, &n, d);
	if (error == -E2BIG) { /* nothing that is made here is so long */
		*d = (struct diag){.text = ""};
		return 0;
	}
	if (!error) {
		error = cert_file_write(to, 0600, data, n, d);
		free(data);
	}
	return error;
}

static int copy(
	void *self, const char *dir, const struct thing *thing, struct diag *d)
{
	const struct rehearsal *r = self;
	char *from = memory_format("%s/%s", dir, thing->path);
	char *to = memory_format("%s/%s", r->dir, thing->path);
	int error = 0;
	if (S_ISDIR(thing->st->st_mode) && !thing->leaving)
		error = mkdir(to, 0700) < 0 ? -errno : 0;
	else if (S_ISLNK(thing->st->st_mode))
		error = copy_link(from, to);
	else if (S_ISREG(thing->st->st_mode))
		error = copy_file(from, to, d);
	free(from);
	free(to);
	return error;
}

/* The folder, or the first above it that is there, must take files. */
static int may_write(const char *of, struct diag *d)
{
	char *path = memory_dup(of);
	while (access(path, F_OK) < 0 && errno == ENOENT) {
		char *slash = strrchr(path, '/');
		if (!slash) {
			free(path);
			path = memory_dup(".");
			break;
		}
		slash[slash == path] = '\0';
	}
	int error = access(path, W_OK) < 0 ? -errno : 0;
	if (error)
		diag_set(d, error, "%s: %s", path, strerror(-error));
	free(path);
	return error;
}

int rehearsal_begin(struct rehearsal *r, const char *of, struct diag *d)
{
	const char *tmp = getenv("TMPDIR");
	struct stat st;
	*r = (struct rehearsal){.of = of};
	*d = (struct diag){.text = ""};
	int error = may_write(of, d);
	if (error)
		return error;
	r->top =
		memory_format("%s/dialtone-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (!mkdtemp(r->top)) {
		error = diag_set(d, -errno, "%s: %s", r->top, strerror(errno));
		free(r->top);
		r->top = NULL;
		return error;
	}
	r->dir = memory_format("%s/it", r->top);
	if (stat(of, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	if (mkdir(r->dir, 0700) < 0)
		return diag_set(d, -errno, "%s: %s", r->dir, strerror(errno));
	return walk(of, "", 0, copy, r, d);
}

/* ---- what came of it ---- */

struct listing {
	const struct rehearsal *r;
	json_t *files;
};

static bool is_same(const char *a, const char *b)
{
	char *x = NULL, *y = NULL;
	size_t n = 0, m = 0;
	struct diag d;
	bool same = cert_file_read(a, FILE_MAX, &x, &n, &d) == 0 &&
		    cert_file_read(b, FILE_MAX, &y, &m, &d) == 0 && n == m &&
		    memcmp(x, y, n) == 0;
	free(x);
	free(y);
	return same;
}

static int list(
	void *self, const char *dir, const struct thing *thing, struct diag *d)
{
	struct listing *l = self;
	char *there = memory_format("%s/%s", l->r->of, thing->path);
	char *here = memory_format("%s/%s", dir, thing->path);
	struct stat st;
	bool is_new = lstat(there, &st) < 0;
	if (!S_ISDIR(thing->st->st_mode) &&
		(is_new ||
			(S_ISREG(thing->st->st_mode) && !is_same(there, here))))
		json_array_append_new(l->files, json_string(there));
	free(there);
	free(here);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *rehearsal_files(const struct rehearsal *r)
{
	struct diag d = {.text = ""};
	struct listing l = {r, json_array()};
	walk(r->dir, "", 0, list, &l, &d);
	size_t i, n = json_array_size(l.files);
	json_t *one, *sorted = json_array();
	const char **all = memory_zero((n + 1) * sizeof(*all));
	json_array_foreach(l.files, i, one)
	{
		all[i] = json_string_value(one);
	}
	qsort(all, n, sizeof(*all), by_name);
	for (i = 0; i < n; i++)
		json_array_append_new(sorted, json_string(all[i]));
	free(all);
	json_decref(l.files);
	return sorted;
}

void rehearsal_translate(const struct rehearsal *r, struct diag *d)
{
	char *at = r->dir ? strstr(d->text, r->dir) : NULL;
	if (!at)
		return;
	char *text = memory_format("%.*s%s%s", (int)(at - d->text), d->text,
		r->of, at + strlen(r->dir));
	snprintf(d->text, sizeof(d->text), "%s", text);
	free(text);
}

/* ---- the end ---- */

static int take_away(
	void *self, const char *dir, const struct thing *thing, struct diag *d)
{
	char *path = memory_format("%s/%s", dir, thing->path);
	if (thing->leaving)
		rmdir(path);
	else if (!S_ISDIR(thing->st->st_mode))
		unlink(path);
	free(path);
	return 0;
}

void rehearsal_end(struct rehearsal *r)
{
	struct diag d = {.text = ""};
	if (r->top) {
		walk(r->top, "", 0, take_away, NULL, &d);
		rmdir(r->top);
	}
	free(r->top);
	free(r->dir);
	*r = (struct rehearsal){0};
}

int rehearsal_print(const struct ctl *ctl, const json_t *files, json_t *more)
{
	size_t i;
	json_t *file;
	if (ctl->json) {
		json_object_set_new(more, "dryRun", json_true());
		json_object_set(more, "files", (json_t *)files);
		return ctl_print_json(more);
	}
	puts("Nothing was done; it would write:");
	json_array_foreach((json_t *)files, i, file)
	{
		printf("  %s\n", json_string_value(file));
	}
	return CTL_OK;
}
