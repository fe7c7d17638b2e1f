/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about a CA outside: keys that wait for it, and what it sends. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <curl/curl.h>
#include <openssl/pkcs7.h>
#include <openssl/ssl.h>

#include "certs/lsc.h"
#include "certs/pem.h"
#include "registrar/memory.h"
#include "tests/registrar/office.h"

enum { DAY_S = 86400 };

static const char sep1[] = "SEP000000000001", sep2[] = "SEP000000000002";

static struct diag d;
static X509 *site_ca; /* key rsa2048 1 */

#define ANSWERS(a, text)                                          \
	do {                                                      \
		struct capf_answer answer_ = (a);                 \
		assert_string_equal(office_text(&answer_), text); \
	} while (0)

/* What the CA outside makes for a phone with that key. */
static X509 *site_lsc_as(const char *device, EVP_PKEY *key, const char *serial)
{
	const struct cert_attribute subject[] = {{"CN", device}, {NULL, NULL}};
	const struct cert_extension extensions[] = {
		{"basicConstraints", "critical,CA:FALSE"},
		{"keyUsage", "critical,digitalSignature,keyAgreement"},
		{"extendedKeyUsage", "clientAuth"},
		{NULL, NULL},
	};
	return made_cert((struct cert_order){.subject = subject,
		.extensions = extensions,
		.key = key,
		.issuer = site_ca,
		.issuer_key = made_key("rsa2048", 1),
		.serial = serial});
}

static X509 *site_lsc(const char *device, EVP_PKEY *key)
{
	return site_lsc_as(device, key, NULL);
}

static int begin(void **state)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
	/* A client that gives up while it is answered. */
	signal(SIGPIPE, SIG_IGN);
	site_ca = made_ca("Site CA", 1);
	return 0;
}

static int end(void **state)
{
	X509_free(site_ca);
	curl_global_cleanup();
	return office_end(state);
}

static struct capf_visit *come(void)
{
	struct capf_visit *v = office_visit();
	assert_int_equal(
		office_auth(v, sep1, 3, NULL).what, CAPF_ANSWER_GENERATE);
	return v;
}

static void pass_time(int64_t s)
{
	__atomic_add_fetch(&office.now, s, __ATOMIC_RELAXED);
}

/* ---- offline ---- */

static void go_offline(void)
{
	office.config->capf_issuer = CONFIG_ISSUER_OFFLINE;
	office_start();
	office_add(sep1, "ec");
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	struct capf_visit *v = come();
	ANSWERS(office_key(v, made_key("p256", 1)), "END 0 ca-waiting");
	office_leave(v, NULL);
}

static struct capf_answer look_in(void)
{
	struct capf_visit *v = office_visit();
	struct capf_answer a = office_auth(v, sep1, 3, NULL);
	office_leave(v, a.what == CAPF_ANSWER_END ? NULL : "phone-gone");
	a.detail = "";
	return a;
}

static int import(X509 *cert)
{
	char device[CERT_DEVICE_MAX + 1];
	int error = capf_desk_import(office.desk, cert, device, &d);
	if (error == 0)
		assert_string_equal(device, sep1);
	X509_free(cert);
	return error;
}

static bool count(void *self, const struct capf_request *r)
{
	++*(size_t *)self;
	return true;
}

static size_t requests(void)
{
	size_t n = 0;
	capf_store_requests(capf_desk_look(office.desk), NULL, count, &n, &d);
	capf_desk_looked(office.desk);
	return n;
}

static void a_phone_gets_its_certificate_when_it_is_there(void **state)
{
	go_offline();
	assert_string_equal(office_state(sep1), "pending ca-waiting");
	ANSWERS(look_in(), "END 0 ca-waiting"); /* and makes no new key */
	office_restart();
	assert_int_equal(requests(), 1);
	assert_int_equal(import(site_lsc(sep1, made_key("p256", 1))), 0);
	assert_string_equal(office_ledger(sep1), "stale");
	struct capf_visit *v = office_visit();
	ANSWERS(office_auth(v, sep1, 3, NULL), "STORE");
	ANSWERS(office_reason(v, CAPF_SERVER_STORED, 1), "END 1 none");
	office_leave(v, NULL);
	assert_string_equal(office_state(sep1), "done none");
	assert_string_equal(office_ledger(sep1), "installed");
	assert_int_equal(requests(), 0);
	assert_string_equal(office_chain(),
		"ordered admitted requested admitted imported admitted "
		"delivered installed");
}

