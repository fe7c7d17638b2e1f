/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone-reference: the least that a TLS registration can cost; a yardstick.
 *
 * One thread, epoll, OpenSSL: it demands and verifies a client certificate,
 * reads one SIP REGISTER, answers a fixed 200 and keeps nothing. It judges no
 * device, has no timeouts, and a phone that sends slowly or much is dropped.
 * It serves bench/compare and nobody else: what dialtoned costs above it is
 * what dialtoned does. */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/option_table.h"

enum {
	REQUEST_MAX = 8192,
	EVENTS_MAX = 256,
	BACKLOG = 4096,
	SESSIONS_MAX = 65536,
	EXIT_USAGE = 2,
};

struct reference_options {
	const char *certificate;
	const char *key;
	const char *ca;
	int tickets;
	int help;
};

#define AT(field) offsetof(struct reference_options, field)
static const struct option_row rows[] = {
	{"certificate", "FILE", "of the server, PEM", OPTION_TEXT,
		AT(certificate)},
	{"key", "FILE", "its key, PEM", OPTION_TEXT, AT(key)},
	{"ca", "FILE", "whose certificates phones must show, PEM", OPTION_TEXT,
		AT(ca)},
	{"tickets", NULL,
		"give tickets, as OpenSSL does, besides session ids (default: "
		"sessions in memory alone)",
		OPTION_FLAG, AT(tickets)},
	{"help", NULL, "this", OPTION_HELP, AT(help)},
};
#undef AT
static const struct option_table table = {rows, sizeof(rows) / sizeof(*rows)};

__attribute__((noreturn, format(printf, 1, 2))) static void die(
	const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fputs("dialtone-reference: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(EXIT_FAILURE);
}

/* ---- TLS as fast as OpenSSL does it by itself (specs tls-performance) ---- */

static void set_tricks(SSL_CTX *ctx, const struct reference_options *o)
{
	static const unsigned char id[] = "reference";
	SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE |
					 SSL_OP_NO_RENEGOTIATION |
					 SSL_OP_IGNORE_UNEXPECTED_EOF);
	if (!o->tickets)
		SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
	SSL_CTX_sess_set_cache_size(ctx, SESSIONS_MAX);
	SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);
	if (!SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM+AES128:ECDHE+AESGCM") ||
		!SSL_CTX_set_ciphersuites(
			ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384") ||
		!SSL_CTX_set1_groups_list(ctx, "X25519:P-256"))
		die("this OpenSSL does not know the suites");
}

static SSL_CTX *open_tls(const struct reference_options *o)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	if (!ctx)
		die("no SSL_CTX");
	set_tricks(ctx, o);
	if (SSL_CTX_use_certificate_chain_file(ctx, o->certificate) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, o->key, SSL_FILETYPE_PEM) != 1)
		die("%s, %s: no certificate and its key", o->certificate,
			o->key);
	if (SSL_CTX_load_verify_file(ctx, o->ca) != 1)
		die("%s: no CA certificates", o->ca);
	X509_STORE_set_flags(
		SSL_CTX_get_cert_store(ctx), X509_V_FLAG_PARTIAL_CHAIN);
	SSL_CTX_set_verify(
		ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return ctx;
}

/* ---- one phone ---- */

struct visit {
	SSL *ssl;
	int fd;
	bool up;
	size_t n; /* of in */
	char *in; /* REQUEST_MAX + 1 bytes, or NULL: nothing has come */
};

