/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about CAPF's root, LSCs, and requests for them. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "certs/lsc.h"
#include "tests/certs/made.h"

enum { DAY = 86400 };

static const char DEVICE[] = "SEP001122334455";
static const char SERIAL[] = "1f00000000000000000000000000000a";
static const struct cert_organisation CLUSTER = {
	.country = "NL",
	.state = "Gelderland",
	.locality = "Arnhem",
	.organisation = "Müller, Söhne",
	.unit = "Telephony",
};

static X509 *root;
static EVP_PKEY *root_key;

static int begin(void **state)
{
	return cert_capf_make(&CLUSTER, "rsa2048", MADE_NOW, CERT_CAPF_DAYS,
		&root, &root_key, NULL);
}

static int end(void **state)
{
	X509_free(root);
	EVP_PKEY_free(root_key);
	return 0;
}

static struct cert_identity identity(X509 *cert)
{
	struct cert_identity id;
	assert_int_equal(cert_identity_read(cert, &id), 0);
	return id;
}

/* The extension as text, "critical " before it where it is. */
static void assert_extension(X509 *cert, int nid, const char *expected)
{
	int at = X509_get_ext_by_NID(cert, nid, -1);
	assert_true(at >= 0);
	X509_EXTENSION *e = X509_get_ext(cert, at);
	BIO *bio = BIO_new(BIO_s_mem());
	if (X509_EXTENSION_get_critical(e))
		BIO_puts(bio, "critical ");
	assert_int_equal(X509V3_EXT_print(bio, e, 0, 0), 1);
	BIO_write(bio, "", 1);
	char *text = NULL;
	BIO_get_mem_data(bio, &text);
	assert_string_equal(text, expected);
	BIO_free(bio);
}

/* ---- the root ---- */

static void root_is_what_phones_take_as_capf_s(void **state)
{
	struct cert_identity id = identity(root);
	assert_int_equal(strlen(id.cn), strlen("CAPF-00000000"));
	assert_memory_equal(id.cn, "CAPF-", 5);
	assert_int_equal(strspn(id.cn + 5, "0123456789abcdef"), 8);
	char subject[400];
	snprintf(subject, sizeof(subject),
		"L=Arnhem,ST=Gelderland,CN=%s,OU=Telephony,"
		"O=Müller\\, Söhne,C=NL",
		id.cn);
	assert_string_equal(id.subject, subject);
	assert_string_equal(id.issuer, subject);
	assert_string_equal(id.key, "RSA-2048");
	assert_int_equal(id.not_after - MADE_NOW, 1825 * DAY);
	assert_true(id.not_before <= MADE_NOW);
	assert_int_equal(X509_self_signed(root, 1), 1);
	assert_int_equal(
		X509_get_signature_nid(root), NID_sha256WithRSAEncryption);
	assert_extension(
		root, NID_basic_constraints, "critical CA:TRUE, pathlen:0");
	assert_extension(root, NID_key_usage,
		"critical Digital Signature, Certificate Sign, CRL Sign");
	const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(root);
	const ASN1_OCTET_STRING *above = X509_get0_authority_key_id(root);
	assert_non_null(own);
	assert_non_null(above);
	assert_int_equal(ASN1_OCTET_STRING_cmp(own, above), 0);
	assert_int_equal(cert_capf_check(root, root_key, NULL), 0);
}

static void roots_differ_in_name_serial_and_key(void **state)
{
	X509 *other = NULL;
	EVP_PKEY *key = NULL;
	struct diag d = {.text = ""};
	const struct cert_organisation none = {0};
	assert_int_equal(
		cert_capf_make(&none, "p384", MADE_NOW, 30, &other, &key, &d),
		0);
	struct cert_identity a = identity(root), b = identity(other);
	assert_string_not_equal(a.cn, b.cn);
	assert_string_not_equal(a.serial, b.serial);
	assert_string_equal(b.key, "P-384");
	assert_int_equal(cert_capf_check(other, key, NULL), 0);
	char subject[300];
	snprintf(subject, sizeof(subject), "CN=%s", b.cn);
	assert_string_equal(b.subject, subject);
	assert_int_equal(cert_capf_check(root, key, &d), -EINVAL);
	assert_string_equal(d.rule, "other-key");
	X509_free(other);
	EVP_PKEY_free(key);
}

