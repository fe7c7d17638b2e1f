/* SPDX-License-Identifier: Apache-2.0 */
/* Resumption that never outlives its trust, and never decodes a certificate. */
#include "registrar/tls/resume.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "registrar/admit.h"
#include "registrar/memory.h"
#include "registrar/tls/session.h"
#include "trust/revocation.h"

struct resume_ctx {
	struct resume *resume;
	const struct trust_snapshot *trust;
	struct parking *parking;
	struct session_mould mould;
};

static int ctx_index = -1, record_index = -1;

__attribute__((constructor)) static void make_indexes(void)
{
	ctx_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	record_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

static const char *const names[] = {
#define X(symbol, name) name,
	RESUME_LIST(X)
#undef X
};

const char *resume_verdict_name(enum resume_verdict v)
{
	return names[v];
}

/*
 * Will the session have an extended master secret? OpenSSL does not say while
 * it shakes hands, but it always agrees to what the client offers. TLS 1.3
 * knows no other.
 */
static bool is_extended(const SSL *ssl)
{
	const struct resume_record *record = SSL_get_ex_data(ssl, record_index);
	return record && record->extended && SSL_version(ssl) != TLS1_3_VERSION;
}

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
	struct resume_record *record = SSL_get_ex_data(ssl, record_index);
	const unsigned char *data;
	size_t n;
	if (record)
		record->extended = SSL_client_hello_get0_ext(
			ssl, TLSEXT_TYPE_extended_master_secret, &data, &n);
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* The session about to be sealed loses its certificate. Where a step fails
 * the full session goes out: larger and slower, never wrong. */
static void strip_in_place(struct resume_ctx *r, SSL *ssl)
{
	SSL_SESSION *stripped = session_strip(
		&r->mould, SSL_get_session(ssl), is_extended(ssl));
	if (stripped)
		parking_exchange(r->parking, ssl, stripped);
	SSL_SESSION_free(stripped);
	ERR_clear_error();
}

/* ---- the record ---- */

void resume_tag(SSL *ssl, const uint8_t tag[RESUME_TAG])
{
	SSL_set_session_id_context(ssl, tag, RESUME_TAG);
}

void resume_remember(SSL *ssl, struct resume_record *record)
{
	SSL_set_ex_data(ssl, record_index, record);
}

static bool view_of(SSL_SESSION *session, struct resume_view *out)
{
	void *data;
	size_t n;
	return SSL_SESSION_get0_ticket_appdata(session, &data, &n) == 1 &&
	       data && resume_view_read(out, data, n);
}

bool resume_recall(SSL *ssl, struct resume_record *out)
{
	SSL_SESSION *session = SSL_get_session(ssl);
	struct resume_view view;
	if (!SSL_session_reused(ssl) || !session || !view_of(session, &view))
		return false;
	out->kind = view.kind;
	memcpy(out->anchor, view.anchor, sizeof(out->anchor));
	peer_cert_unref(out->cert);
	out->cert = peer_cert_pack(&view.facts, view.texts);
	return true;
}

/* When a certificate of that anchor's is believed no more. */
static int64_t end_of(int64_t not_after, const struct trust_anchor *anchor)
{
	return not_after + (anchor ? anchor->grace_s : 0);
}

/* Lifetime: an hour, and never past the certificate's own end. */
static void set_lifetime(const struct resume_ctx *r, SSL_SESSION *session,
	const struct resume_record *record)
{
	int64_t left = end_of(record->cert->not_after,
			       trust_snapshot_find(r->trust, record->anchor)) -
		       time(NULL);
	if (left > RESUME_LIFETIME_S)
		left = RESUME_LIFETIME_S;
	SSL_SESSION_set_timeout(session, left > 1 ? (long)left : 1);
}

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000 + now.tv_nsec;
}

void resume_revoke(struct resume *resume)
{
	__atomic_store_n(&resume->revoked_ns, now_ns(), __ATOMIC_RELAXED);
}

/* Puts the record of this handshake into its session. */
static bool attach(const struct resume_ctx *r, SSL *ssl, SSL_SESSION *session)
{
	uint8_t data[RESUME_RECORD_MAX];
	struct resume_record *record = SSL_get_ex_data(ssl, record_index);
	/* Nothing was verified: nothing may be resumed. */
	if (!record || record->kind == CERT_KIND_UNKNOWN)
		return false;
	record->made_ns = now_ns();
	size_t n = resume_record_write(record, data);
	if (n == 0)
		return false;
	set_lifetime(r, session, record);
	return SSL_SESSION_set1_ticket_appdata(session, data, n) == 1;
}

/* ---- the re-check ---- */

/* Would this phone be admitted now, as it came then? Its device may be gone,
 * follow another profile, or have lost its MIC since. */
