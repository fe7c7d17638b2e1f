/* SPDX-License-Identifier: Apache-2.0 */
/* A trust folder, and certificates that meet every verdict in it. */
#include "tests/trust/scenes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/x509v3.h>

#include "tests/certs/made.h"

enum { DAY = 86400 };

/* The CAs of the play, each with the rsa2048 key of its number. */
enum who {
	CAPF,
	MFG, /* stored without its root */
	MFG_SHA1,
	OLD,	     /* has expired */
	EARLY,	     /* is not valid yet */
	UNDATED,     /* fractional seconds */
	SERVER_ONLY, /* extended key usage without clientAuth */
	NO_SIGN,     /* key usage without keyCertSign */
	WEAK,	     /* RSA-1024 */
	ODD,	     /* with a critical extension of its own */
	REVOKED,     /* ROOT2's list names it */
	LAX,	     /* basicConstraints that are not critical */
	NUMBERLESS,  /* serial number 0 */
	ENROL,	     /* for enrolment alone */
	GRACE,	     /* whose phones may be 30 days late */
	CAPF_ROOT,   /* stored, of a CAPF below it */
	STRANGER,    /* from here on not stored, unless named */
	CAPF_BEFORE, /* CAPF's name, another key */
	MFG_ROOT,    /* issuer of MFG */
	SUB_CA,	     /* a proper CA below MFG_ROOT2, sent by phones */
	ROOT2,	     /* stored, issuer of SUB_CA */
	NOT_A_CA,    /* CA:FALSE, below CAPF */
	CA_BELOW,    /* CA:TRUE below CAPF, whose pathlen is 0 */
	SUB_REVOKED, /* the same, and ROOT2's list names it */
	SUB_CAPF,    /* below CAPF_ROOT */
	SUB_LAX,     /* the same, but lax */
	SELF,
	CAST
};

#define ODD_EXTENSION                                      \
	{                                                  \
		"1.3.6.1.4.1.99999.1", "critical,DER:0500" \
	}

static const struct cert_extension plain_ca[] = {
	{"basicConstraints", "critical,CA:TRUE"},
	{"keyUsage", "digitalSignature,keyCertSign,cRLSign"},
	{"subjectKeyIdentifier", "hash"}, {NULL, NULL}};
static const struct cert_extension capf_ca[] = {
	{"basicConstraints", "critical,CA:TRUE,pathlen:0"},
	{"keyUsage", "digitalSignature,keyCertSign,cRLSign"},
	{"subjectKeyIdentifier", "hash"}, {NULL, NULL}};
static const struct cert_extension server_ca[] = {
	{"basicConstraints", "critical,CA:TRUE"}, {"keyUsage", "keyCertSign"},
	{"extendedKeyUsage", "serverAuth"}, {NULL, NULL}};
static const struct cert_extension no_sign_ca[] = {
	{"basicConstraints", "critical,CA:TRUE"},
	{"keyUsage", "digitalSignature"}, {NULL, NULL}};
static const struct cert_extension odd_ca[] = {
	{"basicConstraints", "critical,CA:TRUE"}, ODD_EXTENSION, {NULL, NULL}};
static const struct cert_extension lax_ca[] = {{"basicConstraints", "CA:TRUE"},
	{"keyUsage", "keyCertSign"}, {"subjectKeyIdentifier", "hash"},
	{NULL, NULL}};
static const struct cert_extension not_a_ca[] = {
	{"basicConstraints", "critical,CA:FALSE"},
	{"subjectKeyIdentifier", "hash"}, {NULL, NULL}};

