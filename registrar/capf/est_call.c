/* SPDX-License-Identifier: Apache-2.0 */
/* One request to an EST server: what curl is told, and what came of it. */
#include "registrar/capf/est_call.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>

#include "certs/pem.h"
#include "certs/text.h"
#include "registrar/capf/est_answer.h"
#include "registrar/memory.h"

enum { HEADERS_MAX = 16 << 10, REQUEST_MAX = 64 << 10 };

static const char well_known[] = "/.well-known/est";

/* ---- settings ---- */

/* The names of EST's operations (RFC 7030, 3.2.2), which no label may have. */
static const char *const operations[] = {"cacerts", "simpleenroll",
	"simplereenroll", "fullcmc", "serverkeygen", "csrattrs"};

/* "", "/", or the well-known path, perhaps with one label behind it. */
static bool is_path(const char *path)
{
	size_t n = strlen(well_known);
	if (strcmp(path, "/") == 0)
		return true;
	if (strncmp(path, well_known, n) != 0)
		return false;
	path += n;
	if (!*path || strcmp(path, "/") == 0)
		return true;
	if (*path++ != '/' || !*path || strchr(path, '/'))
		return false;
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (strcmp(path, operations[i]) == 0)
			return false;
	return true;
}

/* A part of it; "" when it is not there. The caller frees. */
static char *part_of(CURLU *url, CURLUPart part)
{
	char *text = NULL;
	char *copy = memory_dup(
		curl_url_get(url, part, &text, 0) == CURLUE_OK ? text : "");
	curl_free(text);
	return copy;
}

static bool has(CURLU *url, CURLUPart part)
{
	char *text = part_of(url, part);
	bool there = *text != '\0';
	free(text);
	return there;
}

/* scheme://host[:port] and the path of simpleenroll; NULL: it is no such URL */
static char *complete(CURLU *url)
{
	char *scheme = part_of(url, CURLUPART_SCHEME);
	char *path = part_of(url, CURLUPART_PATH);
	char *out = NULL;
	bool good = strcmp(scheme, "https") == 0 && is_path(path) &&
		    !has(url, CURLUPART_USER) &&
		    !has(url, CURLUPART_PASSWORD) &&
		    !has(url, CURLUPART_QUERY) && !has(url, CURLUPART_FRAGMENT);
	if (good) {
		const char *root = strcmp(path, "/") == 0 ? well_known : path;
		char *longer = memory_format("%s%ssimpleenroll", root,
			root[strlen(root) - 1] == '/' ? "" : "/");
		curl_url_set(url, CURLUPART_PATH, longer, 0);
		free(longer);
		out = part_of(url, CURLUPART_URL);
	}
	free(scheme);
	free(path);
	return out;
}

static int read_url(const char *text, char **out, struct diag *d)
{
	CURLU *url = curl_url();
	if (!url)
		abort(); /* law 2: no memory */
	*out = curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK
		       ? complete(url)
		       : NULL;
	curl_url_cleanup(url);
	return *out ? 0
		    : diag_set(d, -EINVAL,
			      "capf.est_url is \"%s\": it must be "
			      "https://host[:port][%s[/label]], without a "
			      "password, and end before simpleenroll",
			      text, well_known);
}

static int read_certificate(
	const char *key, const char *path, X509 **first, struct diag *d)
{
	struct cert_list list = {0};
	if (!*path)
		return diag_set(d, -EINVAL,
			"%s is empty: with capf.issuer \"est\" it names a PEM "
			"file",
			key);
	int error = cert_pem_read(path, &list, d);
	if (error)
		return error;
	if (first) {
		*first = list.cert[0];
		X509_up_ref(*first);
	}
	cert_list_deinit(&list);
	return 0;
}

