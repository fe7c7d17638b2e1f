/* SPDX-License-Identifier: Apache-2.0 */
/* Reads certificates out of PEM or DER, strictly: all of a file or nothing. */
#include "certs/pem.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "certs/file.h"
#include "certs/must.h"

static const char BEGIN[] = "-----BEGIN ";
static const char END[] = "-----END ";
static const char DASHES[] = "-----";

enum { LABEL_SHOWN = 40 }; /* of a block's type, in a message */

struct line {
	const char *p;
	size_t n; /* without its end and the blanks before that */
	int number;
};

/* A walk over the lines of a file, and the block it is in. */
struct reader {
	const char *name;
	const char *p;
	const char *end;
	struct line line;
	bool in_block;
	struct line label;  /* of the open block */
	unsigned char *der; /* what the block holds so far */
	size_t n_der;
	uint32_t bits; /* base64 digits not yet worth a byte */
	size_t digits;
	size_t pads;
	struct cert_list *out;
	struct diag *d;
};

/* Whether these bytes, a whole DER value, open with a tag a key opens with. */
static bool looks_like_key(const unsigned char *der, size_t n)
{
	size_t head = n > 1 && der[1] > 0x80 ? 2 + (der[1] & 0x7fU) : 2;
	return n > head && der[0] == 0x30 && der[head] == 0x02;
}

/* One certificate from the front of der; *used is its length. NULL and *why
 * when there is none, or when its bytes are not the DER of what they say. */
static X509 *take_der(
	const unsigned char *der, size_t n, size_t *used, const char **why)
{
	*why = "not a certificate, or a damaged one";
	if (looks_like_key(der, n))
		*why = "a private key, which must not be here: remove it, and "
		       "replace it if others could read this file";
	const unsigned char *p = der;
	ERR_set_mark();
	X509 *cert = n > LONG_MAX ? NULL : d2i_X509(NULL, &p, (long)n);
	*used = (size_t)(p - der);
	unsigned char *again = NULL;
	int length = cert ? i2d_X509(cert, &again) : -1;
	ERR_pop_to_mark();
	bool same = length > 0 && (size_t)length == *used &&
		    !memcmp(again, der, *used);
	OPENSSL_free(again);
	if (same)
		return cert;
	if (cert)
		*why = "a certificate that is not DER encoded";
	X509_free(cert);
	return NULL;
}

static int append(struct cert_list *out, X509 *cert, int line)
{
	if (out->n == CERT_LIST_MAX) {
		X509_free(cert);
		return -E2BIG;
	}
	size_t n = out->n + 1;
	out->cert = cert_must(realloc(out->cert, n * sizeof(X509 *)));
	out->line = cert_must(realloc(out->line, n * sizeof(int)));
	out->cert[out->n] = cert;
	out->line[out->n] = line;
	out->n = n;
	return 0;
}

static int refuse(struct reader *r, int line, const char *why)
{
	return diag_set(r->d, -EINVAL, "%s:%d: %s", r->name, line, why);
}

static bool next_line(struct reader *r)
{
	if (r->p == r->end)
		return false;
	const char *start = r->p;
	const char *stop = memchr(start, '\n', (size_t)(r->end - start));
	r->p = stop ? stop + 1 : r->end;
	stop = stop ? stop : r->end;
	while (stop > start && strchr("\r\t ", stop[-1]) && stop[-1])
		stop--;
	r->line.p = start;
	r->line.n = (size_t)(stop - start);
	r->line.number++;
	return true;
}

static bool line_has(const struct line *line, const char *text)
{
	return memmem(line->p, line->n, text, strlen(text)) != NULL;
}

static bool line_is(const struct line *line, const char *text)
{
	return line->n == strlen(text) && !memcmp(line->p, text, line->n);
}

