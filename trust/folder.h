/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the files of a trust folder, none of which is trusted yet. */
#ifndef TRUST_FOLDER_H
#define TRUST_FOLDER_H

#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

#include "certs/diag.h"

enum { TRUST_FOLDER_FILES_MAX = 4096 };

/* A name in the folder that is not hidden. */
struct trust_folder_file {
	char *path;	  /* as people know it: "dir/name" */
	const char *name; /* in path */
	const char *at;	  /* the name it is read by: `name`, or hidden */
	struct stat read; /* of the file that was read; no inode: none was */
};

/* A folder between open and close. */
struct trust_folder {
	const char *dir; /* the caller's */
	int fd;
	struct stat st;
	time_t now;			/* 0: nobody knows */
	struct trust_folder_file *file; /* by name */
	size_t n;
	const char *hidden, *as; /* what was added; or NULL */
};

/*
 * Opens a folder and lists it. Refused with a rule's name in d (certs/rule.h):
 * one that is not there (-ENOENT, -ENOTDIR) or cannot be read, that anybody
 * may write to, of more than TRUST_FOLDER_FILES_MAX names. To be closed only
 * after 0.
 */
int trust_folder_open(
	struct trust_folder *f, const char *dir, time_t now, struct diag *d);
void trust_folder_close(struct trust_folder *f);
/* As if the hidden file of that name had the other one, once: what would come
 * of it? Both names live as long as f. 0, or -E2BIG with d. */
int trust_folder_add(struct trust_folder *f, const char *hidden, const char *as,
	struct diag *d);

/*
 * Reads the i-th file whole: 0, and *n bytes of *data, which the caller frees
 * (and cleanses: it may be a key that lies here by mistake). 1: it is a
 * folder, which does not count. Never waits. Refused: a link that leaves the
 * folder or leads nowhere, what is no regular file, what anybody may write
 * to, what belongs to neither root nor our user nor the folder's owner, what is
 * longer than max bytes; and with -EAGAIN, for that passes, what somebody
 * writes just now. That is known by a lease; where the kernel grants us none,
 * it is what was written in the two seconds before `now`.
 */
int trust_folder_read(struct trust_folder *f, size_t i, size_t max, char **data,
	size_t *n, struct diag *d);

/* 0: all that was read is still there, and nothing else has come: what was
 * read is what the folder held at one moment. -EAGAIN: it has changed. */
int trust_folder_unchanged(const struct trust_folder *f, struct diag *d);

#endif
