/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about what a phone keeps over power loss. */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/stat.h>

#include <cmocka.h>

#include "bench/flash.h"
#include "certs/lsc.h"
#include "certs/pem.h"
#include "tests/bench/lab_dir.h"

enum { DAY_S = 86400 };

static X509 *root;
static EVP_PKEY *root_key;
static char dir[PATH_MAX];

static int make(void **state)
{
	static const struct cert_organisation none;
	struct diag d;
	return lab_dir_make(state) || cert_capf_make(&none, "p256", time(NULL),
					      30, &root, &root_key, &d);
}

static int unmake(void **state)
{
	X509_free(root);
	EVP_PKEY_free(root_key);
	return lab_dir_remove(state);
}

/* A folder of its own for each fact. */
static int fresh(void **state)
{
	static unsigned made;
	char name[32];
	snprintf(name, sizeof(name), "flash-%u", made++);
	snprintf(dir, sizeof(dir), "%s", lab_dir_file(name));
	return 0;
}

static EVP_PKEY *new_key(void)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	assert_non_null(key);
	return key;
}

static X509 *lsc_for(EVP_PKEY *key)
{
	char serial[33];
	X509 *cert = NULL;
	struct diag d = {.text = ""};
	cert_serial_make(serial);
	const struct cert_lsc wanted = {.device = "SEP000000000001",
		.key = key,
		.issuer = root,
		.issuer_key = root_key,
		.serial = serial,
		.not_before = time(NULL) - DAY_S,
		.not_after = time(NULL) + DAY_S};
	if (cert_lsc_make(&wanted, &cert, &d) < 0)
		fail_msg("%s", d.text);
	return cert;
}

static void opened(struct flash *f, const char *where)
{
	struct diag d = {.text = ""};
	if (flash_open(f, where, &d) < 0)
		fail_msg("%s", d.text);
}

/* Gives the flash a key and an LSC for it; the LSC, to compare. */
static X509 *install(struct flash *f)
{
	struct diag d = {.text = ""};
	EVP_PKEY *key = new_key();
	X509 *cert = lsc_for(key);
	if (flash_keep_pending(f, key, &d) < 0 ||
		flash_keep_lsc(f, cert, &d) < 0)
		fail_msg("%s", d.text);
	EVP_PKEY_free(key);
	return cert;
}

static void has_lsc(const struct flash *f, X509 *cert)
{
	assert_non_null(f->lsc.cert);
	assert_int_equal(X509_cmp(f->lsc.cert, cert), 0);
	assert_int_equal(X509_check_private_key(f->lsc.cert, f->lsc.key), 1);
	assert_ptr_equal(flash_shown(f), &f->lsc);
}

static void all_is_there_after_a_power_cut(void **state)
{
	struct flash f;
	struct diag d = {.text = ""};
	opened(&f, dir);
	assert_null(f.lsc.cert);
	assert_int_equal(f.mode, FLASH_MODE_NONE);
	X509 *cert = install(&f);
	EVP_PKEY *next = new_key();
	assert_int_equal(flash_keep_mode(&f, FLASH_MODE_LSC, &d), 0);
	assert_int_equal(flash_keep_pending(&f, next, &d), 0);
	flash_close(&f);

	opened(&f, dir);
	has_lsc(&f, cert);
	assert_int_equal(f.mode, FLASH_MODE_LSC);
	assert_int_equal(EVP_PKEY_eq(f.pending, next), 1);
	flash_close(&f);
	EVP_PKEY_free(next);
	X509_free(cert);
}

static void memory_keeps_the_same_and_writes_nothing(void **state)
{
	struct flash f;
	opened(&f, NULL);
	X509 *cert = install(&f);
	has_lsc(&f, cert);
	assert_null(f.pending);
	assert_int_equal(access(dir, F_OK), -1);
	flash_close(&f);
	X509_free(cert);
}

static void an_lsc_replaces_the_one_before(void **state)
{
	struct flash f;
	opened(&f, dir);
	X509 *first = install(&f), *second = install(&f);
	has_lsc(&f, second);
	flash_close(&f);
	opened(&f, dir);
	has_lsc(&f, second);
	assert_null(f.pending);
	flash_close(&f);
	X509_free(first);
	X509_free(second);
}

static void a_power_cut_between_lsc_and_key_leaves_the_new_lsc(void **state)
{
	struct flash f;
	struct diag d = {.text = ""};
	char path[PATH_MAX + 16];
	opened(&f, dir);
	X509 *first = install(&f);
	EVP_PKEY *key = new_key();
	X509 *second = lsc_for(key);
	assert_int_equal(flash_keep_pending(&f, key, &d), 0);
	flash_close(&f);
	/* The first half of flash_keep_lsc(), and no more. */
	snprintf(path, sizeof(path), "%s/lsc.pem", dir);
	assert_int_equal(cert_pem_write(path, &second, 1, &d), 0);

	opened(&f, dir);
	has_lsc(&f, second);
	assert_null(f.pending);
	flash_close(&f);
	opened(&f, dir);
	has_lsc(&f, second);
	flash_close(&f);
	X509_free(first);
	X509_free(second);
	EVP_PKEY_free(key);
}

