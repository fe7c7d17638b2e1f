/* SPDX-License-Identifier: Apache-2.0 */
/* What the anchors of a store have revoked: their CRLs, bound to them. */
#include "trust/revocation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certs/must.h"

/* What one anchor's word is. */
struct word {
	uint8_t anchor[32];
	const struct trust_crl *crl; /* its own list, or NULL */
	/* When it is revoked itself: by whose list. */
	const struct trust_crl *by;
	const struct trust_crl_entry *entry;
};

struct trust_revocation {
	time_t now;
	struct trust_crl **crl;
	bool *orphan; /* of each list, once bound */
	bool keeps;   /* the lists themselves, too */
	size_t n;
	size_t entries;
	struct word *words; /* open addressing by SHA-256; NULL: no lists */
	size_t mask;
};

struct trust_revocation *trust_revocation_new(time_t now)
{
	struct trust_revocation *r = cert_must(calloc(1, sizeof(*r)));
	r->now = now;
	return r;
}

void trust_revocation_keep(struct trust_revocation *r)
{
	r->keeps = true;
}

void trust_revocation_free(struct trust_revocation *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		trust_crl_unref(r->crl[i]);
	free((void *)r->crl);
	free(r->orphan);
	free(r->words);
	free(r);
}

/* ---- files ---- */

/* One list of the file's; x509 changes hands. */
static int add(struct trust_revocation *r, const char *file, X509_CRL *x509,
	struct diag *d)
{
	struct trust_crl *crl = NULL;
	if (r->n == TRUST_CRLS_MAX) {
		X509_CRL_free(x509);
		return trust_crl_refuse(d, TRUST_CRL_TOO_MANY, file, "", "");
	}
	int error = trust_crl_read(x509, file, r->now, &crl, d);
	if (error < 0)
		return error;
	r->crl = cert_must(realloc(
		(void *)r->crl, (r->n + 1) * sizeof(struct trust_crl *)));
	r->crl[r->n++] = crl;
	r->entries += crl->n;
	if (r->entries > TRUST_CRL_ENTRIES_MAX)
		return trust_crl_refuse(d, TRUST_CRL_TOO_MANY, file, "", "");
	return 0;
}

/* One list from the front of der, and how long it is; NULL when what is there
 * is no list, or when its bytes are not the DER of what they say. */
static X509_CRL *take_der(const unsigned char *der, size_t n, size_t *used)
{
	const unsigned char *p = der;
	X509_CRL *x509 = d2i_X509_CRL(NULL, &p, (long)n);
	*used = (size_t)(p - der);
	unsigned char *again = NULL;
	int length = x509 ? i2d_X509_CRL(x509, &again) : -1;
	bool same = length > 0 && (size_t)length == *used &&
		    memcmp(again, der, *used) == 0;
	OPENSSL_free(again);
	if (same)
		return x509;
	X509_CRL_free(x509);
	return NULL;
}

static int parse_der(struct trust_revocation *r, const char *file,
	const unsigned char *p, size_t n, struct diag *d)
{
	size_t used = 0;
	int error = 0;
	for (size_t at = 0; !error && at < n; at += used) {
		X509_CRL *x509 = take_der(p + at, n - at, &used);
		error = x509 ? add(r, file, x509, d)
			     : trust_crl_refuse(d,
				       at ? TRUST_CRL_TRAILING
					  : TRUST_CRL_DAMAGED,
				       file, "", "");
	}
	return error;
}

/* What stands between one BEGIN and its END. */
static int parse_block(struct trust_revocation *r, const char *file,
	const char *name, const unsigned char *der, size_t n, struct diag *d)
{
	size_t used = 0;
	if (strcmp(name, PEM_STRING_X509_CRL) != 0)
		return trust_crl_refuse(d, TRUST_CRL_OTHER, file, "", name);
	X509_CRL *x509 = take_der(der, n, &used);
	if (!x509)
		return trust_crl_refuse(d, TRUST_CRL_DAMAGED, file, "", "");
	if (used == n)
		return add(r, file, x509, d);
	X509_CRL_free(x509);
	return trust_crl_refuse(d, TRUST_CRL_TRAILING, file, "", "");
}

static size_t count(const char *p, size_t n, const char *text)
{
	size_t times = 0, length = strlen(text);
	const char *end = p + n;
	while ((p = memmem(p, (size_t)(end - p), text, length))) {
		times++;
		p += length;
	}
	return times;
}

