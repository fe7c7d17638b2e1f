/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the CAs and the files of an export. */
#include <ctype.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certs/pem.h"
#include "tests/certs/made.h"
#include "trust/export.h"

enum { DAY = 86400, CONSUMERS = TRUST_EXPORT_HASHED_DIR + 1 };

static char *folder; /* the store */

static int begin(void **state)
{
	folder = made_folder();
	return 0;
}

static int end(void **state)
{
	made_folder_end(folder);
	return 0;
}

static const struct cert_extension ca_extensions[] = {
	{"basicConstraints", "critical,CA:TRUE"},
	{"keyUsage", "digitalSignature,keyCertSign"},
	{"subjectKeyIdentifier", "hash"},
	{"authorityKeyIdentifier", "keyid"},
	{NULL, NULL},
};

/* A CA with key `which`, by the one whose key is `by` (NULL: by itself). */
static X509 *sub_ca(const char *cn, int which, X509 *issuer, int by)
{
	const struct cert_attribute subject[] = {{"CN", cn}, {NULL, NULL}};
	return made_cert((struct cert_order){.subject = subject,
		.extensions = ca_extensions,
		.key = made_key("rsa2048", which),
		.issuer = issuer,
		.issuer_key = issuer ? made_key("rsa2048", by) : NULL});
}

/* A root with any bytes as its CN, and any serial number. */
static X509 *named_ca(const char *cn, int which, long serial)
{
	X509 *cert = made_ca("CA", which);
	X509_NAME *name = X509_NAME_new();
	assert_int_equal(X509_NAME_add_entry_by_NID(name, NID_commonName,
				 V_ASN1_UTF8STRING, (const unsigned char *)cn,
				 -1, -1, 0),
		1);
	X509_set_subject_name(cert, name);
	X509_set_issuer_name(cert, name);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
	assert_true(
		X509_sign(cert, made_key("rsa2048", which), EVP_sha256()) > 0);
	X509_NAME_free(name);
	/* Anew from its DER: what OpenSSL caches of it is of before. */
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);
	const unsigned char *p = der;
	X509_free(cert);
	cert = d2i_X509(NULL, &p, n);
	OPENSSL_free(der);
	assert_non_null(cert);
	return cert;
}

/* What one export is made of, beside the store. */
struct extra {
	X509 *with[4];
	size_t n_with;
	const struct trust_anchor_policy *rows;
	size_t n_rows;
	const struct trust_export_phones *phones;
	size_t n_phones;
	const char *uncounted;
};

static struct trust_export *export_with(
	enum trust_export_for to, const struct extra *x)
{
	struct trust_snapshot *trust = NULL;
	struct trust_export *e = NULL;
	struct diag d = {.text = ""};
	const struct trust_policy policy = {2, x->rows, x->n_rows};
	const struct trust_load load = {.dir = folder,
		.generation = 1,
		.policy = &policy,
		.keep_lists = true};
	if (trust_snapshot_load(&load, &trust, &d))
		fail_msg("%s", d.text);
	const struct trust_export_order order = {
		.to = to,
		.trust = trust,
		.with = x->with,
		.n_with = x->n_with,
		.now = MADE_NOW,
		.phones = x->phones,
		.n_phones = x->n_phones,
		.uncounted = x->uncounted,
	};
	ERR_clear_error();
	if (trust_export_make(&order, &e, &d))
		fail_msg("%s", d.text);
	assert_int_equal(ERR_peek_error(), 0);
	trust_snapshot_unref(trust);
	return e;
}

static struct trust_export *export(enum trust_export_for to)
{
	const struct extra nothing = {.n_with = 0};
	return export_with(to, &nothing);
}

static const struct cert_folder_file *file_of(
	const struct trust_export *e, const char *name)
{
	size_t n;
	const struct cert_folder_file *file = trust_export_files(e, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(file[i].name, name) == 0)
			return &file[i];
	fail_msg("no file %s", name);
	return NULL;
}

static void holds(
	const struct trust_export *e, const char *name, const char *text)
{
	const struct cert_folder_file *file = file_of(e, name);
	if (!memmem(file->data, file->n, text, strlen(text)))
		fail_msg("%s lacks \"%s\":\n%s", name, text,
			(const char *)file->data);
}