/* The label of "-----BEGIN label-----"; empty when it is not written so. */
static struct line label_of(const struct line *line, const char *opening)
{
	size_t before = strlen(opening), after = strlen(DASHES);
	struct line label = {.p = line->p, .number = line->number};
	if (line->n <= before + after ||
		memcmp(line->p, opening, before) != 0 ||
		memcmp(line->p + line->n - after, DASHES, after) != 0)
		return label;
	label.p += before;
	label.n = line->n - before - after;
	return label;
}

static int begin_block(struct reader *r)
{
	r->label = label_of(&r->line, BEGIN);
	if (!r->label.n)
		return refuse(r, r->line.number, "a damaged BEGIN line");
	if (line_has(&r->label, "PRIVATE KEY"))
		return refuse(r, r->line.number,
			"a private key, which must not be here: remove it, "
			"and replace it if others could read this file");
	if (!line_is(&r->label, "CERTIFICATE") &&
		!line_is(&r->label, "X509 CERTIFICATE"))
		return diag_set(r->d, -EINVAL,
			"%s:%d: a block of type %.*s, not CERTIFICATE", r->name,
			r->line.number,
			r->label.n < LABEL_SHOWN ? (int)r->label.n
						 : LABEL_SHOWN,
			r->label.p);
	r->n_der = r->digits = r->pads = 0;
	r->in_block = true;
	return 0;
}

static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static int base64_line(struct reader *r)
{
	for (size_t i = 0; i < r->line.n; i++) {
		char c = r->line.p[i];
		int value = c == '=' ? 0 : base64_digit(c);
		if (value < 0 || (c != '=' && r->pads))
			return refuse(r, r->line.number,
				"a character that is not base64");
		r->pads += c == '=';
		r->bits = r->bits << 6 | (uint32_t)value;
		if (++r->digits % 4)
			continue;
		r->der[r->n_der++] = (unsigned char)(r->bits >> 16);
		r->der[r->n_der++] = (unsigned char)(r->bits >> 8);
		r->der[r->n_der++] = (unsigned char)r->bits;
	}
	return 0;
}

static int end_block(struct reader *r)
{
	struct line label = label_of(&r->line, END);
	if (!label.n)
		return refuse(r, r->line.number, "a damaged END line");
	if (label.n != r->label.n || memcmp(label.p, r->label.p, label.n) != 0)
		return refuse(r, r->line.number,
			"an END line of another type than its BEGIN line");
	if (!r->digits)
		return refuse(r, r->label.number, "an empty block");
	if (r->digits % 4 || r->pads > 2)
		return refuse(r, r->line.number,
			"the base64 before this line is cut short");
	size_t n = r->n_der - r->pads;
	size_t used = 0;
	const char *why = NULL;
	X509 *cert = take_der(r->der, n, &used, &why);
	if (!cert)
		return refuse(r, r->label.number, why);
	if (used != n) {
		X509_free(cert);
		return diag_set(r->d, -EINVAL,
			"%s:%d: %zu bytes behind the certificate in its block",
			r->name, r->label.number, n - used);
	}
	if (append(r->out, cert, r->label.number))
		return diag_set(r->d, -E2BIG,
			"%s:%d: more than %d certificates in one file", r->name,
			r->label.number, CERT_LIST_MAX);
	r->in_block = false;
	return 0;
}

static int pem_line(struct reader *r)
{
	bool begin = line_has(&r->line, "-----BEGIN");
	bool end = line_has(&r->line, "-----END");
	if (!r->in_block)
		return begin ? begin_block(r)
		       : end ? refuse(r, r->line.number,
				       "an END line without a BEGIN line")
			     : 0;
	if (begin)
		return refuse(
			r, r->label.number, "a block without its END line");
	return end ? end_block(r) : base64_line(r);
}

static int parse_pem(struct reader *r)
{
	/* A digit is worth less than a byte: this holds any block. */
	r->der = cert_must(malloc((size_t)(r->end - r->p) + 3));
	int error = 0;
	while (!error && next_line(r))
		error = pem_line(r);
	free(r->der);
	if (error)
		return error;
	if (r->in_block)
		return refuse(
			r, r->label.number, "a block without its END line");
	if (!r->out->n)
		return diag_set(r->d, -EINVAL,
			"%s: no certificate in it (PEM or DER)", r->name);
	return 0;
}