static const struct {
	const char *cn;
	const char *file; /* in the folder; NULL: not there */
	const struct cert_extension *extensions;
	enum who issuer; /* CAST: itself */
	const char *digest;
	int from; /* days from now; 0: yesterday */
	int to;	  /* 0: in a year */
	const char *serial;
} cast[CAST] = {
	[CAPF] = {"CAPF-00000001", "capf.pem", capf_ca, CAST},
	[MFG] = {"Some Manufacturing CA SHA2", "mfg.pem", plain_ca, MFG_ROOT},
	[MFG_SHA1] = {"Some Manufacturing CA", "mfg-sha1.pem", plain_ca, CAST,
		"SHA1"},
	[OLD] = {"CAPF-00000002", "old.pem", plain_ca, CAST, NULL, -9, -1},
	[EARLY] = {"CAPF-00000003", "early.pem", plain_ca, CAST, NULL, 5, 9},
	[UNDATED] = {"CAPF-00000004", "undated.pem", plain_ca, CAST},
	[SERVER_ONLY] = {"CAPF-00000005", "server.pem", server_ca, CAST},
	[NO_SIGN] = {"CAPF-00000006", "no-sign.pem", no_sign_ca, CAST},
	[WEAK] = {"CAPF-00000007", "weak.pem", plain_ca, CAST},
	[ODD] = {"CAPF-00000008", "odd.pem", odd_ca, CAST},
	[REVOKED] = {"CAPF-00000009", "revoked.pem", plain_ca, ROOT2,
		.serial = "A1"},
	[LAX] = {"CAPF-0000000b", "lax.pem", lax_ca, CAST},
	[NUMBERLESS] = {"CAPF-0000000c", "numberless.pem", plain_ca, CAST, NULL,
		0, 0, "0"},
	[ENROL] = {"CAPF-0000000d", "enrol.pem", plain_ca, CAST},
	[GRACE] = {"CAPF-0000000e", "capf-grace.pem", plain_ca, CAST},
	[CAPF_ROOT] = {"CAPF-0000000f", "capf-root.pem", plain_ca, CAST},
	[STRANGER] = {"CAPF-0000000a", NULL, plain_ca, CAST},
	[CAPF_BEFORE] = {"CAPF-00000001", NULL, capf_ca, CAST},
	[MFG_ROOT] = {"Some Root CA", NULL, plain_ca, CAST},
	[SUB_CA] = {"Some Sub CA", NULL, plain_ca, ROOT2},
	[ROOT2] = {"Some Root CA 2", "root2.pem", plain_ca, CAST},
	[NOT_A_CA] = {"SEP00000000000C", NULL, not_a_ca, CAPF},
	[CA_BELOW] = {"Eve", NULL, plain_ca, CAPF},
	[SUB_REVOKED] = {"Some Sub CA 2", NULL, plain_ca, ROOT2,
		.serial = "A2"},
	[SUB_CAPF] = {"CAPF-00000010", NULL, plain_ca, CAPF_ROOT},
	[SUB_LAX] = {"CAPF-00000011", NULL, lax_ca, CAPF_ROOT},
	[SELF] = {"CP-8861-SEP001122334455", NULL, NULL, CAST},
};

static X509 *ca[CAST];

static EVP_PKEY *key_of(enum who who)
{
	return who == WEAK ? made_key("rsa1024", WEAK)
			   : made_key("rsa2048", who + 1);
}

static void make_ca(enum who who)
{
	if (ca[who])
		return;
	enum who issuer = cast[who].issuer;
	if (issuer != CAST)
		make_ca(issuer);
	const struct cert_attribute subject[] = {
		{"O", "Test"}, {"CN", cast[who].cn}, {NULL, NULL}};
	ca[who] = made_cert((struct cert_order){
		.subject = subject,
		.extensions = cast[who].extensions,
		.key = key_of(who),
		.issuer = issuer == CAST ? NULL : ca[issuer],
		.issuer_key = issuer == CAST ? NULL : key_of(issuer),
		.digest = cast[who].digest,
		.not_before =
			cast[who].from ? MADE_NOW + cast[who].from * DAY : 0,
		.not_after = cast[who].to ? MADE_NOW + cast[who].to * DAY : 0,
		.serial = cast[who].serial,
	});
	if (who == UNDATED) {
		X509 *dated = ca[who];
		ca[who] = made_undated(dated, key_of(who));
		X509_free(dated);
	}
}

#define LSC_BASE                                                        \
	{"basicConstraints", "critical,CA:FALSE"},                      \
	{                                                               \
		"keyUsage", "critical,digitalSignature,keyEncipherment" \
	}
#define WITH_KEY_ID                               \
	{                                         \
		"authorityKeyIdentifier", "keyid" \
	}

static const struct cert_extension lsc[] = {LSC_BASE,
	{"extendedKeyUsage", "serverAuth,clientAuth,1.3.6.1.5.5.7.3.5"},
	WITH_KEY_ID, {NULL, NULL}};
static const struct cert_extension mic[] = {LSC_BASE, {NULL, NULL}};
static const struct cert_extension bare[] = {{NULL, NULL}};
static const struct cert_extension server[] = {
	LSC_BASE, {"extendedKeyUsage", "serverAuth"}, {NULL, NULL}};
