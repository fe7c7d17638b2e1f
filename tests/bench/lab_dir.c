/* SPDX-License-Identifier: Apache-2.0 */
/* A laboratory PKI in a fresh folder, made for one test program. */
#include "tests/bench/lab_dir.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "certs/lab.h"

enum { NAMES = 4, OPEN_MAX = 16 };

static char dir[PATH_MAX];

int lab_dir_make(void **state)
{
	struct diag d = {.text = ""};
	const char *build = getenv("DIALTONE_BUILD");
	snprintf(dir, sizeof(dir), "%s/bench-lab-XXXXXX", build ? build : ".");
	if (!mkdtemp(dir))
		return -1;
	int error = cert_lab_init(dir, "localhost", time(NULL), &d);
	if (error)
		fprintf(stderr, "%s\n", d.text);
	return error;
}

static int remove_one(const char *path, const struct stat *status, int type,
	struct FTW *where)
{
	return remove(path);
}

int lab_dir_remove(void **state)
{
	return nftw(dir, remove_one, OPEN_MAX, FTW_DEPTH | FTW_PHYS);
}

const char *lab_dir(void)
{
	return dir;
}

const char *lab_dir_file(const char *name)
{
	static char paths[NAMES][PATH_MAX + 64];
	static unsigned next;
	char *path = paths[next++ % NAMES];
	snprintf(path, sizeof(*paths), "%s/%s", dir, name);
	return path;
}
