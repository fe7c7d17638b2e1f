/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes private keys; the contract stands in pem.h. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "certs/file.h"
#include "certs/must.h"
#include "certs/pem.h"

enum { KEY_FILE_MAX = 64 * 1024 };

/* Asked for a passphrase: notes that, and never asks anybody. */
static int no_passphrase(char *buffer, int size, int writing, void *asked)
{
	*(bool *)asked = true;
	return -1;
}

static bool more_keys(const char *data, size_t n)
{
	static const char WORD[] = "PRIVATE KEY-----";
	size_t lines = 0;
	const char *end = data + n;
	for (const char *p = data;; p += strlen(WORD), lines++) {
		p = memmem(p, (size_t)(end - p), WORD, strlen(WORD));
		if (!p)
			return lines > 2; /* BEGIN and END of one */
	}
}

int cert_key_read(const char *path, EVP_PKEY **out, struct diag *d)
{
	*out = NULL;
	char *data = NULL;
	size_t n = 0;
	int error = cert_file_read(path, KEY_FILE_MAX, &data, &n, d);
	if (error)
		return error;
	bool encrypted = false;
	bool many = more_keys(data, n);
	ERR_set_mark();
	BIO *bio = cert_must(BIO_new_mem_buf(data, (int)n));
	EVP_PKEY *key =
		PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &encrypted);
	BIO_free(bio);
	ERR_pop_to_mark();
	OPENSSL_cleanse(data, n);
	free(data);
	if (key && !many) {
		*out = key;
		return 0;
	}
	EVP_PKEY_free(key);
	return diag_set(d, -EINVAL, "%s: %s", path,
		many	    ? "more than one private key in it"
		: encrypted ? "the private key is encrypted; store it without "
			      "a passphrase, mode 0600"
			    : "no readable private key in it (PEM)");
}

int cert_key_write(const char *path, EVP_PKEY *key, struct diag *d)
{
	BIO *bio = cert_must(BIO_new(BIO_s_secmem()));
	if (PEM_write_bio_PKCS8PrivateKey(
		    bio, key, NULL, NULL, 0, NULL, NULL) != 1) {
		BIO_free(bio);
		return diag_set(
			d, -EINVAL, "%s: the key cannot be encoded", path);
	}
	char *text = NULL;
	long length = BIO_get_mem_data(bio, &text);
	int error = cert_file_write(path, 0600, text, (size_t)length, d);
	OPENSSL_cleanse(text, (size_t)length);
	BIO_free(bio);
	return error;
}