static void lacks(
	const struct trust_export *e, const char *name, const char *text)
{
	const struct cert_folder_file *file = file_of(e, name);
	if (memmem(file->data, file->n, text, strlen(text)))
		fail_msg("%s holds \"%s\"", name, text);
}

/* The CAs in the files are these, in this order. */
static void holds_cas(const struct trust_export *e, const char *name,
	X509 *const *certs, size_t n)
{
	const struct cert_folder_file *file = file_of(e, name);
	struct cert_list list;
	struct diag d = {.text = ""};
	if (cert_pem_parse(file->data, file->n, name, &list, &d))
		fail_msg("%s", d.text);
	assert_int_equal(list.n, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(X509_cmp(list.cert[i], certs[i]), 0);
	cert_list_deinit(&list);
}

static const struct trust_export_ca *ca_of(
	const struct trust_export *e, X509 *cert)
{
	size_t n;
	const struct trust_export_ca *ca = trust_export_cas(e, &n);
	for (size_t i = 0; i < n; i++)
		if (X509_cmp(ca[i].cert, cert) == 0)
			return &ca[i];
	fail_msg("that CA is not among them");
	return NULL;
}

static void names_of_consumers_are_found(void **state)
{
	for (int i = 0; i < CONSUMERS; i++)
		assert_int_equal(trust_export_find(trust_export_name(
					 (enum trust_export_for)i)),
			i);
	assert_int_equal(trust_export_find("802.1X "), -1);
	assert_int_equal(trust_export_find(""), -1);
}

static void same_order_makes_same_bytes(void **state)
{
	X509 *root = sub_ca("Some Root CA", 1, NULL, 0);
	X509 *mfg = sub_ca("Some Manufacturing CA", 2, root, 1);
	X509 *capf = made_ca("CAPF-00000001", 3);
	X509 *other = made_ca("CAPF-00000002", 4);
	made_pem(folder, "a.pem", mfg);
	made_pem(folder, "b.pem", capf);
	struct extra one = {.with = {root, other}, .n_with = 2};
	struct extra two = {.with = {other, root}, .n_with = 2};
	for (int to = 0; to < CONSUMERS; to++) {
		struct trust_export *a =
			export_with((enum trust_export_for)to, &one);
		struct trust_export *b =
			export_with((enum trust_export_for)to, &two);
		size_t n_a, n_b;
		const struct cert_folder_file *f = trust_export_files(a, &n_a);
		const struct cert_folder_file *g = trust_export_files(b, &n_b);
		assert_int_equal(n_a, n_b);
		for (size_t i = 0; i < n_a; i++) {
			assert_string_equal(f[i].name, g[i].name);
			assert_int_equal(f[i].n, g[i].n);
			if (f[i].n)
				assert_memory_equal(
					f[i].data, g[i].data, f[i].n);
		}
		trust_export_free(a);
		trust_export_free(b);
	}
	X509_free(root);
	X509_free(mfg);
	X509_free(capf);
	X509_free(other);
}

static void chains_are_completed_with_the_issuers_given(void **state)
{
	X509 *root = sub_ca("Z Root", 1, NULL, 0);
	X509 *middle = sub_ca("A Middle", 2, root, 1);
	X509 *mfg = sub_ca("B Manufacturing CA", 3, middle, 2);
	X509 *stranger = made_ca("A Stranger", 4);
	made_pem(folder, "mfg.pem", mfg);
	struct extra x = {.with = {stranger, middle, root, mfg}, .n_with = 4};
	struct trust_export *e = export_with(TRUST_EXPORT_PEM, &x);
	X509 *const order[] = {root, middle, mfg};
	holds_cas(e, "ca.pem", order, 3);
	assert_int_equal(trust_export_depth(e), 3);
	assert_true(ca_of(e, mfg)->rooted);
	assert_string_equal(ca_of(e, mfg)->missing, "");
	assert_non_null(ca_of(e, mfg)->anchor);
	assert_null(ca_of(e, root)->anchor);
	assert_string_equal(
		ca_of(e, stranger)->left_out, "it issued none of the anchors");
	holds(e, "README.txt", "ssl_verify_depth 3;");
	lacks(e, "README.txt", "Chains without a root");
	trust_export_free(e);
	X509_free(root);
	X509_free(middle);
	X509_free(mfg);
	X509_free(stranger);
}

/* As a CallManager keeps it: the issuing CA without its root. A CA of the
 * root's name but another key does not help. */
static void chain_without_its_root_says_what_is_missing(void **state)
{
	X509 *root = sub_ca("Some Root CA", 1, NULL, 0);
	X509 *twin = sub_ca("Some Root CA", 2, NULL, 0);
	X509 *mfg = sub_ca("Some Manufacturing CA", 3, root, 1);
	made_pem(folder, "mfg.pem", mfg);
	struct extra x = {.with = {twin}, .n_with = 1};
	struct trust_export *e = export_with(TRUST_EXPORT_PEM, &x);
	assert_false(ca_of(e, mfg)->rooted);
	assert_memory_equal(
		ca_of(e, mfg)->missing, "CN=Some Root CA, key id ", 24);
	assert_string_equal(
		ca_of(e, twin)->left_out, "it issued none of the anchors");
	holds(e, "README.txt", "Chains without a root");
	holds(e, "manifest.txt",
		"its issuer is not among them: CN=Some Root CA, key id ");
	trust_export_free(e);
	X509_free(root);
	X509_free(twin);
	X509_free(mfg);
}

static void cas_that_issued_each_other_have_an_end(void **state)
{
	X509 *name_only = sub_ca("One", 1, NULL, 0);
	X509 *two = sub_ca("Two", 2, name_only, 1);
	X509 *one = sub_ca("One", 1, two, 2);
	X509 *below = sub_ca("Three", 3, one, 1);
	made_pem(folder, "one.pem", one);
	made_pem(folder, "two.pem", two);
	made_pem(folder, "three.pem", below);
	struct trust_export *e = export(TRUST_EXPORT_PEM);
	assert_false(ca_of(e, one)->rooted);
	assert_false(ca_of(e, below)->rooted);
	holds(e, "manifest.txt", "ends without a root");
	trust_export_free(e);
	struct extra x = {.with = {name_only}, .n_with = 1};
	e = export_with(TRUST_EXPORT_PEM, &x);
	assert_true(ca_of(e, one)->rooted);
	assert_true(ca_of(e, below)->rooted);
	trust_export_free(e);
	X509_free(name_only);
	X509_free(two);
	X509_free(one);
	X509_free(below);
}

/* Old and new CAPF; in the second turn with one serial number, too. */
static void twins_of_one_name_stand_side_by_side(void **state)
{
	for (long serial = 7; serial >= 5; serial -= 2) {
		X509 *old = named_ca("CAPF-00000001", 1, 5);
		X509 *new = named_ca("capf-00000001", 2, serial);
		made_pem(folder, "old.pem", old);
		made_pem(folder, "new.pem", new);
		struct trust_export *e = export(TRUST_EXPORT_HASHED_DIR);
		char name[300], hash[32];
		const X509 *certs[] = {
			ca_of(e, old)->cert, ca_of(e, new)->cert};
		assert_true(strcasecmp(ca_of(e, old)->name,
				    ca_of(e, new)->name) != 0);
		assert_string_not_equal(
			ca_of(e, old)->trustpoint, ca_of(e, new)->trustpoint);
		for (int i = 0; i < 2; i++) {
			const struct trust_export_ca *ca =
				ca_of(e, (X509 *)certs[i]);
			snprintf(name, sizeof(name), "%s.pem", ca->name);
			holds_cas(e, name, &ca->cert, 1);
		}
		/* The hash is of the name without case. */
		unsigned long h = X509_subject_name_hash(old);
		assert_int_equal(h, X509_subject_name_hash(new));
		snprintf(hash, sizeof(hash), "%08lx.0", h);
		const char *first = file_of(e, hash)->link;
		snprintf(hash, sizeof(hash), "%08lx.1", h);
		assert_string_not_equal(first, file_of(e, hash)->link);
		file_of(e, first);
		file_of(e, file_of(e, hash)->link);
		trust_export_free(e);
		X509_free(old);
		X509_free(new);
	}
}

static const char long_name[] =
	"0123456789012345678901234567890123456789012345678901234567890123456789"
	"0123456789012345678901234567890123456789012345678901234567890123456789"
	"012345678901234567890123456789012345678901234567890123456789";

static const char *const hostile[] = {
	"../../etc/passwd",
	"/etc/passwd",
	"..",
	".",
	".hidden",
	"-rf",
	"a/b\\c:d*e?f\"g<h>i|j",
	"two\nlines",
	"x\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
	"-----BEGIN PRIVATE KEY-----",
	"quit\nno username admin",
	"bell\a\x1b[2Jand\x7f",
	"M\xc3\xbcller \xe2\x80\xae gnp.exe",
	"not UTF-8 \xff\xfe",
	"",
	long_name,
};

static bool is_safe_name(const char *name)
{
	size_t n = strlen(name);
	if (!n || n > 250 || name[0] == '.' || name[0] == '-')
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			return false;
	return true;
}

/* Only what we wrote stands in them, and no line that a router cuts. */
static void are_safe_lines(const struct cert_folder_file *file)
{
	const char *p = file->data, *end = p + file->n;
	while (p < end) {
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		assert_non_null(stop);
		assert_true(stop - p <= 254);
		bool comment = *p == '#' || *p == '!';
		for (; p < stop; p++) {
			assert_true(isprint((unsigned char)*p) || *p == '\t');
			assert_false(comment && *p == '?');
			assert_false(comment && p + 1 < stop && *p == '-' &&
				     p[1] == '-');
		}
		p++;
	}
}

static void hostile_names_stay_text(void **state)
{
	enum { N = sizeof(hostile) / sizeof(hostile[0]) };
	for (size_t i = 0; i < N; i++) {
		X509 *cert = named_ca(hostile[i], 1, 0x1234);
		made_pem(folder, "x.pem", cert);
		for (int to = 0; to < CONSUMERS; to++) {
			struct trust_export *e =
				export((enum trust_export_for)to);
			const struct trust_export_ca *ca = ca_of(e, cert);
			assert_true(is_safe_name(ca->name));
			assert_true(is_safe_name(ca->trustpoint));
			if (to != TRUST_EXPORT_HASHED_DIR) {
				holds_cas(e, "ca.pem", &cert, 1);
				are_safe_lines(file_of(e, "ca.pem"));
			}
			if (to == TRUST_EXPORT_ASA)
				are_safe_lines(file_of(e, "asa.txt"));
			if (to == TRUST_EXPORT_IOS)
				are_safe_lines(file_of(e, "ios.txt"));
			trust_export_free(e);
		}
		X509_free(cert);
	}
}

static void what_would_only_do_harm_is_left_out_and_named(void **state)
{
	static const struct {
		struct cert_extension extension;
		int to; /* days */
		const char *why;
	} rows[] = {
		{{"extendedKeyUsage", "serverAuth"}, 9,
			"its extended key usage lacks clientAuth, so each "
			"phone under it would be refused (FreeRADIUS: "
			"unsupported certificate purpose)"},
		{{"keyUsage", "digitalSignature"}, 9,
			"its key usage does not let it issue TLS client "
			"certificates"},
		{{"1.3.6.1.4.1.99999.1", "critical,DER:0500"}, 9,
			"it has a critical extension that nobody knows"},
		{{"keyUsage", "keyCertSign"}, 0, "it has expired"},
		{{"extendedKeyUsage", "serverAuth,clientAuth"}, 9, ""},
	};
	X509 *good = made_ca("CAPF-00000001", 1);
	made_pem(folder, "good.pem", good);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct cert_attribute subject[] = {
			{"CN", "CAPF-00000002"}, {NULL, NULL}};
		const struct cert_extension extensions[] = {
			{"basicConstraints", "critical,CA:TRUE"},
			rows[i].extension, {NULL, NULL}};
		X509 *bad = made_cert((struct cert_order){.subject = subject,
			.extensions = extensions,
			.key = made_key("rsa2048", 2),
			.not_after = MADE_NOW + rows[i].to * DAY});
		made_pem(folder, "bad.pem", bad);
		struct trust_export *e = export(TRUST_EXPORT_DOT1X);
		assert_string_equal(ca_of(e, bad)->left_out, rows[i].why);
		X509 *const both[] = {good, bad};
		holds_cas(e, "ca.pem", both, *rows[i].why ? 1 : 2);
		if (*rows[i].why)
			holds(e, "manifest.txt", rows[i].why);
		trust_export_free(e);
		X509_free(bad);
	}
	X509_free(good);
}

