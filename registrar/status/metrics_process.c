/* SPDX-License-Identifier: Apache-2.0 */
/* The process itself, by the names that every exporter has for it. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <uv.h>

#include "registrar/status/metrics_inside.h"
#include "registrar/version.h"

void metrics_process_build(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	metrics_label(page, "version", DIALTONE_VERSION);
	metrics_label(page, "openssl", OpenSSL_version(OPENSSL_VERSION_STRING));
	metrics_label(page, "libuv", uv_version_string());
	metrics_label(page, "compiler", __VERSION__);
	metrics_value(page, 1);
}

void metrics_process_cpu(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	metrics_seconds(page,
		(uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000);
}

/* Linux says it from 6.2 on; before, its folder has to be read. */
static uint64_t descriptors(void)
{
	struct stat st;
	uint64_t n = 0;
	if (stat("/proc/self/fd", &st) == 0 && st.st_size > 0)
		return (uint64_t)st.st_size;
	DIR *folder = opendir("/proc/self/fd");
	if (!folder)
		return 0;
	for (struct dirent *e; (e = readdir(folder));)
		n += e->d_name[0] != '.';
	closedir(folder);
	return n > 0 ? n - 1 : 0; /* the folder itself was one */
}

void metrics_process_fds(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	metrics_value(page, descriptors());
}

void metrics_process_max_fds(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	struct rlimit limit = {0};
	getrlimit(RLIMIT_NOFILE, &limit);
	metrics_value(page, limit.rlim_cur);
}

void metrics_process_virtual(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	char text[128] = "";
	FILE *f = fopen("/proc/self/statm", "re");
	if (!f)
		return;
	if (fgets(text, sizeof(text), f))
		metrics_value(page, strtoull(text, NULL, 10) *
					    (uint64_t)sysconf(_SC_PAGESIZE));
	fclose(f);
}

static void put_store(struct metrics_page *page, const char *name, bool fails)
{
	metrics_label(page, "store", name);
	metrics_value(page, fails);
}

void metrics_process_stores(
	struct metrics_page *page, const struct metrics_seen *seen)
{
	put_store(page, "devices",
		inventory_fails(server_inventory(seen->server)));
	put_store(
		page, "certificates", leaves_fail(server_leaves(seen->server)));
}
