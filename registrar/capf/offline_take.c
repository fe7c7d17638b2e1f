/* SPDX-License-Identifier: Apache-2.0 */
/* What a CA outside signed, out of the folder `signed`. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include "certs/file.h"
#include "certs/pem.h"
#include "registrar/capf/offline_inside.h"
#include "registrar/log.h"
#include "registrar/memory.h"
#include "trust/folder.h"

enum {
	WHY_MAX = 4000,
	/* Beside the file lies NAME.why, and .NAME.why.XXXXXX for a moment. */
	KEPT_MAX = 200,
	KEPT_OF_LONG = 180,
};

/* Why a file is refused: a line for each of its certificates. */
struct whys {
	char text[WHY_MAX];
	size_t n, refused, taken;
};

static void add_why(struct whys *w, const char *why)
{
	int n = snprintf(w->text + w->n, sizeof(w->text) - w->n, "%s%.600s",
		w->n ? "\n" : "", why);
	w->refused++;
	if (n > 0 && w->n + (size_t)n < sizeof(w->text))
		w->n += (size_t)n;
}

/* Is it the certificate's, and not the world's or ours? */
static bool is_no(int error)
{
	return error == -ENOENT || error == -EPERM || error == -EINVAL;
}

/* Then the desk says no to every certificate. */
static bool is_halted(const struct capf_offline *o)
{
	struct capf_desk_state state = capf_desk_state(o->desk);
	return *state.halted;
}

static void tell(enum log_event event, const struct trust_folder_file *file,
	const char *device, const char *why)
{
	struct log_line line;
	log_begin(&line, event);
	log_str(&line, "device", device);
	log_str(&line, "file", file->path);
	log_str(&line, "why", why);
	log_end(&line);
}

/* ---- one file ---- */

/* CAs put their own certificate beside what they signed: where there is
 * something else in the file, that is no fault. */
static bool is_company(const struct cert_list *list, X509 *cert)
{
	return list->n > 1 && X509_check_ca(cert) == 1;
}

static int import(struct capf_offline *o, const struct trust_folder_file *file,
	const struct cert_list *list, struct whys *w, struct diag *d)
{
	for (size_t i = 0; i < list->n; i++) {
		char device[CERT_DEVICE_MAX + 1];
		struct diag why = {.text = ""};
		if (is_company(list, list->cert[i]))
			continue;
		int error = capf_offline_import(
			o->desk, &o->by, list->cert[i], device, &why);
		if (error && (!is_no(error) || is_halted(o)))
			return diag_set(
				d, error, "%s: %.400s", file->path, why.text);
		if (error) {
			add_why(w, why.text);
			continue;
		}
		w->taken++;
		tell(LOG_EV_CAPF_IMPORTED, file, device, "");
	}
	if (w->taken == 0 && w->refused == 0)
		add_why(w, "there are none but CAs' certificates in it: put "
			   "the phones' here");
	return 0;
}

/* What is wrong with the file stands in w. -errno with d: it stays, and is
 * looked at again. */
static int read_file(struct capf_offline *o, struct trust_folder *f, size_t i,
	struct whys *w, struct diag *d)
{
	char *data = NULL;
	size_t n = 0;
	struct cert_list list = {0};
	struct diag why = {.text = ""};
	int error = trust_folder_read(f, i, CERT_FILE_MAX, &data, &n, &why);
	if (error == -EAGAIN || error == -EIO || error == -EMFILE ||
		error == -ENFILE)
		return diag_set(d, error, "%.500s", why.text);
	if (!error)
		error = cert_pem_parse(data, n, f->file[i].path, &list, &why);
	if (data)
		OPENSSL_cleanse(data, n); /* perhaps a key, by mistake */
	free(data);
	if (error) {
		add_why(w, why.text);
		return 0;
	}
	error = import(o, &f->file[i], &list, w, d);
	cert_list_deinit(&list);
	return error;
}

/* ---- where it goes ---- */

/* The name that it has there: its own, unless that leaves no room. */
static void name_there(const char *name, char out[NAME_MAX + 1])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	if (strlen(name) <= KEPT_MAX) {
		snprintf(out, NAME_MAX + 1, "%s", name);
		return;
	}
	SHA256((const uint8_t *)name, strlen(name), hash);
	snprintf(out, NAME_MAX + 1, "%.*s~%02x%02x%02x%02x", KEPT_OF_LONG, name,
		hash[0], hash[1], hash[2], hash[3]);
}