/* A chain does not go through a CA that was left out. */
static void issuer_that_is_left_out_completes_no_chain(void **state)
{
	const struct cert_attribute subject[] = {{"CN", "Root"}, {NULL, NULL}};
	const struct cert_extension server[] = {
		{"basicConstraints", "critical,CA:TRUE"},
		{"subjectKeyIdentifier", "hash"},
		{"extendedKeyUsage", "serverAuth"}, {NULL, NULL}};
	X509 *root = made_cert((struct cert_order){.subject = subject,
		.extensions = server,
		.key = made_key("rsa2048", 1)});
	X509 *mfg = sub_ca("Some Manufacturing CA", 2, root, 1);
	X509 *leaf = made_leaf("SEP001122334455", mfg, 2);
	made_pem(folder, "mfg.pem", mfg);
	struct extra x = {.with = {root, leaf}, .n_with = 2};
	struct trust_export *e = export_with(TRUST_EXPORT_PEM, &x);
	holds_cas(e, "ca.pem", &mfg, 1);
	assert_false(ca_of(e, mfg)->rooted);
	assert_string_equal(ca_of(e, leaf)->left_out,
		"it is not a CA certificate (no CA:TRUE)");
	trust_export_free(e);
	X509_free(root);
	X509_free(mfg);
	X509_free(leaf);
}

