/* SPDX-License-Identifier: Apache-2.0 */
/* TLS over bytes: ciphertext in, plaintext and events out, no socket. */
#include "protocols/tls/engine.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

/* More than any host reads at once, plus a record that is not whole yet. */
enum { IN_MAX = 128 * 1024 };

enum state { HANDSHAKE, UP, ENDING_CLOSED, ENDING_FAILED, OVER };

static const struct {
	const char *name;
	const char *text;
} fails[] = {
#define X(symbol, name, text) {name, text},
	TLS_FAIL_LIST(X)
#undef X
};

const char *tls_fail_name(enum tls_fail fail)
{
	return fails[fail].name;
}

const char *tls_fail_text(enum tls_fail fail)
{
	return fails[fail].text;
}

/*
 * The BIO is the engine itself: reads take from e->in, writes append to
 * e->out. One method serves all engines and never changes once made.
 */
static int bio_read(BIO *bio, char *data, size_t n, size_t *taken)
{
	struct tls_engine *e = BIO_get_data(bio);
	size_t have;
	const uint8_t *p = bytes_queue_peek(&e->in, &have);
	BIO_clear_retry_flags(bio);
	*taken = n < have ? n : have;
	if (have == 0) {
		BIO_set_retry_read(bio);
		return 0;
	}
	memcpy(data, p, *taken);
	bytes_queue_drop(&e->in, *taken);
	return 1;
}

static int bio_write(BIO *bio, const char *data, size_t n, size_t *put)
{
	struct tls_engine *e = BIO_get_data(bio);
	BIO_clear_retry_flags(bio);
	*put = 0;
	if (bytes_queue_put(&e->out, data, n) < 0) {
		e->fail = TLS_FAIL_NOT_READING;
		return 0;
	}
	*put = n;
	return 1;
}

