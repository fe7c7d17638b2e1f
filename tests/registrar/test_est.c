/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about asking an EST server: TLS, limits, time, and the end. */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <openssl/err.h>
#include <openssl/pkcs7.h>
#include <openssl/ssl.h>

#include "certs/pem.h"
#include "registrar/capf/est.h"
#include "registrar/memory.h"
#include "tests/certs/made.h"

enum {
	DAY_S = 86400,
	BIG = 100 << 10, /* above every limit of an answer */
	PROMPT_MS = 10000,
	NEVER_MS = 600000,
};

/* ---- certificates; TLS looks at the real clock ---- */

static char *folder;
static X509 *ca, *strange_ca, *phone;
static EVP_PKEY *phone_key;
static uint8_t *request;
static int request_n;

static X509 *issue(const struct cert_attribute *subject,
	const struct cert_extension *extensions, EVP_PKEY *key, X509 *issuer)
{
	time_t now = time(NULL);
	return made_cert((struct cert_order){.subject = subject,
		.extensions = extensions,
		.key = key,
		.issuer = issuer,
		.issuer_key = issuer ? made_key("rsa2048", 1) : NULL,
		.not_before = now - DAY_S,
		.not_after = now + DAY_S});
}

static X509 *make_ca(const char *cn, EVP_PKEY *key)
{
	const struct cert_attribute subject[] = {{"CN", cn}, {NULL, NULL}};
	const struct cert_extension extensions[] = {
		{"basicConstraints", "critical,CA:TRUE"},
		{"keyUsage", "critical,keyCertSign,cRLSign"}, {NULL, NULL}};
	return issue(subject, extensions, key, NULL);
}

static X509 *make_leaf(const char *cn, const char *names, EVP_PKEY *key)
{
	const struct cert_attribute subject[] = {{"CN", cn}, {NULL, NULL}};
	const struct cert_extension extensions[] = {
		{"basicConstraints", "critical,CA:FALSE"},
		{"subjectAltName", names}, {NULL, NULL}};
	return issue(subject, extensions, key, ca);
}

static void keep(const char *name, X509 *cert, EVP_PKEY *key)
{
	char file[32];
	made_pem(folder, name, cert);
	snprintf(file, sizeof(file), "%s.key", name);
	assert_int_equal(cert_key_write(made_path(folder, file), key, NULL), 0);
}

static void make_request(void)
{
	X509_REQ *req = X509_REQ_new();
	X509_REQ_set_pubkey(req, phone_key);
	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN",
		MBSTRING_ASC, (const unsigned char *)"SEP000000000001", -1, -1,
		0);
	assert_true(X509_REQ_sign(req, phone_key, EVP_sha256()) > 0);
	request_n = i2d_X509_REQ(req, &request);
	assert_true(request_n > 0);
	X509_REQ_free(req);
}

static int set_up(void **state)
{
	assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), CURLE_OK);
	folder = made_folder();
	ca = make_ca("Site CA", made_key("rsa2048", 1));
	strange_ca = make_ca("Strange CA", made_key("rsa2048", 2));
	phone_key = made_key("p256", 7);
	phone = make_leaf("SEP000000000001", "DNS:x", phone_key);
	made_pem(folder, "ca", ca);
	made_pem(folder, "strange-ca", strange_ca);
	X509 *cert = make_leaf("ra", "DNS:ra", made_key("rsa2048", 3));
	keep("rsa", cert, made_key("rsa2048", 3));
	X509_free(cert);
	cert = make_leaf("ra", "DNS:ra", made_key("p256", 3));
	keep("ec", cert, made_key("p256", 3));
	X509_free(cert);
	keep("strange", strange_ca, made_key("rsa2048", 2));
	make_request();
	return 0;
}

static int tear_down(void **state)
{
	X509_free(ca);
	X509_free(strange_ca);
	X509_free(phone);
	OPENSSL_free(request);
	made_folder_end(folder);
	curl_global_cleanup();
	return 0;
}

/* ---- a server of our own: a connection at a time, one answer each ---- */

struct server {
	int fd, port;
	bool plain;	    /* no TLS */
	bool silent;	    /* never an answer; the connection stays */
	const char *answer; /* NULL: hangs up instead */
	size_t n;
	char said[8192]; /* the last request */
	atomic_uint requests;
	atomic_bool stopping;
	SSL_CTX *ctx;
	X509 *cert;
	pthread_t thread;
};