static void put_list(const char *name, X509 *ca, int which, time_t to,
	const char *const *serials)
{
	const struct made_crl order = {.ca = ca,
		.key = made_key("rsa2048", which),
		.serials = serials,
		.number = 1,
		.to = to};
	X509_CRL *crl = made_crl(&order);
	made_crl_pem(folder, name, crl);
	X509_CRL_free(crl);
}

static bool has_file(const struct trust_export *e, const char *name)
{
	size_t n;
	const struct cert_folder_file *file = trust_export_files(e, &n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(file[i].name, name) == 0)
			return true;
	return false;
}

/* CRLs of that file: how many. */
static int lists_in(const struct trust_export *e, const char *name)
{
	const struct cert_folder_file *file = file_of(e, name);
	BIO *bio = BIO_new_mem_buf(file->data, (int)file->n);
	int n = 0;
	X509_CRL *crl;
	while ((crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL))) {
		X509_CRL_free(crl);
		n++;
	}
	ERR_clear_error();
	BIO_free(bio);
	return n;
}

static X509 *listing_ca(const char *cn, int which, X509 *issuer, int by)
{
	static const struct cert_extension extensions[] = {
		{"basicConstraints", "critical,CA:TRUE"},
		{"keyUsage", "keyCertSign,cRLSign"},
		{"subjectKeyIdentifier", "hash"},
		{"authorityKeyIdentifier", "keyid"}, {NULL, NULL}};
	const struct cert_attribute subject[] = {{"CN", cn}, {NULL, NULL}};
	return made_cert((struct cert_order){.subject = subject,
		.extensions = extensions,
		.serial = issuer ? "4711" : NULL,
		.key = made_key("rsa2048", which),
		.issuer = issuer,
		.issuer_key = issuer ? made_key("rsa2048", by) : NULL});
}

