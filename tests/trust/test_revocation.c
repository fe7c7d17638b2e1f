/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about lists of revoked certificates: whose word counts, and whose not.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "tests/certs/made.h"
#include "trust/anchor.h"
#include "trust/revocation.h"

enum {
	CAPF,
	TWIN,
	RENEWED,
	MUTE,
	ROOT,
	SUB,
	SUBSUB,
	STRANGER,
	CAST,
	DAY = 86400
};

#define CA_USE                                                        \
	{"basicConstraints", "critical,CA:TRUE"},                     \
		{"keyUsage", "digitalSignature,keyCertSign,cRLSign"}, \
	{                                                             \
		"subjectKeyIdentifier", "hash"                        \
	}
static const struct cert_extension may[] = {CA_USE, {NULL, NULL}};
static const struct cert_extension below[] = {
	CA_USE, {"authorityKeyIdentifier", "keyid"}, {NULL, NULL}};
static const struct cert_extension may_not[] = {
	{"basicConstraints", "critical,CA:TRUE"},
	{"keyUsage", "digitalSignature,keyCertSign"}, {NULL, NULL}};

static const struct {
	const char *cn;
	int key;
	int issuer; /* itself: a root */
	const struct cert_extension *extensions;
	const char *serial;
} cast[CAST] = {
	[CAPF] = {"CAPF-00000001", 1, CAPF, may, "01"},
	[TWIN] = {"CAPF-00000001", 2, TWIN, may, "02"},
	[RENEWED] = {"CAPF-00000001", 1, RENEWED, may, "03"},
	[MUTE] = {"CAPF-00000004", 3, MUTE, may_not, "04"},
	[ROOT] = {"Some Root", 4, ROOT, may, "05"},
	[SUB] = {"Some Sub CA", 5, ROOT, below, "06"},
	[SUBSUB] = {"Some Sub Sub CA", 6, SUB, below, "07"},
	[STRANGER] = {"CAPF-00000008", 7, STRANGER, may, "08"},
};
static struct trust_anchor anchors[CAST];

static EVP_PKEY *key_of(int who)
{
	return made_key("rsa2048", cast[who].key);
}

static int begin(void **state)
{
	for (int i = 0; i < CAST; i++) {
		const struct cert_attribute subject[] = {
			{"CN", cast[i].cn}, {NULL, NULL}};
		int issuer = cast[i].issuer;
		X509 *cert = made_cert((struct cert_order){.subject = subject,
			.extensions = cast[i].extensions,
			.key = key_of(i),
			.serial = cast[i].serial,
			.issuer = issuer == i ? NULL : anchors[issuer].cert,
			.issuer_key = issuer == i ? NULL : key_of(issuer)});
		char file[32];
		snprintf(file, sizeof(file), "%d.pem", i);
		assert_int_equal(trust_anchor_init(&anchors[i], cert, file, 1,
					 &trust_policy_default),
			CERT_RULE_NONE);
		X509_free(cert);
	}
	return 0;
}

static int end(void **state)
{
	for (int i = 0; i < CAST; i++)
		trust_anchor_deinit(&anchors[i]);
	return 0;
}

/* ---- files ---- */

struct bytes {
	unsigned char *p;
	size_t n;
};

static struct bytes der_of(X509_CRL *crl)
{
	struct bytes b = {NULL, 0};
	b.n = (size_t)i2d_X509_CRL(crl, &b.p);
	X509_CRL_free(crl);
	return b;
}

static struct bytes pem_of(X509_CRL *crl)
{
	struct bytes b;
	char *text;
	BIO *bio = BIO_new(BIO_s_mem());
	PEM_write_bio_X509_CRL(bio, crl);
	b.n = (size_t)BIO_get_mem_data(bio, &text);
	b.p = OPENSSL_memdup(text, b.n);
	BIO_free(bio);
	X509_CRL_free(crl);
	return b;
}

static struct bytes both(struct bytes a, struct bytes b)
{
	struct bytes sum = {OPENSSL_malloc(a.n + b.n), a.n + b.n};
	memcpy(sum.p, a.p, a.n);
	memcpy(sum.p + a.n, b.p, b.n);
	OPENSSL_free(a.p);
	OPENSSL_free(b.p);
	return sum;
}

