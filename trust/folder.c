/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the files of a trust folder, none of which is trusted yet. */
#include "trust/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>
#include <linux/openat2.h>
#include <openssl/crypto.h>

#include "certs/must.h"
#include "certs/rule.h"

enum { SETTLE_S = 2 };

static int refuse(
	struct diag *d, enum cert_rule rule, int error, const char *path)
{
	return cert_rule_refuse(d, rule, error, path, 0, "");
}

static int refuse_errno(struct diag *d, const char *path, int error)
{
	return cert_rule_refuse(
		d, CERT_RULE_UNREADABLE, -error, path, 0, strerror(error));
}

/* ---- the folder ---- */

static int by_name(const void *a, const void *b)
{
	const struct trust_folder_file *one = a, *other = b;
	return strcmp(one->name, other->name);
}

static void free_list(struct trust_folder *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->file[i].path);
	free(f->file);
	f->file = NULL;
	f->n = 0;
}

static void add(struct trust_folder *f, const char *name)
{
	if ((f->n & (f->n - 1)) == 0)
		f->file = cert_must(realloc(
			f->file, (f->n ? 2 * f->n : 1) * sizeof(f->file[0])));
	struct trust_folder_file *file = &f->file[f->n++];
	*file = (struct trust_folder_file){0};
	if (asprintf(&file->path, "%s/%s", f->dir, name) < 0)
		abort();
	file->name = file->at = file->path + strlen(f->dir) + 1;
}

/* The names that are not hidden, sorted, into f. */
static int list(struct trust_folder *f, struct diag *d)
{
	int fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	if (!folder)
		return refuse_errno(d, f->dir, errno);
	int error = 0;
	const struct dirent *entry = NULL;
	while (errno = 0, !error && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		if (f->n == TRUST_FOLDER_FILES_MAX)
			error = refuse(
				d, CERT_RULE_CROWDED_FOLDER, -E2BIG, f->dir);
		else
			add(f, entry->d_name);
	}
	if (!error && errno)
		error = refuse_errno(d, f->dir, errno);
	closedir(folder);
	if (f->n)
		qsort(f->file, f->n, sizeof(f->file[0]), by_name);
	return error;
}

int trust_folder_open(
	struct trust_folder *f, const char *dir, time_t now, struct diag *d)
{
	*f = (struct trust_folder){.dir = dir, .now = now};
	f->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0)
		return refuse_errno(d, dir, errno);
	int error = 0;
	if (fstat(f->fd, &f->st))
		error = refuse_errno(d, dir, errno);
	else if (f->st.st_mode & S_IWOTH)
		error = refuse(d, CERT_RULE_WRITABLE_FOLDER, -EINVAL, dir);
	else
		error = list(f, d);
	if (error)
		trust_folder_close(f);
	return error;
}

int trust_folder_add(struct trust_folder *f, const char *hidden, const char *as,
	struct diag *d)
{
	if (f->n == TRUST_FOLDER_FILES_MAX)
		return refuse(d, CERT_RULE_CROWDED_FOLDER, -E2BIG, f->dir);
	f->hidden = hidden;
	f->as = as;
	add(f, as);
	f->file[f->n - 1].at = hidden;
	qsort(f->file, f->n, sizeof(f->file[0]), by_name);
	return 0;
}

void trust_folder_close(struct trust_folder *f)
{
	free_list(f);
	close(f->fd);
}

/* ---- one file ---- */

/* Where a descriptor's file lies; false: nobody says. */
static bool path_of(int fd, char path[PATH_MAX])
{
	char link[32];
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, PATH_MAX - 1);
	path[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static bool is_beneath(int folder, int fd)
{
	char outer[PATH_MAX], inner[PATH_MAX];
	if (!path_of(folder, outer) || !path_of(fd, inner))
		return false;
	size_t n = strlen(outer);
	return strncmp(outer, inner, n) == 0 && inner[n] == '/';
}

/* What the links of `name` lead to, as long as they stay in the folder. */
static int open_beneath(const struct trust_folder *f, const char *name)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, f->fd, name, &how, sizeof(how));
	if (fd >= 0 || errno != ENOSYS)
		return fd;
	/* A kernel before 5.6, a container's filter, valgrind. */
	fd = openat(f->fd, name, (int)how.flags);
	if (fd >= 0 && !is_beneath(f->fd, fd)) {
		close(fd);
		fd = -1;
		errno = EXDEV;
	}
	return fd;
}

static int refuse_open(
	struct diag *d, const struct trust_folder_file *file, int error)
{
	if (error == EXDEV || error == ELOOP)
		return refuse(d, CERT_RULE_LINK_OUT, -EINVAL, file->path);
	/* It was there a moment ago. */
	if (error == ENOENT || error == EAGAIN)
		return refuse(d, CERT_RULE_CHANGED, -EAGAIN, file->path);
	return refuse_errno(d, file->path, error);
}