static long bio_ctrl(BIO *bio, int command, long n, void *p)
{
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;

/* Before main, so that no two threads make it. */
__attribute__((constructor)) static void make_method(void)
{
	method = BIO_meth_new(
		BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "dialtone engine");
	if (!method || !BIO_meth_set_read_ex(method, bio_read) ||
		!BIO_meth_set_write_ex(method, bio_write) ||
		!BIO_meth_set_ctrl(method, bio_ctrl))
		abort();
}

__attribute__((destructor)) static void free_method(void)
{
	BIO_meth_free(method);
}

/* Fatal alerts pass here in both directions; warnings do not count. */
static void on_info(const SSL *ssl, int where, int value)
{
	if (!(where & SSL_CB_ALERT) || value >> 8 != SSL3_AL_FATAL)
		return;
	struct tls_engine *e = SSL_get_app_data(ssl);
	e->alert = (int16_t)(value & 0xff);
	e->fail = where & SSL_CB_READ ? TLS_FAIL_ALERT_RECEIVED
				      : TLS_FAIL_ALERT_SENT;
}

int tls_engine_init(struct tls_engine *e, SSL_CTX *ctx, bool server,
	uint8_t *plain, uint32_t handshake_ms, const struct moment *now)
{
	*e = (struct tls_engine){
		.plain = plain,
		.deadline_ms = now->mono_ms + handshake_ms,
		.state = HANDSHAKE,
		.alert = -1,
		.error = "",
	};
	bytes_queue_init(&e->in, IN_MAX);
	bytes_queue_init(&e->out, TLS_OUT_MAX);
	e->ssl = SSL_new(ctx);
	BIO *bio = e->ssl ? BIO_new(method) : NULL;
	if (!bio) {
		SSL_free(e->ssl);
		e->ssl = NULL;
		return -ENOMEM;
	}
	BIO_set_data(bio, e);
	BIO_set_init(bio, 1);
	SSL_set_bio(e->ssl, bio, bio);
	SSL_set_app_data(e->ssl, e);
	SSL_set_info_callback(e->ssl, on_info);
	if (server)
		SSL_set_accept_state(e->ssl);
	else
		SSL_set_connect_state(e->ssl);
	return 0;
}

void tls_engine_deinit(struct tls_engine *e)
{
	/* Freed without both flags, OpenSSL throws the session away. */
	if (e->ssl && e->state != HANDSHAKE && e->fail == TLS_FAIL_NONE)
		SSL_set_shutdown(
			e->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(e->ssl);
	bytes_queue_deinit(&e->in);
	bytes_queue_deinit(&e->out);
	OPENSSL_cleanse(e, sizeof(*e));
}

void tls_engine_feed(struct tls_engine *e, const void *data, size_t n)
{
	if (e->state > UP)
		return;
	if (bytes_queue_put(&e->in, data, n) < 0)
		assert(!"fed more than next() was asked to take");
}

/* Keeps OpenSSL's first words on what went wrong and empties its queue. */
static void drain_errors(struct tls_engine *e)
{
	unsigned long code = ERR_peek_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;
	e->error = reason ? reason : "";
	ERR_clear_error();
}

static void fail(struct tls_engine *e, enum tls_fail why)
{
	if (e->fail == TLS_FAIL_NONE)
		e->fail = (uint8_t)why;
	e->state = ENDING_FAILED;
}

/* After an SSL call that answered `result`: true when it only needs more
 * bytes, else the engine's state says how it ended. */
static bool wants_more(struct tls_engine *e, int result)
{
	int error = SSL_get_error(e->ssl, result);
	if (error == SSL_ERROR_WANT_READ)
		return true;
	if (error == SSL_ERROR_ZERO_RETURN) {
		e->state = ENDING_CLOSED;
		return false;
	}
	drain_errors(e);
	fail(e, TLS_FAIL_PROTOCOL);
	return false;
}

void tls_engine_tick(struct tls_engine *e, const struct moment *now)
{
	if (e->state == HANDSHAKE && now->mono_ms >= e->deadline_ms)
		fail(e, TLS_FAIL_LATE);
}

/* SSL_get_error() looks into the queue, which is mostly empty: to look costs
 * less than to clear. */
static void clear_errors(void)
{
	if (ERR_peek_error())
		ERR_clear_error();
}

static bool shake(struct tls_engine *e, struct tls_event *event)
{
	clear_errors();
	int result = SSL_do_handshake(e->ssl);
	if (result == 1) {
		e->state = UP;
		event->type = TLS_EVENT_UP;
		return true;
	}
	wants_more(e, result);
	return false;
}

static bool read_plain(struct tls_engine *e, struct tls_event *event)
{
	size_t n;
	/* Asked for nothing, OpenSSL makes a buffer before it finds out. */
	if (bytes_queue_len(&e->in) == 0 && !SSL_has_pending(e->ssl))
		return false;
	clear_errors();
	int result = SSL_read_ex(e->ssl, e->plain, TLS_PLAIN_MAX, &n);
	if (result == 1) {
		*event = (struct tls_event){
			.type = TLS_EVENT_DATA, .data = e->plain, .n = n};
		return true;
	}
	wants_more(e, result);
	return false;
}

bool tls_engine_next(struct tls_engine *e, struct tls_event *event)
{
	*event = (struct tls_event){.alert = -1, .error = ""};
	if (e->state == HANDSHAKE && shake(e, event))
		return true;
	if (e->state == UP && read_plain(e, event))
		return true;
	if (e->state != ENDING_CLOSED && e->state != ENDING_FAILED)
		return false;
	event->type =
		e->state == ENDING_CLOSED ? TLS_EVENT_CLOSED : TLS_EVENT_FAILED;
	event->fail = e->fail;
	event->alert = e->alert;
	event->error = e->error;
	e->state = OVER;
	return true;
}

int tls_engine_write(struct tls_engine *e, const void *data, size_t n)
{
	size_t written;
	if (e->state != UP)
		return -EPIPE;
	if (n == 0)
		return 0;
	clear_errors();
	if (SSL_write_ex(e->ssl, data, n, &written) == 1)
		return 0;
	/* The BIO takes all or nothing: it never asks to try again. */
	drain_errors(e);
	fail(e, TLS_FAIL_PROTOCOL);
	return e->fail == TLS_FAIL_NOT_READING ? -ENOBUFS : -EPIPE;
}

void tls_engine_close(struct tls_engine *e)
{
	if (e->state != UP)
		return;
	clear_errors();
	SSL_shutdown(e->ssl);
	clear_errors();
}

const uint8_t *tls_engine_out(const struct tls_engine *e, size_t *n)
{
	return bytes_queue_peek(&e->out, n);
}

void tls_engine_sent(struct tls_engine *e, size_t n)
{
	bytes_queue_drop(&e->out, n);
}

uint64_t tls_engine_deadline(const struct tls_engine *e)
{
	return e->state == HANDSHAKE ? e->deadline_ms : MOMENT_NEVER;
}
