/* SPDX-License-Identifier: Apache-2.0 */
/* Every rule that refuses a trust folder, met by a folder. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "certs/rule.h"
#include "tests/certs/made.h"
#include "trust/snapshot.h"

static X509 *ca, *ca2, *leaf;
/* What a row's maker may change of the load that is to be refused. */
static struct trust_load load;
static int held; /* open while it happens */

static int begin(void **state)
{
	ca = made_ca("CAPF-00000001", 1);
	ca2 = made_ca("Some Manufacturing CA", 2);
	leaf = made_leaf("SEP001122334455", ca, 1);
	return 0;
}

static int end(void **state)
{
	X509_free(ca);
	X509_free(ca2);
	X509_free(leaf);
	return 0;
}

/* @C and @M are CAs in PEM, of 18 and 19 lines, @L a leaf, @D a CA in DER. */
static void write_template(const char *path, const char *template)
{
	unsigned char *der = NULL;
	size_t n = (size_t)i2d_X509(ca, &der);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	for (const char *p = template; *p; p++) {
		if (*p != '@')
			fputc(*p, f);
		else if (*++p == 'D')
			fwrite(der, 1, n, f);
		else
			PEM_write_X509(f, *p == 'C'   ? ca
					  : *p == 'M' ? ca2
						      : leaf);
	}
	OPENSSL_free(der);
	fclose(f);
}

/* ---- makers of what no template is ---- */

static void link_to(const char *folder, const char *target)
{
	assert_int_equal(symlink(target, made_path(folder, "bad.pem")), 0);
}

static void endless(const char *folder)
{
	char *big = calloc(1, (1 << 20) + 1);
	made_file(folder, "bad.pem", big, (1 << 20) + 1);
	free(big);
}

/* The length of the outer SEQUENCE in three bytes, where two do. */
static void as_ber(const char *folder)
{
	unsigned char *der = NULL, out[2048] = {0x30, 0x83};
	size_t n = (size_t)i2d_X509(ca, &der);
	memcpy(out + 3, der + 2, n - 2);
	made_file(folder, "bad.pem", out, n + 1);
	OPENSSL_free(der);
}

static void crowded(const char *folder)
{
	unsigned char *der = NULL;
	size_t n = (size_t)i2d_X509(ca, &der);
	FILE *f = fopen(made_path(folder, "bad.pem"), "we");
	for (int i = 0; i <= 512; i++)
		fwrite(der, 1, n, f);
	fclose(f);
	OPENSSL_free(der);
}

static void put_ca(
	const char *folder, const char *cn, const struct cert_extension *e)
{
	const struct cert_attribute subject[] = {{"CN", cn}, {NULL, NULL}};
	X509 *cert =
		made_cert((struct cert_order){.subject = cn ? subject : NULL,
			.extensions = e,
			.key = made_key("rsa2048", 0)});
	made_pem(folder, "bad.pem", cert);
	X509_free(cert);
}

#define CA_TRUE                                        \
	{                                              \
		"basicConstraints", "critical,CA:TRUE" \
	}

static void twice_constrained(const char *folder)
{
	static const struct cert_extension e[] = {
		CA_TRUE, CA_TRUE, {NULL, NULL}};
	put_ca(folder, "x", e);
}

static void nameless(const char *folder)
{
	static const struct cert_extension e[] = {CA_TRUE, {NULL, NULL}};
	put_ca(folder, NULL, e);
}

static void unconstrained(const char *folder)
{
	static const struct cert_extension e[] = {
		{"keyUsage", "keyCertSign"}, {NULL, NULL}};
	put_ca(folder, "x", e);
}

static void unconstrained_and_silent(const char *folder)
{
	put_ca(folder, "x", NULL);
}

static void leaf_without_constraints(const char *folder)
{
	static const struct cert_extension e[] = {
		{"keyUsage", "digitalSignature"}, {NULL, NULL}};
	put_ca(folder, "x", e);
}