static void a_phone_that_lost_the_key_makes_another(void **state)
{
	go_offline();
	assert_int_equal(import(site_lsc(sep1, made_key("p256", 1))), 0);
	struct capf_visit *v = office_visit();
	ANSWERS(office_auth(v, sep1, 3, NULL), "STORE");
	ANSWERS(office_reason(v, CAPF_SERVER_STORED, 7), "END 7 phone-refused");
	office_leave(v, NULL);
	assert_int_equal(requests(), 0);
	ANSWERS(look_in(), "GENERATE EC-256");
}

static void only_what_was_asked_for_is_imported(void **state)
{
	go_offline();
	assert_int_equal(
		import(site_lsc("SEP000000000002", made_key("p256", 2))),
		-ENOENT);
	assert_non_null(strstr(d.text, "SEP000000000002"));
	/* Another key; another name over our key. */
	assert_int_equal(import(site_lsc(sep1, made_key("p256", 2))), -EINVAL);
	assert_int_equal(
		import(site_lsc("SEP000000000002", made_key("p256", 1))),
		-EINVAL);
	assert_string_equal(office_ledger(sep1), "");
	assert_int_equal(requests(), 1);
	assert_string_equal(
		capf_desk_state(office.desk).halted, ""); /* no disk's fault */
}

/* It is no fault of the certificate's: as it is, it is fine later. */
static void while_nothing_is_issued_nothing_is_imported(void **state)
{
	go_offline();
	X509 *cert = site_lsc(sep1, made_key("p256", 1));
	X509_up_ref(cert);
	assert_int_equal(import(cert), 0);
	pass_time(-100 * DAY_S);
	assert_int_equal(import(cert), -EBUSY);
	assert_non_null(strstr(d.text, "clock"));
	assert_non_null(strstr(
		capf_desk_state(office.desk).halted, "clock")); /* no disk */
}

static void what_is_imported_twice_is_one(void **state)
{
	go_offline();
	X509 *cert = site_lsc(sep1, made_key("p256", 1));
	X509_up_ref(cert);
	assert_int_equal(import(cert), 0);
	assert_int_equal(import(cert), 0);
	assert_string_equal(office_ledger(sep1), "stale");
}

/* Two CAs that both began to count at one. */
static void a_serial_number_of_another_ca_s_is_told_with_its_lsc(void **state)
{
	office_start();
	office_add(sep2, "ec");
	const char *serial = office_install(sep2, 2); /* by our root */
	capf_desk_close(office.desk);
	go_offline();
	assert_int_equal(import(site_lsc_as(sep1, made_key("p256", 1), serial)),
		-EINVAL);
	assert_non_null(strstr(d.text, sep2));
	assert_non_null(strstr(d.text, "CAPF-"));
	assert_non_null(strstr(d.text, "by chance"));
	assert_string_equal(office_ledger(sep1), "");
}

static void who_is_cancelled_waits_for_nothing(void **state)
{
	go_offline();
	assert_int_equal(capf_desk_cancel(office.desk, sep1, &d), 0);
	assert_int_equal(requests(), 0);
	assert_int_equal(import(site_lsc(sep1, made_key("p256", 1))), -ENOENT);
}

static void another_issuer_does_not_wait_for_the_offline_ca(void **state)
{
	go_offline();
	office.config->capf_issuer = CONFIG_ISSUER_OWN;
	struct capf_visit *v = come();
	ANSWERS(office_key(v, made_key("p256", 1)), "STORE");
	ANSWERS(office_reason(v, CAPF_SERVER_STORED, 1), "END 1 none");
	office_leave(v, NULL);
	assert_int_equal(requests(), 0);
}

/* Of another issuer is what is stale: the phone gets what is signed now. */
static void what_our_root_signed_is_no_ca_s_outside(void **state)
{
	office_start();
	office_add(sep1, "ec");
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	struct capf_visit *v = come();
	ANSWERS(office_key(v, made_key("p256", 1)), "STORE");
	office_leave(v, "phone-gone");
	office.config->capf_issuer = CONFIG_ISSUER_OFFLINE;
	v = come();
	ANSWERS(office_key(v, made_key("p256", 1)), "END 0 ca-waiting");
	office_leave(v, NULL);
}