static void hang_up(struct visit *v)
{
	/* Without the flags OpenSSL would forget the session. */
	SSL_set_shutdown(v->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(v->ssl);
	close(v->fd);
	free(v->in);
	free(v);
}

/* Bytes of the message at the front of text, 0 while it is not whole. */
static size_t message_length(const char *text, size_t n)
{
	static const char word[] = "\r\nContent-Length:";
	const char *end = memmem(text, n, "\r\n\r\n", 4);
	if (!end)
		return 0;
	size_t head = (size_t)(end - text) + 4;
	const char *length = memmem(text, head, word, sizeof(word) - 1);
	size_t body = length ? strtoul(length + sizeof(word) - 1, NULL, 10) : 0;
	return body <= n - head ? head + body : 0;
}

static bool is_echoed(const char *line)
{
	static const char *const names[] = {
		"Via:", "From:", "To:", "Call-ID:", "CSeq:", "Contact:"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncasecmp(line, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

/* The 200 to a request; out has room for it and 128 bytes more. */
static size_t answer(const char *request, char *out)
{
	static const char end[] = "Expires: 3600\r\nContent-Length: 0\r\n\r\n";
	char *p = stpcpy(out, "SIP/2.0 200 OK\r\n");
	for (const char *line = strstr(request, "\r\n") + 2; *line != '\r';) {
		const char *next = strstr(line, "\r\n") + 2;
		if (is_echoed(line)) {
			p = mempcpy(p, line, (size_t)(next - line));
			if (strncasecmp(line, "To:", 3) == 0)
				p = stpcpy(p - 2, ";tag=reference\r\n");
		}
		line = next;
	}
	return (size_t)(stpcpy(p, end) - out);
}

/* False: it is over. */
static bool serve_request(struct visit *v)
{
	char out[REQUEST_MAX + 128];
	v->in[v->n] = '\0';
	size_t put, length = message_length(v->in, v->n);
	if (length == 0)
		return v->n < REQUEST_MAX;
	if (strncmp(v->in, "REGISTER ", 9) != 0 ||
		!SSL_write_ex(v->ssl, out, answer(v->in, out), &put))
		return false;
	v->n -= length;
	memmove(v->in, v->in + length, v->n);
	return true;
}

/* False: it is over. */
static bool read_on(struct visit *v)
{
	size_t got;
	if (!v->in)
		v->in = malloc(REQUEST_MAX + 1);
	if (!v->in)
		die("no memory");
	while (SSL_read_ex(v->ssl, v->in + v->n, REQUEST_MAX - v->n, &got)) {
		v->n += got;
		if (!serve_request(v))
			return false;
	}
	if (v->n == 0) {
		free(v->in);
		v->in = NULL;
	}
	return SSL_get_error(v->ssl, 0) == SSL_ERROR_WANT_READ;
}

/* False: it is over. */
static bool go_on(struct visit *v)
{
	ERR_clear_error();
	if (!v->up) {
		int done = SSL_accept(v->ssl);
		if (done != 1)
			return SSL_get_error(v->ssl, done) ==
			       SSL_ERROR_WANT_READ;
		v->up = true;
	}
	return read_on(v);
}

/* ---- all of them ---- */

static int listen_anywhere(void)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, n) < 0 ||
		listen(fd, BACKLOG) < 0 ||
		getsockname(fd, (struct sockaddr *)&at, &n) < 0)
		die("no socket: %s", strerror(errno));
	printf("listening port=%u\n", ntohs(at.sin_port));
	fflush(stdout);
	return fd;
}

static void welcome(SSL_CTX *ctx, int epoll, int listener)
{
	int one = 1, fd;
	/* epoll keeps the visit: NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
	while ((fd = accept4(listener, NULL, NULL,
			SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		struct visit *v = calloc(1, sizeof(*v));
		SSL *ssl = v ? SSL_new(ctx) : NULL;
		struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = v};
		if (!ssl || SSL_set_fd(ssl, fd) != 1 ||
			epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted) < 0)
			die("no memory");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		SSL_set_accept_state(ssl);
		v->ssl = ssl;
		v->fd = fd;
	}
}

static void serve(SSL_CTX *ctx)
{
	struct epoll_event events[EVENTS_MAX];
	struct epoll_event wanted = {.events = EPOLLIN, .data.ptr = NULL};
	int listener = listen_anywhere();
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &wanted) < 0)
		die("no epoll: %s", strerror(errno));
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS_MAX, -1);
		for (int i = 0; i < n; i++) {
			struct visit *v = events[i].data.ptr;
			if (!v)
				welcome(ctx, epoll, listener);
			else if (!go_on(v))
				hang_up(v);
		}
	}
}

int main(int argc, char **argv)
{
	struct reference_options o = {0};
	struct diag d;
	if (option_table_parse(&table, argc, argv, &o, &d) < 0) {
		fprintf(stderr, "dialtone-reference: %s\n", d.text);
		return EXIT_USAGE;
	}
	if (o.help) {
		fputs("usage: dialtone-reference --certificate FILE --key FILE "
		      "--ca FILE [--tickets]\nA bare TLS registrar on a free "
		      "port of 127.0.0.1, to measure others by.\n\n",
			stdout);
		option_table_help(&table, stdout);
		return EXIT_SUCCESS;
	}
	if (!o.certificate || !o.key || !o.ca) {
		fputs("dialtone-reference: --certificate, --key and --ca are "
		      "needed\n",
			stderr);
		return EXIT_USAGE;
	}
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	signal(SIGPIPE, SIG_IGN);
	serve(open_tls(&o));
}