static void roots_that_cannot_be_made_are_refused(void **state)
{
	struct cert_organisation of = CLUSTER;
	X509 *cert = NULL;
	EVP_PKEY *key = NULL;
	struct diag d;
	assert_int_equal(
		cert_capf_make(&of, "rsa2048", MADE_NOW, 0, &cert, &key, &d),
		-EINVAL);
	assert_non_null(strstr(d.text, "0 days"));
	assert_int_equal(
		cert_capf_make(&of, "rsa2048", MADE_NOW, 7301, &cert, &key, &d),
		-EINVAL);
	assert_int_equal(
		cert_capf_make(&of, "rsa512", MADE_NOW, 30, &cert, &key, &d),
		-EINVAL);
	of.country = "NLD";
	assert_int_equal(
		cert_capf_make(&of, "p256", MADE_NOW, 30, &cert, &key, &d),
		-EINVAL);
	assert_non_null(strstr(d.text, "\"NLD\" cannot be the C"));
	assert_null(cert);
	assert_null(key);
}

static X509 *strange_root(const struct cert_extension *extensions,
	const char *cn, const char *serial)
{
	const struct cert_attribute subject[] = {{"CN", cn}, {NULL, NULL}};
	return made_cert((struct cert_order){.subject = cn ? subject : NULL,
		.extensions = extensions,
		.key = made_key("p256", 0),
		.serial = serial});
}

#define CONSTRAINTS                                              \
	{                                                        \
		"basicConstraints", "critical,CA:TRUE,pathlen:0" \
	}
#define USAGE                                              \
	{                                                  \
		"keyUsage", "digitalSignature,keyCertSign" \
	}

