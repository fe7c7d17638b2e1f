/* SPDX-License-Identifier: Apache-2.0 */
/* What a phone keeps over power loss: certificates, keys, how it comes. */
#include "bench/flash.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <sys/stat.h>

#include "certs/file.h"
#include "certs/pem.h"

enum { MODE_FILE_MAX = 16 };

/* The path of a file of the folder. 0 or -ENAMETOOLONG with d set. */
static int path_of(const struct flash *f, const char *name, char path[PATH_MAX],
	struct diag *d)
{
	int n = snprintf(path, PATH_MAX, "%s/%s", f->dir, name);
	if (n < PATH_MAX)
		return 0;
	return diag_set(d, -ENAMETOOLONG, "%.80s…: path too long", f->dir);
}

static bool is_there(const char *path)
{
	return access(path, F_OK) == 0;
}

static bool is_key_of(EVP_PKEY *key, X509 *cert)
{
	bool its = key && X509_check_private_key(cert, key) == 1;
	ERR_clear_error();
	return its;
}

static void set_pending(struct flash *f, EVP_PKEY *key)
{
	EVP_PKEY_free(f->pending);
	f->pending = key;
}

/* ---- reading ---- */

static int read_mode(struct flash *f, struct diag *d)
{
	char path[PATH_MAX], *text;
	size_t n;
	int error = path_of(f, "mode", path, d);
	if (error || !is_there(path))
		return error;
	error = cert_file_read(path, MODE_FILE_MAX, &text, &n, d);
	if (error)
		return error;
	if (n == 2 && text[0] >= '1' && text[0] <= '4' && text[1] == '\n')
		f->mode = (enum flash_mode)(text[0] - '0');
	free(text);
	return f->mode != FLASH_MODE_NONE
		       ? 0
		       : diag_set(
				 d, -EINVAL, "%s: no number from 1 to 4", path);
}

static int read_pending(struct flash *f, struct diag *d)
{
	char path[PATH_MAX];
	int error = path_of(f, "pending.key", path, d);
	if (error || !is_there(path))
		return error;
	return cert_key_read(path, &f->pending, d);
}

static int read_mic(struct flash *f, struct diag *d)
{
	char path[PATH_MAX];
	int error = path_of(f, "mic.pem", path, d);
	if (error || !is_there(path))
		return error;
	return credential_read(CREDENTIAL_MIC, path, NULL, &f->mic, d);
}

/* The pending key becomes the LSC's: the second half of flash_keep_lsc(). */
static int settle(struct flash *f, struct diag *d)
{
	char from[PATH_MAX], to[PATH_MAX];
	int error = path_of(f, "pending.key", from, d);
	if (!error)
		error = path_of(f, "lsc.key", to, d);
	return error ? error : cert_file_keep(from, to, d);
}

/* Power was lost when the LSC was there, and its key still the pending one. */
static int settle_late(struct flash *f, const char *cert, struct diag *d)
{
	struct cert_list list = {0};
	int error = cert_pem_read(cert, &list, d);
	if (error)
		return error;
	if (is_key_of(f->pending, list.cert[0])) {
		error = settle(f, d);
		if (!error)
			set_pending(f, NULL);
	}
	cert_list_deinit(&list);
	return error;
}

static int read_lsc(struct flash *f, struct diag *d)
{
	char path[PATH_MAX];
	int error = path_of(f, "lsc.pem", path, d);
	if (error || !is_there(path))
		return error;
	if (f->pending)
		error = settle_late(f, path, d);
	if (error)
		return error;
	return credential_read(CREDENTIAL_LSC, path, NULL, &f->lsc, d);
}

int flash_open(struct flash *f, const char *dir, struct diag *d)
{
	*f = (struct flash){.dir = dir};
	if (!dir)
		return 0;
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return diag_set(d, -errno, "%s: %s", dir, strerror(errno));
	int error = read_mode(f, d);
	if (!error)
		error = read_pending(f, d);
	if (!error)
		error = read_mic(f, d);
	if (!error)
		error = read_lsc(f, d);
	if (error)
		flash_close(f);
	return error;
}

void flash_close(struct flash *f)
{
	credential_deinit(&f->lsc);
	credential_deinit(&f->mic);
	EVP_PKEY_free(f->pending);
	*f = (struct flash){0};
}