static struct bytes text(const char *s)
{
	return (struct bytes){(unsigned char *)OPENSSL_strdup(s), strlen(s)};
}

static const char *const some[] = {"4711", "0A", NULL};

static struct made_crl list_of(int who, int64_t number)
{
	return (struct made_crl){.ca = anchors[who].cert,
		.key = key_of(who),
		.serials = some,
		.number = number};
}

static X509_CRL *plain(int who, int64_t number)
{
	struct made_crl order = list_of(who, number);
	return made_crl(&order);
}

/* Those of a folder whose only file holds these bytes, or several. */
struct folder {
	const char *name[4];
	struct bytes file[4];
	const struct trust_anchor *anchors; /* NULL: all but STRANGER */
	size_t n;
	const struct trust_revocation *before;
};

static int load(struct folder *f, struct trust_revocation **out, struct diag *d)
{
	struct trust_revocation *r = trust_revocation_new(MADE_NOW);
	int error = 0;
	for (int i = 0; i < 4 && f->file[i].p; i++) {
		const char *name = f->name[i] ? f->name[i] : "trust/a.crl";
		if (!error)
			error = trust_revocation_parse(
				r, name, f->file[i].p, f->file[i].n, d);
		OPENSSL_free(f->file[i].p);
	}
	if (!error)
		error = trust_revocation_bind(r,
			f->anchors ? f->anchors : anchors,
			f->anchors ? f->n : STRANGER, f->before, d);
	assert_int_equal(ERR_peek_error(), 0);
	if (error)
		trust_revocation_free(r);
	*out = error ? NULL : r;
	return error;
}

static struct trust_revocation *loaded(struct folder f)
{
	struct diag d = {.text = ""};
	struct trust_revocation *r;
	if (load(&f, &r, &d))
		fail_msg("%s", d.text);
	return r;
}

static const char *const rules[] = {
#define X(symbol, rule, why, cure) rule,
	TRUST_CRL_RULE_LIST(X)
#undef X
};
static bool met[TRUST_CRL_RULES];

static void refused(struct folder f, const char *rule)
{
	struct diag d = {.text = "", .rule = ""};
	struct trust_revocation *r;
	assert_int_equal(load(&f, &r, &d), -EINVAL);
	if (strcmp(d.rule, rule) != 0)
		fail_msg("%s, not %s: %s", d.rule, rule, d.text);
	assert_ptr_equal(strstr(d.text, "trust/"), d.text);
	for (size_t i = 0; i < TRUST_CRL_RULES; i++)
		met[i] |= strcmp(rule, rules[i]) == 0;
}

#define ONE(bytes)                \
	(struct folder)           \
	{                         \
		.file = { bytes } \
	}

static bool names(const struct trust_revocation *r, int who, const char *serial)
{
	return trust_revocation_is_revoked(
		r, anchors[who].id.sha256_raw, serial);
}

/* ---- refusals ---- */

static struct bytes with(const char *type, const char *value)
{
	const struct cert_extension extensions[] = {
		{type, value}, {NULL, NULL}};
	struct made_crl order = list_of(CAPF, 1);
	order.extensions = extensions;
	return der_of(made_crl(&order));
}

static struct bytes with_entries(const char *type, const char *value)
{
	const struct cert_extension each[] = {{type, value}, {NULL, NULL}};
	struct made_crl order = list_of(CAPF, 1);
	order.each = each;
	return der_of(made_crl(&order));
}

static struct bytes without_number(const char *type, const char *value)
{
	const struct cert_extension extensions[] = {
		{type, value}, {NULL, NULL}};
	struct made_crl order = list_of(CAPF, 0);
	order.extensions = extensions;
	return der_of(made_crl(&order));
}

static struct bytes dated(time_t from, time_t to)
{
	struct made_crl order = list_of(CAPF, 1);
	order.from = from;
	order.to = to;
	return der_of(made_crl(&order));
}

static struct bytes naming(const char *serial)
{
	const char *const serials[] = {serial, NULL};
	struct made_crl order = list_of(CAPF, 1);
	order.serials = serials;
	return der_of(made_crl(&order));
}