static void roots_that_phones_refuse_are_refused_by_rule(void **state)
{
	static const struct {
		struct cert_extension extensions[3];
		const char *cn, *serial, *rule;
	} rows[] = {
		{{CONSTRAINTS, USAGE}, "CAPF-1", NULL, NULL},
		{{CONSTRAINTS, USAGE}, NULL, NULL, "no-subject"},
		{{CONSTRAINTS, USAGE}, "CAPF-1", "0", "serial"},
		{{CONSTRAINTS, USAGE}, "CAPF-1", "-05", "serial"},
		{{CONSTRAINTS, USAGE}, "CAPF-1",
			"800000000000000000000000000000000000000000", "serial"},
		{{USAGE}, "CAPF-1", NULL, "not-a-ca"},
		{{{"basicConstraints", "CA:TRUE,pathlen:0"}, USAGE}, "CAPF-1",
			NULL, "not-a-ca"},
		{{{"basicConstraints", "critical,CA:FALSE"}, USAGE}, "CAPF-1",
			NULL, "not-a-ca"},
		{{{"basicConstraints", "critical,CA:TRUE"}, USAGE}, "CAPF-1",
			NULL, "path-length"},
		{{{"basicConstraints", "critical,CA:TRUE,pathlen:1"}, USAGE},
			"CAPF-1", NULL, "path-length"},
		{{CONSTRAINTS}, "CAPF-1", NULL, "key-usage"},
		{{CONSTRAINTS, {"keyUsage", "keyCertSign,cRLSign"}}, "CAPF-1",
			NULL, "key-usage"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diag d = {.text = "", .rule = ""};
		X509 *cert = strange_root(
			rows[i].extensions, rows[i].cn, rows[i].serial);
		int error = cert_capf_check(cert, made_key("p256", 0), &d);
		assert_int_equal(error, rows[i].rule ? -EINVAL : 0);
		if (rows[i].rule)
			assert_string_equal(d.rule, rows[i].rule);
		X509_free(cert);
	}
}

static void root_of_another_kind_of_key_is_refused(void **state)
{
	const struct cert_extension extensions[] = {
		CONSTRAINTS, USAGE, {NULL, NULL}};
	const struct cert_attribute subject[] = {
		{"CN", "CAPF-1"}, {NULL, NULL}};
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	struct diag d;
	X509 *cert = made_cert((struct cert_order){.subject = subject,
		.extensions = extensions,
		.key = key,
		.issuer = root,
		.issuer_key = root_key});
	assert_int_equal(cert_capf_check(cert, key, &d), -EINVAL);
	assert_string_equal(d.rule, "key-type");
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* ---- LSCs ---- */

static struct cert_lsc order(const char *kind)
{
	return (struct cert_lsc){
		.device = DEVICE,
		.key = made_key(kind, 0),
		.issuer = root,
		.issuer_key = root_key,
		.serial = SERIAL,
		.not_before = MADE_NOW - 3600,
		.not_after = MADE_NOW + 365 * DAY,
	};
}

static X509 *make(const struct cert_lsc *lsc)
{
	struct diag d = {.text = ""};
	X509 *cert = NULL;
	if (cert_lsc_make(lsc, &cert, &d))
		fail_msg("%s", d.text);
	return cert;
}

static void lsc_is_what_usecallmanager_makes(void **state)
{
	struct cert_lsc lsc = order("rsa2048");
	X509 *cert = make(&lsc);
	struct cert_identity id = identity(cert);
	/* RFC 2253 writes the last first. */
	assert_string_equal(id.subject,
		"C=NL,ST=Gelderland,L=Arnhem,OU=Telephony,"
		"O=Müller\\, Söhne,CN=SEP001122334455");
	assert_string_equal(id.issuer, identity(root).subject);
	assert_string_equal(id.device, DEVICE);
	assert_string_equal(id.serial, SERIAL);
	assert_int_equal(id.not_before, MADE_NOW - 3600);
	assert_int_equal(id.not_after, MADE_NOW + 365 * DAY);
	assert_int_equal(X509_get_version(cert), X509_VERSION_3);
	assert_int_equal(
		X509_get_signature_nid(cert), NID_sha256WithRSAEncryption);
	assert_extension(cert, NID_basic_constraints, "critical CA:FALSE");
	assert_extension(cert, NID_key_usage,
		"critical Digital Signature, Key Encipherment");
	assert_extension(cert, NID_ext_key_usage,
		"TLS Web Server Authentication, "
		"TLS Web Client Authentication, IPSec End System");
	assert_extension(cert, NID_subject_alt_name, "URI:SEP001122334455");
	assert_int_equal(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(cert),
				 X509_get0_subject_key_id(root)),
		0);
	assert_non_null(X509_get0_subject_key_id(cert));
	assert_int_equal(X509_get_ext_count(cert), 6);
	assert_int_equal(X509_verify(cert, root_key), 1);
	assert_int_equal(
		EVP_PKEY_eq(X509_get0_pubkey(cert), made_key("rsa2048", 0)), 1);
	X509_free(cert);
}

static void lsc_of_an_elliptic_curve_agrees_on_keys(void **state)
{
	static const char *const kinds[] = {"p256", "p384", "p521"};
	for (size_t i = 0; i < 3; i++) {
		struct cert_lsc lsc = order(kinds[i]);
		X509 *cert = make(&lsc);
		assert_extension(cert, NID_key_usage,
			"critical Digital Signature, Key Agreement");
		X509_free(cert);
	}
}

static void lsc_lives_no_longer_than_its_issuer(void **state)
{
	struct cert_lsc lsc = order("p256");
	lsc.not_before = 0;
	lsc.not_after = MADE_NOW + (time_t)9000 * DAY;
	X509 *cert = make(&lsc);
	struct cert_identity id = identity(cert), issuer = identity(root);
	assert_int_equal(id.not_before, issuer.not_before);
	assert_int_equal(id.not_after, issuer.not_after);
	X509_free(cert);
}

static void organisation_that_the_issuer_lacks_is_left_out(void **state)
{
	struct cert_lsc lsc = order("p256");
	lsc.issuer = made_ca("CAPF-00000001", 1);
	lsc.issuer_key = made_key("rsa2048", 1);
	X509 *cert = make(&lsc);
	assert_string_equal(identity(cert).subject, "CN=SEP001122334455");
	X509_free(cert);
	X509_free(lsc.issuer);
}

static void refuse(const struct cert_lsc *lsc, const char *rule)
{
	struct diag d = {.text = "", .rule = ""};
	X509 *cert = NULL;
	assert_int_equal(cert_lsc_make(lsc, &cert, &d), -EINVAL);
	assert_null(cert);
	assert_string_equal(d.rule, rule);
	assert_true(strlen(d.text) > 10);
}

static void names_that_no_phone_can_prove_are_refused(void **state)
{
	static const char too_long[] = "CSF4567890123456789012345678901"
				       "234567890123456789012345678901234";
	static const char *const names[] = {"", "SEP00112233445",
		"SEP00112233445G", "SEP001122334455,DNS:x",
		"CP-8861-SEP001122334455", "sep 001122334455", "../x", "X",
		"CSF", too_long};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct cert_lsc lsc = order("p256");
		lsc.device = names[i];
		refuse(&lsc, "device-name");
	}
	assert_int_equal(strlen(too_long), CERT_DEVICE_MAX + 1);
	struct cert_lsc lsc = order("p256");
	lsc.device = "CSFUSER1";
	X509 *cert = make(&lsc);
	assert_string_equal(identity(cert).device, "CSFUSER1");
	X509_free(cert);
}

