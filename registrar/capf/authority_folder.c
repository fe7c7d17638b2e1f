/* SPDX-License-Identifier: Apache-2.0 */
/* The files of CAPF's roots: what lies in the folder, and what it means. */
#include "registrar/capf/authority_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certs/file.h"
#include "certs/lsc.h"
#include "certs/pem.h"
#include "registrar/memory.h"

enum { SIGNING_MAX = 2 * (CERT_NAME_MAX + 1), NAMES_MAX = 64 };

static int fault(struct diag *d, int error, const char *path)
{
	return diag_set(d, error, "%s: %s", path, strerror(-error));
}

static char *path_of(const char *folder, const char *name, const char *suffix)
{
	return memory_format("%s/%s%s", folder, name, suffix);
}

/* ---- the folder ---- */

static int make_private(const char *path, struct diag *d)
{
	struct stat st;
	bool made = mkdir(path, 0700) == 0;
	if (!made && errno != EEXIST)
		return diag_set(d, -errno,
			"%s: %s: capf.folder must name a folder in one that "
			"dialtoned may write to",
			path, strerror(errno));
	if (made) {
		int error = cert_file_sync_folder(path);
		return error ? fault(d, error, path) : 0;
	}
	if (stat(path, &st) < 0)
		return fault(d, -errno, path);
	if (!S_ISDIR(st.st_mode))
		return diag_set(d, -ENOTDIR,
			"%s: is no folder: move it away, or name another "
			"capf.folder",
			path);
	if ((st.st_mode & 0077) && chmod(path, 0700) < 0)
		return diag_set(d, -errno,
			"%s: others may enter it, and dialtoned may not "
			"change that (%s): chown it to the user that "
			"dialtoned runs as",
			path, strerror(errno));
	return 0;
}

static int zero(int fd)
{
	static const char nothing[4096];
	struct stat st;
	off_t left = fstat(fd, &st) == 0 ? st.st_size : 0;
	ssize_t got = 1;
	while (left > 0 && got > 0) {
		off_t n = left < (off_t)sizeof(nothing)
				  ? left
				  : (off_t)sizeof(nothing);
		got = write(fd, nothing, (size_t)n);
		left -= got;
	}
	return fsync(fd);
}

/* Nobody can read it afterwards, not even off the disk's blocks, as far as the
 * file system writes in place. */
static int destroy(const char *path, struct diag *d)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0) {
		zero(fd);
		close(fd);
	}
	if (unlink(path) < 0 && errno != ENOENT)
		return fault(d, -errno, path);
	int error = cert_file_sync_folder(path);
	return error ? fault(d, error, path) : 0;
}

/* Under a hidden name first, for half of it gone must not look like a key. */
static int destroy_key(const char *folder, const char *name, struct diag *d)
{
	char *key = path_of(folder, name, ".key");
	char *hidden = memory_format("%s/.%s.key.gone", folder, name);
	int error = 0;
	if (rename(key, hidden) < 0 && errno != ENOENT)
		error = fault(d, -errno, key);
	if (!error)
		error = destroy(hidden, d);
	free(hidden);
	free(key);
	return error;
}

int capf_folder_open(const char *folder, struct diag *d)
{
	int error = make_private(folder, d);
	DIR *there = error ? NULL : opendir(folder);
	if (!there)
		return error ? error : fault(d, -errno, folder);
	const struct dirent *entry = NULL;
	/* What a kill left of a file may be half a key. */
	while (!error && (entry = readdir(there)))
		if (strncmp(entry->d_name, ".CAPF-", 6) == 0 ||
			strncmp(entry->d_name, ".signing.", 9) == 0) {
			char *path = path_of(folder, entry->d_name, "");
			error = destroy(path, d);
			free(path);
		}
	closedir(there);
	return error;
}

/* ---- one root ---- */

static void root_deinit(struct capf_root *root)
{
	X509_free(root->cert);
	EVP_PKEY_free(root->key);
}

static int read_cert(const char *path, X509 **out, struct diag *d)
{
	struct cert_list list;
	int error = cert_pem_read(path, &list, d);
	if (error)
		return error;
	if (list.n == 1) {
		X509_up_ref(list.cert[0]);
		*out = list.cert[0];
	} else {
		error = diag_set(d, -EINVAL,
			"%s: %zu certificates, and a root is one: take the "
			"others out",
			path, list.n);
	}
	cert_list_deinit(&list);
	return error;
}