static const struct cert_extension signer[] = {
	{"keyUsage", "critical,keyCertSign"}, {NULL, NULL}};
#define SIGNS(usage)                                             \
	{                                                        \
		{"basicConstraints", "critical,CA:FALSE"},       \
			{"keyUsage", "digitalSignature," usage}, \
		{                                                \
			NULL, NULL                               \
		}                                                \
	}
static const struct cert_extension signs_too[] = SIGNS("keyCertSign");
static const struct cert_extension signs_crls[] = SIGNS("cRLSign");
static const struct cert_extension long_path[] = {
	{"basicConstraints", "critical,CA:FALSE,pathlen:0"}, {NULL, NULL}};
static const struct cert_extension constrains[] = {
	LSC_BASE, {"nameConstraints", "permitted;DNS:a.test"}, {NULL, NULL}};
static const struct cert_extension maps[] = {
	LSC_BASE, {"policyMappings", "1.2.3.4:1.2.3.5"}, {NULL, NULL}};
static const struct cert_extension demands[] = {LSC_BASE,
	{"policyConstraints", "requireExplicitPolicy:0"}, {NULL, NULL}};
static const struct cert_extension inhibits[] = {
	LSC_BASE, {"inhibitAnyPolicy", "0"}, {NULL, NULL}};
static const struct cert_extension cipher_only[] = {
	{"keyUsage", "critical,keyEncipherment"}, {NULL, NULL}};
static const struct cert_extension as_ca[] = {
	{"basicConstraints", "critical,CA:TRUE"},
	{"keyUsage", "critical,digitalSignature,keyCertSign"}, {NULL, NULL}};
static const struct cert_extension as_ca_bare[] = {
	{"basicConstraints", "CA:TRUE"}, {NULL, NULL}};
static const struct cert_extension as_ca_unused[] = {
	{"basicConstraints", "critical,CA:TRUE"},
	{"keyUsage", "critical,digitalSignature"}, {NULL, NULL}};
static const struct cert_extension odd[] = {
	LSC_BASE, ODD_EXTENSION, {NULL, NULL}};
static const struct cert_extension twice[] = {
	LSC_BASE, {"basicConstraints", "critical,CA:TRUE"}, {NULL, NULL}};

enum twist {
	STRAIGHT,
	BROKEN,	  /* a bit of the signature is wrong */
	NO_DATE,  /* fractional seconds */
	EXPLICIT, /* EC key with its curve spelt out */
	DSA_KEY,
	VERSION_1,
	NONE,	     /* no certificate */
	WITH_ISSUER, /* and its issuer's certificate is sent along */
	WITH_ROOT,   /* and the one above too */
};

#define PHONE "CP-8861-SEP001122334455"