static bool device_allowed(const struct resume_ctx *r, const SSL_SESSION *s,
	const struct resume_view *view, const struct resume_record *own,
	const struct trust_anchor *anchor)
{
	char device[CERT_DEVICE_MAX + 1] = "";
	struct admit_verdict verdict;
	struct peer_cert cert = {.device = device, .cn = device};
	const struct peer peer = {
		.protocol = own->protocol,
		.tls = true,
		.cipher = SSL_CIPHER_get_name(SSL_SESSION_get0_cipher(s)),
		.anchor = anchor,
		.verified = true,
		.kind = view->kind,
		.cert = &cert,
	};
	memcpy(device, view->texts[PEER_CERT_device].p,
		view->texts[PEER_CERT_device].n);
	admit_decide(r->resume->config, r->resume->inventory, &peer, device,
		&verdict);
	return verdict.code == REASON_FAILURE_NO_ERROR;
}

/* Was it as strong as it would have to be today? */
static bool strong_enough(const struct resume_ctx *r,
	const struct trust_anchor *anchor, const struct resume_view *view)
{
	return view->facts.level >=
		       trust_snapshot_policy(r->trust)->auth_level &&
	       (view->facts.waived & ~anchor->allows) == 0;
}

/* Does a list name its certificate, the CA between or its anchor? */
static bool is_listed(
	const struct resume_ctx *r, const struct resume_view *view)
{
	char serial[CERT_SERIAL_MAX + 1];
	const struct peer_text *text = &view->texts[PEER_CERT_ca_serial];
	if (text->n == 0)
		text = &view->texts[PEER_CERT_serial];
	memcpy(serial, text->p, text->n);
	serial[text->n] = '\0';
	return trust_revocation_is_revoked(
		trust_snapshot_revocation(r->trust), view->anchor, serial);
}

static enum resume_verdict judge(const struct resume_ctx *r, SSL_SESSION *s,
	const struct resume_record *own)
{
	struct resume_view view;
	if (!view_of(s, &view))
		return RESUME_UNREADABLE;
	if (!own || memcmp(own->tag, view.tag, RESUME_TAG) != 0)
		return RESUME_LISTENER;
	if (view.made_ns <=
		__atomic_load_n(&r->resume->revoked_ns, __ATOMIC_RELAXED))
		return RESUME_REVOKED;
	time_t now = r->resume->now(NULL);
	/* By a clock that has been put back since; it would never get old. */
	if (view.made_ns / 1000000000 > now + RESUME_LIFETIME_S)
		return RESUME_FUTURE;
	const struct trust_anchor *anchor =
		trust_snapshot_find(r->trust, view.anchor);
	if (!anchor || !anchor->usable || anchor->enrol_only ||
		anchor->kind != view.kind)
		return RESUME_ANCHOR;
	if (now >= end_of(view.facts.not_after, anchor) ||
		now < view.facts.not_before || now >= anchor->id.not_after)
		return RESUME_EXPIRED;
	if (is_listed(r, &view))
		return RESUME_LISTED;
	if (!strong_enough(r, anchor, &view))
		return RESUME_STRENGTH;
	if (!device_allowed(r, s, &view, own, anchor))
		return RESUME_DEVICE;
	return RESUME_OK;
}

/*
 * A session goes on with its own cipher, up to TLS 1.2. OpenSSL ends the
 * handshake of a phone that does not offer it any more, which is what becomes
 * of one whose mode has changed, from NULL-SHA or to it.
 */
static bool offers_cipher(SSL *ssl, const SSL_SESSION *session)
{
	const SSL_CIPHER *cipher = SSL_SESSION_get0_cipher(session);
	unsigned char *list = NULL;
	if (SSL_version(ssl) >= TLS1_3_VERSION || !cipher)
		return true;
	uint16_t suite = SSL_CIPHER_get_protocol_id(cipher);
	long n = (long)SSL_get0_raw_cipherlist(ssl, &list);
	for (long i = 0; i + 1 < n; i += 2)
		if (list[i] == suite >> 8 && list[i + 1] == (suite & 0xff))
			return true;
	return false;
}

static bool recheck(struct resume_ctx *r, SSL *ssl, SSL_SESSION *session)
{
	enum resume_verdict verdict =
		judge(r, session, SSL_get_ex_data(ssl, record_index));
	if (verdict == RESUME_OK && !offers_cipher(ssl, session))
		verdict = RESUME_CIPHER;
	__atomic_add_fetch(&r->resume->verdicts[verdict], 1, __ATOMIC_RELAXED);
	return verdict == RESUME_OK;
}

/* ---- OpenSSL's hooks ---- */

static struct resume_ctx *ctx_of(SSL *ssl)
{
	/* The context may be switched; the first one keeps the sessions. */
	return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), ctx_index);
}