static void serial_numbers_that_are_none_are_refused(void **state)
{
	static const char *const serials[] = {"", "1f",
		"0f00000000000000000000000000000a",
		"8f00000000000000000000000000000a",
		"-f00000000000000000000000000000a",
		"1f0000000000000000000000000000 a",
		"1f00000000000000000000000000000g",
		"1f00000000000000000000000000000a0"};
	for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++) {
		struct cert_lsc lsc = order("p256");
		lsc.serial = serials[i];
		refuse(&lsc, "serial");
	}
}

static void issuer_that_cannot_issue_is_refused(void **state)
{
	struct cert_lsc lsc = order("p256");
	lsc.issuer_key = made_key("rsa2048", 5);
	refuse(&lsc, "other-key");
	lsc = order("p256");
	lsc.not_after = lsc.not_before;
	refuse(&lsc, "no-validity");
	lsc = order("p256");
	lsc.not_before = MADE_NOW + (time_t)1825 * DAY;
	lsc.not_after = lsc.not_before + DAY;
	refuse(&lsc, "no-validity");
	lsc = order("p256");
	lsc.issuer = made_undated(root, root_key);
	refuse(&lsc, "issuer-dates");
	X509_free(lsc.issuer);
	const struct cert_attribute subject[] = {
		{"CN", "CAPF-1"}, {"O", "new\nline"}, {NULL, NULL}};
	lsc.issuer = made_cert(
		(struct cert_order){.subject = subject, .key = lsc.issuer_key});
	refuse(&lsc, "issuer-name");
	X509_free(lsc.issuer);
}

static void serial_numbers_are_chance(void **state)
{
	char before[33] = "", serial[33];
	unsigned seen = 0;
	for (int i = 0; i < 1000; i++) {
		cert_serial_make(serial);
		assert_int_equal(strlen(serial), 32);
		assert_int_equal(strspn(serial, "0123456789abcdef"), 32);
		assert_in_range(serial[0], '1', '7');
		assert_string_not_equal(serial, before);
		seen |= 1U << (serial[0] - '0');
		memcpy(before, serial, sizeof(before));
	}
	assert_int_equal(seen, 0xfe);
	struct cert_lsc lsc = order("p256");
	lsc.serial = serial;
	X509 *cert = make(&lsc);
	assert_string_equal(identity(cert).serial, serial);
	X509_free(cert);
}

/* ---- requests ---- */

static X509_REQ *request(const char *kind, uint8_t **der, size_t *n)
{
	struct diag d = {.text = ""};
	if (cert_request_make(DEVICE, &CLUSTER, made_key(kind, 0), der, n, &d))
		fail_msg("%s", d.text);
	const unsigned char *p = *der;
	X509_REQ *made = d2i_X509_REQ(NULL, &p, (long)*n);
	assert_non_null(made);
	assert_ptr_equal(p, *der + *n);
	return made;
}

