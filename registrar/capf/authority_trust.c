/* SPDX-License-Identifier: Apache-2.0 */
/* CAPF's root in the trust folders: put there, taken out. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "certs/file.h"
#include "certs/pem.h"
#include "registrar/capf/authority.h"
#include "registrar/memory.h"
#include "registrar/reload.h"

/* How often that certificate stands in the list. */
static size_t count(const struct cert_list *list, const X509 *cert)
{
	size_t n = 0;
	for (size_t i = 0; i < list->n; i++)
		n += X509_cmp(list->cert[i], cert) == 0;
	return n;
}

/* ---- in ---- */

static int put(const struct capf_authority *a, const struct capf_root *root,
	const char *path, struct diag *d)
{
	X509 *cert = root->cert;
	struct diag why = {.rule = ""};
	int error = cert_pem_write(path, &cert, 1, &why);
	if (!error)
		return 0;
	return diag_set(d, error,
		"%s: dialtoned must be able to write there, or copy %s/%s.pem "
		"there yourself",
		why.text, capf_authority_folder(a), root->name);
}

static int publish_in(const struct capf_authority *a,
	const struct capf_root *root, const char *folder, struct diag *d)
{
	char *path = memory_format("%s/%s.pem", folder, root->name);
	struct cert_list list = {0};
	int error = 0;
	if (access(path, F_OK) < 0 && errno == ENOENT) {
		error = put(a, root, path, d);
	} else if (cert_pem_read(path, &list, NULL) < 0 ||
		   !count(&list, root->cert)) {
		error = diag_set(d, -EEXIST,
			"%s: is there with something else in it than CAPF's "
			"root: see what it is, and move it away",
			path);
	} else {
		error = cert_file_sync_folder(path);
	}
	cert_list_deinit(&list);
	free(path);
	return error;
}

/* ---- out ---- */

static int take_out(
	const struct capf_root *root, const char *path, struct diag *d)
{
	struct cert_list list;
	int error = 0;
	/* A file that cannot be read is trust's to complain of. */
	if (cert_pem_read(path, &list, NULL) < 0)
		return 0;
	size_t n = count(&list, root->cert);
	if (n && n < list.n)
		error = diag_set(d, -EEXIST,
			"%s: holds %s and other certificates: take it out of "
			"there by hand",
			path, root->name);
	else if (n && unlink(path) < 0 && errno != ENOENT)
		error = diag_set(d, -errno, "%s: %s: remove it by hand", path,
			strerror(errno));
	else if (n)
		error = cert_file_sync_folder(path);
	cert_list_deinit(&list);
	return error;
}

/* Under whatever name it is there: another one would have it believed all the
 * same. */
static int withdraw_from(const struct capf_authority *a,
	const struct capf_root *root, const char *folder, struct diag *d)
{
	int error = 0;
	DIR *there = opendir(folder);
	if (!there)
		return diag_set(d, -errno, "%s: %s", folder, strerror(errno));
	const struct dirent *entry = NULL;
	while (!error && (entry = readdir(there))) {
		if (entry->d_name[0] == '.')
			continue;
		char *path = memory_format("%s/%s", folder, entry->d_name);
		error = take_out(root, path, d);
		free(path);
	}
	closedir(there);
	return error;
}

/* ---- both stores ---- */

typedef int (*change_fn)(const struct capf_authority *a,
	const struct capf_root *root, const char *folder, struct diag *d);

static int in_each_store(const struct capf_authority *a,
	const struct capf_root *root, change_fn change, struct diag *d)
{
	const struct config *config = capf_authority_config(a);
	int error = 0;
	for (enum trust_store s = 0; !error && s < TRUST_STORES; s++) {
		const char *folder = trust_store_folder(config, s);
		if (*folder)
			error = change(a, root, folder, d);
	}
	return error;
}

int capf_authority_publish(
	struct capf_authority *a, const struct capf_root *root, struct diag *d)
{
	return in_each_store(a, root, publish_in, d);
}

int capf_authority_withdraw(
	struct capf_authority *a, const struct capf_root *root, struct diag *d)
{
	return in_each_store(a, root, withdraw_from, d);
}