static void version_1(const char *folder)
{
	X509 *copy = X509_dup(ca);
	assert_int_equal(X509_set_version(copy, X509_VERSION_1), 1);
	while (X509_get_ext_count(copy))
		X509_EXTENSION_free(X509_delete_ext(copy, 0));
	assert_true(X509_sign(copy, made_key("rsa2048", 1), EVP_sha256()) > 0);
	made_pem(folder, "bad.pem", copy);
	X509_free(copy);
}

static void two_kinds(const char *folder)
{
	static const struct trust_anchor_policy rows[] = {
		{.name = "a-good.pem", .kind = CERT_KIND_MIC},
		{.name = "bad.pem", .kind = CERT_KIND_LSC}};
	static const struct trust_policy policy = {2, rows, 2};
	made_pem(folder, "bad.pem", ca2);
	load.policy = &policy;
}

static void nameless_link(const char *folder)
{
	char target[300];
	memset(target, 'x', sizeof(target));
	target[sizeof(target) - 1] = '\0';
	link_to(folder, target);
}

static void dangling_link(const char *folder)
{
	link_to(folder, "gone");
}

static void link_in_a_circle(const char *folder)
{
	link_to(folder, "bad.pem");
}

static void link_out(const char *folder)
{
	char target[300];
	/* Even one that comes back. */
	snprintf(target, sizeof(target), "..%s/a-good.pem",
		strrchr(folder, '/'));
	link_to(folder, target);
}

static void absolute_link(const char *folder)
{
	link_to(folder, made_path(folder, "a-good.pem"));
}

static void fifo(const char *folder)
{
	assert_int_equal(mkfifo(made_path(folder, "bad.pem"), 0600), 0);
}

static void link_to_device(const char *folder)
{
	link_to(folder, "/dev/zero");
}

static void unix_socket(const char *folder)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/bad.pem", folder);
	held = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(held, (struct sockaddr *)&at, sizeof(at)), 0);
}

static void world_writable(const char *folder)
{
	made_pem(folder, "bad.pem", ca);
	assert_int_equal(chmod(made_path(folder, "bad.pem"), 0646), 0);
}

static void world_writable_folder(const char *folder)
{
	assert_int_equal(chmod(folder, 01777), 0);
}

static void strangers_file(const char *folder)
{
	made_pem(folder, "bad.pem", ca);
	assert_int_equal(chown(made_path(folder, "bad.pem"), 12345, 0), 0);
}

static void half_copied(const char *folder)
{
	made_pem(folder, "bad.pem", ca);
	held = open(made_path(folder, "bad.pem"), O_WRONLY | O_CLOEXEC);
}

static void shrunk(const char *folder)
{
	struct trust_snapshot *before = NULL;
	write_template(made_path(folder, "bad.pem"), "@C@M");
	assert_int_equal(trust_snapshot_load(&load, &before, NULL), 0);
	write_template(made_path(folder, "bad.pem"), "@C");
	load.before = before;
}

static void endless_folder(const char *folder)
{
	char name[32];
	for (int i = 0; i < 4096; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		assert_int_equal(symlink("f", made_path(folder, name)), 0);
	}
}

static void gone_folder(const char *folder)
{
	load.dir = made_path(folder, "gone");
}

static void file_for_folder(const char *folder)
{
	load.dir = made_path(folder, "a-good.pem");
}

static void emptied(const char *folder)
{
	unlink(made_path(folder, "a-good.pem"));
}

/* ---- the table ---- */

#define BEGIN_LINE "-----BEGIN CERTIFICATE-----\n"
#define END_LINE "-----END CERTIFICATE-----\n"

enum { FOLDER = -1 };