static const struct {
	const char *name;
	enum trust_verdict verdict;
	int x509;
	int depth;
	const char *anchor; /* or, when refused, part of the sentence */
	enum who issuer;
	const struct cert_extension *extensions;
	enum twist twist;
	const char *key; /* NULL: rsa2048 */
	const char *digest;
	int from;
	int to;
	const char *serial;
} plays[] = {
	{"an LSC", TRUST_OK, 0, 0, "capf.pem", CAPF, lsc},
	{"an LSC that names no key id", TRUST_OK, 0, 0, "capf.pem", CAPF, mic},
	{"an LSC of P-256", TRUST_OK, 0, 0, "capf.pem", CAPF, lsc, STRAIGHT,
		"p256"},
	{"an LSC with its CAPF sent along", TRUST_OK, 0, 0, "capf.pem", CAPF,
		lsc, WITH_ISSUER},
	{"a leaf without any extension", TRUST_OK, 0, 0, "capf.pem", CAPF,
		bare},
	{"a MIC whose root is not stored", TRUST_OK, 0, 0, "mfg.pem", MFG, mic},
	{"a MIC with its issuing CA sent along", TRUST_OK, 0, 0, "mfg.pem", MFG,
		mic, WITH_ISSUER},
	{"a MIC with its root sent along too", TRUST_OK, 0, 0, "mfg.pem", MFG,
		mic, WITH_ROOT},
	{"a SHA-256 MIC of a SHA-1 CA", TRUST_OK, 0, 0, "mfg-sha1.pem",
		MFG_SHA1, mic},
	{"a MIC whose root alone is stored", TRUST_OK, 0, 0, "root2.pem",
		SUB_CA, mic, WITH_ISSUER},
	{"no certificate", TRUST_NO_CERTIFICATE, 1, 0, "sent no certificate",
		CAPF, lsc, NONE},
	{"a stranger's LSC", TRUST_UNKNOWN_CA, 20, 0,
		PHONE ": its issuer is not in CallManager-trust: "
		      "CN=CAPF-0000000a,O=Test, key id ",
		STRANGER, lsc},
	{"a stranger's LSC with its CAPF sent along", TRUST_UNKNOWN_CA, 19, 1,
		"; the chain it sent ends at CN=CAPF-0000000a,O=Test", STRANGER,
		lsc, WITH_ISSUER},
	{"an LSC from before the CAPF was regenerated", TRUST_UNKNOWN_CA, 20, 0,
		"regenerated under the same name", CAPF_BEFORE, lsc},
	{"the same without a key id", TRUST_UNKNOWN_CA, 7, 0,
		"key id none; a CA of that name but with another key is there "
		"(capf.pem, key id ",
		CAPF_BEFORE, mic},
	{"a MIC whose issuer was not sent", TRUST_UNKNOWN_CA, 20, 0,
		"CN=Some Sub CA,O=Test", SUB_CA, mic},
	{"a self-signed leaf", TRUST_SELF_SIGNED, 18, 0,
		PHONE ": it is self-signed and not from a CA we trust", SELF,
		lsc},
	{"a self-signed CA", TRUST_SELF_SIGNED, 18, 0, "self-signed", SELF,
		as_ca},
	{"an expired LSC", TRUST_EXPIRED, 10, 0,
		"it has expired: valid from 2026-08-12T", CAPF, lsc, STRAIGHT,
		NULL, NULL, -40, -1},
	{"an LSC of an expired CAPF", TRUST_ISSUER_EXPIRED, 10, 1,
		"said of the CA CAPF-00000002", OLD, lsc},
	{"an expired LSC of an expired CAPF", TRUST_ISSUER_EXPIRED, 10, 1,
		"the CA that vouches for it has expired", OLD, lsc, STRAIGHT,
		NULL, NULL, -8, -2},
	{"an LSC of tomorrow", TRUST_NOT_YET_VALID, 9, 0,
		"it is not valid yet: valid from 2026-09-22T", CAPF, lsc,
		STRAIGHT, NULL, NULL, 1, 9},
	{"an LSC of a CAPF of tomorrow", TRUST_NOT_YET_VALID, 9, 1,
		"said of the CA CAPF-00000003", EARLY, lsc},
	{"a server's certificate", TRUST_WRONG_PURPOSE, 26, 0,
		"lacks clientAuth", CAPF, server},
	{"a key that may only sign certificates", TRUST_WRONG_PURPOSE, 26, 0,
		"client: it is a CA certificate", CAPF, signer},
	{"a key that may only encipher", TRUST_WRONG_PURPOSE, 26, 0,
		"lacks digitalSignature", CAPF, cipher_only},
	{"a CA that may act as a client", TRUST_WRONG_PURPOSE, 26, 0,
		"it is a CA certificate", MFG, as_ca},
	{"a CA without key usage", TRUST_WRONG_PURPOSE, 26, 0,
		"it is a CA certificate", MFG, as_ca_bare},
	{"a CA whose key usage keeps it from signing", TRUST_WRONG_PURPOSE, 26,
		0, "it is a CA certificate", MFG, as_ca_unused},
	{"an unknown critical extension", TRUST_BAD_EXTENSION, 34, 0,
		"we do not know: 1.3.6.1.4.1.99999.1", CAPF, odd},
	{"a CA with an unknown critical extension", TRUST_BAD_EXTENSION, 34, 1,
		"said of the CA CAPF-00000008", ODD, mic},
	{"a bit of the signature flipped", TRUST_BAD_SIGNATURE, 7, 0,
		"issuer CN=CAPF-00000001,O=Test", CAPF, lsc, BROKEN},
	{"RSA-1024", TRUST_WEAK_KEY, 66, 0,
		"RSA-1024, which auth level 2 does not allow", CAPF, lsc,
		STRAIGHT, "rsa1024"},
	{"a CA of RSA-1024", TRUST_WEAK_KEY, 67, 1,
		"said of the CA CAPF-00000007 above it): RSA-1024", WEAK, lsc},
	{"a SHA-1 MIC", TRUST_WEAK_DIGEST, 68, 0,
		"sha1WithRSAEncryption, which auth level 2", MFG_SHA1, mic,
		STRAIGHT, NULL, "SHA1"},
	{"a revoked LSC", TRUST_REVOKED, 23, 0,
		PHONE ": it was revoked: capf.crl (CRL number 7, issued "
		      "2026-09-21T13:13:20Z) names it since "
		      "2026-09-21T13:13:20Z, reason: keyCompromise (1), "
		      "serial number b1",
		CAPF, lsc, .serial = "B1"},
	{"an LSC whose serial number another CA's list names", TRUST_OK, 0, 0,
		"capf.pem", CAPF, lsc, .serial = "A1"},
	{"an LSC of a revoked CAPF", TRUST_REVOKED, 23, 1,
		"it was revoked (said of the CA CAPF-00000009 above it): "
		"root2.crl (a CRL, issued ",
		REVOKED, lsc},
	{"a MIC whose sub CA is revoked", TRUST_REVOKED, 23, 1,
		"(said of the CA Some Sub CA 2 above it)", SUB_REVOKED, mic,
		WITH_ISSUER},
	{"a MIC whose serial number its root's list names", TRUST_OK, 0, 0,
		"root2.pem", SUB_CA, mic, WITH_ISSUER, .serial = "A1"},
	{"a date with fractional seconds", TRUST_BAD_DATES, 14, 0,
		"its dates cannot be read", CAPF, lsc, NO_DATE},
	{"a CA with such a date", TRUST_BAD_DATES, 14, 1,
		"said of the CA CAPF-00000004", UNDATED, mic},
	{"an issuer that is no CA", TRUST_BAD_CHAIN, 79, 1,
		"said of the CA SEP00000000000C", NOT_A_CA, lsc, WITH_ISSUER},
	{"a CA below a CAPF of path length 0", TRUST_BAD_CHAIN, 25, 2,
		"path length", CA_BELOW, lsc, WITH_ISSUER},
	{"a CA for servers only", TRUST_BAD_CHAIN, 26, 1,
		"said of the CA CAPF-00000005", SERVER_ONLY, mic},
	{"a CA that may not sign", TRUST_BAD_CHAIN, 79, 1,
		"said of the CA CAPF-00000006", NO_SIGN, mic},
	{"a CAPF that is lax", TRUST_BAD_CHAIN, 79, 1,
		"it has basicConstraints that are not critical", LAX, lsc},
	{"a CAPF without a serial number", TRUST_BAD_CHAIN, 79, 1,
		"it has the serial number 0", NUMBERLESS, lsc},
	{"an LSC of a CAPF below a root", TRUST_OK, 0, 0, "capf-root.pem",
		SUB_CAPF, lsc, WITH_ISSUER},
	{"an LSC of one that is lax", TRUST_BAD_CHAIN, 79, 1,
		"it has basicConstraints that are not critical", SUB_LAX, lsc,
		WITH_ISSUER},
	{"an LSC that may sign certificates", TRUST_BAD_FORM, 28, 0,
		": it is not made as an LSC has to be: it may sign ", CAPF,
		signs_too},
	{"an LSC that may sign CRLs", TRUST_BAD_FORM, 28, 0,
		"it may sign certificates or CRLs", CAPF, signs_crls},
	{"an LSC with a path length", TRUST_BAD_FORM, 28, 0,
		"it has a path length", CAPF, long_path},
	{"an LSC with nameConstraints", TRUST_BAD_FORM, 28, 0,
		"it has nameConstraints", CAPF, constrains},
	{"an LSC with policyMappings", TRUST_BAD_FORM, 28, 0,
		"it has policyMappings", CAPF, maps},
	{"an LSC with policyConstraints", TRUST_BAD_FORM, 28, 0,
		"it has policyConstraints", CAPF, demands},
	{"an LSC with inhibitAnyPolicy", TRUST_BAD_FORM, 28, 0,
		"it has inhibitAnyPolicy", CAPF, inhibits},
	{"an LSC with the serial number 0", TRUST_BAD_FORM, 28, 0,
		"it has the serial number 0", CAPF, lsc, STRAIGHT, NULL, NULL,
		0, 0, "0"},
	{"an LSC with a negative serial number", TRUST_BAD_FORM, 28, 0,
		"it has a negative serial number", CAPF, lsc, STRAIGHT, NULL,
		NULL, 0, 0, "-7F"},
	{"an LSC with a serial number of 20 bytes", TRUST_OK, 0, 0, "capf.pem",
		CAPF, lsc, STRAIGHT, NULL, NULL, 0, 0,
		"7F00000000000000000000000000000000000000"},
	{"an LSC with a serial number of 21 bytes", TRUST_BAD_FORM, 28, 0,
		"it has a serial number of more than 20 bytes", CAPF, lsc,
		STRAIGHT, NULL, NULL, 0, 0,
		"8000000000000000000000000000000000000000"},
	{"an LSC of X.509 version 1", TRUST_BAD_FORM, 28, 0,
		"it is not of X.509 version 3", CAPF, lsc, VERSION_1},
	{"an LSC with a DSA key", TRUST_BAD_FORM, 28, 0,
		"it has a key that is neither RSA nor EC", CAPF, lsc, DSA_KEY},
	{"a MIC that may sign certificates", TRUST_OK, 0, 0, "mfg.pem", MFG,
		signs_too},
	{"a MIC with the serial number 0", TRUST_OK, 0, 0, "mfg.pem", MFG, mic,
		STRAIGHT, NULL, NULL, 0, 0, "0"},
	{"a MIC of X.509 version 1", TRUST_OK, 0, 0, "mfg.pem", MFG, mic,
		VERSION_1},
	{"an LSC of a CAPF for enrolment alone", TRUST_ENROL_ONLY, 26, 0,
		"not register: CN=CAPF-0000000d,O=Test", ENROL, lsc},
	{"an LSC that expired within its grace", TRUST_OK, 0, 0,
		"capf-grace.pem", GRACE, lsc, STRAIGHT, NULL, NULL, -40, -29},
	{"an LSC whose grace is over", TRUST_EXPIRED, 10, 0,
		"it has expired: valid from ", GRACE, lsc, STRAIGHT, NULL, NULL,
		-40, -30},
	{"two basicConstraints", TRUST_UNREADABLE, 41, 0, "extension", CAPF,
		twice},
	{"a key on a curve of its own", TRUST_UNREADABLE, 94, 0,
		"explicit ECC parameters", CAPF, lsc, EXPLICIT},
};