static struct bytes broken(void)
{
	struct bytes b = der_of(plain(CAPF, 1));
	b.p[b.n - 1] ^= 1;
	return b;
}

static struct bytes cut(struct bytes b)
{
	b.n -= 40;
	return b;
}

static struct bytes too_long(void)
{
	struct bytes b = {
		OPENSSL_malloc(TRUST_CRL_FILE_MAX + 1), TRUST_CRL_FILE_MAX + 1};
	memset(b.p, '\n', b.n);
	return b;
}

/* The same short list again and again. */
static struct bytes too_many(void)
{
	struct bytes one = der_of(plain(CAPF, 1)), all = {NULL, 0};
	all.p = OPENSSL_malloc(one.n * (TRUST_CRLS_MAX + 1));
	for (int i = 0; i <= TRUST_CRLS_MAX; i++, all.n += one.n)
		memcpy(all.p + all.n, one.p, one.n);
	OPENSSL_free(one.p);
	return all;
}

static struct bytes in_name_of(int who, int key)
{
	struct made_crl order = list_of(who, 1);
	order.key = key_of(key);
	return der_of(made_crl(&order));
}

/* Named as the CA's key does by a list that another of its keys signed. */
static struct bytes with_key_id(int who, int key)
{
	const struct cert_extension by[] = {
		{"authorityKeyIdentifier", "keyid"}, {NULL, NULL}};
	struct made_crl order = list_of(who, 1);
	order.extensions = by;
	order.key = key_of(key);
	return der_of(made_crl(&order));
}

static struct bytes key_block(void)
{
	return text("-----BEGIN PRIVATE KEY-----\nMIIB\n"
		    "-----END PRIVATE KEY-----\n");
}

static struct bytes pem_with_junk(void)
{
	struct bytes der = both(der_of(plain(CAPF, 1)), text("junk"));
	BIO *bio = BIO_new(BIO_s_mem());
	char *p;
	PEM_write_bio(bio, PEM_STRING_X509_CRL, "", der.p, (long)der.n);
	OPENSSL_free(der.p);
	struct bytes b = {NULL, (size_t)BIO_get_mem_data(bio, &p)};
	b.p = OPENSSL_memdup(p, b.n);
	BIO_free(bio);
	return b;
}

#define IDP "issuingDistributionPoint"
#define PLAIN der_of(plain(CAPF, 1))