/* OpenSSL passes over what it takes for text, half a block for one: there must
 * be as many blocks as somebody began, and as somebody ended. */
static int parse_pem(struct trust_revocation *r, const char *file,
	const char *text, size_t n, struct diag *d)
{
	BIO *bio = cert_must(BIO_new_mem_buf(text, (int)n));
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long n_der = 0;
	size_t blocks = 0;
	int error = 0;
	while (!error && PEM_read_bio(bio, &name, &header, &der, &n_der)) {
		blocks++;
		error = parse_block(r, file, name, der, (size_t)n_der, d);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)n_der); /* a key, perhaps */
	}
	BIO_free(bio);
	if (error)
		return error;
	if (count(text, n, "-----BEGIN") != blocks ||
		count(text, n, "-----END") != blocks)
		return trust_crl_refuse(d, TRUST_CRL_HALF, file, "", "");
	return blocks ? 0 : trust_crl_refuse(d, TRUST_CRL_NONE, file, "", "");
}

int trust_revocation_parse(struct trust_revocation *r, const char *file,
	const void *data, size_t n, struct diag *d)
{
	const unsigned char *p = n ? data : (const void *)"";
	if (n > TRUST_CRL_FILE_MAX)
		return trust_crl_refuse(d, TRUST_CRL_TOO_LONG, file, "", "");
	ERR_set_mark();
	/* No list is so short that its length takes one byte, as text might. */
	int error = n > 1 && p[0] == 0x30 && p[1] >= 0x80
			    ? parse_der(r, file, p, n, d)
			    : parse_pem(r, file, (const char *)p, n, d);
	ERR_pop_to_mark();
	return error;
}

/* ---- binding ---- */

/* The place of an anchor's word: there, or empty. */
static struct word *word_of(
	const struct trust_revocation *r, const uint8_t anchor[32])
{
	size_t at = (size_t)anchor[0] << 8 | anchor[1];
	for (;; at++) {
		struct word *word = &r->words[at & r->mask];
		if ((!word->crl && !word->entry) ||
			memcmp(word->anchor, anchor, 32) == 0)
			return word;
	}
}

static struct word *word_for(
	struct trust_revocation *r, const struct trust_anchor *anchor)
{
	struct word *word = word_of(r, anchor->id.sha256_raw);
	memcpy(word->anchor, anchor->id.sha256_raw, 32);
	return word;
}

/* How far an anchor has got towards being the one that signed a list. */
enum fit { FIT_NOT, FIT_NAME, FIT_KEY_ID, FIT_SIGNATURE, FIT };

static enum fit fit_of(const struct trust_anchor *anchor, X509_CRL *list,
	const AUTHORITY_KEYID *names)
{
	const ASN1_OCTET_STRING *key_id =
		X509_get0_subject_key_id(anchor->cert);
	EVP_PKEY *key = X509_get0_pubkey(anchor->cert);
	if (X509_NAME_cmp(X509_get_subject_name(anchor->cert),
		    X509_CRL_get_issuer(list)) != 0)
		return FIT_NOT;
	if (names && names->keyid && key_id &&
		ASN1_OCTET_STRING_cmp(names->keyid, key_id) != 0)
		return FIT_NAME;
	if (!key || X509_CRL_verify(list, key) != 1)
		return FIT_KEY_ID;
	return X509_get_key_usage(anchor->cert) & KU_CRL_SIGN ? FIT
							      : FIT_SIGNATURE;
}

static int refuse(
	struct diag *d, enum trust_crl_rule rule, const struct trust_crl *crl)
{
	return trust_crl_refuse(d, rule, crl->path, crl->issuer, "");
}

/* It is this anchor's list, unless that has a newer one. */
static int bind_to(struct trust_revocation *r,
	const struct trust_anchor *anchor, const struct trust_crl *crl,
	struct diag *d)
{
	struct word *word = word_for(r, anchor);
	int newer = word->crl ? trust_crl_compare(crl, word->crl) : 1;
	if (newer == 0 && memcmp(crl->sha256, word->crl->sha256, 32) != 0)
		return trust_crl_refuse(d, TRUST_CRL_AMBIGUOUS, crl->path,
			crl->issuer, word->crl->file);
	if (newer > 0)
		word->crl = crl;
	return 0;
}

