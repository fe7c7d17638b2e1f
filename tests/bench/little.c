/* SPDX-License-Identifier: Apache-2.0 */
/* A little registrar on a test's own loop: the server engines behind uv. */
#include "tests/bench/little.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <netinet/in.h>

#include <cmocka.h>

#include "protocols/sccp/server.h"
#include "protocols/sip/server.h"
#include "protocols/tls/engine.h"

enum { BACKLOG = 512, HANDSHAKE_MS = 20000, EXPIRES_S = 120 };

/* One phone's connection. */
struct caller {
	struct little *little;
	uv_tcp_t tcp;
	bool closing;
	bool secure; /* over TLS, as its little was when it called */
	bool in;     /* registered */
	struct tls_engine tls;
	struct sccp_server sccp;
	struct sip_server sip;
	struct sip_bindings bindings;
};

static struct moment now(const struct little *l)
{
	return (struct moment){.mono_ms = uv_now(l->loop),
		.unix_ms = time(NULL) * INT64_C(1000)};
}

static void on_closed(uv_handle_t *handle)
{
	struct caller *c = handle->data;
	if (c->secure)
		tls_engine_deinit(&c->tls);
	if (c->little->protocol == TALK_SIP)
		sip_server_deinit(&c->sip);
	else
		sccp_server_deinit(&c->sccp);
	sip_bindings_deinit(&c->bindings);
	free(c);
}

static void hang_up(struct caller *c)
{
	if (c->closing)
		return;
	c->closing = true;
	if (c->in)
		c->little->registered--;
	uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void count_in(struct caller *c)
{
	struct little *l = c->little;
	c->in = true;
	if (++l->registered > l->together)
		l->together = l->registered;
}

static void count_out(struct caller *c)
{
	struct little *l = c->little;
	l->unregistered++;
	l->registered -= c->in;
	c->in = false;
}

/* true: this request is told to wait. */
static bool tells(struct little *l)
{
	if (l->tells == 0)
		return false;
	l->tells--;
	return true;
}

/* false: hang up once all is sent. */
static bool answer_sccp_token(struct caller *c)
{
	struct little *l = c->little;
	bool busy = tells(l);
	if (busy)
		sccp_server_deny_token(&c->sccp, 1);
	else
		sccp_server_grant_token(&c->sccp);
	l->tokens += !busy;
	return !(busy && l->tells_and_hangs_up);
}

static bool answer_sip_token(struct caller *c)
{
	struct little *l = c->little;
	bool busy = tells(l);
	if (busy)
		sip_server_deny_token(&c->sip, 1);
	else
		sip_server_grant_token(&c->sip);
	l->tokens += !busy;
	return !(busy && l->tells_and_hangs_up);
}

static void answer_sccp(struct caller *c)
{
	static const struct sccp_grant_button line = {
		SCCP_BUTTON_LINE, "1001", "one"};
	static const struct sccp_grant grant = {
		.keepalive_s = 1,
		.secondary_keepalive_s = 1,
		.date_template = "D.M.Y",
		.server_name = "little",
		.buttons = &line,
		.n_buttons = 1,
	};
	if (c->little->mood == LITTLE_REJECTS)
		sccp_server_reject(&c->sccp, "Go away\n1: ERR forged\x1b[2J");
	else
		sccp_server_accept(&c->sccp, &grant);
}

static void tell_to_restart(struct caller *c)
{
	const struct moment t = now(c->little);
	if (c->little->restarts == 0)
		return;
	c->little->restarts--;
	sccp_server_reset(&c->sccp, SCCP_RESTART, &t);
}

/* false: hang up once all is sent. */
static bool run_sccp(struct caller *c)
{
	struct sccp_server_event e;
	enum little_mood mood = c->little->mood;
	bool stay = true;
	while (sccp_server_next(&c->sccp, &e)) {
		if (e.type == SCCP_SERVER_REGISTER)
			answer_sccp(c);
		if (e.type == SCCP_SERVER_TOKEN && !answer_sccp_token(c))
			stay = false;
		if (e.type == SCCP_SERVER_REGISTERED)
			count_in(c);
		if (e.type == SCCP_SERVER_REGISTERED)
			tell_to_restart(c);
		if (e.type == SCCP_SERVER_REGISTERED && mood == LITTLE_HANGS_UP)
			stay = false;
		if (e.type == SCCP_SERVER_UNREGISTER)
			count_out(c);
		if (e.type == SCCP_SERVER_CLOSE)
			stay = false;
	}
	return stay;
}

static void accept_sip(struct caller *c, const struct sip_register *reg)
{
	static const struct sip_binding_limits limits = {EXPIRES_S, EXPIRES_S};
	const struct moment t = now(c->little);
	size_t added = 0;
	if (reg->kind == SIP_REGISTER_STANDBY)
		c->little->standby++;
	else
		assert_int_equal(sip_bindings_apply(&c->bindings, &reg->request,
					 &limits, &t, &added),
			SIP_BIND_OK);
	const struct sip_grant grant = {
		.expires_s = EXPIRES_S,
		.newreg = added > 0,
		.bindings = &c->bindings,
		.alive_until_ms = sip_bindings_last_ms(&c->bindings),
	};
	if (reg->kind == SIP_REGISTER_UNBIND_ALL)
		count_out(c);
	if (added)
		count_in(c);
	sip_server_accept(&c->sip, &grant);
}

static bool run_sip(struct caller *c)
{
	struct sip_server_event e;
	static const struct sip_refusal no = {
		.status = 403, .warning = "Go away"};
	static const struct sip_refusal busy = {
		.status = 503, .retry_after_s = 1};
	bool stay = true;
	while (sip_server_next(&c->sip, &e)) {
		if (e.type == SIP_SERVER_CLOSE)
			stay = false;
		if (e.type == SIP_SERVER_TOKEN && !answer_sip_token(c))
			stay = false;
		if (e.type != SIP_SERVER_REGISTER)
			continue;
		if (tells(c->little)) {
			sip_server_reject(&c->sip, &busy);
			if (c->little->tells_and_hangs_up)
				stay = false;
			continue;
		}
		if (c->little->mood == LITTLE_REJECTS)
			sip_server_reject(&c->sip, &no);
		else
			accept_sip(c, e.reg);
		if (c->little->mood == LITTLE_HANGS_UP)
			stay = false;
	}
	return stay;
}

/* What a phone said in plain text; false: hang up. */
static bool hear(struct caller *c, const void *data, size_t n)
{
	const struct moment t = now(c->little);
	enum little_mood mood = c->little->mood;
	if (mood == LITTLE_IS_SILENT || (mood == LITTLE_FALLS_SILENT && c->in))
		return true;
	if (c->little->protocol == TALK_SIP)
		sip_server_feed(&c->sip, data, n, &t);
	else
		sccp_server_feed(&c->sccp, data, n, &t);
	return c->little->protocol == TALK_SIP ? run_sip(c) : run_sccp(c);
}

/* All that is sent fits the socket: phones are few and talk little. */
static void post(struct caller *c, const uint8_t *data, size_t n)
{
	if (n == 0)
		return;
	const uv_buf_t buffer = uv_buf_init((char *)data, (unsigned)n);
	uv_try_write((uv_stream_t *)&c->tcp, &buffer, 1);
}

static void send_out(struct caller *c)
{
	bool sip = c->little->protocol == TALK_SIP;
	size_t n;
	const uint8_t *data = sip ? sip_server_out(&c->sip, &n)
				  : sccp_server_out(&c->sccp, &n);
	if (c->secure)
		tls_engine_write(&c->tls, data, n);
	else
		post(c, data, n);
	if (sip)
		sip_server_sent(&c->sip, n);
	else
		sccp_server_sent(&c->sccp, n);
	if (!c->secure)
		return;
	data = tls_engine_out(&c->tls, &n);
	post(c, data, n);
	tls_engine_sent(&c->tls, n);
}

static bool run_tls(struct caller *c)
{
	struct tls_event e;
	bool stay = true;
	while (stay && tls_engine_next(&c->tls, &e)) {
		if (e.type == TLS_EVENT_DATA)
			stay = hear(c, e.data, e.n);
		if (e.type == TLS_EVENT_CLOSED || e.type == TLS_EVENT_FAILED)
			stay = false;
	}
	return stay;
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct caller *c = stream->data;
	bool stay = n >= 0;
	if (n > 0 && c->secure) {
		tls_engine_feed(&c->tls, buffer->base, (size_t)n);
		stay = run_tls(c);
	} else if (n > 0) {
		stay = hear(c, buffer->base, (size_t)n);
	}
	if (n > 0)
		send_out(c);
	if (!stay)
		hang_up(c);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer)
{
	struct caller *c = handle->data;
	*buffer = uv_buf_init(c->little->received, sizeof(c->little->received));
}

static void note_caller(struct caller *c)
{
	struct little *l = c->little;
	struct sockaddr_in peer = {0};
	int n = sizeof(peer);
	uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&peer, &n);
	if (l->calls < LITTLE_CALLERS)
		l->callers[l->calls] = ntohl(peer.sin_addr.s_addr);
	l->calls++;
}