static int read_files(const struct est_settings *s, struct diag *d)
{
	X509 *cert = NULL;
	EVP_PKEY *key = NULL;
	int error = read_certificate("capf.est_ca", s->ca, NULL, d);
	if (!error)
		error = read_certificate(
			"capf.est_certificate", s->certificate, &cert, d);
	if (!error && !*s->key)
		error = diag_set(d, -EINVAL,
			"capf.est_key is empty: with capf.issuer \"est\" it "
			"names the PEM file of capf.est_certificate's key");
	if (!error)
		error = cert_key_read(s->key, &key, d);
	ERR_set_mark();
	if (!error && X509_check_private_key(cert, key) != 1)
		error = diag_set(d, -EINVAL,
			"%s: is not the key of the first certificate in %s",
			s->key, s->certificate);
	ERR_pop_to_mark();
	X509_free(cert);
	EVP_PKEY_free(key);
	return error;
}

int est_settings_read(
	const struct config *config, struct est_settings *out, struct diag *d)
{
	*out = (struct est_settings){
		.ca = config->capf_est_ca,
		.certificate = config->capf_est_certificate,
		.key = config->capf_est_key,
		.ms = (long)config->capf_est_ms,
	};
	int error = read_url(config->capf_est_url, &out->url, d);
	return error ? error : read_files(out, d);
}

void est_settings_deinit(struct est_settings *s)
{
	free(s->url);
	s->url = NULL;
}

/* ---- the request ---- */

struct est_call {
	CURL *easy;
	struct curl_slist *headers;
	char *request; /* base64 */
	EVP_PKEY *key; /* the phone's */
	const char *url;
	long ms;	  /* capf.est_ms, for people */
	size_t n_headers; /* bytes */
	const char *too_long;
	uint8_t *body;
	size_t n;
	char error[CURL_ERROR_SIZE];
};

static size_t on_header(char *data, size_t size, size_t count, void *self)
{
	struct est_call *c = self;
	c->n_headers += size * count;
	if (c->n_headers <= HEADERS_MAX)
		return size * count;
	c->too_long = "header is longer than 16 KiB";
	return 0;
}

static size_t on_body(char *data, size_t size, size_t count, void *self)
{
	struct est_call *c = self;
	size_t n = size * count;
	if (c->n + n > EST_BODY_MAX) {
		c->too_long = "body is longer than 64 KiB";
		return 0;
	}
	if (!c->body)
		c->body = memory_zero(EST_BODY_MAX);
	memcpy(c->body + c->n, data, n);
	c->n += n;
	return n;
}

/* It speaks to the one server, by TLS, and to nobody else. */
static void set_peer(CURL *easy, const struct est_settings *s)
{
	curl_easy_setopt(easy, CURLOPT_URL, s->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(
		easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(
		easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_CAINFO, s->ca);
	/* The system's CAs are no part of this. */
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSLCERT, s->certificate);
	curl_easy_setopt(easy, CURLOPT_SSLKEY, s->key);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	/* Nobody who ends waits for a resolver. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
}

static void set_request(struct est_call *c)
{
	static const char *const lines[] = {"Content-Type: application/pkcs10",
		"Content-Transfer-Encoding: base64",
		"Accept: application/pkcs7-mime, text/plain", "Expect:"};
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		c->headers = curl_slist_append(c->headers, lines[i]);
		if (!c->headers)
			abort(); /* law 2: no memory */
	}
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
	curl_easy_setopt(c->easy, CURLOPT_POSTFIELDS, c->request);
	curl_easy_setopt(c->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		(curl_off_t)strlen(c->request));
	curl_easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c->easy, CURLOPT_HEADERDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, c->error);
}

static EVP_PKEY *key_of(const uint8_t *request, size_t n)
{
	const uint8_t *at = request;
	if (n > REQUEST_MAX)
		return NULL;
	ERR_set_mark();
	X509_REQ *req = d2i_X509_REQ(NULL, &at, (long)n);
	EVP_PKEY *key =
		req && at == request + n ? X509_REQ_get_pubkey(req) : NULL;
	X509_REQ_free(req);
	ERR_pop_to_mark();
	return key;
}

