/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that seal session tickets: rotated, and shared through a file. */
#include "registrar/tls/ticket_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "registrar/memory.h"

enum {
	KEY_BYTES = sizeof(struct ticket_key),
	LINE_CHARS = (KEY_BYTES + 2) / 3 * 4,
	FILE_MAX = 64 * 1024,
	SEALS = TICKET_KEYS - 2, /* the last but one, as HAProxy has it */
};

struct ticket_keys {
	/* Whoever changes the keys holds `changing`, which may wait for a
	 * disk; phones wait for `lock`, which does not. */
	pthread_mutex_t changing, lock;
	char *path;			     /* NULL: in memory only */
	struct ticket_key keys[TICKET_KEYS]; /* oldest first */
	time_t rotated;
	struct timespec read; /* the file's change time when it was read */
};

static void make(struct ticket_key *key)
{
	if (RAND_bytes(key->name, sizeof(key->name)) != 1 ||
		RAND_priv_bytes(key->hmac, sizeof(key->hmac)) != 1 ||
		RAND_priv_bytes(key->aes, sizeof(key->aes)) != 1)
		abort(); /* law 2: no entropy */
}

/* ---- the file ---- */

static bool read_key(const char *line, size_t n, struct ticket_key *key)
{
	uint8_t raw[LINE_CHARS];
	/* 80 bytes are 108 characters with one '=' of padding. */
	if (n != LINE_CHARS || line[n - 1] != '=' || line[n - 2] == '=')
		return false;
	int got = EVP_DecodeBlock(raw, (const uint8_t *)line, LINE_CHARS);
	if (got == KEY_BYTES + 1)
		memcpy(key, raw, KEY_BYTES);
	OPENSSL_cleanse(raw, sizeof(raw));
	return got == KEY_BYTES + 1;
}

/* The last TICKET_KEYS lines of the text. */
static int parse(const char *path, const char *text,
	struct ticket_key keys[TICKET_KEYS], struct diag *d)
{
	size_t n = 0;
	int line = 0;
	for (size_t i = 0; i < TICKET_KEYS; i++)
		make(&keys[i]); /* whom no line replaces, nobody knows */
	for (const char *p = text; *p;) {
		size_t len = strcspn(p, "\n");
		size_t chars = len && p[len - 1] == '\r' ? len - 1 : len;
		struct ticket_key key;
		line++;
		if (chars && !read_key(p, chars, &key))
			return diag_set(d, -EINVAL,
				"%s:%d: not the base64 of %d bytes (name, "
				"HMAC key, AES-256 key)",
				path, line, KEY_BYTES);
		if (chars) {
			memmove(keys, keys + 1,
				(TICKET_KEYS - 1) * sizeof(*keys));
			keys[TICKET_KEYS - 1] = key;
			n++;
		}
		p += len + (p[len] == '\n');
	}
	if (n < TICKET_KEYS_LEAST)
		return diag_set(d, -EINVAL, "%s: holds %zu keys, needs %d",
			path, n, TICKET_KEYS_LEAST);
	return 0;
}

/* From here on these are the keys. */
static void use(struct ticket_keys *k,
	const struct ticket_key keys[TICKET_KEYS], time_t made)
{
	pthread_mutex_lock(&k->lock);
	memcpy(k->keys, keys, sizeof(k->keys));
	k->rotated = made;
	pthread_mutex_unlock(&k->lock);
}

static int read_open(struct ticket_keys *k, int fd, struct diag *d)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return diag_set(d, -errno, "%s: %s", k->path, strerror(errno));
	if (!S_ISREG(st.st_mode) || (st.st_mode & 077) || st.st_size > FILE_MAX)
		return diag_set(d, -EPERM,
			"%s: must be a small file that only its owner may "
			"read (chmod 600)",
			k->path);
	char *text = memory_zero(FILE_MAX + 1);
	struct ticket_key keys[TICKET_KEYS];
	ssize_t n = read(fd, text, FILE_MAX);
	int error =
		n < 0 ? diag_set(d, -errno, "%s: %s", k->path, strerror(errno))
		      : parse(k->path, text, keys, d);
	if (error == 0) {
		use(k, keys, st.st_mtim.tv_sec);
		k->read = st.st_mtim;
	}
	OPENSSL_cleanse(text, FILE_MAX);
	OPENSSL_cleanse(keys, sizeof(keys));
	free(text);
	return error;
}