static EVP_PKEY *explicit_key(void)
{
	static EVP_PKEY *key;
	if (!key) {
		key = EVP_EC_gen("P-256");
		assert_int_equal(EVP_PKEY_set_utf8_string_param(
					 key, "encoding", "explicit"),
			1);
	}
	return key;
}

/* A public key alone, and of numbers that prove nothing: who cannot be
 * believed needs no better one. */
static EVP_PKEY *dsa_key(void)
{
	static EVP_PKEY *key;
	if (key)
		return key;
	BIGNUM *p = BN_get_rfc3526_prime_2048(NULL), *q = NULL, *g = NULL;
	BN_hex2bn(&q, "8000000000000000000000000000000000000000000000000000000"
		      "000000001");
	BN_hex2bn(&g, "4");
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	OSSL_PARAM_BLD_push_BN(bld, "p", p);
	OSSL_PARAM_BLD_push_BN(bld, "q", q);
	OSSL_PARAM_BLD_push_BN(bld, "g", g);
	OSSL_PARAM_BLD_push_BN(bld, "pub", g);
	OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(bld);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(bld);
	BN_free(p);
	BN_free(q);
	BN_free(g);
	return key;
}

/* There, no certificate had extensions. */
static X509 *of_version_1(X509 *cert, EVP_PKEY *key)
{
	X509 *copy = X509_dup(cert);
	assert_int_equal(X509_set_version(copy, X509_VERSION_1), 1);
	while (X509_get_ext_count(copy))
		X509_EXTENSION_free(X509_delete_ext(copy, 0));
	assert_true(X509_sign(copy, key, EVP_sha256()) > 0);
	return copy;
}