static void on_call(uv_stream_t *listener, int status)
{
	struct little *l = listener->data;
	struct caller *c = calloc(1, sizeof(*c));
	const struct moment t = now(l);
	assert_int_equal(status, 0);
	assert_non_null(c);
	c->little = l;
	uv_tcp_init(l->loop, &c->tcp);
	c->tcp.data = c;
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&c->tcp), 0);
	note_caller(c);
	c->secure = l->ctx != NULL;
	if (c->secure)
		tls_engine_init(
			&c->tls, l->ctx, true, l->plain, HANDSHAKE_MS, &t);
	if (l->protocol == TALK_SIP)
		sip_server_init(&c->sip, &sip_server_defaults, &t);
	else
		sccp_server_init(&c->sccp, &sccp_server_defaults, &t);
	uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

void little_open(struct little *l, uv_loop_t *loop, enum talk_protocol protocol,
	enum little_mood mood, SSL_CTX *ctx)
{
	struct sockaddr_in any;
	struct sockaddr_storage bound = {0};
	int n = sizeof(bound);
	memset(l, 0, sizeof(*l));
	l->loop = loop;
	l->protocol = protocol;
	l->mood = mood;
	l->ctx = ctx;
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

void little_close(struct little *l)
{
	uv_close((uv_handle_t *)&l->listener, NULL);
	uv_run(l->loop, UV_RUN_DEFAULT);
}

SSL_CTX *little_tls(const char *cert, const char *key, const char *ca)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	assert_non_null(ctx);
	assert_int_equal(
		SSL_CTX_use_certificate_file(ctx, cert, SSL_FILETYPE_PEM), 1);
	assert_int_equal(
		SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM), 1);
	assert_int_equal(SSL_CTX_load_verify_file(ctx, ca), 1);
	X509_STORE_set_flags(
		SSL_CTX_get_cert_store(ctx), X509_V_FLAG_PARTIAL_CHAIN);
	SSL_CTX_set_verify(
		ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	return ctx;
}