static const struct {
	enum cert_rule rule;
	int error;
	int line; /* FOLDER: it is the folder that is refused */
	const char *template;
	void (*make)(const char *folder);
	bool as_root; /* only root can show it */
} rows[] = {
	{CERT_RULE_OVERSIZED, -E2BIG, 0, NULL, endless},
	{CERT_RULE_EMPTY_FILE, -EINVAL, 0, ""},
	{CERT_RULE_NO_CERTIFICATE, -EINVAL, 0, "see the wiki\n"},
	{CERT_RULE_UTF_16, -EINVAL, 0, "\xff\xfe-\n"},
	{CERT_RULE_PRIVATE_KEY, -EINVAL, 19, "@C-----BEGIN PRIVATE KEY-----\n"},
	{CERT_RULE_PRIVATE_KEY, -EINVAL, 1, "-----BEGIN EC PRIVATE KEY-----\n"},
	{CERT_RULE_OTHER_PEM, -EINVAL, 1, "-----BEGIN PKCS7-----\n"},
	{CERT_RULE_DAMAGED_BEGIN, -EINVAL, 19,
		"@C-----BEGIN CERTIFICATE----\n"},
	{CERT_RULE_DAMAGED_END, -EINVAL, 3,
		BEGIN_LINE "MIIB\n-----END CERTIFICATE----\n"},
	{CERT_RULE_END_ALONE, -EINVAL, 19, "@C" END_LINE},
	{CERT_RULE_WRONG_END, -EINVAL, 3,
		BEGIN_LINE "MIIB\n-----END X509 CRL-----\n"},
	{CERT_RULE_NO_END, -EINVAL, 1, BEGIN_LINE "MIIB\n@C"},
	{CERT_RULE_HALF_WRITTEN, -EINVAL, 20, "@C\n" BEGIN_LINE "MIIB\n"},
	{CERT_RULE_HALF_WRITTEN, -EINVAL, 0, "@D0\x82"},
	{CERT_RULE_EMPTY_BLOCK, -EINVAL, 1, BEGIN_LINE END_LINE},
	{CERT_RULE_BAD_BASE64, -EINVAL, 3,
		BEGIN_LINE "MIIB\n\xc2\xa0MII\n" END_LINE},
	{CERT_RULE_SHORT_BASE64, -EINVAL, 3, BEGIN_LINE "MIIBA\n" END_LINE},
	{CERT_RULE_DAMAGED, -EINVAL, 1, BEGIN_LINE "MIIB\n" END_LINE},
	{CERT_RULE_NOT_DER, -EINVAL, 0, NULL, as_ber},
	{CERT_RULE_TRAILING_BYTES, -EINVAL, 0, "@Dx"},
	{CERT_RULE_CROWDED_FILE, -E2BIG, 0, NULL, crowded},
	{CERT_RULE_BAD_EXTENSIONS, -EINVAL, 1, NULL, twice_constrained},
	{CERT_RULE_NOT_V3, -EINVAL, 1, NULL, version_1},
	{CERT_RULE_LEAF, -EINVAL, 1, "@L"},
	{CERT_RULE_LEAF, -EINVAL, 19, "@C@L"},
	{CERT_RULE_LEAF, -EINVAL, 1, NULL, leaf_without_constraints},
	{CERT_RULE_NO_CA_TRUE, -EINVAL, 1, NULL, unconstrained},
	{CERT_RULE_NO_CA_TRUE, -EINVAL, 1, NULL, unconstrained_and_silent},
	{CERT_RULE_NAMELESS, -EINVAL, 1, NULL, nameless},
	{CERT_RULE_TWICE, -EINVAL, 38, "@C@M@C"},
	{CERT_RULE_TWO_KINDS, -EINVAL, 1, NULL, two_kinds},
	{CERT_RULE_UNREADABLE, -ENAMETOOLONG, 0, NULL, nameless_link},
	{CERT_RULE_UNREADABLE, -ENOENT, FOLDER, NULL, gone_folder},
	{CERT_RULE_UNREADABLE, -ENOTDIR, FOLDER, NULL, file_for_folder},
	{CERT_RULE_DANGLING_LINK, -ENOENT, 0, NULL, dangling_link},
	{CERT_RULE_DANGLING_LINK, -ENOENT, 0, NULL, link_in_a_circle},
	{CERT_RULE_LINK_OUT, -EINVAL, 0, NULL, link_out},
	{CERT_RULE_LINK_OUT, -EINVAL, 0, NULL, absolute_link},
	{CERT_RULE_NOT_REGULAR, -EINVAL, 0, NULL, fifo},
	{CERT_RULE_NOT_REGULAR, -EINVAL, 0, NULL, unix_socket},
	{CERT_RULE_NOT_REGULAR, -EINVAL, 0, NULL, link_to_device},
	{CERT_RULE_WORLD_WRITABLE, -EINVAL, 0, NULL, world_writable},
	{CERT_RULE_WRITABLE_FOLDER, -EINVAL, FOLDER, NULL,
		world_writable_folder},
	{CERT_RULE_FOREIGN_OWNER, -EINVAL, 0, NULL, strangers_file, true},
	{CERT_RULE_BEING_WRITTEN, -EAGAIN, 0, NULL, half_copied},
	{CERT_RULE_SHRUNK, -EINVAL, 0, NULL, shrunk},
	{CERT_RULE_CROWDED_FOLDER, -E2BIG, FOLDER, NULL, endless_folder},
	{CERT_RULE_EMPTIED, -EINVAL, FOLDER, NULL, emptied},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* "dir/bad.pem:3: what it means", or of the folder itself. */
static void check_text(size_t i, const struct diag *d)
{
	char start[1024], line[16] = "";
	const char *cure = cert_rule_cure(rows[i].rule);
	if (rows[i].line > 0)
		snprintf(line, sizeof(line), ":%d", rows[i].line);
	snprintf(start, sizeof(start), "%s%s%s: %s", load.dir,
		rows[i].line == FOLDER ? "" : "/bad.pem", line,
		cert_rule_meaning(rows[i].rule));
	if (strncmp(d->text, start, strlen(start)) != 0)
		fail_msg("row %zu: \"%s\", not \"%s\"", i, d->text, start);
	assert_string_equal(d->text + strlen(d->text) - strlen(cure), cure);
}

static void meet(size_t i)
{
	struct trust_snapshot *s = (struct trust_snapshot *)&s;
	struct diag d = {.text = ""};
	char *folder = made_folder();
	made_pem(folder, "a-good.pem", ca2);
	load = (struct trust_load){.dir = folder};
	held = -1;
	if (rows[i].make)
		rows[i].make(folder);
	else
		write_template(made_path(folder, "bad.pem"), rows[i].template);
	load.now = time(NULL);
	ERR_clear_error();
	int error = trust_snapshot_load(&load, &s, &d);
	if (error != rows[i].error)
		fail_msg("row %zu: %d, not %d: %s", i, error, rows[i].error,
			d.text);
	assert_null(s);
	assert_string_equal(d.rule, cert_rule_name(rows[i].rule));
	check_text(i, &d);
	assert_int_equal(ERR_peek_error(), 0);
	close(held);
	trust_snapshot_unref((struct trust_snapshot *)load.before);
	made_folder_end(folder);
}

static void every_malformed_folder_is_refused_by_its_rule(void **state)
{
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].as_root && geteuid() != 0)
			print_message("# %s: only root can show it\n",
				cert_rule_name(rows[i].rule));
		else
			meet(i);
	}
}

static void no_rule_was_left_out(void **state)
{
	for (int rule = CERT_RULE_NONE + 1; rule < CERT_RULES; rule++) {
		bool met = false;
		for (size_t i = 0; i < ROWS; i++)
			met |= (int)rows[i].rule == rule;
		/* test_folder has the first, test_snapshot the second. */
		if (!met && rule != CERT_RULE_CHANGED &&
			rule != CERT_RULE_CROWDED_SET)
			fail_msg("no folder meets %s",
				cert_rule_name((enum cert_rule)rule));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_malformed_folder_is_refused_by_its_rule),
		cmocka_unit_test(no_rule_was_left_out),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("malformed", tests, begin, end);
}