static void request_has_name_key_and_what_an_lsc_has(void **state)
{
	static const char *const kinds[] = {"rsa2048", "p384"};
	for (size_t i = 0; i < 2; i++) {
		uint8_t *der = NULL;
		size_t n = 0;
		X509_REQ *made = request(kinds[i], &der, &n);
		char subject[300];
		cert_name_text(X509_REQ_get_subject_name(made), subject,
			sizeof(subject));
		assert_string_equal(subject,
			"C=NL,ST=Gelderland,L=Arnhem,OU=Telephony,"
			"O=Müller\\, Söhne,CN=SEP001122334455");
		assert_int_equal(EVP_PKEY_eq(X509_REQ_get0_pubkey(made),
					 made_key(kinds[i], 0)),
			1);
		STACK_OF(X509_EXTENSION) *asked = X509_REQ_get_extensions(made);
		assert_int_equal(sk_X509_EXTENSION_num(asked), 4);
		sk_X509_EXTENSION_pop_free(asked, X509_EXTENSION_free);
		X509_REQ_free(made);
		free(der);
	}
}

static void request_s_signature_is_the_hash_of_what_it_says(void **state)
{
	uint8_t *der = NULL;
	size_t n = 0;
	X509_REQ *made = request("p256", &der, &n);
	const ASN1_BIT_STRING *signature = NULL;
	const X509_ALGOR *algorithm = NULL;
	const ASN1_OBJECT *oid = NULL;
	int type = 0;
	char text[40];
	X509_REQ_get0_signature(made, &signature, &algorithm);
	X509_ALGOR_get0(&oid, &type, NULL, algorithm);
	OBJ_obj2txt(text, sizeof(text), oid, 1);
	assert_string_equal(text, "1.3.6.1.5.5.7.6.2");
	assert_int_equal(type, V_ASN1_NULL);
	/* The CertificationRequestInfo is the first in the outer SEQUENCE. */
	const unsigned char *p = der;
	long size = 0;
	int tag = 0, class = 0;
	ASN1_get_object(&p, &size, &tag, &class, (long)n);
	const unsigned char *info = p;
	ASN1_get_object(&p, &size, &tag, &class, (long)n);
	uint8_t hash[32];
	EVP_Digest(info, (size_t)(p - info + size), hash, NULL, EVP_sha256(),
		NULL);
	assert_int_equal(ASN1_STRING_length(signature), 32);
	assert_memory_equal(ASN1_STRING_get0_data(signature), hash, 32);
	X509_REQ_free(made);
	free(der);
}

static void signature_keeps_zero_bits_at_its_end(void **state)
{
	/* One hash in 256 ends in a byte of zeros. */
	for (int i = 0; i < 2000; i++) {
		char device[16];
		uint8_t *der = NULL;
		size_t n = 0;
		snprintf(device, sizeof(device), "SEP%012X", (unsigned)i);
		assert_int_equal(cert_request_make(device, &CLUSTER,
					 made_key("p256", 0), &der, &n, NULL),
			0);
		/* BIT STRING of 33 bytes, no unused bits. */
		assert_memory_equal(der + n - 35, "\x03\x21\x00", 3);
		free(der);
	}
}

static void openssl_s_own_command_reads_requests(void **state)
{
	char *folder = made_folder();
	uint8_t *der = NULL;
	size_t n = 0;
	X509_REQ *made = request("rsa2048", &der, &n);
	made_file(folder, "x.csr", der, n);
	const char *in = made_path(folder, "x.csr");
	const char *out = made_path(folder, "x.txt");
	pid_t child = fork();
	if (!child) {
		execlp("openssl", "openssl", "req", "-inform", "DER", "-in", in,
			"-noout", "-text", "-out", out, (char *)NULL);
		_exit(127);
	}
	int status = -1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 0);
	char text[8192] = "";
	FILE *f = fopen(out, "re");
	assert_non_null(f);
	assert_true(fread(text, 1, sizeof(text) - 1, f) > 0);
	fclose(f);
	assert_non_null(strstr(text, "CN = SEP001122334455"));
	assert_non_null(strstr(text, "id-alg-noSignature"));
	assert_non_null(strstr(text, "URI:SEP001122334455"));
	X509_REQ_free(made);
	free(der);
	made_folder_end(folder);
}

