/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of small files, written whole or not at all. */
#ifndef CERTS_FOLDER_H
#define CERTS_FOLDER_H

#include <stddef.h>

#include "certs/diag.h"

/* One file in it, or a link to another. */
struct cert_folder_file {
	const char *name; /* "ca.pem", or "ca/x.pem": one folder deep */
	const void *data;
	size_t n;
	const char *link; /* where it leads, from its own place; NULL: a file */
};

/* The file that lists all others, by which a folder is known as ours. */
#define CERT_FOLDER_MARKER ".dialtone-folder"

/*
 * Makes the folder `path` of just these n files (modes 0644 and 0755): they
 * are written and synced in a fresh folder beside it, which then takes its
 * name. One that is there already is replaced, in one step, if every file in it
 * was written by this function; else it is refused (-EEXIST). 0 or -errno.
 */
int cert_folder_write(const char *path, const struct cert_folder_file *files,
	size_t n, struct diag *d);

#endif