static SSL_CTX *server_context(X509 *cert, int max_version)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca);
	SSL_CTX_set_verify(
		ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cipher_list(ctx, "DEFAULT:@SECLEVEL=0");
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, max_version);
	assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
	assert_int_equal(
		SSL_CTX_use_PrivateKey(ctx, made_key("rsa2048", 4)), 1);
	return ctx;
}

/* Until the other side goes, or the test ends. */
static void hold(struct server *s, int fd)
{
	char c;
	while (!s->stopping) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		if (poll(&p, 1, 20) > 0 && recv(fd, &c, 1, 0) <= 0)
			return;
	}
}

/* The whole of a request with its body. */
static bool hear(struct server *s, SSL *ssl)
{
	size_t n = 0;
	for (;;) {
		int got = SSL_read(
			ssl, s->said + n, (int)(sizeof(s->said) - 1 - n));
		if (got <= 0)
			return false;
		n += (size_t)got;
		s->said[n] = '\0';
		const char *length = strstr(s->said, "Content-Length: ");
		const char *body = strstr(s->said, "\r\n\r\n");
		if (length && body &&
			strlen(body + 4) >= strtoul(length + 16, NULL, 10))
			return true;
	}
}

static void serve_tls(struct server *s, int fd)
{
	SSL *ssl = SSL_new(s->ctx);
	SSL_set_fd(ssl, fd);
	if (SSL_accept(ssl) == 1 && hear(s, ssl)) {
		s->requests++;
		if (s->silent)
			hold(s, fd);
		else if (s->answer)
			SSL_write(ssl, s->answer, (int)s->n);
		SSL_shutdown(ssl);
	}
	SSL_free(ssl);
	/* A close with something unread would overtake the alert. */
	shutdown(fd, SHUT_WR);
	hold(s, fd);
}

static void *serve(void *self)
{
	struct server *s = self;
	while (!s->stopping) {
		struct pollfd p = {.fd = s->fd, .events = POLLIN};
		if (poll(&p, 1, 20) <= 0)
			continue;
		int fd = accept(s->fd, NULL, NULL);
		if (s->plain) {
			s->requests++;
			if (s->silent)
				hold(s, fd);
			else
				send(fd, s->answer, s->n, MSG_NOSIGNAL);
		} else {
			serve_tls(s, fd);
		}
		close(fd);
	}
	return NULL;
}