/* A file descriptor; -EISDIR without a complaint: it is a folder. */
static int open_file(const struct trust_folder *f,
	const struct trust_folder_file *file, struct diag *d)
{
	struct stat st;
	/* Asked before the open, which can have effects on a device, and
	 * again after it, when it is sure which file this is. */
	if (fstatat(f->fd, file->at, &st, 0)) {
		int error = errno;
		if (error != ENOENT && error != ELOOP)
			return refuse_errno(d, file->path, error);
		if (fstatat(f->fd, file->at, &st, AT_SYMLINK_NOFOLLOW))
			return refuse(
				d, CERT_RULE_CHANGED, -EAGAIN, file->path);
		return refuse(d, CERT_RULE_DANGLING_LINK, -ENOENT, file->path);
	}
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return refuse(d, CERT_RULE_NOT_REGULAR, -EINVAL, file->path);
	int fd = open_beneath(f, file->at);
	return fd < 0 ? refuse_open(d, file, errno) : fd;
}

/* A lease to read is refused while anybody has the file open for writing, and
 * makes him wait who comes later, until we close it. */
static bool is_being_written(int fd, const struct stat *st, time_t now)
{
	struct statfs fs;
	/* Who waits is announced by a signal: SIGIO would be our end, and
	 * SIGURG is ignored. */
	if (fcntl(fd, F_SETSIG, SIGURG) == 0 &&
		fcntl(fd, F_SETLEASE, F_RDLCK) == 0)
		return false;
	/* NFS says so too when its server has delegated nothing. */
	if (errno == EAGAIN &&
		!(fstatfs(fd, &fs) == 0 && fs.f_type == NFS_SUPER_MAGIC))
		return true;
	return now && st->st_mtim.tv_sec > now - SETTLE_S &&
	       st->st_mtim.tv_sec < now + SETTLE_S;
}

static int judge(const struct trust_folder *f, int fd, const struct stat *st,
	const char *path, struct diag *d)
{
	if (!S_ISREG(st->st_mode))
		return refuse(d, CERT_RULE_CHANGED, -EAGAIN, path);
	if (st->st_mode & S_IWOTH)
		return refuse(d, CERT_RULE_WORLD_WRITABLE, -EINVAL, path);
	if (st->st_uid != 0 && st->st_uid != geteuid() &&
		st->st_uid != f->st.st_uid)
		return refuse(d, CERT_RULE_FOREIGN_OWNER, -EINVAL, path);
	if (is_being_written(fd, st, f->now))
		return refuse(d, CERT_RULE_BEING_WRITTEN, -EAGAIN, path);
	return 0;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* As many bytes as it had when it was judged, and no other file's. */
static int read_whole(int fd, const struct trust_folder_file *file, char *data,
	struct diag *d)
{
	size_t used = 0, size = (size_t)file->read.st_size;
	struct stat after;
	ssize_t got = 0;
	do {
		got = read(fd, data + used, size + 1 - used);
		used += got > 0 ? (size_t)got : 0;
	} while ((got > 0 && used <= size) || (got < 0 && errno == EINTR));
	if (got < 0)
		return refuse_errno(d, file->path, errno);
	if (used != size || fstat(fd, &after) || !same(&file->read, &after))
		return refuse(d, CERT_RULE_CHANGED, -EAGAIN, file->path);
	return 0;
}

int trust_folder_read(struct trust_folder *f, size_t i, size_t max, char **data,
	size_t *n, struct diag *d)
{
	struct trust_folder_file *file = &f->file[i];
	int fd = open_file(f, file, d);
	if (fd < 0)
		return fd == -EISDIR ? 1 : fd;
	int error = fstat(fd, &file->read)
			    ? refuse_errno(d, file->path, errno)
			    : judge(f, fd, &file->read, file->path, d);
	if (!error && (size_t)file->read.st_size > max)
		error = refuse(d, CERT_RULE_OVERSIZED, -E2BIG, file->path);
	if (!error) {
		*n = (size_t)file->read.st_size;
		*data = cert_must(malloc(*n + 1));
		error = read_whole(fd, file, *data, d);
		if (error) {
			OPENSSL_cleanse(*data, *n + 1);
			free(*data);
		}
	}
	close(fd);
	return error;
}

/* ---- afterwards ---- */

static bool is_where_it_was(const struct trust_folder *f)
{
	struct stat st;
	return stat(f->dir, &st) == 0 && st.st_dev == f->st.st_dev &&
	       st.st_ino == f->st.st_ino;
}

int trust_folder_unchanged(const struct trust_folder *f, struct diag *d)
{
	struct trust_folder again = {.dir = f->dir, .fd = f->fd};
	struct stat st;
	int error = list(&again, d);
	if (!error && f->hidden)
		error = trust_folder_add(&again, f->hidden, f->as, d);
	bool equal = !error && again.n == f->n && is_where_it_was(f);
	for (size_t i = 0; equal && i < f->n; i++) {
		const struct trust_folder_file *file = &f->file[i];
		equal = strcmp(file->name, again.file[i].name) == 0;
		if (equal && file->read.st_ino)
			equal = fstatat(f->fd, file->at, &st, 0) == 0 &&
				same(&file->read, &st);
	}
	free_list(&again);
	if (error || equal)
		return error;
	return refuse(d, CERT_RULE_CHANGED, -EAGAIN, f->dir);
}
