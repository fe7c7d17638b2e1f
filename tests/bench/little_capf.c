/* SPDX-License-Identifier: Apache-2.0 */
/* A little CAPF on a test's own loop: the server engine over TLS behind uv. */
#include "tests/bench/little_capf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "certs/lsc.h"
#include "protocols/tls/engine.h"

enum { BACKLOG = 512, PATIENCE_MS = 20000, DAYS = 30, DAY_S = 86400 };

/* One phone's connection. */
struct caller {
	struct little_capf *capf;
	uv_tcp_t tcp;
	bool closing;
	bool up;     /* TLS is */
	bool ending; /* END_SESSION is on its way */
	struct tls_engine tls;
	struct capf_server server;
};

static struct moment now(const struct little_capf *l)
{
	return (struct moment){.mono_ms = uv_now(l->loop)};
}

static void on_closed(uv_handle_t *handle)
{
	struct caller *c = handle->data;
	tls_engine_deinit(&c->tls);
	capf_server_deinit(&c->server);
	free(c);
}

static void hang_up(struct caller *c)
{
	if (c->closing)
		return;
	c->closing = true;
	c->capf->now--;
	uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void end(struct caller *c, enum capf_reason reason)
{
	c->ending = true;
	capf_server_end(&c->server, reason);
}

static void note_auth(struct caller *c, const struct capf_server_event *e)
{
	struct little_capf *l = c->capf;
	const struct cert_proof_parts parts = {
		.device = e->device,
		.session = c->server.config.session,
		.certificate = {e->certs[0].der.p, e->certs[0].der.n},
		.sha1 = {e->signed_data.p, e->signed_data.n},
		.sha2 = {e->sha2_signed_data.p, e->sha2_signed_data.n},
		.sudi = {e->sudi_data.p, e->sudi_data.n},
	};
	X509 *cert = NULL, *sudi = NULL;
	l->version = e->version;
	snprintf(l->device, sizeof(l->device), "%s", e->device);
	snprintf(l->password, sizeof(l->password), "%s",
		e->password ? e->password : "-");
	l->cert_type = e->n_certs ? e->certs[0].type : 0;
	l->proof = cert_proof_check(&parts, &cert, &sudi);
	l->sudi = sudi != NULL;
	X509_free(cert);
	X509_free(sudi);
}

/* false: hang up. */
static bool on_auth(struct caller *c, const struct capf_server_event *e)
{
	struct little_capf *l = c->capf;
	const struct moment t = now(l);
	note_auth(c, e);
	if (l->hang_ups > 0) {
		l->hang_ups--;
		return false;
	}
	switch (l->wants) {
	case LITTLE_CAPF_INSTALLS:
	case LITTLE_CAPF_STORES_FOREIGN:
		capf_server_generate_key(&c->server, &l->wish, &t);
		break;
	case LITTLE_CAPF_DELETES:
		capf_server_erase(&c->server, &t);
		break;
	case LITTLE_CAPF_FETCHES:
		capf_server_fetch(&c->server, l->fetch_type, &t);
		break;
	case LITTLE_CAPF_ENDS:
		end(c, l->reason);
		break;
	case LITTLE_CAPF_IS_SILENT:
		break;
	}
	return true;
}

static void issue(struct caller *c, EVP_PKEY *key)
{
	struct little_capf *l = c->capf;
	const struct moment t = now(l);
	struct diag d = {.text = ""};
	char serial[33];
	unsigned char *der = NULL;
	X509 *lsc = NULL;
	cert_serial_make(serial);
	const struct cert_lsc wanted = {
		.device = l->device,
		.key = key,
		.issuer = l->root,
		.issuer_key = l->root_key,
		.serial = serial,
		.not_before = time(NULL) - DAY_S,
		.not_after = time(NULL) + DAYS * DAY_S,
	};
	if (cert_lsc_make(&wanted, &lsc, &d) < 0)
		fail_msg("%s", d.text);
	int n = i2d_X509(lsc, &der);
	assert_true(n > 0);
	capf_server_store(&c->server, der, (size_t)n, &t);
	OPENSSL_free(der);
	X509_free(lsc);
}

static void on_key(struct caller *c, const struct capf_server_event *e)
{
	struct little_capf *l = c->capf;
	const unsigned char *p = e->public_key.p;
	if (!p) {
		l->no_keys++;
		end(c, CAPF_REASON_DECLINED);
		return;
	}
	l->keys++;
	assert_true(e->public_key.n <= sizeof(l->key));
	memcpy(l->key, p, e->public_key.n);
	l->key_n = e->public_key.n;
	EVP_PKEY *key = l->wants == LITTLE_CAPF_STORES_FOREIGN
				? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
				: d2i_PUBKEY(NULL, &p, (long)e->public_key.n);
	assert_non_null(key);
	issue(c, key);
	EVP_PKEY_free(key);
}

static void on_fetched(struct caller *c, const struct capf_server_event *e)
{
	struct little_capf *l = c->capf;
	l->shown = e->n_certs;
	for (size_t i = 0; i < e->n_certs && i < LITTLE_CAPF_TYPES; i++)
		l->types[i] = e->certs[i].type;
}

/* false: hang up. */
static bool on_event(struct caller *c, const struct capf_server_event *e)
{
	struct little_capf *l = c->capf;
	switch (e->type) {
	case CAPF_SERVER_AUTH:
		return on_auth(c, e);
	case CAPF_SERVER_PROGRESS:
		l->progress++;
		return true;
	case CAPF_SERVER_KEY:
		on_key(c, e);
		return true;
	case CAPF_SERVER_STORED:
		l->stored += e->reason == CAPF_REASON_SUCCESS;
		break;
	case CAPF_SERVER_ERASED:
		l->erased += e->reason == CAPF_REASON_SUCCESS;
		break;
	case CAPF_SERVER_FETCHED:
		on_fetched(c, e);
		break;
	case CAPF_SERVER_FAILED:
		l->failed++;
		return false;
	}
	l->last_reason = e->reason;
	end(c, e->reason == CAPF_REASON_SUCCESS ? CAPF_REASON_SUCCESS
						: CAPF_REASON_DECLINED);
	return true;
}

static bool run(struct caller *c)
{
	struct capf_server_event e;
	while (capf_server_next(&c->server, &e))
		if (!on_event(c, &e))
			return false;
	return true;
}

/* All that is sent fits the socket: phones are few and are told little. */
static void post(struct caller *c, const uint8_t *data, size_t n)
{
	const uv_buf_t buffer = uv_buf_init((char *)data, (unsigned)n);
	if (n > 0)
		uv_try_write((uv_stream_t *)&c->tcp, &buffer, 1);
}

static void send_out(struct caller *c)
{
	const uint8_t *data;
	size_t n;
	while (c->up && (data = capf_server_out(&c->server, &n)) && n > 0) {
		tls_engine_write(&c->tls, data, n);
		capf_server_sent(&c->server, n);
	}
	if (c->ending)
		tls_engine_close(&c->tls);
	data = tls_engine_out(&c->tls, &n);
	post(c, data, n);
	tls_engine_sent(&c->tls, n);
}

/* false: hang up. */
static bool hear(struct caller *c)
{
	struct tls_event e;
	const struct moment t = now(c->capf);
	bool stay = true;
	while (stay && tls_engine_next(&c->tls, &e)) {
		c->up |= e.type == TLS_EVENT_UP;
		if (e.type == TLS_EVENT_DATA)
			capf_server_feed(&c->server, e.data, e.n, &t);
		if (e.type == TLS_EVENT_DATA)
			stay = run(c);
		if (e.type == TLS_EVENT_CLOSED || e.type == TLS_EVENT_FAILED)
			stay = false;
	}
	return stay;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct caller *c = stream->data;
	bool stay = n >= 0;
	if (n > 0) {
		tls_engine_feed(&c->tls, buffer->base, (size_t)n);
		stay = hear(c);
		send_out(c);
	}
	if (!stay || c->ending)
		hang_up(c);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
	struct caller *c = handle->data;
	*buffer = uv_buf_init(c->capf->received, sizeof(c->capf->received));
}

static void on_call(uv_stream_t *listener, int status)
{
	struct little_capf *l = listener->data;
	struct caller *c = calloc(1, sizeof(*c));
	const struct moment t = now(l);
	assert_int_equal(status, 0);
	assert_non_null(c);
	c->capf = l;
	uv_tcp_init(l->loop, &c->tcp);
	c->tcp.data = c;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&c->tcp), 0);
	l->calls++;
	if (++l->now > l->together)
		l->together = l->now;
	tls_engine_init(&c->tls, l->ctx, true, l->plain, PATIENCE_MS, &t);
	const struct capf_server_config config = {
		.session = 0x11223344 + l->calls,
		.answer_ms = PATIENCE_MS,
		.keygen_ms = PATIENCE_MS,
	};
	capf_server_init(&c->server, &config, &t);
	uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