static int parse_der(struct reader *r)
{
	const unsigned char *start = (const unsigned char *)r->p;
	const unsigned char *end = (const unsigned char *)r->end;
	for (const unsigned char *p = start; p < end;) {
		size_t used = 0;
		const char *why = NULL;
		size_t left = (size_t)(end - p);
		X509 *cert = take_der(p, left, &used, &why);
		if (!cert && r->out->n)
			return diag_set(r->d, -EINVAL,
				"%s: %zu bytes behind the last certificate",
				r->name, left);
		if (!cert)
			return diag_set(r->d, -EINVAL, "%s: %s", r->name, why);
		if (append(r->out, cert, 0))
			return diag_set(r->d, -E2BIG,
				"%s: more than %d certificates in one file",
				r->name, CERT_LIST_MAX);
		p += used;
	}
	return 0;
}

/* A certificate is longer than 127 bytes, so its DER opens with a long
 * length, which no text can. */
static bool is_der(const unsigned char *p, size_t n)
{
	return n > 1 && p[0] == 0x30 && p[1] >= 0x80;
}

int cert_pem_parse(const void *data, size_t n, const char *name,
	struct cert_list *out, struct diag *d)
{
	*out = (struct cert_list){0};
	data = n ? data : ""; /* no bytes may come without a pointer */
	if (n > CERT_FILE_MAX)
		return diag_set(d, -E2BIG, "%s: longer than %d bytes", name,
			CERT_FILE_MAX);
	struct reader r = {
		.name = name,
		.p = data,
		.end = (const char *)data + n,
		.out = out,
		.d = d,
	};
	if (n >= 2 &&
		(!memcmp(data, "\xff\xfe", 2) || !memcmp(data, "\xfe\xff", 2)))
		return diag_set(d, -EINVAL,
			"%s: UTF-16 text; save it as plain text", name);
	if (n >= 3 && !memcmp(data, "\xef\xbb\xbf", 3))
		r.p += 3;
	int error = is_der(data, n) ? parse_der(&r) : parse_pem(&r);
	if (error)
		cert_list_deinit(out);
	return error;
}

int cert_pem_read(const char *path, struct cert_list *out, struct diag *d)
{
	*out = (struct cert_list){0};
	char *data = NULL;
	size_t n = 0;
	int error = cert_file_read(path, CERT_FILE_MAX, &data, &n, d);
	if (error)
		return error;
	error = cert_pem_parse(data, n, path, out, d);
	/* It may have been a private key, laid here by mistake. */
	OPENSSL_cleanse(data, n);
	free(data);
	return error;
}

int cert_pem_text(
	X509 *const *certs, size_t n, char **text, size_t *length)
{
	BIO *bio = cert_must(BIO_new(BIO_s_mem()));
	int error = 0;
	for (size_t i = 0; !error && i < n; i++)
		if (PEM_write_bio_X509(bio, certs[i]) != 1)
			error = -EINVAL;
	char *data = NULL;
	*length = (size_t)BIO_get_mem_data(bio, &data);
	*text = error ? NULL
		      : cert_must(OPENSSL_memdup(data, *length));
	BIO_free(bio);
	return error;
}

int cert_pem_write(
	const char *path, X509 *const *certs, size_t n, struct diag *d)
{
	char *text;
	size_t length;
	int error = cert_pem_text(certs, n, &text, &length);
	if (error)
		return diag_set(d, error,
			"%s: a certificate in it cannot be encoded", path);
	error = cert_file_write(path, 0644, text, length, d);
	OPENSSL_free(text);
	return error;
}

void cert_list_deinit(struct cert_list *list)
{
	if (!list)
		return;
	for (size_t i = 0; i < list->n; i++)
		X509_free(list->cert[i]);
	free((void *)list->cert);
	free(list->line);
	*list = (struct cert_list){0};
}