static int bind_list(struct trust_revocation *r, size_t at,
	const struct trust_anchor *anchors, size_t n, struct diag *d)
{
	const struct trust_crl *crl = r->crl[at];
	AUTHORITY_KEYID *names = X509_CRL_get_ext_d2i(
		crl->x509, NID_authority_key_identifier, NULL, NULL);
	enum fit best = FIT_NOT;
	int error = 0;
	for (size_t i = 0; !error && i < n; i++) {
		enum fit fit = fit_of(&anchors[i], crl->x509, names);
		if (fit == FIT)
			error = bind_to(r, &anchors[i], crl, d);
		best = fit > best ? fit : best;
	}
	AUTHORITY_KEYID_free(names);
	switch (best) {
	case FIT_NOT:
		r->orphan[at] = true;
		break;
	case FIT_NAME:
		return refuse(d, TRUST_CRL_UNKNOWN_ISSUER, crl);
	case FIT_KEY_ID:
		return refuse(d, TRUST_CRL_SIGNATURE, crl);
	case FIT_SIGNATURE:
		return refuse(d, TRUST_CRL_NO_CRL_SIGN, crl);
	case FIT:
		break;
	}
	return error;
}

/* Is this anchor, which `issuer` may have issued, in that one's list? */
static const struct trust_crl_entry *revoked_by(
	const struct trust_anchor *anchor, const struct trust_anchor *issuer,
	const struct trust_crl *crl)
{
	const struct trust_crl_entry *entry =
		trust_crl_find(crl, anchor->id.serial);
	if (!entry ||
		X509_check_issued(issuer->cert, anchor->cert) != X509_V_OK ||
		X509_verify(anchor->cert, X509_get0_pubkey(issuer->cert)) != 1)
		return NULL;
	return entry;
}

/* Anchors that another one's list names. */
static void bind_anchors(struct trust_revocation *r,
	const struct trust_anchor *anchors, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct trust_anchor *issuer = &anchors[i];
		const struct trust_crl *crl =
			word_of(r, issuer->id.sha256_raw)->crl;
		for (size_t k = 0; crl && k < n; k++) {
			const struct trust_crl_entry *entry =
				revoked_by(&anchors[k], issuer, crl);
			if (!entry)
				continue;
			struct word *word = word_for(r, &anchors[k]);
			word->by = crl;
			word->entry = entry;
		}
	}
}

/* The list that one of these bytes was before, or NULL. */
static struct trust_crl *same_in(
	const struct trust_revocation *before, const struct trust_crl *crl)
{
	for (size_t i = 0; i < before->n; i++)
		if (memcmp(before->crl[i]->sha256, crl->sha256, 32) == 0 &&
			strcmp(before->crl[i]->path, crl->path) == 0)
			return before->crl[i];
	return NULL;
}

/* What has not changed does not lie in memory once for each generation. */
static void share(
	struct trust_revocation *r, const struct trust_revocation *before)
{
	for (size_t i = 0; i < r->n; i++) {
		struct trust_crl *own = r->crl[i], *old = same_in(before, own);
		if (!old)
			continue;
		for (size_t k = 0; k <= r->mask; k++) {
			struct word *word = &r->words[k];
			if (word->crl == own)
				word->crl = old;
			if (word->by != own)
				continue;
			word->by = old;
			word->entry =
				old->entries + (word->entry - own->entries);
		}
		r->crl[i] = trust_crl_ref(old);
		trust_crl_unref(own);
	}
}

static bool has_file(const struct trust_revocation *r, const char *file)
{
	for (size_t i = 0; i < r->n; i++)
		if (strcmp(r->crl[i]->file, file) == 0)
			return true;
	return false;
}

/* Nobody who was revoked comes back by an old file or by half of one. */
static int compare_with(const struct trust_revocation *r,
	const struct trust_anchor *anchors, size_t n,
	const struct trust_revocation *before, struct diag *d)
{
	for (size_t i = 0; before->words && i < n; i++) {
		const uint8_t *sha256 = anchors[i].id.sha256_raw;
		const struct trust_crl *old = word_of(before, sha256)->crl;
		const struct trust_crl *new =
			r->words ? word_of(r, sha256)->crl : NULL;
		if (old && new &&trust_crl_compare(new, old) < 0)
			return refuse(d, TRUST_CRL_OLDER, new);
		if (old && !new &&has_file(r, old->file))
			return refuse(d, TRUST_CRL_SHRUNK, old);
	}
	return 0;
}