static SSL_CTX *context(const struct little_capf *l)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	assert_non_null(ctx);
	assert_int_equal(SSL_CTX_use_certificate(ctx, l->root), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, l->root_key), 1);
	return ctx;
}

void little_capf_open(struct little_capf *l, uv_loop_t *loop)
{
	static const struct cert_organisation none;
	struct sockaddr_in any;
	struct sockaddr_storage bound = {0};
	struct diag d = {.text = ""};
	int n = sizeof(bound);
	memset(l, 0, sizeof(*l));
	l->loop = loop;
	l->wish = (struct capf_key_wish){CAPF_KEY_RSA, 1024};
	l->reason = CAPF_REASON_DECLINED;
	if (cert_capf_make(&none, "rsa2048", time(NULL), DAYS, &l->root,
		    &l->root_key, &d) < 0)
		fail_msg("%s", d.text);
	l->ctx = context(l);
	uv_ip4_addr("127.0.0.1", 0, &any);
	uv_tcp_init(loop, &l->listener);
	l->listener.data = l;
	uv_tcp_bind(&l->listener, (struct sockaddr *)&any, 0);
	assert_int_equal(
		uv_listen((uv_stream_t *)&l->listener, BACKLOG, on_call), 0);
	uv_tcp_getsockname(&l->listener, (struct sockaddr *)&bound, &n);
	target_text((struct sockaddr *)&bound, &l->target);
	uv_unref((uv_handle_t *)&l->listener);
}

void little_capf_close(struct little_capf *l)
{
	if (!l->loop)
		return;
	uv_close((uv_handle_t *)&l->listener, NULL);
	uv_run(l->loop, UV_RUN_DEFAULT);
	SSL_CTX_free(l->ctx);
	X509_free(l->root);
	EVP_PKEY_free(l->root_key);
}