static int read_key(const char *path, EVP_PKEY **out, struct diag *d)
{
	struct stat st;
	if (stat(path, &st) < 0)
		return fault(d, -errno, path);
	if (st.st_mode & 0077)
		return diag_set(d, -EPERM,
			"%s: others may read this key (mode %04o): chmod 600 "
			"it, and replace the root if somebody did (dialtone "
			"rollover)",
			path, (unsigned)(st.st_mode & 07777));
	return cert_key_read(path, out, d);
}

static int check_root(struct capf_root *root, const char *path, struct diag *d)
{
	struct diag why = {.rule = ""};
	cert_identity_read(root->cert, &root->id);
	if (strcmp(root->id.cn, root->name) != 0)
		return diag_set(d, -EINVAL,
			"%s: its CN is \"%s\", and the file must be named "
			"after it",
			path, root->id.cn);
	if (cert_capf_check(root->cert, root->key, &why) < 0)
		return diag_refuse(
			d, why.rule, -EINVAL, "%s: %s", path, why.text);
	return 0;
}

static int read_root(const char *folder, const char *name,
	struct capf_root *root, struct diag *d)
{
	char *pem = path_of(folder, name, ".pem");
	char *key = path_of(folder, name, ".key");
	snprintf(root->name, sizeof(root->name), "%s", name);
	int error = read_cert(pem, &root->cert, d);
	if (!error)
		error = read_key(key, &root->key, d);
	if (!error)
		error = check_root(root, pem, d);
	free(pem);
	free(key);
	return error;
}

/* ---- what `signing` says ---- */

struct names {
	char signing[CERT_NAME_MAX + 1]; /* "": it is not there */
	char old[CERT_NAME_MAX + 1];
};

static bool is_name(const char *name)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz0123456789._-");
	return n && n <= CERT_NAME_MAX && !name[n] && name[0] != '.';
}

/* Cuts a line off; NULL: it does not end. */
static char *take_line(char **text)
{
	char *line = *text;
	char *end = strchr(line, '\n');
	if (!end)
		return NULL;
	*end = '\0';
	*text = end + 1;
	return line;
}

static bool parse_signing(char *text, struct names *names)
{
	const char *signing = take_line(&text);
	const char *old = signing ? take_line(&text) : NULL;
	if (!old || *text || !is_name(signing) || (*old && !is_name(old)) ||
		strcmp(signing, old) == 0)
		return false;
	snprintf(names->signing, sizeof(names->signing), "%s", signing);
	snprintf(names->old, sizeof(names->old), "%s", old);
	return true;
}

static int read_signing(const char *folder, struct names *names, struct diag *d)
{
	char text[SIGNING_MAX + 1];
	char *data = NULL;
	size_t n = 0;
	char *path = path_of(folder, "signing", "");
	int error = cert_file_read(path, SIGNING_MAX, &data, &n, d);
	if (error == -ENOENT) {
		error = 0;
	} else if (!error) {
		snprintf(text, sizeof(text), "%.*s", (int)n, data);
		if (strlen(text) != n || !parse_signing(text, names))
			error = diag_set(d, -EINVAL,
				"%s: must be two lines: the name of the root "
				"that signs, and of the one before it or "
				"nothing",
				path);
	}
	free(data);
	free(path);
	return error;
}

int capf_folder_sign_with(
	const char *folder, const char *name, const char *old, struct diag *d)
{
	char *path = path_of(folder, "signing", "");
	char *text = memory_format("%s\n%s\n", name, old ? old : "");
	int error = cert_file_write(path, 0600, text, strlen(text), d);
	free(text);
	free(path);
	return error;
}

/* ---- changes ---- */

int capf_folder_put(const char *folder, X509 *cert, EVP_PKEY *key,
	const char *name, struct diag *d)
{
	char *pem = path_of(folder, name, ".pem");
	char *path = path_of(folder, name, ".key");
	int error = cert_pem_write(pem, &cert, 1, d);
	if (!error)
		error = cert_key_write(path, key, d);
	free(pem);
	free(path);
	return error;
}

int capf_folder_remove(const char *folder, const char *name, struct diag *d)
{
	char *pem = path_of(folder, name, ".pem");
	int error = destroy_key(folder, name, d);
	if (!error && unlink(pem) < 0 && errno != ENOENT)
		error = fault(d, -errno, pem);
	if (!error) {
		error = cert_file_sync_folder(pem);
		if (error)
			fault(d, error, pem);
	}
	free(pem);
	return error;
}