static int bind(struct trust_revocation *r, const struct trust_anchor *anchors,
	size_t n, struct diag *d)
{
	size_t slots = 2;
	if (r->n == 0)
		return 0;
	while (slots < 2 * n)
		slots *= 2;
	r->mask = slots - 1;
	r->words = cert_must(calloc(slots, sizeof(*r->words)));
	r->orphan = cert_must(calloc(r->n, sizeof(*r->orphan)));
	for (size_t i = 0; i < r->n; i++) {
		int error = bind_list(r, i, anchors, n, d);
		if (error)
			return error;
	}
	bind_anchors(r, anchors, n);
	return 0;
}

int trust_revocation_bind(struct trust_revocation *r,
	const struct trust_anchor *anchors, size_t n,
	const struct trust_revocation *before, struct diag *d)
{
	ERR_set_mark();
	int error = bind(r, anchors, n, d);
	if (!error && before)
		error = compare_with(r, anchors, n, before, d);
	ERR_pop_to_mark();
	for (size_t i = 0; !r->keeps && i < r->n; i++) {
		X509_CRL_free(r->crl[i]->x509);
		r->crl[i]->x509 = NULL;
	}
	if (!error && before && !r->keeps)
		share(r, before);
	return error;
}

/* ---- lookups ---- */

bool trust_revocation_find(const struct trust_revocation *r,
	const uint8_t anchor[32], const char *serial, struct trust_revoked *out)
{
	if (!r || !r->words)
		return false;
	const struct word *word = word_of(r, anchor);
	if (word->entry) {
		*out = (struct trust_revoked){word->by, word->entry, true};
		return true;
	}
	const struct trust_crl_entry *entry =
		word->crl ? trust_crl_find(word->crl, serial) : NULL;
	if (entry)
		*out = (struct trust_revoked){word->crl, entry, false};
	return entry != NULL;
}

bool trust_revocation_is_revoked(const struct trust_revocation *r,
	const uint8_t anchor[32], const char *serial)
{
	struct trust_revoked unused;
	return trust_revocation_find(r, anchor, serial, &unused);
}

const struct trust_crl *trust_revocation_of(
	const struct trust_revocation *r, const uint8_t anchor[32])
{
	return r && r->words ? word_of(r, anchor)->crl : NULL;
}

void trust_revoked_text(
	const struct trust_revoked *revoked, char *out, size_t size)
{
	const struct trust_crl *crl = revoked->crl;
	char issued[21], since[21], reason[40] = "none given";
	cert_time_text(crl->this_update, issued);
	cert_time_text((time_t)revoked->entry->since, since);
	if (revoked->entry->reason != TRUST_CRL_NO_REASON)
		snprintf(reason, sizeof(reason), "%s (%d)",
			trust_crl_reason(revoked->entry->reason),
			revoked->entry->reason);
	snprintf(out, size,
		"%s (%s%s, issued %s) names it since %s, reason: %s", crl->file,
		*crl->number ? "CRL number " : "a CRL", crl->number, issued,
		since, reason);
}

/* ---- for status ---- */

const char *trust_crl_state_name(enum trust_crl_state state)
{
	static const char *const names[] = {
#define X(symbol, name) name,
		TRUST_CRL_STATE_LIST(X)
#undef X
	};
	return names[state];
}

size_t trust_revocation_count(const struct trust_revocation *r)
{
	return r ? r->n : 0;
}

const struct trust_crl *trust_revocation_at(
	const struct trust_revocation *r, size_t i)
{
	return r->crl[i];
}

static bool in_force(
	const struct trust_revocation *r, const struct trust_crl *crl)
{
	for (size_t i = 0; i <= r->mask; i++)
		if (r->words[i].crl == crl)
			return true;
	return false;
}

enum trust_crl_state trust_revocation_state(
	const struct trust_revocation *r, size_t i, time_t now)
{
	const struct trust_crl *crl = r->crl[i];
	if (r->orphan[i])
		return TRUST_CRL_ORPHAN;
	if (!in_force(r, crl))
		return TRUST_CRL_SUPERSEDED;
	if (!crl->next_update || now < crl->next_update - TRUST_CRL_DUE_S)
		return TRUST_CRL_CURRENT;
	return now < crl->next_update ? TRUST_CRL_DUE : TRUST_CRL_OVERDUE;
}
