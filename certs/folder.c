/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of small files, written whole or not at all. */
#include "certs/folder.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/file.h"
#include "certs/must.h"
#include "certs/text.h"

enum { MARKER_MAX = 1 << 20 };

/* A marker is this line, then the name of each file on a line of its own. */
static const char head[] = "written by dialtone, and replaced as a whole\n";

struct marker {
	char *text;
	size_t n;
};

static int fail(struct diag *d, int error, const char *path)
{
	return diag_set(d, error, "%s: %s", path, strerror(-error));
}

/* top/name, of whose name n bytes count. */
static int join(char path[PATH_MAX], const char *top, const char *name,
	size_t n, struct diag *d)
{
	int used = snprintf(path, PATH_MAX, "%s/%.*s", top, (int)n, name);
	return used > 0 && used < PATH_MAX ? 0 : fail(d, -ENAMETOOLONG, top);
}

static int sync_folder(const char *path, struct diag *d)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = fd < 0 || fsync(fd) ? -errno : 0;
	if (fd >= 0)
		close(fd);
	return error ? fail(d, error, path) : 0;
}

/* Is this name, or with slash a folder of that name, in the list? */
static bool lists(const struct marker *m, const char *name, bool folder)
{
	char line[PATH_MAX];
	int n = snprintf(
		line, sizeof(line), "\n%s%c", name, folder ? '/' : '\n');
	return n > 0 && (size_t)n < sizeof(line) && !strchr(name, '\n') &&
	       ((m->text && memmem(m->text, m->n, line, (size_t)n)) ||
		       strcmp(name, CERT_FOLDER_MARKER) == 0);
}

static int say_foreign(const char *path, const char *name, struct diag *d)
{
	char clean[NAME_MAX + 1];
	cert_text_clean(name, strlen(name), clean, sizeof(clean));
	return diag_set(d, -EEXIST,
		"%s: holds %s, which no export wrote; name another folder, or "
		"move that file away",
		path, clean);
}

/* Visits a folder from the inside out: what the list does not hold is shown in
 * d (-EEXIST), or what it does hold is removed. */
static int walk(
	const char *path, const struct marker *m, bool removing, struct diag *d)
{
	char *const roots[] = {(char *)path, NULL};
	FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	if (!tree)
		return fail(d, -errno, path);
	int error = 0;
	const FTSENT *e = NULL;
	while (!error && (e = fts_read(tree))) {
		bool folder = e->fts_info == FTS_D || e->fts_info == FTS_DP;
		const char *name = e->fts_path + strlen(path);
		bool known = !*name || lists(m, name + 1, folder);
		if (!known && !removing)
			error = say_foreign(path, name + 1, d);
		else if (known && removing && e->fts_info == FTS_DP)
			error = rmdir(e->fts_path) ? -errno : 0;
		else if (known && removing && !folder)
			error = unlink(e->fts_path) ? -errno : 0;
	}
	fts_close(tree);
	return error == 0 || error == -EEXIST ? error : fail(d, error, path);
}

static int check_ours(const char *path, struct marker *m, struct diag *d)
{
	char marker[PATH_MAX];
	struct stat st;
	int error = join(marker, path, CERT_FOLDER_MARKER,
		strlen(CERT_FOLDER_MARKER), d);
	if (error)
		return error;
	if (lstat(path, &st) || !S_ISDIR(st.st_mode) ||
		cert_file_read(marker, MARKER_MAX, &m->text, &m->n, NULL) ||
		m->n < strlen(head) || memcmp(m->text, head, strlen(head)) != 0)
		return diag_set(d, -EEXIST,
			"%s: exists, and is no earlier export (no %s in it); "
			"name another folder, or remove it",
			path, CERT_FOLDER_MARKER);
	return walk(path, m, false, d);
}

/* Puts one file into the folder at `top`. */
static int put(
	const char *top, const struct cert_folder_file *file, struct diag *d)
{
	char path[PATH_MAX];
	const char *slash = strchr(file->name, '/');
	assert(file->name[0] != '.' && file->name[0] != '/');
	int error = 0;
	if (slash) {
		error = join(
			path, top, file->name, (size_t)(slash - file->name), d);
		if (!error && mkdir(path, 0755) && errno != EEXIST)
			error = fail(d, -errno, path);
		if (!error && chmod(path, 0755))
			error = fail(d, -errno, path);
	}
	if (!error)
		error = join(path, top, file->name, strlen(file->name), d);
	if (error)
		return error;
	if (!file->link)
		return cert_file_write(path, 0644, file->data, file->n, d);
	return symlink(file->link, path) ? fail(d, -errno, path) : 0;
}