/* ---- over EST: a server of our own, one answer a connection ---- */

struct server {
	int fd, port;
	SSL_CTX *ctx;
	pthread_t thread;
	pthread_mutex_t lock; /* of what follows */
	char *answer, heard[8192];
	int asked;
};

enum { HEARD = 16384 };

static void hear(SSL *ssl, char text[HEARD])
{
	size_t n = 0, body = 0;
	char *head = NULL;
	while (n < HEARD - 1) {
		int got = SSL_read(ssl, text + n, (int)(HEARD - 1 - n));
		if (got <= 0)
			return;
		n += (size_t)got;
		text[n] = '\0';
		head = strstr(text, "\r\n\r\n");
		const char *length = strcasestr(text, "content-length:");
		if (head && length)
			body = strtoul(length + 15, NULL, 10);
		if (head && n >= (size_t)(head + 4 - text) + body)
			return;
	}
}

static void answer(struct server *s, SSL *ssl)
{
	char text[HEARD] = "";
	hear(ssl, text);
	const char *body = strstr(text, "\r\n\r\n");
	pthread_mutex_lock(&s->lock);
	s->asked++;
	snprintf(s->heard, sizeof(s->heard), "%s", body ? body + 4 : "");
	SSL_write(ssl, s->answer, (int)strlen(s->answer));
	pthread_mutex_unlock(&s->lock);
	SSL_shutdown(ssl);
}

static void *serve(void *self)
{
	struct server *s = self;
	int fd;
	while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
		SSL *ssl = SSL_new(s->ctx);
		SSL_set_fd(ssl, fd);
		if (SSL_accept(ssl) == 1)
			answer(s, ssl);
		SSL_free(ssl);
		close(fd);
	}
	return NULL;
}

static X509 *server_cert(void)
{
	const struct cert_attribute subject[] = {{"CN", "est"}, {NULL, NULL}};
	const struct cert_extension extensions[] = {
		{"subjectAltName", "IP:127.0.0.1"}, {NULL, NULL}};
	return made_cert((struct cert_order){.subject = subject,
		.extensions = extensions,
		.key = made_key("rsa2048", 4),
		.issuer = site_ca,
		.issuer_key = made_key("rsa2048", 1)});
}

static void set(char **at, char *text)
{
	free(*at);
	*at = text;
}

static void use(const struct server *s, X509 *client)
{
	struct config *c = office.config;
	made_pem(office.folder, "est-ca.pem", site_ca);
	made_pem(office.folder, "est.pem", client);
	c->capf_issuer = CONFIG_ISSUER_EST;
	set(&c->capf_est_url, memory_format("https://127.0.0.1:%d/", s->port));
	set(&c->capf_est_ca, memory_format("%s/est-ca.pem", office.folder));
	set(&c->capf_est_certificate,
		memory_format("%s/est.pem", office.folder));
	set(&c->capf_est_key, memory_format("%s/est.key", office.folder));
	assert_int_equal(
		cert_key_write(c->capf_est_key, made_key("rsa2048", 4), &d), 0);
}

/* The desk opens, a phone has an order, and the server gives that answer. */
static void go_online(struct server *s, char *answer)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	X509 *cert = server_cert();
	s->answer = answer;
	s->asked = 0;
	pthread_mutex_init(&s->lock, NULL);
	s->ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_use_certificate(s->ctx, cert);
	SSL_CTX_use_PrivateKey(s->ctx, made_key("rsa2048", 4));
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&at, n), 0);
	assert_int_equal(listen(s->fd, 8), 0);
	getsockname(s->fd, (struct sockaddr *)&at, &n);
	s->port = ntohs(at.sin_port);
	pthread_create(&s->thread, NULL, serve, s);
	use(s, cert);
	X509_free(cert);
	office_believe(site_ca);
	office_start();
	office_add(sep1, "ec");
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
}

static void stop(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
	SSL_CTX_free(s->ctx);
	pthread_mutex_destroy(&s->lock);
	free(s->answer);
}

/* From now on. */
static void say(struct server *s, char *answer)
{
	pthread_mutex_lock(&s->lock);
	free(s->answer);
	s->answer = answer;
	pthread_mutex_unlock(&s->lock);
}