static void requests_that_cannot_be_made_are_refused(void **state)
{
	struct cert_organisation of = CLUSTER;
	uint8_t *der = NULL;
	size_t n = 0;
	struct diag d = {.text = "", .rule = ""};
	assert_int_equal(
		cert_request_make("x", &of, made_key("p256", 0), &der, &n, &d),
		-EINVAL);
	assert_string_equal(d.rule, "device-name");
	of.country = "NLD";
	assert_int_equal(cert_request_make(DEVICE, &of, made_key("p256", 0),
				 &der, &n, &d),
		-EINVAL);
	assert_non_null(strstr(d.text, "NLD"));
	assert_null(der);
	assert_int_equal(n, 0);
}

/* ---- what a CA outside sent ---- */

#define BASE                                                            \
	{"basicConstraints", "critical,CA:FALSE"},                      \
	{                                                               \
		"keyUsage", "critical,digitalSignature,keyEncipherment" \
	}

/* NULL, or the rule that it breaks. */
static const char *check(X509 *cert)
{
	static struct diag d;
	d = (struct diag){.text = "", .rule = ""};
	int error = cert_lsc_check(
		cert, DEVICE, made_key("rsa2048", 0), MADE_NOW, 365, &d);
	X509_free(cert);
	if (!error)
		return "";
	assert_int_equal(error, -EINVAL);
	assert_true(strlen(d.text) > 10);
	return d.rule;
}

static X509 *outside(const char *cn, const struct cert_extension *extensions)
{
	const struct cert_attribute subject[] = {{"CN", cn}, {NULL, NULL}};
	return made_cert((struct cert_order){.subject = subject,
		.extensions = extensions,
		.key = made_key("rsa2048", 0),
		.issuer = root,
		.issuer_key = root_key});
}

