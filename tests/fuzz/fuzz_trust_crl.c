/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file of revocation lists, as they are and signed anew by a CA
 * of ours: all of it or nothing, always with a rule and why. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "certs/issuer.h"
#include "certs/text.h"
#include "trust/anchor.h"
#include "trust/revocation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW ((time_t)1790000000)

static struct trust_anchor anchor;
static EVP_PKEY *key;

static void check(int truth)
{
	if (!truth)
		abort();
}

static void make_anchor(void)
{
	static const struct cert_attribute subject[] = {
		{"CN", "CAPF-00000001"}, {NULL, NULL}};
	static const struct cert_extension extensions[] = {
		{"basicConstraints", "critical,CA:TRUE"}, {NULL, NULL}};
	X509 *ca = NULL;
	check(cert_key_make("p256", &key, NULL) == 0);
	const struct cert_order order = {.subject = subject,
		.extensions = extensions,
		.key = key,
		.not_before = NOW - 86400,
		.not_after = NOW + 86400};
	check(cert_issue(&order, &ca, NULL) == 0);
	check(!trust_anchor_init(
		&anchor, ca, "capf.pem", 1, &trust_policy_default));
	X509_free(ca);
}

static void check_refusal(const struct diag *d)
{
	char clean[sizeof(d->text)];
	check(ERR_peek_error() == 0);
	check(strncmp(d->rule, "crl-", 4) == 0);
	check(cert_text_clean(d->text, strlen(d->text), clean, sizeof(clean)));
}

/* Each entry is found by the text that a certificate's serial number has. */
static void check_list(
	const struct trust_revocation *r, const struct trust_crl *crl)
{
	static const char digits[] = "0123456789abcdef";
	check(crl->n <= TRUST_CRL_ENTRIES_MAX);
	for (size_t i = 0; i < crl->n; i++) {
		const struct trust_crl_entry *e = &crl->entries[i];
		char serial[CERT_SERIAL_MAX + 1];
		size_t n = 0;
		for (size_t k = 0; k < e->n; k++) {
			serial[n++] = digits[e->serial[k] >> 4];
			serial[n++] = digits[e->serial[k] & 15];
		}
		serial[n] = '\0';
		check(trust_crl_find(crl, serial) == e);
		check(!r || trust_revocation_is_revoked(
				    r, anchor.id.sha256_raw, serial));
	}
}

/* Loads it; the lists of another CA are refused or orphans, ours are in force.
 */
static void load(const uint8_t *data, size_t size, int is_ours)
{
	struct diag d = {.text = "", .rule = ""};
	struct trust_revocation *r = trust_revocation_new(NOW);
	if (trust_revocation_parse(r, "f.crl", data, size, &d) < 0) {
		check_refusal(&d);
	} else {
		check(trust_revocation_count(r) > 0);
		for (size_t i = 0; i < trust_revocation_count(r); i++)
			check_list(NULL, trust_revocation_at(r, i));
		int error = trust_revocation_bind(r, &anchor, 1, NULL, &d);
		if (error)
			check_refusal(&d);
		check(!is_ours || !error);
		int is_orphan = !error && trust_revocation_state(r, 0, NOW) ==
						  TRUST_CRL_ORPHAN;
		check(!is_ours || !is_orphan);
		if (!error && !is_orphan)
			check_list(r, trust_revocation_at(r, 0));
	}
	trust_revocation_free(r);
}

/* A forger's work, done for him: everything behind the signature is met. */
static void sign_anew(X509_CRL *crl)
{
	unsigned char *der = NULL;
	AUTHORITY_KEYID *names = X509_CRL_get_ext_d2i(
		crl, NID_authority_key_identifier, NULL, NULL);
	if (!names &&
		X509_CRL_set_issuer_name(
			crl, X509_get_subject_name(anchor.cert)) == 1 &&
		X509_CRL_sign(crl, key, EVP_sha256()) > 0) {
		int n = i2d_X509_CRL(crl, &der);
		ERR_clear_error();
		if (n > 0)
			load(der, (size_t)n, 1);
		OPENSSL_free(der);
	}
	AUTHORITY_KEYID_free(names);
	ERR_clear_error();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!key)
		make_anchor();
	ERR_clear_error();
	load(data, size, 0);
	const unsigned char *p = data;
	X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)size);
	ERR_clear_error();
	if (crl)
		sign_anew(crl);
	X509_CRL_free(crl);
	return 0;
}