static void an_lsc_for_the_key_it_has_is_taken(void **state)
{
	struct flash f;
	struct diag d = {.text = ""};
	opened(&f, dir);
	X509 *first = install(&f);
	X509 *second = lsc_for(f.lsc.key);
	assert_int_equal(flash_keep_lsc(&f, second, &d), 0);
	has_lsc(&f, second);
	flash_close(&f);
	opened(&f, dir);
	has_lsc(&f, second);
	flash_close(&f);
	X509_free(first);
	X509_free(second);
}

static void an_lsc_for_another_key_is_refused(void **state)
{
	struct flash f;
	struct diag d = {.text = ""};
	EVP_PKEY *stranger = new_key();
	X509 *foreign = lsc_for(stranger);
	opened(&f, dir);
	X509 *cert = install(&f);
	assert_int_equal(flash_keep_lsc(&f, foreign, &d), -EINVAL);
	assert_non_null(strstr(d.text, "another key"));
	has_lsc(&f, cert);
	flash_close(&f);
	opened(&f, dir);
	has_lsc(&f, cert);
	flash_close(&f);
	EVP_PKEY_free(stranger);
	X509_free(foreign);
	X509_free(cert);
}

static void an_erased_lsc_is_gone_and_the_mic_is_shown(void **state)
{
	struct flash f;
	struct diag d = {.text = ""};
	EVP_PKEY *key = new_key();
	struct credential mic = {
		.kind = CREDENTIAL_MIC, .cert = lsc_for(key), .key = key};
	opened(&f, dir);
	assert_int_equal(flash_fill(&f, &mic, &d), 0);
	assert_null(mic.cert);
	X509 *cert = install(&f);
	has_lsc(&f, cert);
	assert_int_equal(flash_erase_lsc(&f, &d), 0);
	assert_int_equal(flash_erase_lsc(&f, &d), 0); /* gone already */
	flash_close(&f);
	opened(&f, dir);
	assert_null(f.lsc.cert);
	assert_non_null(f.mic.cert);
	assert_ptr_equal(flash_shown(&f), &f.mic);
	assert_int_equal(f.mic.kind, CREDENTIAL_MIC);
	flash_close(&f);
	X509_free(cert);
}

static void nobody_else_may_read_it(void **state)
{
	static const char *const files[] = {"lsc.key", "pending.key", "mode"};
	struct flash f;
	struct diag d = {.text = ""};
	struct stat status;
	opened(&f, dir);
	X509 *cert = install(&f);
	EVP_PKEY *key = new_key();
	flash_keep_pending(&f, key, &d);
	flash_keep_mode(&f, FLASH_MODE_MIC, &d);
	assert_int_equal(stat(dir, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0700);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		char path[PATH_MAX + 16];
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_mode & 0777, 0600);
	}
	flash_close(&f);
	EVP_PKEY_free(key);
	X509_free(cert);
}

static void refuses_a_mode_that_is_none(void **state)
{
	static const char *const bad[] = {"", "0\n", "5\n", "1", "11\n", "x\n"};
	struct flash f;
	struct diag d = {.text = ""};
	opened(&f, dir);
	flash_close(&f);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char path[PATH_MAX + 16];
		snprintf(path, sizeof(path), "%s/mode", dir);
		FILE *file = fopen(path, "w");
		assert_non_null(file);
		fputs(bad[i], file);
		fclose(file);
		if (flash_open(&f, dir, &d) != -EINVAL)
			fail_msg("'%s' was accepted", bad[i]);
		assert_non_null(strstr(d.text, "no number from 1 to 4"));
	}
}

static void what_cannot_be_written_changes_nothing(void **state)
{
	struct flash f;
	struct diag d = {.text = ""};
	opened(&f, dir);
	X509 *cert = install(&f);
	EVP_PKEY *key = new_key();
	/* No folder, no file in it: whoever runs this. */
	char away[PATH_MAX + 16];
	snprintf(away, sizeof(away), "%s.away", dir);
	assert_int_equal(rename(dir, away), 0);
	assert_true(flash_keep_pending(&f, key, &d) < 0);
	assert_true(flash_keep_mode(&f, FLASH_MODE_MIC, &d) < 0);
	assert_null(f.pending);
	assert_int_equal(f.mode, FLASH_MODE_NONE);
	has_lsc(&f, cert);
	flash_close(&f);
	EVP_PKEY_free(key);
	X509_free(cert);
}

int main(void)
{
#define FACT(f) cmocka_unit_test_setup(f, fresh)
	const struct CMUnitTest tests[] = {
		FACT(all_is_there_after_a_power_cut),
		FACT(memory_keeps_the_same_and_writes_nothing),
		FACT(an_lsc_replaces_the_one_before),
		FACT(a_power_cut_between_lsc_and_key_leaves_the_new_lsc),
		FACT(an_lsc_for_the_key_it_has_is_taken),
		FACT(an_lsc_for_another_key_is_refused),
		FACT(an_erased_lsc_is_gone_and_the_mic_is_shown),
		FACT(nobody_else_may_read_it),
		FACT(refuses_a_mode_that_is_none),
		FACT(what_cannot_be_written_changes_nothing),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make, unmake);
}