static int read_file(struct ticket_keys *k, struct diag *d)
{
	int fd = open(k->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return diag_set(d, -errno, "%s: %s", k->path, strerror(errno));
	int error = read_open(k, fd, d);
	close(fd);
	return error;
}

static int write_all(int fd, const char *text, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, text, n);
		if (put < 0 && errno != EINTR)
			return -errno;
		if (put > 0) {
			text += put;
			n -= (size_t)put;
		}
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* The new name of the file is on the disk, too. */
static int sync_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder =
		slash ? memory_format("%.*s", (int)(slash - path) + 1, path)
		      : memory_dup(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int error = fd < 0 || fsync(fd) < 0 ? -errno : 0;
	if (fd >= 0)
		close(fd);
	free(folder);
	return error;
}

/* Through a new file, so that a reader never sees half of it. Where the last
 * step fails, k->read differs from the file, which is then read again. */
static int write_file(struct ticket_keys *k,
	const struct ticket_key keys[TICKET_KEYS], struct diag *d)
{
	char text[TICKET_KEYS * (LINE_CHARS + 1) + 1];
	struct stat st = {0};
	char *fresh = memory_format("%s.new", k->path);
	size_t n = 0;
	for (size_t i = 0; i < TICKET_KEYS; i++) {
		n += (size_t)EVP_EncodeBlock((uint8_t *)text + n,
			(const uint8_t *)&keys[i], KEY_BYTES);
		text[n++] = '\n';
	}
	unlink(fresh);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int error = fd < 0 ? -errno : write_all(fd, text, n);
	if (error == 0 && fstat(fd, &st) < 0)
		error = -errno;
	if (fd >= 0)
		close(fd);
	if (error == 0 && rename(fresh, k->path) < 0)
		error = -errno;
	if (error == 0)
		error = sync_folder(k->path);
	if (error == 0)
		k->read = st.st_mtim;
	OPENSSL_cleanse(text, sizeof(text));
	free(fresh);
	if (error < 0)
		return diag_set(d, error, "%s: %s", k->path, strerror(-error));
	return 0;
}

/* ---- the keys ---- */

static int renew(struct ticket_keys *k, size_t n, struct diag *d)
{
	struct ticket_key keys[TICKET_KEYS];
	pthread_mutex_lock(&k->changing);
	memcpy(keys, k->keys + n, (TICKET_KEYS - n) * sizeof(*keys));
	for (size_t i = TICKET_KEYS - n; i < TICKET_KEYS; i++)
		make(&keys[i]);
	int error = k->path ? write_file(k, keys, d) : 0;
	if (error == 0)
		use(k, keys, time(NULL));
	pthread_mutex_unlock(&k->changing);
	OPENSSL_cleanse(keys, sizeof(keys));
	return error;
}

int ticket_keys_rotate(struct ticket_keys *k, struct diag *d)
{
	return renew(k, 1, d);
}

int ticket_keys_revoke_all(struct ticket_keys *k, struct diag *d)
{
	return renew(k, TICKET_KEYS, d);
}

int ticket_keys_open(const char *path, struct ticket_keys **out, struct diag *d)
{
	struct ticket_keys *k = memory_zero(sizeof(*k));
	int error;
	pthread_mutex_init(&k->changing, NULL);
	pthread_mutex_init(&k->lock, NULL);
	k->path = path && *path ? memory_dup(path) : NULL;
	if (k->path && access(k->path, F_OK) == 0)
		error = read_file(k, d);
	else
		error = ticket_keys_revoke_all(k, d);
	if (error < 0) {
		ticket_keys_free(k);
		return error;
	}
	*out = k;
	return 0;
}

void ticket_keys_free(struct ticket_keys *k)
{
	if (!k)
		return;
	pthread_mutex_destroy(&k->changing);
	pthread_mutex_destroy(&k->lock);
	free(k->path);
	OPENSSL_cleanse(k, sizeof(*k));
	free(k);
}

int ticket_keys_reload(struct ticket_keys *k, struct diag *d)
{
	struct stat st;
	int error = 0;
	pthread_mutex_lock(&k->changing);
	if (k->path && stat(k->path, &st) == 0 &&
		(st.st_mtim.tv_sec != k->read.tv_sec ||
			st.st_mtim.tv_nsec != k->read.tv_nsec))
		error = read_file(k, d);
	pthread_mutex_unlock(&k->changing);
	return error;
}

void ticket_keys_seal(struct ticket_keys *k, struct ticket_key *out)
{
	pthread_mutex_lock(&k->lock);
	*out = k->keys[SEALS];
	pthread_mutex_unlock(&k->lock);
}

bool ticket_keys_find(struct ticket_keys *k,
	const uint8_t name[TICKET_KEY_NAME], struct ticket_key *out, bool *old)
{
	bool found = false;
	pthread_mutex_lock(&k->lock);
	for (size_t i = 0; i < TICKET_KEYS && !found; i++) {
		found = memcmp(k->keys[i].name, name, TICKET_KEY_NAME) == 0;
		*old = i < SEALS;
		if (found)
			*out = k->keys[i];
	}
	pthread_mutex_unlock(&k->lock);
	return found;
}

struct ticket_keys_view ticket_keys_view(struct ticket_keys *k)
{
	struct ticket_keys_view view;
	pthread_mutex_lock(&k->lock);
	for (size_t i = 0; i < TICKET_KEYS; i++)
		snprintf(view.names[i], sizeof(view.names[i]),
			"%02x%02x%02x%02x", k->keys[i].name[0],
			k->keys[i].name[1], k->keys[i].name[2],
			k->keys[i].name[3]);
	view.rotated = k->rotated;
	view.seals = SEALS;
	view.path = k->path;
	pthread_mutex_unlock(&k->lock);
	return view;
}
