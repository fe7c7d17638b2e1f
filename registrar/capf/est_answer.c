/* SPDX-License-Identifier: Apache-2.0 */
/* What an EST server's answer to simpleenroll means (RFC 7030, 4.2.3). */
#include "registrar/capf/est_answer.h"

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <openssl/err.h>
#include <openssl/pkcs7.h>

#include "certs/text.h"
#include "registrar/memory.h"

enum { SAID_MAX = 200 }; /* of what a server says for people */

static const char pkcs7_type[] = "application/pkcs7-mime";

void est_answer_set(
	struct est_answer *out, enum est_result result, const char *format, ...)
{
	va_list args;
	out->result = result;
	va_start(args, format);
	vsnprintf(out->text, sizeof(out->text), format, args);
	va_end(args);
}

static void unfit(struct est_answer *out, const char *why)
{
	est_answer_set(out, EST_UNFIT,
		"the EST server's answer is unfit: %s; RFC 7030 wants a "
		"certs-only PKCS #7 in base64",
		why);
}

/* ---- Content-Type ---- */

static bool is_type(const char *said, const char *type)
{
	size_t n = strlen(type);
	return said && strncasecmp(said, type, n) == 0 &&
	       strchr("; \t", said[n]); /* its NUL, too */
}

/* smime-type may be left out, but says nothing else. */
static bool is_certs_only(const char *said)
{
	static const char KEY[] = "smime-type=";
	const char *at = strcasestr(said, KEY);
	if (!at)
		return true;
	at += strlen(KEY);
	at += *at == '"';
	return strncasecmp(at, "certs-only", 10) == 0 &&
	       strchr("\"; \t", at[10]);
}

/* ---- the body ---- */

/* Without white space; false when something else than base64 is in it. */
static bool squeeze(const struct est_response *r, char *out, size_t *n)
{
	size_t used = 0, padding = 0;
	for (size_t i = 0; i < r->n; i++) {
		char c = (char)r->body[i];
		if (c && strchr(" \t\r\n", c))
			continue;
		padding += c == '=';
		if (padding && (c != '=' || padding > 2))
			return false;
		out[used++] = c;
	}
	out[used] = '\0';
	*n = used;
	return used && used % 4 == 0;
}

/* The DER, malloc'ed; NULL: it is no base64. */
static uint8_t *decode(const struct est_response *r, size_t *n)
{
	size_t used = 0;
	int got = -1;
	char *text = memory_zero(r->n + 1);
	uint8_t *der = memory_zero(r->n + 1);
	if (squeeze(r, text, &used))
		got = EVP_DecodeBlock(
			der, (const unsigned char *)text, (int)used);
	if (got >= 0) /* which counts what padding stands for */
		got -= (used && text[used - 1] == '=') +
		       (used > 1 && text[used - 2] == '=');
	free(text);
	if (got > 0) {
		*n = (size_t)got;
		return der;
	}
	free(der);
	return NULL;
}

static PKCS7 *parse(const struct est_response *r, struct est_answer *out)
{
	size_t n = 0;
	uint8_t *der = decode(r, &n);
	if (!der) {
		unfit(out, "its body is no base64");
		return NULL;
	}
	const uint8_t *at = der;
	PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)n);
	bool whole = p7 && at == der + n;
	free(der);
	if (!p7)
		unfit(out, "its body is no PKCS #7");
	else if (!whole)
		unfit(out, "there are bytes behind its PKCS #7");
	else if (!PKCS7_type_is_signed(p7) || !p7->d.sign)
		unfit(out, "its PKCS #7 is of another kind than signed data");
	else if (sk_PKCS7_SIGNER_INFO_num(p7->d.sign->signer_info) > 0)
		unfit(out, "its PKCS #7 has signers, so it is not certs-only");
	else
		return p7;
	PKCS7_free(p7);
	return NULL;
}