/* Old and new CAPF of one name: two lists, .r0 and .r1. */
static void lists_go_along_and_are_checked_when_all_have_one(void **state)
{
	X509 *old = listing_ca("CAPF-00000001", 1, NULL, 0);
	X509 *new = listing_ca("CAPF-00000001", 2, NULL, 0);
	char link[32];
	made_pem(folder, "old.pem", old);
	made_pem(folder, "new.pem", new);
	struct trust_export *e = export(TRUST_EXPORT_PEM);
	assert_false(trust_export_checks(e));
	assert_false(has_file(e, "crl.pem"));
	trust_export_free(e);

	put_list("old.crl", old, 1, 0, NULL);
	e = export(TRUST_EXPORT_DOT1X);
	assert_false(trust_export_checks(e));
	holds(e, "eap", "\n\t\tcheck_crl = no\n");
	holds(e, "eap", ".pem: no list\n");
	trust_export_free(e);

	put_list("new.crl", new, 2, 0, NULL);
	e = export(TRUST_EXPORT_DOT1X);
	assert_true(trust_export_checks(e));
	holds(e, "eap", "\n\t\tcheck_crl = yes\n");
	for (int i = 0; i < 2; i++) {
		char name[300];
		snprintf(link, sizeof(link), "ca/%08lx.r%d",
			X509_subject_name_hash(old), i);
		snprintf(name, sizeof(name), "ca/%s", file_of(e, link)->link);
		assert_int_equal(lists_in(e, name), 1);
	}
	trust_export_free(e);
	e = export(TRUST_EXPORT_PEM);
	assert_int_equal(lists_in(e, "crl.pem"), 2);
	holds(e, "README.txt", "ssl_crl crl.pem;");
	holds(e, "manifest.txt", "  list     old.crl of the store, number 1");
	trust_export_free(e);

	/* One that has ended would refuse every phone there. */
	put_list("new.crl", new, 2, MADE_NOW, NULL);
	e = export(TRUST_EXPORT_DOT1X);
	assert_false(trust_export_checks(e));
	holds(e, "eap", ".pem: its list has ended, 2026-");
	holds(e, "eap", "\n\t\tcheck_crl = no\n");
	trust_export_free(e);
	X509_free(old);
	X509_free(new);
}

