/* SPDX-License-Identifier: Apache-2.0 */
/* The state folder: made if need be, private, and one process's at a time. */
#include "registrar/store/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registrar/memory.h"

struct folder {
	char *path;
	int lock; /* -1: not ours */
};

const char *folder_path(const struct folder *f)
{
	return f->path;
}

static int make_private(const char *path, struct diag *d)
{
	struct stat st;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return diag_set(d, -errno,
			"%s: %s: state.folder must name a folder in one that "
			"dialtoned may write to",
			path, strerror(errno));
	if (stat(path, &st) < 0)
		return diag_set(d, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return diag_set(d, -ENOTDIR,
			"%s: is no folder: move it away, or name another "
			"state.folder",
			path);
	if ((st.st_mode & 0077) && chmod(path, 0700) < 0)
		return diag_set(d, -errno,
			"%s: others may enter it, and dialtoned may not "
			"change that (%s): chown it to the user that "
			"dialtoned runs as",
			path, strerror(errno));
	return 0;
}

/* The kernel lets go of it however we die. */
static int take_lock(struct folder *f, struct diag *d)
{
	char *path = memory_format("%s/lock", f->path);
	f->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int error = 0;
	if (f->lock < 0)
		error = diag_set(d, -errno,
			"%s: %s: dialtoned must be able to write to "
			"state.folder",
			path, strerror(errno));
	else if (flock(f->lock, LOCK_EX | LOCK_NB) < 0)
		error = diag_set(d, -EBUSY,
			"%s: another dialtoned keeps its state in this "
			"folder: stop it, or name another state.folder",
			f->path);
	free(path);
	return error;
}

int folder_open(const char *path, struct folder **out, struct diag *d)
{
	struct folder *f = memory_zero(sizeof(*f));
	f->path = memory_dup(path);
	f->lock = -1;
	int error = make_private(path, d);
	if (error == 0)
		error = take_lock(f, d);
	if (error < 0) {
		folder_close(f);
		return error;
	}
	*out = f;
	return 0;
}

void folder_close(struct folder *f)
{
	if (!f)
		return;
	if (f->lock >= 0)
		close(f->lock);
	free(f->path);
	free(f);
}