static void certificates_from_outside_are_judged_by_rule(void **state)
{
	static const struct {
		const char *cn;
		struct cert_extension extensions[4];
		const char *rule;
	} rows[] = {
		{DEVICE, {BASE}, ""},
		{"CP-8861-SEP001122334455", {BASE}, ""},
		{"sep001122334455", {BASE}, ""},
		{DEVICE, {BASE, {"extendedKeyUsage", "clientAuth"}}, ""},
		{DEVICE, {BASE, {"subjectAltName", "URI:SEP001122334455"}}, ""},
		{DEVICE, {BASE, {"subjectAltName", "DNS:phone.example"}}, ""},
		{"SEP001122334456", {BASE}, "other-name"},
		{"Phone", {BASE}, "other-name"},
		{DEVICE, {BASE, {"subjectAltName", "URI:SEP001122334456"}},
			"other-alt-name"},
		{DEVICE,
			{BASE, {"subjectAltName",
				       "DNS:a.example,DNS:SEP001122334456"}},
			"other-alt-name"},
		{DEVICE, {{"basicConstraints", "critical,CA:TRUE"}}, "is-a-ca"},
		{DEVICE,
			{{"basicConstraints", "critical,CA:TRUE"},
				{"keyUsage", "digitalSignature"}},
			"is-a-ca"},
		{DEVICE, {{"keyUsage", "digitalSignature,keyCertSign"}},
			"is-a-ca"},
		{DEVICE,
			{{"basicConstraints", "critical,CA:FALSE"},
				{"keyUsage", "digitalSignature,cRLSign"}},
			"is-a-ca"},
		{DEVICE, {BASE, {"extendedKeyUsage", "serverAuth"}},
			"wrong-purpose"},
		{DEVICE, {{"keyUsage", "critical,keyEncipherment"}},
			"wrong-purpose"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(
			check(outside(rows[i].cn, rows[i].extensions)),
			rows[i].rule);
}

static void subject_of_two_names_is_nobody_s(void **state)
{
	const struct cert_attribute subject[] = {
		{"CN", DEVICE}, {"CN", "SEP001122334456"}, {NULL, NULL}};
	assert_string_equal(
		check(made_cert((struct cert_order){
			.subject = subject, .key = made_key("rsa2048", 0)})),
		"other-name");
}

static void certificate_over_another_key_is_refused(void **state)
{
	const struct cert_attribute subject[] = {{"CN", DEVICE}, {NULL, NULL}};
	assert_string_equal(
		check(made_cert((struct cert_order){
			.subject = subject, .key = made_key("rsa2048", 1)})),
		"other-key");
}

static const char *check_dates(time_t from, time_t to)
{
	const struct cert_attribute subject[] = {{"CN", DEVICE}, {NULL, NULL}};
	return check(made_cert((struct cert_order){.subject = subject,
		.key = made_key("rsa2048", 0),
		.not_before = from,
		.not_after = to}));
}

static void certificate_is_good_now_and_not_for_too_long(void **state)
{
	const time_t year = MADE_NOW + 365 * DAY;
	assert_string_equal(check_dates(MADE_NOW, year), "");
	assert_string_equal(check_dates(MADE_NOW - 900 * DAY, year), "");
	/* A CA's clock may be ahead of ours by an hour. */
	assert_string_equal(check_dates(MADE_NOW, year + 3600), "");
	assert_string_equal(check_dates(MADE_NOW, year + 3601), "too-long");
	assert_string_equal(check_dates(MADE_NOW + 1, year), "not-valid-now");
	assert_string_equal(check_dates(1, MADE_NOW), "not-valid-now");
	assert_string_equal(check_dates(1, MADE_NOW + 1), "");
	X509 *cert = outside(DEVICE, NULL);
	assert_string_equal(
		check(made_undated(cert, root_key)), "not-valid-now");
	X509_free(cert);
}

static void own_lscs_would_pass_too(void **state)
{
	struct cert_lsc lsc = order("rsa2048");
	assert_string_equal(check(make(&lsc)), "");
}

static void openssl_errors_stay_as_they_were(void **state)
{
	struct cert_lsc lsc = order("p256");
	ERR_clear_error();
	ERR_raise(ERR_LIB_USER, 7);
	X509 *cert = make(&lsc);
	cert_capf_check(root, made_key("p256", 0), NULL);
	cert_lsc_check(cert, DEVICE, root_key, MADE_NOW, 30, NULL);
	lsc.issuer_key = made_key("p256", 1);
	X509 *none = NULL;
	cert_lsc_make(&lsc, &none, NULL);
	uint8_t *der = NULL;
	size_t n = 0;
	cert_request_make(DEVICE, &CLUSTER, lsc.key, &der, &n, NULL);
	assert_int_equal(ERR_GET_REASON(ERR_get_error()), 7);
	assert_int_equal(ERR_get_error(), 0);
	X509_free(cert);
	free(der);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(root_is_what_phones_take_as_capf_s),
		cmocka_unit_test(roots_differ_in_name_serial_and_key),
		cmocka_unit_test(roots_that_cannot_be_made_are_refused),
		cmocka_unit_test(roots_that_phones_refuse_are_refused_by_rule),
		cmocka_unit_test(root_of_another_kind_of_key_is_refused),
		cmocka_unit_test(lsc_is_what_usecallmanager_makes),
		cmocka_unit_test(lsc_of_an_elliptic_curve_agrees_on_keys),
		cmocka_unit_test(lsc_lives_no_longer_than_its_issuer),
		cmocka_unit_test(
			organisation_that_the_issuer_lacks_is_left_out),
		cmocka_unit_test(names_that_no_phone_can_prove_are_refused),
		cmocka_unit_test(serial_numbers_that_are_none_are_refused),
		cmocka_unit_test(issuer_that_cannot_issue_is_refused),
		cmocka_unit_test(serial_numbers_are_chance),
		cmocka_unit_test(request_has_name_key_and_what_an_lsc_has),
		cmocka_unit_test(
			request_s_signature_is_the_hash_of_what_it_says),
		cmocka_unit_test(signature_keeps_zero_bits_at_its_end),
		cmocka_unit_test(openssl_s_own_command_reads_requests),
		cmocka_unit_test(requests_that_cannot_be_made_are_refused),
		cmocka_unit_test(certificates_from_outside_are_judged_by_rule),
		cmocka_unit_test(subject_of_two_names_is_nobody_s),
		cmocka_unit_test(certificate_over_another_key_is_refused),
		cmocka_unit_test(certificate_is_good_now_and_not_for_too_long),
		cmocka_unit_test(own_lscs_would_pass_too),
		cmocka_unit_test(openssl_errors_stay_as_they_were),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("lsc", tests, begin, end);
}
