/* SPDX-License-Identifier: Apache-2.0 */
/* Small regular files, read and written whole. */
#ifndef CERTS_FILE_H
#define CERTS_FILE_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

#include "certs/diag.h"

/*
 * Reads a regular file of at most max bytes (never waits: a FIFO or device is
 * refused unopened). 0 and *data (the caller cleanses if need be, and frees)
 * of *n bytes; -EINVAL not regular, -E2BIG longer, or -errno.
 */
int cert_file_read(
	const char *path, size_t max, char **data, size_t *n, struct diag *d);
/* Writes through a hidden file beside it and rename: readers see the old file
 * or the new one, also after a power cut. 0 or -errno. */
int cert_file_write(const char *path, mode_t mode, const void *data, size_t n,
	struct diag *d);
/* The same in two steps: what it will be lies hidden (the name in `hidden`),
 * until it is kept, or the caller unlinks it. */
int cert_file_stage(const char *path, mode_t mode, const void *data, size_t n,
	char hidden[PATH_MAX], struct diag *d);
int cert_file_keep(const char *hidden, const char *path, struct diag *d);
/* What was done to the name `path` in its folder is on the disk. 0 or -errno.
 */
int cert_file_sync_folder(const char *path);

#endif