static void start(struct server *s, const char *names, int max_version)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	socklen_t n = sizeof(at);
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->cert = make_leaf("est", names, made_key("rsa2048", 4));
	s->ctx = server_context(s->cert, max_version);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(s->fd, 64), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &n), 0);
	s->port = ntohs(at.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void stop(struct server *s)
{
	s->stopping = true;
	pthread_join(s->thread, NULL);
	close(s->fd);
	SSL_CTX_free(s->ctx);
	X509_free(s->cert);
}

/* ---- what servers answer ---- */

static char *with_body(const char *head, const char *body)
{
	return memory_format("HTTP/1.1 %s\r\nContent-Length: %zu\r\n"
			     "Connection: close\r\n\r\n%s",
		head, strlen(body), body);
}

static char *good_answer(X509 *cert)
{
	uint8_t *der = NULL;
	PKCS7 *p7 = PKCS7_new();
	PKCS7_set_type(p7, NID_pkcs7_signed);
	PKCS7_content_new(p7, NID_pkcs7_data);
	PKCS7_add_certificate(p7, cert);
	int n = i2d_PKCS7(p7, &der);
	char *body = memory_zero(2 * (size_t)n + 8);
	EVP_EncodeBlock((unsigned char *)body, der, n);
	char *text = with_body("200 OK\r\nContent-Type: application/"
			       "pkcs7-mime; smime-type=certs-only",
		body);
	free(body);
	OPENSSL_free(der);
	PKCS7_free(p7);
	return text;
}

/* ---- asking ---- */

struct heard {
	pthread_mutex_t lock;
	pthread_cond_t news;
	unsigned n, ok; /* answers; of them, good ones */
	struct est_answer last;
	X509 *cert;
};
#define HEARD                                      \
	{                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER, \
		.news = PTHREAD_COND_INITIALIZER   \
	}

static void on_done(void *self, const struct est_answer *answer)
{
	struct heard *h = self;
	pthread_mutex_lock(&h->lock);
	h->n++;
	h->ok += answer->result == EST_OK;
	h->last = *answer;
	if (answer->cert && !h->cert) {
		X509_up_ref(answer->cert);
		h->cert = answer->cert;
	}
	pthread_cond_signal(&h->news);
	pthread_mutex_unlock(&h->lock);
}

static void wait_for(struct heard *h, unsigned n)
{
	pthread_mutex_lock(&h->lock);
	while (h->n < n)
		pthread_cond_wait(&h->news, &h->lock);
	pthread_mutex_unlock(&h->lock);
}

static struct config *config_for(const struct server *s, const char *client)
{
	struct config *c = memory_zero(sizeof(*c));
	c->capf_est_url = memory_format(
		"https://127.0.0.1:%d/.well-known/est/phones", s->port);
	c->capf_est_ca = memory_dup(made_path(folder, "ca"));
	c->capf_est_certificate = memory_dup(made_path(folder, client));
	c->capf_est_key = memory_format("%s.key", c->capf_est_certificate);
	c->capf_est_ms = NEVER_MS;
	return c;
}

static void free_config(struct config *c)
{
	free(c->capf_est_url);
	free(c->capf_est_ca);
	free(c->capf_est_certificate);
	free(c->capf_est_key);
	free(c);
}

static void swap(char **text, const char *other)
{
	free(*text);
	*text = memory_dup(other);
}

static struct est *open_est(const struct config *c)
{
	struct est *e;
	struct diag d = {.text = ""};
	if (est_open(c, &e, &d) < 0)
		fail_msg("%s", d.text);
	return e;
}

static int ask(struct est *e, struct heard *h)
{
	return est_enrol(e, request, (size_t)request_n, on_done, h);
}

/* One request with that configuration, which goes. */
static struct est_answer once(struct config *c, struct heard *h)
{
	struct est *e = open_est(c);
	assert_int_equal(ask(e, h), 0);
	wait_for(h, 1);
	est_close(e);
	free_config(c);
	assert_int_equal(h->n, 1);
	return h->last;
}

static void expect(
	struct est_answer a, enum est_result result, const char *part)
{
	if (a.result != result || !strstr(a.text, part))
		fail_msg("%d \"%s\", expected %d and \"%s\"", a.result, a.text,
			result, part);
}

/* The server's one answer, taken over and freed, and what it means. */
static void answers(
	char *text, size_t n, enum est_result result, const char *part)
{
	struct server s = {.answer = text, .n = n ? n : strlen(text)};
	struct heard h = HEARD;
	start(&s, "IP:127.0.0.1", TLS1_3_VERSION);
	expect(once(config_for(&s, "rsa"), &h), result, part);
	assert_null(h.cert);
	stop(&s);
	free(text);
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- facts ---- */

static void gets(const char *client, int version)
{
	char *text = good_answer(phone);
	struct server s = {.answer = text, .n = strlen(text)};
	struct heard h = HEARD;
	start(&s, "IP:127.0.0.1", version);
	expect(once(config_for(&s, client), &h), EST_OK, "");
	assert_int_equal(X509_cmp(h.cert, phone), 0);
	X509_free(h.cert);
	stop(&s);
	free(text);
}

static void gets_a_certificate_with_an_rsa_and_an_ec_client(void **state)
{
	gets("rsa", TLS1_3_VERSION);
	gets("ec", TLS1_3_VERSION);
	gets("rsa", TLS1_2_VERSION);
	gets("ec", TLS1_2_VERSION);
}

static void asks_as_rfc_7030_says(void **state)
{
	char *text = good_answer(phone);
	struct server s = {.answer = text, .n = strlen(text)};
	struct heard h = HEARD;
	char encoded[4096];
	start(&s, "IP:127.0.0.1", TLS1_3_VERSION);
	once(config_for(&s, "rsa"), &h);
	X509_free(h.cert);
	stop(&s);
	free(text);
	EVP_EncodeBlock((unsigned char *)encoded, request, request_n);
	static const char *const parts[] = {
		"POST /.well-known/est/phones/simpleenroll HTTP/1.1\r\n",
		"\r\nContent-Type: application/pkcs10\r\n",
		"\r\nContent-Transfer-Encoding: base64\r\n"};
	for (size_t i = 0; i < 3; i++)
		assert_non_null(strstr(s.said, parts[i]));
	assert_string_equal(strstr(s.said, "\r\n\r\n") + 4, encoded);
}

static void does_not_speak_tls_below_1_2(void **state)
{
	char *text = good_answer(phone);
	struct server s = {.answer = text, .n = strlen(text)};
	struct heard h = HEARD;
	start(&s, "IP:127.0.0.1", TLS1_1_VERSION);
	expect(once(config_for(&s, "rsa"), &h), EST_REFUSED, "TLS with");
	assert_int_equal(s.requests, 0);
	stop(&s);
	free(text);
}

static void refuses_a_server_of_another_name(void **state)
{
	struct server s = {.answer = "x", .n = 1};
	struct heard h = HEARD;
	start(&s, "DNS:elsewhere.example", TLS1_3_VERSION);
	expect(once(config_for(&s, "rsa"), &h), EST_REFUSED,
		"must name the host of capf.est_url");
	assert_int_equal(s.requests, 0);
	stop(&s);
}

static void refuses_a_server_of_another_ca(void **state)
{
	struct server s = {.answer = "x", .n = 1};
	struct heard h = HEARD;
	start(&s, "IP:127.0.0.1", TLS1_3_VERSION);
	struct config *c = config_for(&s, "rsa");
	swap(&c->capf_est_ca, made_path(folder, "strange-ca"));
	expect(once(c, &h), EST_REFUSED, "issued under capf.est_ca");
	assert_int_equal(s.requests, 0);
	stop(&s);
}

static void a_server_that_refuses_our_certificate_is_told_so(void **state)
{
	static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
	for (size_t i = 0; i < 2; i++) {
		struct server s = {.answer = "x", .n = 1};
		struct heard h = HEARD;
		start(&s, "IP:127.0.0.1", versions[i]);
		expect(once(config_for(&s, "strange"), &h), EST_REFUSED,
			"must know capf.est_certificate");
		assert_int_equal(s.requests, 0);
		stop(&s);
	}
}

static void a_server_without_tls_is_unreachable(void **state)
{
	struct server s = {
		.plain = true, .answer = "HTTP/1.1 200 OK\r\n\r\n", .n = 19};
	struct heard h = HEARD;
	start(&s, "IP:127.0.0.1", TLS1_3_VERSION);
	expect(once(config_for(&s, "rsa"), &h), EST_UNREACHABLE,
		"does not answer");
	stop(&s);
}

static void a_port_that_nobody_listens_on_is_unreachable(void **state)
{
	struct server s = {0};
	struct heard h = HEARD;
	start(&s, "IP:127.0.0.1", TLS1_3_VERSION);
	struct config *c = config_for(&s, "rsa");
	stop(&s);
	expect(once(c, &h), EST_UNREACHABLE, "does not answer");
}

static void a_server_that_hangs_up_is_unreachable(void **state)
{
	struct server s = {0};
	struct heard h = HEARD;
	start(&s, "IP:127.0.0.1", TLS1_3_VERSION);
	expect(once(config_for(&s, "rsa"), &h), EST_UNREACHABLE,
		"does not answer");
	stop(&s);
}

static void silent(bool plain)
{
	struct server s = {.silent = true, .plain = plain};
	struct heard h = HEARD;
	start(&s, "IP:127.0.0.1", TLS1_3_VERSION);
	struct config *c = config_for(&s, "rsa");
	c->capf_est_ms = 300;
	expect(once(c, &h), EST_UNREACHABLE, "capf.est_ms");
	stop(&s);
}

static void a_server_that_is_silent_has_its_time(void **state)
{
	silent(true);
	silent(false);
}

static void a_status_is_what_it_means(void **state)
{
	answers(with_body("400 Bad Request\r\nContent-Type: text/plain",
			"no such phone"),
		0, EST_REFUSED, "HTTP 400: \"no such phone\"");
	answers(with_body("503 Service Unavailable", ""), 0, EST_UNREACHABLE,
		"HTTP 503");
	answers(with_body("302 Found\r\nLocation: https://127.0.0.1:1/", ""), 0,
		EST_UNFIT, "not followed");
	answers(with_body("202 Accepted\r\nRetry-After: 77", ""), 0, EST_LATER,
		"77 s");
}

static void a_retry_after_may_be_a_date(void **state)
{
	char date[64];
	time_t later = time(NULL) + 1000;
	struct tm tm;
	gmtime_r(&later, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &tm);
	char *head = memory_format("202 Accepted\r\nRetry-After: %s", date);
	char *text = with_body(head, "");
	struct server s = {.answer = text, .n = strlen(text)};
	struct heard h = HEARD;
	start(&s, "IP:127.0.0.1", TLS1_3_VERSION);
	struct est_answer a = once(config_for(&s, "rsa"), &h);
	assert_int_equal(a.result, EST_LATER);
	assert_in_range(a.retry_s, 900, 1000);
	stop(&s);
	free(text);
	free(head);
}

static void what_is_no_http_is_no_answer(void **state)
{
	answers(memory_dup("+OK POP3 ready\r\n"), 0, EST_UNFIT, "not HTTP");
	answers(memory_dup("HTTP/1.1 200 OK\r\nContent-Len"), 0, EST_UNFIT,
		"Content-Type is missing");
	answers(memory_dup("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx"), 0,
		EST_UNREACHABLE, "does not answer");
	answers(memory_dup("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
			   "\r\n\r\nzz\r\n"),
		0, EST_UNREACHABLE, "does not answer");
}

static void an_answer_has_limits(void **state)
{
	char *big = memory_zero(BIG + 1);
	memset(big, 'A', BIG);
	answers(with_body(
			"200 OK\r\nContent-Type: application/pkcs7-mime", big),
		0, EST_UNFIT, "longer than 64 KiB");
	answers(memory_format("HTTP/1.1 200 OK\r\nContent-Type: application/"
			      "pkcs7-mime\r\n\r\n%s",
			big),
		0, EST_UNFIT, "longer than 64 KiB");
	memset(big + 20000, '\0', 1);
	answers(memory_format("HTTP/1.1 200 OK\r\nX: %s\r\n\r\n", big), 0,
		EST_UNFIT, "longer than 16 KiB");
	free(big);
}

static void many_at_once_all_get_their_answer(void **state)
{
	enum { MANY = 100 };
	char *text = good_answer(phone);
	struct server s = {.answer = text, .n = strlen(text)};
	struct heard h = HEARD;
	start(&s, "IP:127.0.0.1", TLS1_3_VERSION);
	struct config *c = config_for(&s, "ec");
	struct est *e = open_est(c);
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(ask(e, &h), 0);
	wait_for(&h, MANY);
	est_close(e);
	assert_int_equal(h.ok, MANY);
	assert_int_equal(s.requests, MANY);
	X509_free(h.cert);
	free_config(c);
	stop(&s);
	free(text);
}

/* Before the limit is reached, est may have taken some to the server. */
static void the_queue_has_a_limit(void **state)
{
	struct server s = {.silent = true};
	struct heard h = HEARD;
	unsigned taken = 0;
	start(&s, "IP:127.0.0.1", TLS1_3_VERSION);
	struct config *c = config_for(&s, "ec");
	struct est *e = open_est(c);
	while (taken < 1000 && ask(e, &h) == 0)
		taken++;
	assert_in_range(taken, 256, 260);
	assert_int_equal(ask(e, &h), -ENOBUFS);
	est_close(e);
	assert_int_equal(h.n, taken);
	free_config(c);
	stop(&s);
}

static void who_finds_no_turn_is_told_in_time(void **state)
{
	enum { MANY = 40, MS = 1000 };
	struct server s = {.silent = true};
	struct heard h = HEARD;
	start(&s, "IP:127.0.0.1", TLS1_3_VERSION);
	struct config *c = config_for(&s, "ec");
	c->capf_est_ms = MS;
	struct est *e = open_est(c);
	int64_t from = now_ms();
	for (unsigned i = 0; i < MANY; i++)
		assert_int_equal(ask(e, &h), 0);
	wait_for(&h, MANY);
	assert_true(now_ms() - from < (int64_t)MS * MANY / 4 - MS);
	expect(h.last, EST_UNREACHABLE, "capf.est_ms");
	est_close(e);
	free_config(c);
	stop(&s);
}

static void closing_ends_what_is_under_way_at_once(void **state)
{
	struct server s = {.silent = true};
	struct heard h = HEARD;
	start(&s, "IP:127.0.0.1", TLS1_3_VERSION);
	struct config *c = config_for(&s, "ec");
	struct est *e = open_est(c);
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(ask(e, &h), 0);
	while (s.requests == 0)
		sched_yield();
	int64_t from = now_ms();
	est_close(e);
	assert_true(now_ms() - from < PROMPT_MS);
	assert_int_equal(h.n, 9);
	assert_int_equal(h.ok, 0);
	expect(h.last, EST_UNREACHABLE, "the registrar ends");
	free_config(c);
	stop(&s);
}

static void what_is_no_request_is_not_sent(void **state)
{
	struct server s = {0};
	struct heard h = HEARD;
	start(&s, "IP:127.0.0.1", TLS1_3_VERSION);
	struct config *c = config_for(&s, "ec");
	struct est *e = open_est(c);
	assert_int_equal(
		est_enrol(e, (const uint8_t *)"x", 1, on_done, &h), -EINVAL);
	assert_int_equal(
		est_enrol(e, request, (size_t)request_n - 1, on_done, &h),
		-EINVAL);
	est_close(e);
	assert_int_equal(h.n, 0);
	free_config(c);
	stop(&s);
}

static void will_not_open(struct config *c, const char *part)
{
	struct est *e;
	struct diag d = {.text = ""};
	assert_true(est_open(c, &e, &d) < 0);
	assert_null(e);
	if (!strstr(d.text, part))
		fail_msg("\"%s\" does not say \"%s\"", d.text, part);
	free_config(c);
}

static void a_url_must_lead_to_est(void **state)
{
	static const char *const good[] = {"https://h", "https://h/",
		"https://h:1/.well-known/est", "https://h/.well-known/est/",
		"https://h/.well-known/est/label", "https://[::1]:1"};
	static const char *const bad[] = {"", "h", "http://h", "ftp://h",
		"https://", "https://h/x", "https://u:p@h", "https://u@h",
		"https://h/?q", "https://h/#f", "https://h:99999",
		"https://h/.well-known/est/a/b", "https://h/.well-known/estx",
		"https://h/.well-known/est/simpleenroll",
		"https://h/.well-known/est/cacerts"};
	const struct server s = {0};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct config *c = config_for(&s, "rsa");
		swap(&c->capf_est_url, good[i]);
		est_close(open_est(c));
		free_config(c);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config *c = config_for(&s, "rsa");
		swap(&c->capf_est_url, bad[i]);
		will_not_open(c, "capf.est_url");
	}
}

static void files_that_are_of_no_use_are_named(void **state)
{
	const struct server s = {0};
	struct config *c = config_for(&s, "rsa");
	swap(&c->capf_est_ca, "");
	will_not_open(c, "capf.est_ca is empty");
	c = config_for(&s, "rsa");
	swap(&c->capf_est_certificate, "");
	will_not_open(c, "capf.est_certificate is empty");
	c = config_for(&s, "rsa");
	swap(&c->capf_est_key, "");
	will_not_open(c, "capf.est_key is empty");
	c = config_for(&s, "rsa");
	swap(&c->capf_est_key, made_path(folder, "ec.key"));
	will_not_open(c, "is not the key of");
	c = config_for(&s, "rsa");
	swap(&c->capf_est_ca, made_path(folder, "nowhere"));
	will_not_open(c, "nowhere: No such file");
	c = config_for(&s, "rsa");
	swap(&c->capf_est_key, made_path(folder, "rsa"));
	will_not_open(c, "no readable private key");
}

static void closing_nothing_is_fine(void **state)
{
	est_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			gets_a_certificate_with_an_rsa_and_an_ec_client),
		cmocka_unit_test(asks_as_rfc_7030_says),
		cmocka_unit_test(does_not_speak_tls_below_1_2),
		cmocka_unit_test(refuses_a_server_of_another_name),
		cmocka_unit_test(refuses_a_server_of_another_ca),
		cmocka_unit_test(
			a_server_that_refuses_our_certificate_is_told_so),
		cmocka_unit_test(a_server_without_tls_is_unreachable),
		cmocka_unit_test(a_port_that_nobody_listens_on_is_unreachable),
		cmocka_unit_test(a_server_that_hangs_up_is_unreachable),
		cmocka_unit_test(a_server_that_is_silent_has_its_time),
		cmocka_unit_test(a_status_is_what_it_means),
		cmocka_unit_test(a_retry_after_may_be_a_date),
		cmocka_unit_test(what_is_no_http_is_no_answer),
		cmocka_unit_test(an_answer_has_limits),
		cmocka_unit_test(many_at_once_all_get_their_answer),
		cmocka_unit_test(the_queue_has_a_limit),
		cmocka_unit_test(who_finds_no_turn_is_told_in_time),
		cmocka_unit_test(closing_ends_what_is_under_way_at_once),
		cmocka_unit_test(what_is_no_request_is_not_sent),
		cmocka_unit_test(a_url_must_lead_to_est),
		cmocka_unit_test(files_that_are_of_no_use_are_named),
		cmocka_unit_test(closing_nothing_is_fine),
	};
	signal(SIGPIPE, SIG_IGN);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("est", tests, set_up, tear_down);
}
