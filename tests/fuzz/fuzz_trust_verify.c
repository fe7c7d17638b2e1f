/* SPDX-License-Identifier: Apache-2.0 */
/* Any certificates, as sent and signed anew by a CA of ours: each verdict
 * keeps the promises of trust/verify.h. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "certs/issuer.h"
#include "certs/pem.h"
#include "certs/text.h"
#include "trust/verify.h"
#include "trust/waiver.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW ((time_t)1790000000)

static struct trust_snapshot *snapshot, *lenient; /* one CA, two policies */
static EVP_PKEY *key;
static X509 *ca;

static void check(int truth)
{
	if (!truth)
		abort();
}

static void make_snapshot(void)
{
	static const struct cert_attribute subject[] = {
		{"CN", "CAPF-00000001"}, {NULL, NULL}};
	static const struct cert_extension extensions[] = {
		{"basicConstraints", "critical,CA:TRUE"}, {NULL, NULL}};
	char folder[] = "/tmp/dialtone-fuzz-XXXXXX";
	char path[sizeof(folder) + 16];
	check(cert_key_make("p256", &key, NULL) == 0);
	const struct cert_order order = {.subject = subject,
		.extensions = extensions,
		.key = key,
		.not_before = NOW - 86400,
		.not_after = NOW + 86400};
	check(cert_issue(&order, &ca, NULL) == 0);
	check(mkdtemp(folder) != NULL);
	snprintf(path, sizeof(path), "%s/capf.pem", folder);
	check(cert_pem_write(path, &ca, 1, NULL) == 0);
	struct trust_load load = {.dir = folder, .generation = 1};
	check(trust_snapshot_load(&load, &snapshot, NULL) == 0);
	const struct trust_anchor_policy row = {.name = "capf.pem",
		.allows = TRUST_WAIVER_SHA1 | TRUST_WAIVER_RSA1024};
	const struct trust_policy policy = {
		.auth_level = 2, .anchors = &row, .n_anchors = 1};
	load.policy = &policy;
	check(trust_snapshot_load(&load, &lenient, NULL) == 0);
	unlink(path);
	rmdir(folder);
}

static struct trust_result judge_by(const struct trust_snapshot *by, X509 *leaf,
	STACK_OF(X509) * untrusted, time_t now)
{
	struct trust_result r;
	char clean[sizeof(r.why)];
	ERR_raise(ERR_LIB_USER, 7);
	trust_verify(by, leaf, untrusted, now, &r);
	check(ERR_GET_REASON(ERR_get_error()) == 7);
	check(ERR_get_error() == 0);
	check(r.verdict < TRUST_VERDICTS);
	check((r.verdict == TRUST_OK) == (r.anchor != NULL));
	check((r.verdict == TRUST_OK) == !r.why[0]);
	check((r.verdict == TRUST_OK) == !r.cure[0]);
	check(r.verdict == TRUST_OK || !r.waived);
	check((r.verdict == TRUST_OK) == (r.kind == CERT_KIND_LSC));
	check(cert_text_clean(r.why, strlen(r.why), clean, sizeof(clean)));
	check(cert_text_clean(
		r.missing_ca, strlen(r.missing_ca), clean, sizeof(clean)));
	if (r.verdict == TRUST_OK)
		check(X509_check_ca(leaf) == 0 &&
			X509_verify(leaf, X509_get0_pubkey(ca)) == 1);
	return r;
}

/* Only who is too weak may be judged otherwise by who excuses that. */
static void judge(X509 *leaf, STACK_OF(X509) * untrusted, time_t now)
{
	struct trust_result r = judge_by(snapshot, leaf, untrusted, now);
	struct trust_result excused = judge_by(lenient, leaf, untrusted, now);
	check(!r.waived);
	if (r.verdict != TRUST_WEAK_KEY && r.verdict != TRUST_WEAK_DIGEST)
		check(r.verdict == excused.verdict && !excused.waived);
	else
		check(excused.verdict != TRUST_OK || excused.waived);
}

/* A forger's work, done for him: everything behind the signature is met. */
static X509 *signed_anew(X509 *cert)
{
	X509 *copy = X509_dup(cert);
	if (copy &&
		(X509_set_issuer_name(copy, X509_get_subject_name(ca)) != 1 ||
			X509_sign(copy, key, EVP_sha256()) <= 0)) {
		X509_free(copy);
		copy = NULL;
	}
	ERR_clear_error();
	return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!snapshot)
		make_snapshot();
	const unsigned char *p = data;
	X509 *leaf = d2i_X509(NULL, &p, (long)size);
	STACK_OF(X509) *untrusted = sk_X509_new_null();
	while (leaf && sk_X509_num(untrusted) < 16) {
		X509 *more = d2i_X509(NULL, &p, (long)(data + size - p));
		if (!more)
			break;
		sk_X509_push(untrusted, more);
	}
	ERR_clear_error();
	if (leaf) {
		judge(leaf, untrusted, NOW);
		X509 *anew = signed_anew(leaf);
		if (anew) {
			judge(anew, untrusted, NOW);
			judge(anew, NULL, NOW + 2 * 86400);
		}
		X509_free(anew);
	}
	X509_free(leaf);
	sk_X509_pop_free(untrusted, X509_free);
	return 0;
}