static int asked(struct server *s)
{
	pthread_mutex_lock(&s->lock);
	int n = s->asked;
	pthread_mutex_unlock(&s->lock);
	return n;
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
	char *text = memory_format(
		"HTTP/1.1 200 OK\r\nContent-Type: application/pkcs7-mime; "
		"smime-type=certs-only\r\nContent-Length: %zu\r\n"
		"Connection: close\r\n\r\n%s",
		strlen(body), body);
	free(body);
	OPENSSL_free(der);
	PKCS7_free(p7);
	X509_free(cert);
	return text;
}

static void the_ca_s_certificate_is_stored(void **state)
{
	struct server s;
	go_online(&s, good_answer(site_lsc(sep1, made_key("p256", 1))));
	struct capf_visit *v = come();
	struct capf_answer a = office_key(v, made_key("p256", 1));
	ANSWERS(a, "STORE");
	assert_string_equal(office_ledger(sep1), "stale");
	ANSWERS(office_reason(v, CAPF_SERVER_STORED, 1), "END 1 none");
	office_leave(v, NULL);
	assert_string_equal(office_ledger(sep1), "installed");
	/* The CA sends the same again: another phone's serial it is not. */
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	v = come();
	ANSWERS(office_key(v, made_key("p256", 1)), "STORE");
	assert_string_equal(office_chain(),
		"ordered admitted requested issued installed ordered admitted "
		"requested issued");
	office_leave(v, "phone-gone");
	stop(&s);
}

static void what_is_not_for_that_phone_is_unfit(void **state)
{
	struct server s;
	go_online(&s,
		good_answer(site_lsc("SEP000000000002", made_key("p256", 1))));
	struct capf_visit *v = come();
	ANSWERS(office_key(v, made_key("p256", 1)), "END 7 ca-unfit");
	office_leave(v, NULL);
	assert_string_equal(office_state(sep1), "pending ca-unfit");
	assert_string_equal(office_ledger(sep1), "");
	stop(&s);
}

/* It would lock the phone out: nobody here knows that CA. */
static void what_would_not_be_believed_is_unfit(void **state)
{
	struct server s;
	X509 *strange = made_ca("Strange CA", 1);
	go_online(&s, good_answer(site_lsc(sep1, made_key("p256", 1))));
	office_believe(strange);
	struct capf_visit *v = come();
	ANSWERS(office_key(v, made_key("p256", 1)), "END 7 ca-unfit");
	office_leave(v, NULL);
	assert_non_null(strstr(office_operation(sep1).detail, "locked out"));
	assert_string_equal(office_ledger(sep1), "");
	X509_free(strange);
	stop(&s);
}

static void a_ca_that_refuses_is_told_from_one_that_is_away(void **state)
{
	struct server s;
	go_online(&s, memory_dup("HTTP/1.1 403 No\r\nContent-Length: 0\r\n"
				 "Connection: close\r\n\r\n"));
	struct capf_visit *v = come();
	ANSWERS(office_key(v, made_key("p256", 1)), "END 7 ca-refused");
	office_leave(v, NULL);
	stop(&s);
	v = come();
	ANSWERS(office_key(v, made_key("p256", 1)), "END 7 ca-unreachable");
	office_leave(v, NULL);
	assert_string_equal(office_state(sep1), "pending ca-unreachable");
}

/* The phone did not wait; the CA issued all the same, and the ledger knows. */
static void who_leaves_meanwhile_is_delivered_it_next_time(void **state)
{
	struct server s;
	struct capf_server_event e = {.type = CAPF_SERVER_KEY, .reason = -1};
	unsigned char *der = NULL;
	go_online(&s, good_answer(site_lsc(sep1, made_key("p256", 1))));
	struct capf_visit *v = come();
	int n = i2d_PUBKEY(made_key("p256", 1), &der);
	e.public_key = (struct capf_bytes){der, (size_t)n};
	capf_visit_tell(v, &e);
	while (!strstr(office_chain(), "requested"))
		;
	office_leave(v, "phone-gone");
	OPENSSL_free(der);
	office_settle();
	assert_string_equal(office_ledger(sep1), "stale");
	v = come();
	ANSWERS(office_key(v, made_key("p256", 1)), "STORE");
	office_leave(v, NULL);
	assert_non_null(strstr(office_chain(), "delivered-again"));
	stop(&s);
}