static void a_list_of_two_cas_is_there_once(void **state)
{
	X509 *old = listing_ca("CAPF-00000001", 1, NULL, 0);
	X509 *new = listing_ca("CAPF-00000001", 1, NULL, 0);
	ASN1_INTEGER_set(X509_get_serialNumber(new), 99);
	X509_sign(new, made_key("rsa2048", 1), EVP_sha256());
	made_pem(folder, "old.pem", old);
	made_pem(folder, "new.pem", new);
	put_list("both.crl", old, 1, 0, NULL);
	struct trust_export *e = export(TRUST_EXPORT_PEM);
	assert_true(trust_export_checks(e));
	assert_int_equal(lists_in(e, "crl.pem"), 1);
	trust_export_free(e);
	X509_free(old);
	X509_free(new);
}

static void revoked_anchor_is_left_out(void **state)
{
	static const char *const serials[] = {"4711", NULL};
	X509 *root = listing_ca("Some Root", 1, NULL, 0);
	X509 *sub = listing_ca("Some Manufacturing CA", 2, root, 1);
	made_pem(folder, "root.pem", root);
	made_pem(folder, "sub.pem", sub);
	struct trust_export *e = export(TRUST_EXPORT_PEM);
	assert_string_equal(ca_of(e, sub)->left_out, "");
	trust_export_free(e);
	put_list("root.crl", root, 1, 0, serials);
	e = export(TRUST_EXPORT_PEM);
	holds_cas(e, "ca.pem", &root, 1);
	assert_memory_equal(ca_of(e, sub)->left_out,
		"it was revoked: root.crl (CRL number 1, ", 40);
	holds(e, "manifest.txt", "it was revoked: root.crl");
	trust_export_free(e);
	X509_free(root);
	X509_free(sub);
}

static void export_of_nothing_is_refused(void **state)
{
	const struct cert_attribute subject[] = {{"CN", "Root"}, {NULL, NULL}};
	X509 *old = made_cert((struct cert_order){.subject = subject,
		.extensions = ca_extensions,
		.key = made_key("rsa2048", 1),
		.not_after = MADE_NOW});
	made_pem(folder, "old.pem", old);
	struct trust_snapshot *trust = NULL;
	struct trust_export *e = (struct trust_export *)&e;
	struct diag d = {.text = ""};
	assert_int_equal(
		trust_snapshot_load(
			&(struct trust_load){.dir = folder}, &trust, &d),
		0);
	const struct trust_export_order order = {
		.trust = trust, .now = MADE_NOW};
	assert_int_equal(trust_export_make(&order, &e, &d), -ENOENT);
	assert_null(e);
	assert_string_equal(d.text,
		"no CA here is of any use elsewhere; of CN=Root: it has "
		"expired");
	trust_snapshot_unref(trust);
	X509_free(old);
}

