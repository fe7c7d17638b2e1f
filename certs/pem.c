/* SPDX-License-Identifier: Apache-2.0 */
/* Reads certificates out of PEM or DER, strictly: all of a file or nothing. */
#include "certs/pem.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "certs/file.h"
#include "certs/must.h"
#include "certs/rule.h"

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

/* Does the value that opens here say that it goes on behind the end? */
static bool is_cut(const unsigned char *der, size_t n)
{
	uint64_t length = 0;
	if (der[0] != 0x30 || n < 2)
		return der[0] == 0x30;
	size_t digits = der[1] > 0x80 ? der[1] & 0x7fU : 0;
	if (digits > 4 || n < 2 + digits)
		return digits <= 4;
	for (size_t i = 0; i < digits; i++)
		length = length << 8 | der[2 + i];
	return length > n - 2 - digits;
}

/* One certificate from the front of der; *used is its length. NULL and *rule
 * when there is none, or when its bytes are not the DER of what they say. */
static X509 *take_der(
	const unsigned char *der, size_t n, size_t *used, enum cert_rule *rule)
{
	*rule = looks_like_key(der, n) ? CERT_RULE_PRIVATE_KEY
				       : CERT_RULE_DAMAGED;
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
		*rule = CERT_RULE_NOT_DER;
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

static int refuse(struct reader *r, int line, enum cert_rule rule)
{
	return cert_rule_refuse(r->d, rule, -EINVAL, r->name, line, "");
}

static int refuse_trailing(struct reader *r, int line, size_t n)
{
	char detail[40];
	snprintf(detail, sizeof(detail), "%zu of them", n);
	return cert_rule_refuse(
		r->d, CERT_RULE_TRAILING_BYTES, -EINVAL, r->name, line, detail);
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
		return refuse(r, r->line.number, CERT_RULE_DAMAGED_BEGIN);
	if (line_has(&r->label, "PRIVATE KEY"))
		return refuse(r, r->line.number, CERT_RULE_PRIVATE_KEY);
	if (!line_is(&r->label, "CERTIFICATE") &&
		!line_is(&r->label, "X509 CERTIFICATE")) {
		char detail[LABEL_SHOWN + 1];
		snprintf(detail, sizeof(detail), "%.*s", (int)r->label.n,
			r->label.p);
		return cert_rule_refuse(r->d, CERT_RULE_OTHER_PEM, -EINVAL,
			r->name, r->line.number, detail);
	}
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
			return refuse(r, r->line.number, CERT_RULE_BAD_BASE64);
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
		return refuse(r, r->line.number, CERT_RULE_DAMAGED_END);
	if (label.n != r->label.n || memcmp(label.p, r->label.p, label.n) != 0)
		return refuse(r, r->line.number, CERT_RULE_WRONG_END);
	if (!r->digits)
		return refuse(r, r->label.number, CERT_RULE_EMPTY_BLOCK);
	if (r->digits % 4 || r->pads > 2)
		return refuse(r, r->line.number, CERT_RULE_SHORT_BASE64);
	size_t n = r->n_der - r->pads;
	size_t used = 0;
	enum cert_rule rule;
	X509 *cert = take_der(r->der, n, &used, &rule);
	if (!cert)
		return refuse(r, r->label.number, rule);
	if (used != n) {
		X509_free(cert);
		return refuse_trailing(r, r->label.number, n - used);
	}
	if (append(r->out, cert, r->label.number))
		return cert_rule_refuse(r->d, CERT_RULE_CROWDED_FILE, -E2BIG,
			r->name, r->label.number, "");
	r->in_block = false;
	return 0;
}

/* Is this the last line, and does it break off inside a block or on the way
 * into one? */
static bool breaks_off(const struct reader *r)
{
	size_t n = r->line.n;
	if (r->p != r->end || r->end[-1] == '\n')
		return false;
	if (r->in_block)
		return !label_of(&r->line, END).n;
	if (line_has(&r->line, "-----BEGIN"))
		return !label_of(&r->line, BEGIN).n;
	return n && n < strlen(BEGIN) && !memcmp(r->line.p, BEGIN, n);
}

static int pem_line(struct reader *r)
{
	bool begin = line_has(&r->line, "-----BEGIN");
	bool end = line_has(&r->line, "-----END");
	if (breaks_off(r))
		return refuse(r, r->in_block ? r->label.number : r->line.number,
			CERT_RULE_HALF_WRITTEN);
	if (!r->in_block)
		return begin ? begin_block(r)
		       : end ? refuse(r, r->line.number, CERT_RULE_END_ALONE)
			     : 0;
	if (begin)
		return refuse(r, r->label.number, CERT_RULE_NO_END);
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
		return refuse(r, r->label.number, CERT_RULE_HALF_WRITTEN);
	return r->out->n ? 0 : refuse(r, 0, CERT_RULE_NO_CERTIFICATE);
}

static int parse_der(struct reader *r)
{
	const unsigned char *start = (const unsigned char *)r->p;
	const unsigned char *end = (const unsigned char *)r->end;
	for (const unsigned char *p = start; p < end;) {
		size_t used = 0;
		enum cert_rule rule;
		size_t left = (size_t)(end - p);
		X509 *cert = take_der(p, left, &used, &rule);
		if (!cert && rule != CERT_RULE_PRIVATE_KEY && is_cut(p, left))
			return refuse(r, 0, CERT_RULE_HALF_WRITTEN);
		if (!cert && r->out->n)
			return refuse_trailing(r, 0, left);
		if (!cert)
			return refuse(r, 0, rule);
		if (append(r->out, cert, 0))
			return cert_rule_refuse(r->d, CERT_RULE_CROWDED_FILE,
				-E2BIG, r->name, 0, "");
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
	if (n > CERT_FILE_MAX)
		return cert_rule_refuse(
			d, CERT_RULE_OVERSIZED, -E2BIG, name, 0, "");
	if (!n)
		return cert_rule_refuse(
			d, CERT_RULE_EMPTY_FILE, -EINVAL, name, 0, "");
	struct reader r = {
		.name = name,
		.p = data,
		.end = (const char *)data + n,
		.out = out,
		.d = d,
	};
	if (n >= 2 &&
		(!memcmp(data, "\xff\xfe", 2) || !memcmp(data, "\xfe\xff", 2)))
		return cert_rule_refuse(
			d, CERT_RULE_UTF_16, -EINVAL, name, 0, "");
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