/* ---- a CA where people approve ---- */

/* The last request. */
static char *heard(struct server *s)
{
	pthread_mutex_lock(&s->lock);
	char *body = memory_dup(s->heard);
	pthread_mutex_unlock(&s->lock);
	return body;
}

static const char later[] = "HTTP/1.1 202 Accepted\r\nRetry-After: 60\r\n"
			    "Content-Length: 0\r\nConnection: close\r\n\r\n";

/* The phone made a key, and the CA wants to think. */
static void go_later(struct server *s)
{
	go_online(s, memory_dup(later));
	struct capf_visit *v = come();
	ANSWERS(office_key(v, made_key("p256", 1)), "END 0 ca-waiting");
	office_leave(v, NULL);
	assert_string_equal(office_state(sep1), "pending ca-waiting");
	assert_non_null(strstr(office_operation(sep1).detail, "60 s"));
}

/* What is asked for by itself has been answered, and that is on the disk. */
static void tend_until(struct server *s, int n)
{
	time_t until = time(NULL) + 60;
	capf_desk_tend(office.desk);
	while (asked(s) < n)
		assert_true(time(NULL) < until);
}

static void ledger_comes_to(const char *text)
{
	time_t until = time(NULL) + 60;
	while (strcmp(office_ledger(sep1), text) != 0)
		assert_true(time(NULL) < until);
}

static void a_ca_that_answers_later_is_asked_for_the_same_key(void **state)
{
	struct server s;
	go_later(&s);
	char *first = heard(&s);
	assert_true(strlen(first) > 100);
	ANSWERS(look_in(), "END 0 ca-waiting");
	char *again = heard(&s);
	assert_string_equal(again, first);
	office_restart();
	say(&s, good_answer(site_lsc(sep1, made_key("p256", 1))));
	struct capf_visit *v = office_visit();
	ANSWERS(office_auth(v, sep1, 3, NULL), "STORE");
	free(again);
	again = heard(&s);
	assert_string_equal(again, first);
	free(again);
	free(first);
	ANSWERS(office_reason(v, CAPF_SERVER_STORED, 1), "END 1 none");
	office_leave(v, NULL);
	assert_string_equal(office_state(sep1), "done none");
	assert_int_equal(requests(), 0);
	assert_string_equal(office_chain(),
		"ordered admitted requested admitted admitted issued "
		"installed");
	stop(&s);
}

static void who_lost_the_key_meanwhile_makes_another(void **state)
{
	struct server s;
	go_later(&s);
	say(&s, good_answer(site_lsc(sep1, made_key("p256", 1))));
	struct capf_visit *v = office_visit();
	ANSWERS(office_auth(v, sep1, 3, NULL), "STORE");
	ANSWERS(office_reason(v, CAPF_SERVER_STORED, 7), "END 7 phone-refused");
	office_leave(v, NULL);
	assert_int_equal(requests(), 0);
	ANSWERS(look_in(), "GENERATE EC-256");
	stop(&s);
}

static void what_comes_later_is_believed_no_more_easily(void **state)
{
	struct server s;
	go_later(&s);
	say(&s, good_answer(site_lsc(sep1, made_key("p256", 2))));
	ANSWERS(look_in(), "END 7 ca-unfit");
	assert_string_equal(office_ledger(sep1), "");
	ANSWERS(look_in(), "GENERATE EC-256");
	stop(&s);
}

static void a_ca_that_is_away_keeps_what_waits_for_it(void **state)
{
	struct server s;
	go_later(&s);
	say(&s, memory_dup("HTTP/1.1 503 No\r\nContent-Length: 0\r\n"
			   "Connection: close\r\n\r\n"));
	ANSWERS(look_in(), "END 7 ca-unreachable");
	assert_int_equal(requests(), 1);
	say(&s, good_answer(site_lsc(sep1, made_key("p256", 1))));
	ANSWERS(look_in(), "STORE");
	stop(&s);
}