static void every_rule_refuses_its_list(void **state)
{
	refused(ONE(too_long()), "crl-too-long");
	refused(ONE(too_many()), "crl-too-many");
	refused(ONE(text("")), "crl-none");
	refused(ONE(text("see the wiki\n")), "crl-none");
	refused(ONE(cut(pem_of(plain(CAPF, 1)))), "crl-half-written");
	refused(ONE(text("-----BEGIN X509 CRL-----\nMIIB\n")),
		"crl-half-written");
	refused(ONE(both(pem_of(plain(CAPF, 1)), text("-----BEGIN X509 C"))),
		"crl-half-written");
	refused(ONE(both(pem_of(plain(CAPF, 1)), text("-----END X509 CRL-"))),
		"crl-half-written");
	refused(ONE(key_block()), "crl-other-block");
	refused(ONE(cut(der_of(plain(CAPF, 1)))), "crl-damaged");
	refused(ONE(text("0\x82")), "crl-damaged");
	refused(ONE(both(PLAIN, text("x"))), "crl-trailing-bytes");
	refused(ONE(pem_with_junk()), "crl-trailing-bytes");
	refused(ONE(naming("-4711")), "crl-entry");
	refused(ONE(naming("01" /* and 32 bytes more */
			   "0000000000000000000000000000000000000000000000"
			   "000000000000000000")),
		"crl-entry");
	refused(ONE(with_entries("CRLReason", "DER:0A:01:0B")), "crl-entry");
	refused(ONE(with_entries("CRLReason", "DER:05:00")), "crl-entry");
	refused(ONE(with_entries("CRLReason", "DER:0A:01:08")), "crl-delta");
	refused(ONE(with_entries(
			"certificateIssuer", "critical,DER:30:03:86:01:78")),
		"crl-indirect");
	refused(ONE(with_entries("1.3.6.1.4.1.99999.1", "critical,DER:0500")),
		"crl-critical-extension");
	refused(ONE(dated(MADE_NOW - DAY, MADE_NOW - 2 * DAY)), "crl-dates");
	refused(ONE(dated(MADE_NOW + DAY, MADE_NOW + 2 * DAY)), "crl-future");
	refused(ONE(without_number("crlNumber", "DER:02:01:FF")), "crl-number");
	refused(ONE(without_number("crlNumber", "DER:05:00")), "crl-number");
	refused(ONE(with("deltaCRL", "critical,DER:02:01:01")), "crl-delta");
	refused(ONE(with(IDP, "critical,indirectCRL:TRUE")), "crl-indirect");
	refused(ONE(with(IDP, "critical,onlyuser:TRUE")), "crl-partial");
	refused(ONE(with(IDP, "critical,onlyCA:TRUE")), "crl-partial");
	refused(ONE(with(IDP, "critical,onlyAA:TRUE")), "crl-partial");
	refused(ONE(with(IDP, "critical,onlysomereasons:keyCompromise")),
		"crl-partial");
	refused(ONE(with(IDP, "critical,DER:05:00")), "crl-critical-extension");
	refused(ONE(with("1.3.6.1.4.1.99999.1", "critical,DER:0500")),
		"crl-critical-extension");
	refused(ONE(with_key_id(TWIN, STRANGER)), "crl-bad-signature");
	refused(ONE(in_name_of(CAPF, STRANGER)), "crl-bad-signature");
	refused(ONE(broken()), "crl-bad-signature");
	refused(ONE(der_of(plain(MUTE, 1))), "crl-no-crl-sign");
	refused((struct folder){.file = {with_key_id(TWIN, TWIN)},
			.anchors = &anchors[CAPF],
			.n = 1},
		"crl-unknown-issuer");
	refused(ONE(both(PLAIN, naming("01"))), "crl-ambiguous");
}

/* ---- what is taken ---- */