static void send_along(struct scene *scene, X509 *cert)
{
	if (!scene->untrusted)
		scene->untrusted = sk_X509_new_null();
	X509_up_ref(cert);
	sk_X509_push(scene->untrusted, cert);
}

static void twist(struct scene *scene, enum twist how, enum who issuer)
{
	X509 *straight = scene->leaf;
	switch (how) {
	case BROKEN:
		scene->leaf = made_broken(straight);
		break;
	case NO_DATE:
		scene->leaf = made_undated(straight, key_of(issuer));
		break;
	case NONE:
		scene->leaf = NULL;
		break;
	case WITH_ROOT:
		send_along(scene, ca[cast[issuer].issuer]);
		send_along(scene, ca[issuer]);
		return;
	case WITH_ISSUER:
		send_along(scene, ca[issuer]);
		return;
	case EXPLICIT:
		/* Only a key that was read knows how it was written. */
		scene->leaf = X509_dup(straight);
		break;
	case VERSION_1:
		scene->leaf = of_version_1(straight, key_of(issuer));
		break;
	case DSA_KEY:
	case STRAIGHT:
		return;
	}
	X509_free(straight);
}

static void make_scene(struct scene *scene, size_t i)
{
	const struct cert_attribute subject[] = {
		{"O", "Test"}, {"CN", PHONE}, {NULL, NULL}};
	enum who issuer = plays[i].issuer;
	*scene = (struct scene){
		.name = plays[i].name,
		.verdict = plays[i].verdict,
		.x509 = plays[i].x509,
		.depth = plays[i].depth,
		.no_tls =
			plays[i].twist == EXPLICIT || plays[i].twist == DSA_KEY,
		.key = plays[i].twist == EXPLICIT ? explicit_key()
		       : plays[i].twist == DSA_KEY
			       ? dsa_key()
			       : made_key(plays[i].key ? plays[i].key
						       : "rsa2048",
					 0),
	};
	if (scene->verdict == TRUST_OK) {
		scene->anchor = plays[i].anchor;
		scene->kind = !strncmp(scene->anchor, "capf", 4)
				      ? CERT_KIND_LSC
				      : CERT_KIND_MIC;
	} else {
		scene->why = plays[i].anchor;
	}
	scene->leaf = made_cert((struct cert_order){
		.subject = subject,
		.extensions = plays[i].extensions,
		.key = scene->key,
		.issuer = issuer == SELF ? NULL : ca[issuer],
		.issuer_key = issuer == SELF ? NULL : key_of(issuer),
		.digest = plays[i].digest,
		.not_before =
			plays[i].from ? MADE_NOW + plays[i].from * DAY : 0,
		.not_after = plays[i].to ? MADE_NOW + plays[i].to * DAY : 0,
		.serial = plays[i].serial,
	});
	twist(scene, plays[i].twist, issuer);
}