const struct credential *flash_shown(const struct flash *f)
{
	return f->lsc.cert ? &f->lsc : &f->mic;
}

/* ---- writing ---- */

/* The key first: a certificate that is there has its key. */
static int write_pair(
	struct flash *f, const struct credential *c, struct diag *d)
{
	bool lsc = c->kind == CREDENTIAL_LSC;
	char cert[PATH_MAX], key[PATH_MAX];
	X509 *all[1 + CERT_LIST_MAX] = {c->cert};
	size_t n = 1;
	for (int i = 0; i < sk_X509_num(c->chain) && n <= CERT_LIST_MAX; i++)
		all[n++] = sk_X509_value(c->chain, i);
	int error = path_of(f, lsc ? "lsc.pem" : "mic.pem", cert, d);
	if (!error)
		error = path_of(f, lsc ? "lsc.key" : "mic.key", key, d);
	if (!error)
		error = cert_key_write(key, c->key, d);
	return error ? error : cert_pem_write(cert, all, n, d);
}

int flash_fill(struct flash *f, struct credential *c, struct diag *d)
{
	if (!c->cert)
		return 0;
	int error = f->dir ? write_pair(f, c, d) : 0;
	if (error)
		return error;
	struct credential *to = c->kind == CREDENTIAL_LSC ? &f->lsc : &f->mic;
	credential_deinit(to);
	*to = *c;
	*c = (struct credential){0};
	return 0;
}

int flash_keep_mode(struct flash *f, enum flash_mode mode, struct diag *d)
{
	char path[PATH_MAX];
	const char text[] = {(char)('0' + mode), '\n'};
	int error = f->dir ? path_of(f, "mode", path, d) : 0;
	if (!error && f->dir)
		error = cert_file_write(path, 0600, text, sizeof(text), d);
	if (!error)
		f->mode = mode;
	return error;
}

int flash_keep_pending(struct flash *f, EVP_PKEY *key, struct diag *d)
{
	char path[PATH_MAX];
	int error = f->dir ? path_of(f, "pending.key", path, d) : 0;
	if (!error && f->dir)
		error = cert_key_write(path, key, d);
	if (error)
		return error;
	EVP_PKEY_up_ref(key);
	set_pending(f, key);
	return 0;
}

/* lsc.pem takes its place in one step, and from then on the LSC is the new
 * one: whose key is still called pending is settled now, or when the phone
 * starts. */
static int write_lsc(struct flash *f, X509 *cert, bool settles, struct diag *d)
{
	char path[PATH_MAX];
	int error = path_of(f, "lsc.pem", path, d);
	if (!error)
		error = cert_pem_write(path, &cert, 1, d);
	return !error && settles ? settle(f, d) : error;
}

int flash_keep_lsc(struct flash *f, X509 *cert, struct diag *d)
{
	bool pending = is_key_of(f->pending, cert);
	if (!pending && !is_key_of(f->lsc.key, cert))
		return diag_set(d, -EINVAL,
			"the LSC is for another key than this phone made");
	int error = f->dir ? write_lsc(f, cert, pending, d) : 0;
	if (error)
		return error;
	EVP_PKEY *key = pending ? f->pending : f->lsc.key;
	EVP_PKEY_up_ref(key);
	X509_up_ref(cert);
	credential_deinit(&f->lsc);
	f->lsc = (struct credential){
		.kind = CREDENTIAL_LSC, .cert = cert, .key = key};
	if (pending)
		set_pending(f, NULL);
	return 0;
}

static int remove_lsc(const struct flash *f, struct diag *d)
{
	char cert[PATH_MAX], key[PATH_MAX], gone[PATH_MAX];
	int error = path_of(f, "lsc.pem", cert, d);
	if (!error)
		error = path_of(f, "lsc.key", key, d);
	if (!error)
		error = path_of(f, ".lsc.gone", gone, d);
	if (error || !is_there(cert))
		return error;
	/* A renaming is on the disk when it has returned. */
	error = cert_file_keep(cert, gone, d);
	if (error)
		return error;
	unlink(gone);
	unlink(key);
	return 0;
}

int flash_erase_lsc(struct flash *f, struct diag *d)
{
	int error = f->dir ? remove_lsc(f, d) : 0;
	if (!error)
		credential_deinit(&f->lsc);
	return error;
}