static int write_why(struct capf_offline *o, const char *name,
	const struct whys *w, struct diag *d)
{
	char at[21];
	cert_time_text(time(NULL), at);
	char *path = memory_format("%s/%s.why", o->refused, name);
	char *text = memory_format(
		"Refused at %s%s:\n%s\n\nOnce that is put right, move %s back "
		"into %s.\n",
		at, w->taken ? " (other certificates in it were taken)" : "",
		w->text, name, o->signed_in);
	int error = cert_file_write(path, 0640, text, strlen(text), d);
	free(text);
	free(path);
	return error;
}

/* Has nobody put another one there since it was read? What was not read at
 * all, as it may not be, may go, too. */
static bool is_same(const struct trust_folder *f, size_t i)
{
	struct stat now;
	const struct stat *read = &f->file[i].read;
	if (read->st_ino == 0)
		return true;
	return fstatat(f->fd, f->file[i].name, &now, 0) == 0 &&
	       now.st_ino == read->st_ino && now.st_dev == read->st_dev &&
	       now.st_size == read->st_size &&
	       now.st_mtim.tv_sec == read->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == read->st_mtim.tv_nsec;
}

static int move_to(const char *folder, const struct trust_folder *f, size_t i,
	struct diag *d)
{
	const char *name = f->file[i].name;
	char there[NAME_MAX + 1];
	name_there(name, there);
	int to = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int error = to < 0 || renameat(f->fd, name, to, there) ? -errno : 0;
	if (!error && fsync(to) && errno != EINVAL)
		error = -errno;
	if (to >= 0)
		close(to);
	return error ? diag_set(d, error, "%s: cannot be moved to %s: %s",
			       f->file[i].path, folder, strerror(-error))
		     : 0;
}

static int put_away(struct capf_offline *o, const struct trust_folder *f,
	size_t i, const struct whys *w, struct diag *d)
{
	char name[NAME_MAX + 1];
	name_there(f->file[i].name, name);
	if (!is_same(f, i))
		return diag_set(d, -EAGAIN, "%s: has changed", f->file[i].path);
	if (w->refused == 0) {
		char *why = memory_format("%s/%s.why", o->refused, name);
		unlink(why); /* of an earlier try */
		free(why);
		return move_to(o->done, f, i, d);
	}
	tell(LOG_EV_CAPF_IMPORT_REFUSED, &f->file[i], "", w->text);
	int error = write_why(o, name, w, d);
	return error ? error : move_to(o->refused, f, i, d);
}

static int take_file(struct capf_offline *o, struct trust_folder *f, size_t i,
	struct diag *d)
{
	struct whys w = {.n = 0};
	struct stat st;
	if (fstatat(f->fd, f->file[i].name, &st, AT_SYMLINK_NOFOLLOW) ||
		S_ISDIR(st.st_mode))
		return 0; /* gone, or no file */
	int error = read_file(o, f, i, &w, d);
	return error ? error : put_away(o, f, i, &w, d);
}

/* All are tried, whatever becomes of one; the first fault counts, and one that
 * is more than being written counts most. */
static int take_all(
	struct capf_offline *o, struct trust_folder *f, struct diag *d)
{
	int first = 0;
	for (size_t i = 0; i < f->n; i++) {
		struct diag e = {.text = ""};
		int error = take_file(o, f, i, &e);
		if (error && (!first || first == -EAGAIN)) {
			first = error;
			*d = e;
		}
	}
	return first;
}

int capf_offline_take(struct capf_offline *o, struct diag *d)
{
	struct trust_folder f;
	struct capf_desk_state state = capf_desk_state(o->desk);
	int error = trust_folder_open(&f, o->signed_in, time(NULL), d);
	if (error == -E2BIG)
		return diag_set(d, error,
			"%s: more than %d files in it: move some away until "
			"the others are taken, or put up to %d certificates "
			"into one",
			o->signed_in, TRUST_FOLDER_FILES_MAX, CERT_LIST_MAX);
	if (error)
		return error;
	if (f.n && *state.halted)
		error = diag_set(d, -EBUSY,
			"%s: stays as it is while nothing is issued: %.300s",
			o->signed_in, state.halted);
	else
		error = take_all(o, &f, d);
	trust_folder_close(&f);
	return error;
}