static void make_list(const char *folder, const char *file, enum who who,
	const char *const *serials, int64_t number, int reason)
{
	X509_CRL *crl = made_crl(&(struct made_crl){.ca = ca[who],
		.key = key_of(who),
		.serials = serials,
		.number = number,
		.reason = reason});
	made_crl_pem(folder, file, crl);
	X509_CRL_free(crl);
}

void scenes_init(struct scenes *s)
{
	static const struct trust_anchor_policy rows[] = {
		{.name = "enrol.pem", .enrol_only = true},
		{.name = "capf-grace.pem", .grace_s = 30 * DAY},
	};
	const struct trust_policy policy = {2, rows, 2};
	struct diag d = {.text = ""};
	*s = (struct scenes){.folder = made_folder()};
	for (enum who who = 0; who < CAST; who++) {
		if (who == SELF)
			continue;
		make_ca(who);
		if (cast[who].file)
			made_pem(s->folder, cast[who].file, ca[who]);
	}
	static const char *const by_capf[] = {"B1", NULL};
	static const char *const by_root[] = {"A1", "A2", NULL};
	make_list(s->folder, "capf.crl", CAPF, by_capf, 7,
		CRL_REASON_KEY_COMPROMISE);
	make_list(s->folder, "root2.crl", ROOT2, by_root, 0, 0);
	const struct trust_load load = {
		.dir = s->folder, .generation = 1, .policy = &policy};
	if (trust_snapshot_load(&load, &s->snapshot, &d))
		fail_msg("%s", d.text);
	for (; s->n < sizeof(plays) / sizeof(plays[0]); s->n++)
		make_scene(&s->scene[s->n], s->n);
}

void scenes_deinit(struct scenes *s)
{
	for (size_t i = 0; i < s->n; i++) {
		X509_free(s->scene[i].leaf);
		sk_X509_pop_free(s->scene[i].untrusted, X509_free);
	}
	trust_snapshot_unref(s->snapshot);
	made_folder_end(s->folder);
	for (enum who who = 0; who < CAST; who++) {
		X509_free(ca[who]);
		ca[who] = NULL;
	}
}
