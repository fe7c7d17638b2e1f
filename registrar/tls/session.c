/* SPDX-License-Identifier: Apache-2.0 */
/* TLS sessions without the phone's certificate, made without a decoder. */
#include "registrar/tls/session.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>

#include "protocols/bytes.h"

enum { LAYOUT = 1, SECRET_MAX = SSL_MAX_MASTER_KEY_LENGTH };

/* DER of SSL_SESSION (OpenSSL, ssl/ssl_asn1.c): structure version, TLS 1.2, a
 * suite, no id, an empty secret; [13] the flag that says RFC 7627. */
#define EMPTY(n)                                                             \
	0x30, n, 0x02, 0x01, 0x01, 0x02, 0x02, 0x03, 0x03, 0x04, 0x02, 0xc0, \
		0x2f, 0x04, 0x00, 0x04, 0x00
static const uint8_t empty_plain[] = {EMPTY(15)};
static const uint8_t empty_extended[] = {
	EMPTY(20), 0xad, 0x03, 0x02, 0x01, 0x01};

/* What makes a session; points into what it was read from. */
struct parts {
	int version;
	const SSL_CIPHER *cipher;
	bool extended;
	const uint8_t *secret, *id, *context, *data;
	size_t n_secret, n_id, n_context, n_data;
	int64_t time;
	uint32_t timeout;
};

static SSL_SESSION *decode(const uint8_t *der, size_t n)
{
	SSL_SESSION *session = d2i_SSL_SESSION(NULL, &der, (long)n);
	if (!session)
		abort(); /* law 1: another OpenSSL than we know */
	return session;
}

void session_mould_init(struct session_mould *m)
{
	m->empty[0] = decode(empty_plain, sizeof(empty_plain));
	m->empty[1] = decode(empty_extended, sizeof(empty_extended));
}

void session_mould_deinit(struct session_mould *m)
{
	SSL_SESSION_free(m->empty[0]);
	SSL_SESSION_free(m->empty[1]);
}

static SSL_SESSION *make(const struct session_mould *m, const struct parts *p)
{
	SSL_SESSION *s = SSL_SESSION_dup(m->empty[p->extended]);
	if (s && SSL_SESSION_set_protocol_version(s, p->version) &&
		SSL_SESSION_set_cipher(s, p->cipher) &&
		SSL_SESSION_set1_master_key(s, p->secret, p->n_secret) &&
		SSL_SESSION_set1_id(s, p->id, (unsigned)p->n_id) &&
		SSL_SESSION_set1_id_context(
			s, p->context, (unsigned)p->n_context) &&
		SSL_SESSION_set1_ticket_appdata(s, p->data, p->n_data)) {
		SSL_SESSION_set_time(s, (long)p->time);
		SSL_SESSION_set_timeout(s, (long)p->timeout);
		return s;
	}
	SSL_SESSION_free(s);
	ERR_clear_error();
	return NULL;
}

/* secret: where to put it, SECRET_MAX bytes. False: it is no session that can
 * be resumed. */
static bool take_apart(
	SSL_SESSION *s, bool extended, uint8_t *secret, struct parts *p)
{
	unsigned n_id, n_context;
	void *data;
	*p = (struct parts){
		.version = SSL_SESSION_get_protocol_version(s),
		.cipher = SSL_SESSION_get0_cipher(s),
		.extended = extended,
		.secret = secret,
		.n_secret = SSL_SESSION_get_master_key(s, secret, SECRET_MAX),
		.id = SSL_SESSION_get_id(s, &n_id),
		.context = SSL_SESSION_get0_id_context(s, &n_context),
		.time = SSL_SESSION_get_time(s),
		.timeout = (uint32_t)SSL_SESSION_get_timeout(s),
	};
	p->n_id = n_id;
	p->n_context = n_context;
	if (!SSL_SESSION_get0_ticket_appdata(s, &data, &p->n_data))
		return false;
	p->data = data;
	return p->cipher && p->n_secret && p->data;
}

SSL_SESSION *session_strip(
	const struct session_mould *m, SSL_SESSION *session, bool extended)
{
	uint8_t secret[SECRET_MAX];
	struct parts parts;
	SSL_SESSION *stripped = NULL;
	if (take_apart(session, extended, secret, &parts))
		stripped = make(m, &parts);
	OPENSSL_cleanse(secret, sizeof(secret));
	return stripped;
}

static void put_block(struct bytes_out *out, const uint8_t *p, size_t n)
{
	bytes_put_le16(out, (uint16_t)n);
	bytes_put(out, p, n);
}

static const uint8_t *get_block(struct bytes_in *in, size_t *n)
{
	*n = bytes_le16(in);
	const uint8_t *p = in->p;
	bytes_skip(in, *n);
	return p;
}

size_t session_pack(
	SSL_SESSION *session, bool extended, uint8_t *data, size_t max)
{
	uint8_t secret[SECRET_MAX];
	struct parts p;
	struct bytes_out out = bytes_out(data, max);
	bool whole = take_apart(session, extended, secret, &p);
	if (whole) {
		bytes_put_u8(&out, LAYOUT);
		bytes_put_u8(&out, p.extended);
		bytes_put_le16(&out, (uint16_t)p.version);
		bytes_put_le16(&out, SSL_CIPHER_get_protocol_id(p.cipher));
		bytes_put_le32(&out, (uint32_t)p.time);
		bytes_put_le32(&out, (uint32_t)(p.time >> 32));
		bytes_put_le32(&out, p.timeout);
		put_block(&out, p.secret, p.n_secret);
		put_block(&out, p.context, p.n_context);
		put_block(&out, p.data, p.n_data);
	}
	OPENSSL_cleanse(secret, sizeof(secret));
	return whole && !out.bad ? max - out.left : 0;
}

SSL_SESSION *session_unpack(const struct session_mould *m, SSL *ssl,
	const uint8_t *data, size_t n, const uint8_t *id, size_t n_id)
{
	struct bytes_in in = bytes_in(data, n);
	struct parts p = {.id = id, .n_id = n_id};
	bool known = bytes_u8(&in) == LAYOUT;
	p.extended = bytes_u8(&in) != 0;
	p.version = bytes_le16(&in);
	uint16_t suite = bytes_le16(&in);
	const uint8_t wire[] = {suite >> 8, suite & 0xff};
	uint64_t low = bytes_le32(&in);
	p.time = (int64_t)(low | (uint64_t)bytes_le32(&in) << 32);
	p.timeout = bytes_le32(&in);
	p.secret = get_block(&in, &p.n_secret);
	p.context = get_block(&in, &p.n_context);
	p.data = get_block(&in, &p.n_data);
	p.cipher = SSL_CIPHER_find(ssl, wire);
	if (!known || in.bad || in.left || !p.cipher)
		return NULL;
	return make(m, &p);
}