static void exactly_what_is_listed_is_revoked(void **state)
{
	static const char *const all[] = {"00", "07", "80", "0A",
		"00FF", /* written without the zero */
		"6162636465666768696A6B6C6D6E6F7071727374757677",
		("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
		 "FFFFFF"),
		"07", /* twice */ NULL};
	static const char *const as_text[] = {"0", "07", "80", "0a", "ff",
		"6162636465666768696a6b6c6d6e6f7071727374757677",
		("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		 "ffffff")};
	static const char *const others[] = {"", "1", "01", "08", "a0", "7",
		"-07", "0700", "0007", "zz", "0A", "ffff",
		("fffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		 "fffffffff")};
	struct made_crl order = list_of(CAPF, 1);
	order.serials = all;
	struct trust_revocation *r = loaded(ONE(der_of(made_crl(&order))));
	for (size_t i = 0; i < sizeof(as_text) / sizeof(as_text[0]); i++) {
		assert_true(names(r, CAPF, as_text[i]));
		assert_false(names(r, ROOT, as_text[i]));
		assert_false(names(r, STRANGER, as_text[i]));
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(names(r, CAPF, others[i]));
	assert_int_equal(trust_revocation_at(r, 0)->n, 7);
	trust_revocation_free(r);
	assert_false(names(NULL, CAPF, "07"));
	r = loaded((struct folder){.n = 0});
	assert_false(names(r, CAPF, "07"));
	assert_int_equal(trust_revocation_count(r), 0);
	trust_revocation_free(r);
}

static void it_says_who_revoked_when_and_why(void **state)
{
	char said[256];
	struct trust_revoked revoked;
	struct made_crl order = list_of(CAPF, 77);
	order.reason = CRL_REASON_CERTIFICATE_HOLD;
	struct trust_revocation *r = loaded(ONE(pem_of(made_crl(&order))));
	assert_true(trust_revocation_find(
		r, anchors[CAPF].id.sha256_raw, "4711", &revoked));
	assert_string_equal(revoked.crl->issuer, "CN=CAPF-00000001");
	assert_string_equal(revoked.crl->number, "77");
	assert_false(revoked.anchor);
	trust_revoked_text(&revoked, said, sizeof(said));
	assert_string_equal(said,
		"a.crl (CRL number 77, issued 2026-09-21T13:13:20Z) names it "
		"since 2026-09-21T13:13:20Z, reason: certificateHold (6)");
	trust_revocation_free(r);
}

static void a_list_is_of_the_ca_whose_key_signed_it(void **state)
{
	struct trust_revocation *r = loaded(ONE(der_of(plain(TWIN, 1))));
	assert_true(names(r, TWIN, "4711"));
	assert_false(names(r, CAPF, "4711"));
	trust_revocation_free(r);
	/* The CA was renewed with its key: both are that CA. */
	r = loaded(ONE(der_of(plain(CAPF, 1))));
	assert_true(names(r, CAPF, "4711"));
	assert_true(names(r, RENEWED, "4711"));
	assert_false(names(r, TWIN, "4711"));
	trust_revocation_free(r);
	r = loaded(ONE(both(with_key_id(TWIN, TWIN), with_key_id(CAPF, CAPF))));
	assert_true(names(r, CAPF, "4711"));
	assert_true(names(r, TWIN, "4711"));
	trust_revocation_free(r);
}

static void the_newest_of_two_lists_counts(void **state)
{
	for (int newest_first = 0; newest_first < 2; newest_first++) {
		struct bytes old = der_of(plain(CAPF, 9)), new;
		struct made_crl order = list_of(CAPF, 10);
		order.serials = (const char *const[]){"BB", NULL};
		new = der_of(made_crl(&order));
		struct trust_revocation *r = loaded(
			ONE(newest_first ? both(new, old) : both(old, new)));
		assert_true(names(r, CAPF, "bb"));
		assert_false(names(r, CAPF, "4711"));
		for (size_t i = 0; i < 2; i++)
			assert_int_equal(trust_revocation_state(r, i, MADE_NOW),
				(i == 0) == newest_first
					? TRUST_CRL_CURRENT
					: TRUST_CRL_SUPERSEDED);
		trust_revocation_free(r);
	}
	/* The very same one twice is no harm. */
	X509_CRL *one = plain(CAPF, 1);
	struct bytes twin = pem_of(X509_CRL_dup(one));
	trust_revocation_free(loaded(ONE(both(twin, pem_of(one)))));
}

static void no_list_in_force_gives_way_to_an_older_one(void **state)
{
	struct trust_revocation *by_number =
		loaded(ONE(der_of(plain(CAPF, 10))));
	refused((struct folder){.file = {der_of(plain(CAPF, 9))},
			.before = by_number},
		"crl-older");
	/* Without a number the dates are compared. */
	struct made_crl order = list_of(CAPF, 0);
	order.from = MADE_NOW - 2 * DAY;
	refused((struct folder){.file = {der_of(made_crl(&order))},
			.before = by_number},
		"crl-older");
	order.from = MADE_NOW - 60;
	struct trust_revocation *r = loaded((struct folder){
		.file = {der_of(made_crl(&order))}, .before = by_number});
	trust_revocation_free(r);
	r = loaded((struct folder){
		.file = {der_of(plain(CAPF, 11))}, .before = by_number});
	trust_revocation_free(r);
	/* That of another CA of that name is another matter. */
	r = loaded((struct folder){.name = {"trust/b.crl"},
		.file = {der_of(plain(TWIN, 1))},
		.before = by_number});
	assert_false(names(r, CAPF, "4711"));
	trust_revocation_free(r);
	/* And no list at all is nothing. */
	r = loaded((struct folder){.before = by_number});
	assert_false(names(r, CAPF, "4711"));
	trust_revocation_free(r);
	trust_revocation_free(by_number);
}

static void half_a_file_does_not_let_anybody_in(void **state)
{
	struct trust_revocation *two = loaded(
		ONE(both(pem_of(plain(CAPF, 1)), pem_of(plain(ROOT, 1)))));
	refused((struct folder){.file = {pem_of(plain(CAPF, 1))},
			.before = two},
		"crl-shrunk");
	struct trust_revocation *r =
		loaded((struct folder){.name = {"trust/b.crl"},
			.file = {pem_of(plain(CAPF, 1))},
			.before = two});
	trust_revocation_free(r);
	/* The CA went with its list. */
	r = loaded((struct folder){.file = {pem_of(plain(CAPF, 1))},
		.anchors = anchors,
		.n = ROOT,
		.before = two});
	trust_revocation_free(r);
	trust_revocation_free(two);
}

/* Its CA was removed and is back, or never was here. */
static void a_list_without_its_ca_is_without_effect(void **state)
{
	struct folder without = {.file = {der_of(plain(SUB, 5)), PLAIN},
		.name = {"trust/sub.crl"},
		.anchors = anchors,
		.n = SUB};
	struct made_crl order = list_of(ROOT, 1);
	order.serials = (const char *const[]){"06", NULL};
	struct trust_revocation *gone = loaded(without);
	assert_int_equal(
		trust_revocation_state(gone, 0, MADE_NOW), TRUST_CRL_ORPHAN);
	assert_int_equal(
		trust_revocation_state(gone, 1, MADE_NOW), TRUST_CRL_CURRENT);
	assert_false(names(gone, SUB, "4711"));
	assert_true(names(gone, CAPF, "4711"));
	assert_null(trust_revocation_of(gone, anchors[SUB].id.sha256_raw));
	struct trust_revocation *back = loaded((struct folder){
		.file = {der_of(plain(SUB, 5)), der_of(made_crl(&order))},
		.name = {"trust/sub.crl", "trust/root.crl"},
		.before = gone});
	assert_int_equal(
		trust_revocation_state(back, 0, MADE_NOW), TRUST_CRL_CURRENT);
	assert_true(names(back, SUB, "4711"));
	trust_revocation_free(gone);
	refused((struct folder){.file = {der_of(plain(SUB, 4))},
			.before = back},
		"crl-older");
	/* An anchor alone, and a list of nobody's. */
	gone = loaded((struct folder){.file = {der_of(plain(STRANGER, 1))},
		.anchors = anchors,
		.n = 1,
		.before = back});
	assert_int_equal(
		trust_revocation_state(gone, 0, MADE_NOW), TRUST_CRL_ORPHAN);
	trust_revocation_free(gone);
	trust_revocation_free(back);
}

static void every_rule_was_met(void **state)
{
	for (size_t i = 0; i < TRUST_CRL_RULES; i++)
		if (!met[i])
			fail_msg("no list was refused by %s", rules[i]);
}

static void a_list_that_has_ended_stays_in_force(void **state)
{
	struct trust_revocation *r =
		loaded(ONE(dated(MADE_NOW - DAY, MADE_NOW + 10 * DAY)));
	static const struct {
		int64_t at;
		enum trust_crl_state state;
	} when[] = {{0, TRUST_CRL_CURRENT}, {9 * DAY - 1, TRUST_CRL_CURRENT},
		{9 * DAY, TRUST_CRL_DUE}, {10 * DAY - 1, TRUST_CRL_DUE},
		{10 * DAY, TRUST_CRL_OVERDUE}, {1000 * DAY, TRUST_CRL_OVERDUE}};
	for (size_t i = 0; i < sizeof(when) / sizeof(when[0]); i++)
		assert_int_equal(
			trust_revocation_state(r, 0, MADE_NOW + when[i].at),
			when[i].state);
	trust_revocation_free(r);
	/* One that had ended when it was loaded, and one that never ends. */
	r = loaded(ONE(dated(MADE_NOW - 9 * DAY, MADE_NOW - DAY)));
	assert_int_equal(
		trust_revocation_state(r, 0, MADE_NOW), TRUST_CRL_OVERDUE);
	assert_true(names(r, CAPF, "4711"));
	trust_revocation_free(r);
	r = loaded(ONE(dated(MADE_NOW - 9 * DAY, -1)));
	assert_int_equal(trust_revocation_state(r, 0, MADE_NOW + 9999 * DAY),
		TRUST_CRL_CURRENT);
	trust_revocation_free(r);
}

static void an_anchor_that_another_one_revoked_vouches_for_nobody(void **state)
{
	struct trust_revoked revoked;
	struct made_crl order = list_of(ROOT, 1);
	order.serials = (const char *const[]){"06", "07", NULL};
	struct trust_revocation *r = loaded(ONE(der_of(made_crl(&order))));
	assert_true(trust_revocation_find(
		r, anchors[SUB].id.sha256_raw, "1234", &revoked));
	assert_true(revoked.anchor);
	/* Issued by SUB: neither is ROOT's list about it, nor does it fall
	 * with SUB, for it stands here on its own. */
	assert_false(names(r, SUBSUB, "1234"));
	assert_false(names(r, ROOT, "1234"));
	assert_true(names(r, ROOT, "06"));
	trust_revocation_free(r);
}

static void where_it_is_published_does_not_narrow_a_list(void **state)
{
	trust_revocation_free(
		loaded(ONE(with(IDP, "critical,fullname:URI:http://ca/crl"))));
	trust_revocation_free(
		loaded(ONE(with("1.3.6.1.4.1.99999.1", "DER:0500"))));
}

static void what_has_not_changed_is_in_memory_once(void **state)
{
	struct bytes b = der_of(plain(ROOT, 1));
	struct bytes again = {OPENSSL_memdup(b.p, b.n), b.n};
	struct trust_revocation *old = loaded(ONE(b));
	struct trust_revocation *new =
		loaded((struct folder){.file = {again}, .before = old});
	assert_ptr_equal(
		trust_revocation_at(old, 0), trust_revocation_at(new, 0));
	trust_revocation_free(old);
	assert_true(names(new, ROOT, "4711"));
	trust_revocation_free(new);
}

enum { MANY = 100000 };

static void a_hundred_thousand_load_at_once(void **state)
{
	static char text_of[MANY][33];
	static const char *all[MANY + 1];
	for (int i = 0; i < MANY; i++) {
		snprintf(text_of[i], sizeof(text_of[i]),
			"5E%08X0000000000000000000%03X", i * 2654435761U,
			i & 0xfff);
		all[i] = text_of[i];
	}
	struct made_crl order = list_of(CAPF, 1);
	order.serials = all;
	order.reason = CRL_REASON_SUPERSEDED;
	struct bytes b = pem_of(made_crl(&order));
	size_t n = b.n;
	clock_t from = clock();
	struct trust_revocation *r = loaded(ONE(b));
	double took = (double)(clock() - from) / CLOCKS_PER_SEC;
	const struct trust_crl *crl = trust_revocation_at(r, 0);
	size_t bytes = crl->n * sizeof(struct trust_crl_entry) +
		       (crl->mask + 1) * sizeof(uint32_t);
	print_message("# %d entries, a file of %zu bytes: %.0f ms, %zu bytes\n",
		MANY, n, took * 1000, bytes);
	assert_int_equal(crl->n, MANY);
	assert_true(bytes <= 52 * MANY);
	assert_true(took < 5); /* in the slowest of builds */
	for (int i = 0; i < MANY; i++) {
		for (char *p = text_of[i]; *p; p++)
			*p = *p >= 'A' ? (char)(*p - 'A' + 'a') : *p;
		assert_true(names(r, CAPF, text_of[i]));
		text_of[i][1] = 'f';
		assert_false(names(r, CAPF, text_of[i]));
	}
	trust_revocation_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_rule_refuses_its_list),
		cmocka_unit_test(exactly_what_is_listed_is_revoked),
		cmocka_unit_test(it_says_who_revoked_when_and_why),
		cmocka_unit_test(a_list_is_of_the_ca_whose_key_signed_it),
		cmocka_unit_test(the_newest_of_two_lists_counts),
		cmocka_unit_test(no_list_in_force_gives_way_to_an_older_one),
		cmocka_unit_test(half_a_file_does_not_let_anybody_in),
		cmocka_unit_test(a_list_without_its_ca_is_without_effect),
		cmocka_unit_test(every_rule_was_met),
		cmocka_unit_test(a_list_that_has_ended_stays_in_force),
		cmocka_unit_test(
			an_anchor_that_another_one_revoked_vouches_for_nobody),
		cmocka_unit_test(where_it_is_published_does_not_narrow_a_list),
		cmocka_unit_test(what_has_not_changed_is_in_memory_once),
		cmocka_unit_test(a_hundred_thousand_load_at_once),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("revocation", tests, begin, end);
}
