/* SPDX-License-Identifier: Apache-2.0 */
/* Plays every file of a corpus folder through a fuzz target, as TAP. */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Heap memory of exactly the file's length, so ASan sees each step past it. */
static uint8_t *read_whole(FILE *f, size_t *n)
{
	struct stat st;
	if (fstat(fileno(f), &st) || !S_ISREG(st.st_mode) ||
		st.st_size > INPUT_MAX)
		return NULL;
	*n = (size_t)st.st_size;
	uint8_t *data = malloc(*n ? *n : 1);
	if (!data || fread(data, 1, *n, f) == *n)
		return data;
	free(data);
	return NULL;
}

static int play(const char *folder, const char *name)
{
	char path[4096];
	int length = snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (length < 0 || (size_t)length >= sizeof(path))
		return -ENAMETOOLONG;
	FILE *f = fopen(path, "rb");
	if (!f)
		return -errno;
	size_t n = 0;
	uint8_t *data = read_whole(f, &n);
	(void)fclose(f);
	if (!data)
		return -EFBIG;
	(void)LLVMFuzzerTestOneInput(data, n);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent **entries = NULL;
	int n = argc == 2 ? scandir(argv[1], &entries, not_hidden, alphasort)
			  : -1;
	if (n <= 0) {
		printf("1..1\nnot ok 1 - corpus\n# %s\n",
			argc != 2 ? "usage: replay FOLDER"
			: n < 0	  ? strerror(errno)
				  : "the folder has no file");
		return 1;
	}
	printf("1..%d\n", n);
	int failed = 0;
	for (int i = 0; i < n; i++) {
		int status = play(argv[1], entries[i]->d_name);
		printf("%sok %d - %s\n", status ? "not " : "", i + 1,
			entries[i]->d_name);
		if (status)
			printf("# %s\n", strerror(-status));
		/* Said before the next input can crash us. */
		(void)fflush(stdout);
		failed += status != 0;
		free(entries[i]);
	}
	free(entries);
	return failed != 0;
}