/* The one whose key was to be certified; the others are its CAs. */
static void pick(STACK_OF(X509) * certs, EVP_PKEY *key, struct est_answer *out)
{
	X509 *found = NULL;
	int n = sk_X509_num(certs);
	if (n <= 0) {
		unfit(out, "its PKCS #7 has no certificate");
		return;
	}
	if (n > EST_CERTS_MAX) {
		unfit(out, "its PKCS #7 has more than 16 certificates");
		return;
	}
	for (int i = 0; i < n; i++) {
		X509 *cert = sk_X509_value(certs, i);
		EVP_PKEY *its = X509_get0_pubkey(cert);
		if (!its || EVP_PKEY_eq(its, key) != 1)
			continue;
		if (found) {
			unfit(out, "two certificates in it have the phone's "
				   "key");
			return;
		}
		found = cert;
	}
	if (!found) {
		unfit(out, "no certificate in it has the phone's key");
		return;
	}
	X509_up_ref(found);
	out->cert = found;
	est_answer_set(out, EST_OK, "%s", "");
}

static void read_certificates(
	const struct est_response *r, EVP_PKEY *key, struct est_answer *out)
{
	char said[SAID_MAX];
	if (!is_type(r->type, pkcs7_type) || !is_certs_only(r->type)) {
		const char *type = r->type ? r->type : "missing";
		cert_text_clean(type, strlen(type), said, sizeof(said));
		est_answer_set(out, EST_UNFIT,
			"the EST server's answer is unfit: its Content-Type "
			"is %s, not %s; smime-type=certs-only",
			said, pkcs7_type);
		return;
	}
	if (r->n == 0) {
		unfit(out, "its body is empty");
		return;
	}
	ERR_set_mark();
	PKCS7 *p7 = parse(r, out);
	if (p7)
		pick(p7->d.sign->cert, key, out);
	PKCS7_free(p7);
	ERR_pop_to_mark();
}

/* ---- the other answers ---- */

/* ": reason", if it is meant for people, on one line. */
static void reason(const struct est_response *r, char *out, size_t size)
{
	char said[SAID_MAX];
	size_t n = r->n;
	out[0] = '\0';
	if (!is_type(r->type, "text/plain"))
		return;
	while (n && strchr(" \t\r\n", r->body[n - 1]))
		n--;
	if (!n)
		return;
	cert_text_clean(r->body, n, said, sizeof(said));
	snprintf(out, size, ": \"%s\"", said);
}

/* What a CA stumbles over first; it has no status of its own. */
static const char no_proof[] =
	"its log says which rule of its own. If it misses the request's "
	"signature: the phone keeps its key, so there is none (RFC 5272, "
	"id-alg-noSignature); let the CA or RA take requests of "
	"capf.est_certificate without proof of possession";

static void later(const struct est_response *r, struct est_answer *out)
{
	long s = r->retry_s > 0 ? r->retry_s : EST_RETRY_S;
	s = s < EST_RETRY_MIN_S ? EST_RETRY_MIN_S : s;
	out->retry_s = s > EST_RETRY_MAX_S ? EST_RETRY_MAX_S : s;
	est_answer_set(out, EST_LATER,
		"the EST server has the request and will answer it later "
		"(202): it is asked again in %ld s",
		out->retry_s);
}

void est_answer_read(const struct est_response *response, EVP_PKEY *key,
	struct est_answer *out)
{
	const struct est_response *r = response;
	char why[SAID_MAX + 8];
	*out = (struct est_answer){.result = EST_UNFIT};
	reason(r, why, sizeof(why));
	if (r->status == 200)
		read_certificates(r, key, out);
	else if (r->status == 202)
		later(r, out);
	else if (r->status == 400)
		est_answer_set(out, EST_REFUSED,
			"the EST server refused the request with HTTP 400%s; "
			"%s",
			why, no_proof);
	else if (r->status >= 401 && r->status <= 499)
		est_answer_set(out, EST_REFUSED,
			"the EST server refused the request with HTTP %ld%s; "
			"its log says which rule of its own",
			r->status, why);
	else if (r->status >= 500 && r->status <= 599)
		est_answer_set(out, EST_UNREACHABLE,
			"the EST server failed with HTTP %ld%s; its log says "
			"why",
			r->status, why);
	else if (r->status >= 300 && r->status <= 399)
		est_answer_set(out, EST_UNFIT,
			"the EST server sends us elsewhere (HTTP %ld), which "
			"is not followed: write the right URL into "
			"capf.est_url",
			r->status);
	else
		est_answer_set(out, EST_UNFIT,
			"the EST server's answer is unfit: HTTP %ld, where "
			"200, 202, 4xx or 5xx was wanted",
			r->status);
}
