/* SPDX-License-Identifier: Apache-2.0 */
/* Small regular files, read and written whole. */
#include "certs/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "certs/must.h"

static int open_regular(const char *path, struct diag *d)
{
	struct stat st;
	/* Asked before the open, which can have effects on a device, and
	 * again after it, when it is sure which file this is. */
	if (stat(path, &st))
		return diag_set(d, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return diag_set(d, -EINVAL, "%s: not a regular file", path);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return diag_set(d, -errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return diag_set(d, -EINVAL, "%s: not a regular file", path);
	}
	return fd;
}

int cert_file_read(
	const char *path, size_t max, char **data, size_t *n, struct diag *d)
{
	int fd = open_regular(path, d);
	if (fd < 0)
		return fd;
	char *buffer = cert_must(malloc(max + 1));
	size_t used = 0;
	ssize_t got = 0;
	do {
		got = read(fd, buffer + used, max + 1 - used);
		used += got > 0 ? (size_t)got : 0;
	} while ((got > 0 && used <= max) || (got < 0 && errno == EINTR));
	int error = got < 0 ? -errno : 0;
	close(fd);
	if (!error && used <= max) {
		*data = buffer;
		*n = used;
		return 0;
	}
	OPENSSL_cleanse(buffer, used);
	free(buffer);
	if (error)
		return diag_set(d, error, "%s: %s", path, strerror(-error));
	return diag_set(d, -E2BIG,
		"%s: longer than %zu bytes, the most such a file may have",
		path, max);
}

static int write_all(int fd, const char *data, size_t n)
{
	while (n) {
		ssize_t got = write(fd, data, n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		data += got;
		n -= (size_t)got;
	}
	return 0;
}

/* The part of path before its last name, and that name. */
static size_t folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? (size_t)(slash + 1 - path) : 0;
}

int cert_file_stage(const char *path, mode_t mode, const void *data, size_t n,
	char hidden[PATH_MAX], struct diag *d)
{
	size_t folder = folder_length(path);
	int length = snprintf(hidden, PATH_MAX, "%.*s.%s.XXXXXX", (int)folder,
		path, path + folder);
	if (length < 0 || length >= PATH_MAX)
		return diag_set(d, -ENAMETOOLONG, "%s: path too long", path);
	int fd = mkostemp(hidden, O_CLOEXEC);
	if (fd < 0)
		return diag_set(d, -errno, "%s: %s", path, strerror(errno));
	int error = write_all(fd, data, n);
	if (!error && (fchmod(fd, mode) || fsync(fd)))
		error = -errno;
	if (close(fd) && !error)
		error = -errno;
	if (!error)
		return 0;
	unlink(hidden);
	return diag_set(d, error, "%s: %s", path, strerror(-error));
}

/* A name is on the disk once its folder is. */
int cert_file_sync_folder(const char *path)
{
	char folder[PATH_MAX];
	size_t n = folder_length(path);
	snprintf(folder, sizeof(folder), "%.*s", (int)n, path);
	int fd = open(n ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Not every file system can. */
	int error = fsync(fd) && errno != EINVAL ? -errno : 0;
	close(fd);
	return error;
}

int cert_file_keep(const char *hidden, const char *path, struct diag *d)
{
	int error = rename(hidden, path) ? -errno : cert_file_sync_folder(path);
	return error ? diag_set(d, error, "%s: %s", path, strerror(-error)) : 0;
}

int cert_file_write(const char *path, mode_t mode, const void *data, size_t n,
	struct diag *d)
{
	char hidden[PATH_MAX];
	int error = cert_file_stage(path, mode, data, n, hidden, d);
	if (error)
		return error;
	error = cert_file_keep(hidden, path, d);
	if (error)
		unlink(hidden);
	return error;
}