static void export_has_a_limit(void **state)
{
	X509 *capf = made_ca("CAPF-00000001", 1);
	made_pem(folder, "capf.pem", capf);
	struct trust_snapshot *trust = NULL;
	struct trust_export *e = NULL;
	struct diag d = {.text = ""};
	assert_int_equal(
		trust_snapshot_load(
			&(struct trust_load){.dir = folder}, &trust, &d),
		0);
	X509 *with[TRUST_EXPORT_CAS_MAX];
	for (int i = 0; i < TRUST_EXPORT_CAS_MAX; i++) {
		with[i] = X509_dup(capf);
		ASN1_INTEGER_set(X509_get_serialNumber(with[i]), i + 1);
		X509_sign(with[i], made_key("p256", 1), EVP_sha256());
	}
	struct trust_export_order order = {.trust = trust,
		.with = with,
		.n_with = TRUST_EXPORT_CAS_MAX,
		.now = MADE_NOW};
	assert_int_equal(trust_export_make(&order, &e, &d), -E2BIG);
	assert_string_equal(
		d.text, "more than 1024 CAs, the most an export may have");
	for (int i = 0; i < TRUST_EXPORT_CAS_MAX; i++)
		X509_free(with[i]);
	trust_snapshot_unref(trust);
	X509_free(capf);
}

static void router_gets_what_it_can_read_back(void **state)
{
	X509 *capf = made_ca("CAPF-00000001", 1);
	made_pem(folder, "capf.pem", capf);
	struct trust_export *e = export(TRUST_EXPORT_IOS);
	char text[200];
	holds_cas(e, "ios.txt", &capf, 1);
	snprintf(text, sizeof(text),
		"\ncrypto pki trustpoint %s\n enrollment terminal pem\n",
		ca_of(e, capf)->trustpoint);
	holds(e, "ios.txt", text);
	snprintf(text, sizeof(text),
		"\ncrypto pki authenticate %s\n-----BEGIN CERTIFICATE-----\n",
		ca_of(e, capf)->trustpoint);
	holds(e, "ios.txt", text);
	holds(e, "ios.txt", "\n-----END CERTIFICATE-----\nquit\n");
	trust_export_free(e);

	e = export(TRUST_EXPORT_ASA);
	lacks(e, "asa.txt", "-----");
	snprintf(text, sizeof(text), "\ncrypto ca authenticate %s\n",
		ca_of(e, capf)->trustpoint);
	const struct cert_folder_file *file = file_of(e, "asa.txt");
	const char *body = memmem(file->data, file->n, text, strlen(text));
	assert_non_null(body);
	body += strlen(text);
	const char *quit = strstr(body, "\nquit\n");
	unsigned char *der = NULL, line[64];
	size_t n_der = (size_t)i2d_X509(capf, &der), at = 0;
	for (const char *p = body; p <= quit; p = strchr(p, '\n') + 1) {
		int chars = (int)strcspn(p, "\n");
		int n = EVP_DecodeBlock(line, (const unsigned char *)p, chars);
		for (int pad = chars; n > 0 && p[--pad] == '=';)
			n--;
		assert_true(n > 0 && at + (size_t)n <= n_der);
		assert_memory_equal(der + at, line, n);
		at += (size_t)n;
	}
	assert_int_equal(at, n_der);
	OPENSSL_free(der);
	trust_export_free(e);
	X509_free(capf);
}