/* Each folder's entries reach the disk, too. */
static int sync_folders(const char *top, const struct cert_folder_file *files,
	size_t n, struct diag *d)
{
	char path[PATH_MAX], before[PATH_MAX] = "";
	int error = 0;
	for (size_t i = 0; !error && i < n; i++) {
		const char *slash = strchr(files[i].name, '/');
		if (!slash)
			continue;
		error = join(path, top, files[i].name,
			(size_t)(slash - files[i].name), d);
		if (error || strcmp(path, before) == 0)
			continue;
		error = sync_folder(path, d);
		memcpy(before, path, strlen(path) + 1);
	}
	return error ? error : sync_folder(top, d);
}

static int fill(const char *top, const struct cert_folder_file *files, size_t n,
	const struct marker *m, struct diag *d)
{
	char path[PATH_MAX];
	int error = 0;
	for (size_t i = 0; !error && i < n; i++)
		error = put(top, &files[i], d);
	if (!error)
		error = join(path, top, CERT_FOLDER_MARKER,
			strlen(CERT_FOLDER_MARKER), d);
	if (!error)
		error = cert_file_write(path, 0644, m->text, m->n, d);
	if (!error && chmod(top, 0755))
		error = fail(d, -errno, top);
	return error ? error : sync_folders(top, files, n, d);
}

static struct marker marker_of(const struct cert_folder_file *files, size_t n)
{
	struct marker m = {0};
	FILE *f = cert_must(open_memstream(&m.text, &m.n));
	fputs(head, f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, "%s\n", files[i].name);
	if (fclose(f))
		abort();
	return m;
}

/* `fresh` takes the name of `path`; what had that is called `fresh` then. */
static int take_name(
	const char *fresh, const char *path, bool replaces, struct diag *d)
{
	if (renameat2(AT_FDCWD, fresh, AT_FDCWD, path,
		    replaces ? RENAME_EXCHANGE : RENAME_NOREPLACE) == 0)
		return 0;
	int error = -errno;
	return diag_set(d, error, "%s: %s%s", path, strerror(-error),
		error == -EINVAL && replaces
			? " (this file system cannot replace a folder in one "
			  "step: remove the old one)"
			: "");
}

static int sync_parent(const char *path, struct diag *d)
{
	char parent[PATH_MAX];
	snprintf(parent, sizeof(parent), "%s", path);
	char *slash = strrchr(parent, '/');
	if (slash)
		slash[slash == parent] = '\0';
	return sync_folder(slash ? parent : ".", d);
}

/* path without slashes at its end into to[], a template beside it into
 * fresh[]. */
static int name_both(const char *path, char to[PATH_MAX], char fresh[PATH_MAX],
	struct diag *d)
{
	size_t n = strlen(path);
	while (n > 1 && path[n - 1] == '/')
		n--;
	int used = snprintf(fresh, PATH_MAX, "%.*s.XXXXXX", (int)n, path);
	if (!n || used < 0 || used >= PATH_MAX)
		return diag_set(d, -ENAMETOOLONG,
			"the folder's name is empty or too long");
	snprintf(to, PATH_MAX, "%.*s", (int)n, path);
	return 0;
}

int cert_folder_write(const char *path, const struct cert_folder_file *files,
	size_t n, struct diag *d)
{
	char to[PATH_MAX], fresh[PATH_MAX];
	struct stat st;
	struct marker now = marker_of(files, n), before = {0};
	int error = name_both(path, to, fresh, d);
	bool there = !error && lstat(to, &st) == 0;
	if (there)
		error = check_ours(to, &before, d);
	if (error)
		goto out;
	if (!mkdtemp(fresh)) {
		error = fail(d, -errno, to);
		goto out;
	}
	error = fill(fresh, files, n, &now, d);
	if (!error)
		error = take_name(fresh, to, there, d);
	if (error)
		walk(fresh, &now, true, NULL);
	else if (there)
		error = walk(fresh, &before, true, d);
	if (!error)
		error = sync_parent(to, d);
out:
	free(now.text);
	free(before.text);
	return error;
}