static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
	struct resume_ctx *r = ctx_of(ssl);
	uint8_t data[SESSION_DATA_MAX];
	unsigned int n_id;
	const uint8_t *id = SSL_SESSION_get_id(session, &n_id);
	/* TLS 1.3 with tickets keeps nothing here. */
	if (!r || n_id == 0 ||
		(SSL_version(ssl) == TLS1_3_VERSION && r->resume->keys))
		return 0;
	if (!SSL_session_reused(ssl) && !attach(r, ssl, session))
		return 0;
	struct session_cache_entry entry = {
		.id = id,
		.n_id = n_id,
		.data = data,
		.n = session_pack(
			session, is_extended(ssl), data, sizeof(data)),
		.expires = (int64_t)SSL_SESSION_get_time(session) +
			   SSL_SESSION_get_timeout(session),
	};
	if (entry.n > 0)
		session_cache_put(
			r->resume->cache, &entry, r->resume->now(NULL));
	OPENSSL_cleanse(data, entry.n);
	return 0; /* we keep no reference */
}

static SSL_SESSION *on_get_session(
	SSL *ssl, const unsigned char *id, int n_id, int *copy)
{
	struct resume_ctx *r = ctx_of(ssl);
	uint8_t data[SESSION_DATA_MAX];
	*copy = 0;
	if (!r || n_id < 0)
		return NULL;
	size_t n = session_cache_get(
		r->resume->cache, id, (size_t)n_id, time(NULL), data);
	SSL_SESSION *session =
		n ? session_unpack(&r->mould, ssl, data, n, id, (size_t)n_id)
		  : NULL;
	OPENSSL_cleanse(data, n);
	if (session && recheck(r, ssl, session))
		return session;
	if (session)
		session_cache_drop(r->resume->cache, id, (size_t)n_id);
	SSL_SESSION_free(session);
	return NULL;
}

static int on_seal(SSL *ssl, void *arg)
{
	struct resume_ctx *r = arg;
	SSL_SESSION *session = SSL_get_session(ssl);
	if (SSL_session_reused(ssl))
		return 1; /* the record is in it, the certificate is not */
	if (attach(r, ssl, session))
		strip_in_place(r, ssl);
	return 1;
}

static SSL_TICKET_RETURN on_open(SSL *ssl, SSL_SESSION *session,
	const unsigned char *name, size_t n_name, SSL_TICKET_STATUS status,
	void *arg)
{
	struct resume_ctx *r = arg;
	if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	if (!recheck(r, ssl, session))
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	/* A ticket of TLS 1.3 is used once (RFC 8446 C.4): here is the next. */
	return status == SSL_TICKET_SUCCESS && SSL_version(ssl) < TLS1_3_VERSION
		       ? SSL_TICKET_RETURN_USE
		       : SSL_TICKET_RETURN_USE_RENEW;
}

static int use_key(const struct ticket_key *key, unsigned char *iv,
	EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY,
			(void *)key->hmac, sizeof(key->hmac)),
		OSSL_PARAM_construct_utf8_string(
			OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_end(),
	};
	return EVP_MAC_CTX_set_params(mac, params) == 1 &&
	       EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, key->aes, iv,
		       sealing) == 1;
}

static int on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv,
	EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int sealing)
{
	struct resume_ctx *r = ctx_of(ssl);
	struct ticket_key key;
	bool old = false;
	int result = -1;
	if (!r)
		return 0;
	if (sealing) {
		ticket_keys_seal(r->resume->keys, &key);
		memcpy(name, key.name, sizeof(key.name));
		if (RAND_bytes(iv,
			    EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
			goto out;
	} else if (!ticket_keys_find(r->resume->keys, name, &key, &old)) {
		return 0;
	}
	if (use_key(&key, iv, cipher, mac, sealing))
		result = old ? 2 : 1;
out:
	OPENSSL_cleanse(&key, sizeof(key));
	return result;
}

struct resume_ctx *resume_ctx_new(struct resume *resume, SSL_CTX *ctx,
	const struct trust_snapshot *trust, struct parking *parking)
{
	struct resume_ctx *r = memory_zero(sizeof(*r));
	r->resume = resume;
	r->trust = trust;
	r->parking = parking;
	session_mould_init(&r->mould);
	SSL_CTX_set_ex_data(ctx, ctx_index, r);
	SSL_CTX_set_client_hello_cb(ctx, on_client_hello, NULL);
	SSL_CTX_set_timeout(ctx, RESUME_LIFETIME_S);
	SSL_CTX_set_session_id_context(ctx, (const uint8_t *)"dialtone", 8);
	/* In TLS 1.3 without keys the one "ticket" is an id of the cache's. */
	SSL_CTX_set_num_tickets(ctx, resume->cache || resume->keys);
	if (resume->cache) {
		SSL_CTX_set_session_cache_mode(ctx,
			SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(ctx, on_new_session);
		SSL_CTX_sess_set_get_cb(ctx, on_get_session);
	}
	if (resume->keys) {
		SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
		SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket_key);
		SSL_CTX_set_session_ticket_cb(ctx, on_seal, on_open, r);
	}
	return r;
}

void resume_ctx_free(struct resume_ctx *r)
{
	if (!r)
		return;
	session_mould_deinit(&r->mould);
	free(r);
}