static void it_is_asked_for_by_itself(void **state)
{
	struct server s;
	go_later(&s);
	capf_desk_tend(office.desk);
	assert_int_equal(asked(&s), 1); /* its 60 s have not passed */
	pass_time(61);
	say(&s, good_answer(site_lsc(sep1, made_key("p256", 1))));
	tend_until(&s, 2);
	ledger_comes_to("stale");
	assert_non_null(strstr(office_operation(sep1).detail, "come for it"));
	pass_time(601);
	capf_desk_tend(office.desk);
	struct capf_visit *v = office_visit();
	ANSWERS(office_auth(v, sep1, 3, NULL), "STORE");
	ANSWERS(office_reason(v, CAPF_SERVER_STORED, 1), "END 1 none");
	office_leave(v, NULL);
	assert_int_equal(asked(&s), 2); /* as it was there */
	assert_string_equal(office_chain(),
		"ordered admitted requested issued admitted delivered "
		"installed");
	stop(&s);
}

static void it_is_asked_for_as_often_as_it_takes(void **state)
{
	struct server s;
	go_later(&s);
	pass_time(61);
	tend_until(&s, 2);
	say(&s, good_answer(site_lsc(sep1, made_key("p256", 1))));
	time_t until = time(NULL) + 60;
	while (strcmp(office_ledger(sep1), "stale") != 0) {
		pass_time(61);
		capf_desk_tend(office.desk);
		assert_true(time(NULL) < until);
	}
	stop(&s);
}

static void it_is_asked_for_after_a_restart_too(void **state)
{
	struct server s;
	go_later(&s);
	say(&s, good_answer(site_lsc(sep1, made_key("p256", 1))));
	office_restart();
	tend_until(&s, 2);
	ledger_comes_to("stale");
	stop(&s);
}

static void what_is_cancelled_is_not_asked_for(void **state)
{
	struct server s;
	go_later(&s);
	assert_int_equal(capf_desk_cancel(office.desk, sep1, &d), 0);
	pass_time(61);
	capf_desk_tend(office.desk);
	office_settle();
	assert_int_equal(asked(&s), 1);
	stop(&s);
}

/* est_close() answers for the CA; nobody waits for it. */
static void closing_does_not_wait_for_the_ca(void **state)
{
	struct server s;
	struct capf_server_event e = {.type = CAPF_SERVER_KEY, .reason = -1};
	unsigned char *der = NULL;
	go_online(&s, memory_dup(""));
	struct capf_visit *v = come();
	int n = i2d_PUBKEY(made_key("p256", 1), &der);
	e.public_key = (struct capf_bytes){der, (size_t)n};
	capf_visit_tell(v, &e);
	office_leave(v, "phone-gone");
	OPENSSL_free(der);
	capf_desk_close(office.desk);
	office_start();
	assert_memory_equal(office_state(sep1), "pending ", 8);
	stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FACT(f) \
	cmocka_unit_test_setup_teardown(f, office_set_up, office_tear_down)
		FACT(a_phone_gets_its_certificate_when_it_is_there),
		FACT(a_phone_that_lost_the_key_makes_another),
		FACT(only_what_was_asked_for_is_imported),
		FACT(while_nothing_is_issued_nothing_is_imported),
		FACT(what_is_imported_twice_is_one),
		FACT(a_serial_number_of_another_ca_s_is_told_with_its_lsc),
		FACT(who_is_cancelled_waits_for_nothing),
		FACT(another_issuer_does_not_wait_for_the_offline_ca),
		FACT(what_our_root_signed_is_no_ca_s_outside),
		FACT(the_ca_s_certificate_is_stored),
		FACT(what_is_not_for_that_phone_is_unfit),
		FACT(what_would_not_be_believed_is_unfit),
		FACT(a_ca_that_refuses_is_told_from_one_that_is_away),
		FACT(who_leaves_meanwhile_is_delivered_it_next_time),
		FACT(a_ca_that_answers_later_is_asked_for_the_same_key),
		FACT(who_lost_the_key_meanwhile_makes_another),
		FACT(what_comes_later_is_believed_no_more_easily),
		FACT(a_ca_that_is_away_keeps_what_waits_for_it),
		FACT(it_is_asked_for_by_itself),
		FACT(it_is_asked_for_as_often_as_it_takes),
		FACT(it_is_asked_for_after_a_restart_too),
		FACT(what_is_cancelled_is_not_asked_for),
		FACT(closing_does_not_wait_for_the_ca),
#undef FACT
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("capf outside", tests, begin, end);
}