/* Another CAPF is old by being older, or because the policy says so. */
static void old_capf_is_named_with_who_depends_on_it(void **state)
{
	X509 *old = made_ca("CAPF-00000001", 1);
	const struct cert_attribute subject[] = {
		{"CN", "CAPF-00000002"}, {NULL, NULL}};
	X509 *new = made_cert((struct cert_order){.subject = subject,
		.extensions = ca_extensions,
		.key = made_key("rsa2048", 2),
		.not_before = MADE_NOW - 60});
	X509 *mfg = made_ca("Some Manufacturing CA", 3);
	made_pem(folder, "old.pem", old);
	made_pem(folder, "mfg.pem", mfg);
	struct extra x = {.uncounted = "nobody answered"};
	struct trust_export *e = export_with(TRUST_EXPORT_ASA, &x);
	assert_false(ca_of(e, old)->old);
	holds(e, "README.txt", "None here is old");
	trust_export_free(e);

	made_pem(folder, "new.pem", new);
	e = export_with(TRUST_EXPORT_ASA, &x);
	assert_true(ca_of(e, old)->old);
	assert_false(ca_of(e, new)->old);
	assert_false(ca_of(e, mfg)->old);
	assert_int_equal(ca_of(e, old)->phones, -1);
	holds(e, "README.txt", ", not the newest CAPF\n");
	holds(e, "README.txt", "(nobody answered): it must stay.");
	trust_export_free(e);

	struct cert_identity id;
	cert_identity_read(old, &id);
	struct trust_export_phones some = {id.sha256, 12};
	const struct trust_anchor_policy rows[] = {
		{.name = "old.pem", .retiring = true}};
	x = (struct extra){
		.phones = &some, .n_phones = 1, .rows = rows, .n_rows = 1};
	e = export_with(TRUST_EXPORT_ASA, &x);
	assert_int_equal(ca_of(e, old)->phones, 12);
	assert_int_equal(ca_of(e, new)->phones, -1);
	holds(e, "README.txt", "12 phones depend on it: it must stay.");
	holds(e, "README.txt", ca_of(e, old)->trustpoint);
	holds(e, "manifest.txt", "  phones   12 depend on it\n");
	trust_export_free(e);

	some.n = 0;
	e = export_with(TRUST_EXPORT_PEM, &x);
	holds(e, "README.txt", "depends on it: it may go.");
	trust_export_free(e);

	x.n_phones = 0;
	e = export_with(TRUST_EXPORT_PEM, &x);
	holds(e, "README.txt", "(mark it as retiring in trust.anchors)");
	trust_export_free(e);
	X509_free(old);
	X509_free(new);
	X509_free(mfg);
}

static void manifest_says_what_each_ca_is(void **state)
{
	X509 *capf = made_ca("CAPF-00000001", 1);
	X509 *mfg = made_ca("Some Manufacturing CA", 2);
	made_pem(folder, "capf.pem", capf);
	made_pem(folder, "mfg.pem", mfg);
	const struct trust_anchor_policy rows[] = {
		{.name = "mfg.pem", .enrol_only = true}};
	const struct extra x = {.rows = rows, .n_rows = 1};
	for (int to = 0; to < CONSUMERS; to++) {
		struct trust_export *e =
			export_with((enum trust_export_for)to, &x);
		const struct trust_export_ca *ca = ca_of(e, capf);
		char text[900];
		snprintf(text, sizeof(text),
			"\n%s.pem\n  subject  CN=CAPF-00000001\n"
			"  issuer   CN=CAPF-00000001\n  serial   %s\n"
			"  valid    2026-09-20T14:13:20Z to "
			"2027-09-21T14:13:20Z\n  SHA-1    %s\n  SHA-256  %s\n"
			"  issues   LSC\n  file     capf.pem of the store\n"
			"  chain    is a root\n",
			ca->name, ca->id.serial, ca->id.sha1, ca->id.sha256);
		holds(e, "manifest.txt", text);
		trust_export_free(e);
	}
	X509_free(capf);
	X509_free(mfg);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FACT(names_of_consumers_are_found),
		FACT(same_order_makes_same_bytes),
		FACT(chains_are_completed_with_the_issuers_given),
		FACT(chain_without_its_root_says_what_is_missing),
		FACT(cas_that_issued_each_other_have_an_end),
		FACT(twins_of_one_name_stand_side_by_side),
		FACT(hostile_names_stay_text),
		FACT(what_would_only_do_harm_is_left_out_and_named),
		FACT(issuer_that_is_left_out_completes_no_chain),
		FACT(lists_go_along_and_are_checked_when_all_have_one),
		FACT(a_list_of_two_cas_is_there_once),
		FACT(revoked_anchor_is_left_out),
		FACT(export_of_nothing_is_refused),
		FACT(export_has_a_limit),
		FACT(router_gets_what_it_can_read_back),
		FACT(old_capf_is_named_with_who_depends_on_it),
		FACT(manifest_says_what_each_ca_is),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("export", tests, NULL, NULL);
}