int capf_folder_keep_retired(
	const char *folder, const struct capf_root *root, struct diag *d)
{
	X509 *cert = root->cert;
	char *retired = path_of(folder, "retired", "");
	char *pem = path_of(retired, root->name, ".pem");
	int error = make_private(retired, d);
	if (!error)
		error = cert_pem_write(pem, &cert, 1, d);
	free(pem);
	free(retired);
	return error;
}

/* ---- all of it ---- */

static bool exists(const char *folder, const char *name, const char *suffix)
{
	char *path = path_of(folder, name, suffix);
	bool there = access(path, F_OK) == 0;
	free(path);
	return there;
}

static bool is_retired(const char *folder, const char *name)
{
	char *retired = path_of(folder, "retired", "");
	bool there = exists(retired, name, ".pem");
	free(retired);
	return there;
}

/* The names of NAME.pem that `signing` does not have. */
static int list_others(const char *folder, const struct names *names,
	char others[NAMES_MAX][CERT_NAME_MAX + 1], size_t *n, struct diag *d)
{
	int error = 0;
	DIR *there = opendir(folder);
	if (!there)
		return fault(d, -errno, folder);
	const struct dirent *entry = NULL;
	while (!error && (entry = readdir(there))) {
		char name[CERT_NAME_MAX + 1];
		size_t length = strlen(entry->d_name);
		if (length < 5 || strcmp(entry->d_name + length - 4, ".pem"))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(length - 4),
			entry->d_name);
		if (!is_name(name) || strcmp(name, names->signing) == 0 ||
			strcmp(name, names->old) == 0)
			continue;
		if (*n == NAMES_MAX)
			error = diag_set(d, -E2BIG,
				"%s: more than %d certificates, and at most "
				"three are roots of CAPF: move the others away",
				folder, NAMES_MAX);
		else
			snprintf(others[(*n)++], CERT_NAME_MAX + 1, "%s", name);
	}
	closedir(there);
	return error;
}

/* Of those, the one that is a root; who is retired goes. */
static int find_next(const char *folder, const struct names *names,
	char next[CERT_NAME_MAX + 1], struct diag *d)
{
	char others[NAMES_MAX][CERT_NAME_MAX + 1];
	size_t n = 0;
	*next = '\0';
	int error = list_others(folder, names, others, &n, d);
	for (size_t i = 0; !error && i < n; i++) {
		if (is_retired(folder, others[i]))
			error = capf_folder_remove(folder, others[i], d);
		else if (!exists(folder, others[i], ".key"))
			continue;
		else if (*next)
			error = diag_set(d, -EINVAL,
				"%s: %s and %s are both roots, and the file "
				"`signing` names neither: move one away",
				folder, next, others[i]);
		else
			snprintf(next, CERT_NAME_MAX + 1, "%s", others[i]);
	}
	return error;
}

static int lost(const char *folder, const char *name, struct diag *d)
{
	return diag_set(d, -ENOENT,
		"%s: the file `signing` names %s, and %s.pem or %s.key is not "
		"there: bring both back from a backup (a folder without "
		"`signing` and roots gets a new root, which phones have to be "
		"told of)",
		folder, name, name, name);
}

static int read_named(const char *folder, const char *name, bool must,
	struct capf_root *root, struct diag *d)
{
	if (!*name)
		return 0;
	if (must && (!exists(folder, name, ".pem") ||
			    !exists(folder, name, ".key")))
		return lost(folder, name, d);
	return read_root(folder, name, root, d);
}

int capf_folder_load(
	const char *folder, struct capf_roots **out, struct diag *d)
{
	struct names names = {0};
	char next[CERT_NAME_MAX + 1];
	struct capf_roots *roots = memory_zero(sizeof(*roots));
	roots->refs = 1;
	int error = read_signing(folder, &names, d);
	if (!error)
		error = read_named(
			folder, names.signing, true, &roots->signing, d);
	if (!error)
		error = read_named(folder, names.old, true, &roots->old, d);
	if (!error)
		error = find_next(folder, &names, next, d);
	if (!error)
		error = read_named(folder, next, false, &roots->next, d);
	*out = error ? NULL : roots;
	if (error)
		capf_roots_unref(roots);
	return error;
}

void capf_roots_unref(struct capf_roots *roots)
{
	if (!roots || __atomic_sub_fetch(&roots->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	root_deinit(&roots->signing);
	root_deinit(&roots->old);
	root_deinit(&roots->next);
	free(roots);
}

const struct capf_root *capf_roots_tls(const struct capf_roots *roots)
{
	return roots->old.cert ? &roots->old : &roots->signing;
}