struct est_call *est_call_new(
	const struct est_settings *s, const uint8_t *request, size_t n)
{
	EVP_PKEY *key = key_of(request, n);
	if (!key)
		return NULL;
	struct est_call *c = memory_zero(sizeof(*c));
	c->key = key;
	c->url = s->url;
	c->ms = s->ms;
	c->request = memory_zero(4 * ((n + 2) / 3) + 1);
	EVP_EncodeBlock((unsigned char *)c->request, request, (int)n);
	c->easy = curl_easy_init();
	if (!c->easy)
		abort(); /* law 2: no memory */
	set_peer(c->easy, s);
	set_request(c);
	return c;
}

void est_call_free(struct est_call *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->easy);
	curl_slist_free_all(c->headers);
	EVP_PKEY_free(c->key);
	free(c->request);
	free(c->body);
	free(c);
}

CURL *est_call_easy(struct est_call *c)
{
	return c->easy;
}

void est_call_limit(struct est_call *c, long ms)
{
	curl_easy_setopt(c->easy, CURLOPT_CONNECTTIMEOUT_MS, ms);
	curl_easy_setopt(c->easy, CURLOPT_TIMEOUT_MS, ms);
}

/* ---- what came of it ---- */

/* curl has one code for an alert and for a connection that broke; OpenSSL's
 * words for an alert are in its text. */
static bool is_alert(const struct est_call *c)
{
	return strstr(c->error, " alert ");
}

/* Is it TLS that said no, the server's or ours? */
static const char *cure_of_refusal(const struct est_call *c, CURLcode code)
{
	switch ((int)code) {
	case CURLE_PEER_FAILED_VERIFICATION:
		return "its certificate must name the host of capf.est_url and "
		       "be issued under capf.est_ca";
	case CURLE_SSL_CACERT_BADFILE:
		return "see capf.est_ca";
	case CURLE_SSL_CERTPROBLEM:
		return "see capf.est_certificate and capf.est_key";
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
		return is_alert(c) ? "its CA must know capf.est_certificate"
				   : NULL;
	default:
		return NULL;
	}
}

static void judge_failure(
	const struct est_call *c, CURLcode code, struct est_answer *out)
{
	char said[CURL_ERROR_SIZE];
	const char *why = *c->error ? c->error : curl_easy_strerror(code);
	const char *cure = cure_of_refusal(c, code);
	cert_text_clean(why, strlen(why), said, sizeof(said));
	*out = (struct est_answer){0};
	if (c->too_long)
		est_answer_set(out, EST_UNFIT,
			"the EST server's answer is unfit: its %s",
			c->too_long);
	else if (code == CURLE_OPERATION_TIMEDOUT)
		est_answer_set(out, EST_UNREACHABLE,
			"%s gave no answer within %ld ms (capf.est_ms)", c->url,
			c->ms);
	else if (cure)
		est_answer_set(out, EST_REFUSED, "TLS with %s failed: %s; %s",
			c->url, said, cure);
	else if (code == CURLE_WEIRD_SERVER_REPLY ||
		 code == CURLE_UNSUPPORTED_PROTOCOL ||
		 code == CURLE_BAD_CONTENT_ENCODING)
		est_answer_set(out, EST_UNFIT,
			"the EST server's answer is unfit: it is not HTTP/1.1: "
			"%s",
			said);
	else
		est_answer_set(out, EST_UNREACHABLE,
			"%s does not answer: %s; see that it runs and can be "
			"reached from here",
			c->url, said);
}

void est_call_judge(struct est_call *c, CURLcode code, struct est_answer *out)
{
	struct est_response r = {.body = c->body, .n = c->n};
	char *type = NULL;
	curl_off_t retry_s = 0;
	if (code != CURLE_OK) {
		judge_failure(c, code, out);
		return;
	}
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &r.status);
	curl_easy_getinfo(c->easy, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &retry_s);
	r.type = type;
	r.retry_s = retry_s > EST_RETRY_MAX_S ? EST_RETRY_MAX_S : (long)retry_s;
	est_answer_read(&r, c->key, out);
}
