/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about private key files. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <openssl/pem.h>

#include "certs/pem.h"
#include "tests/certs/made.h"

static char *folder;

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

static void keys_come_back_and_nobody_else_can_read_them(void **state)
{
	static const char *const kinds[] = {"rsa2048", "p256", "p384"};
	for (size_t i = 0; i < 3; i++) {
		EVP_PKEY *key = made_key(kinds[i], 0), *again = NULL;
		const char *path = made_path(folder, "a.key");
		struct stat st;
		assert_int_equal(cert_key_write(path, key, NULL), 0);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		assert_int_equal(cert_key_read(path, &again, NULL), 0);
		assert_int_equal(EVP_PKEY_eq(key, again), 1);
		EVP_PKEY_free(again);
	}
}

static void refuse(const char *name, const char *why)
{
	struct diag d = {.text = ""};
	EVP_PKEY *key = NULL;
	assert_int_equal(
		cert_key_read(made_path(folder, name), &key, &d), -EINVAL);
	assert_null(key);
	if (!strstr(d.text, why))
		fail_msg("%s", d.text);
	assert_non_null(strstr(d.text, name));
}

static void encrypted_key_is_refused_without_asking_anybody(void **state)
{
	FILE *f = fopen(made_path(folder, "secret.key"), "we");
	assert_int_equal(PEM_write_PKCS8PrivateKey(f, made_key("p256", 0),
				 EVP_aes_128_cbc(), "four", 4, NULL, NULL),
		1);
	fclose(f);
	refuse("secret.key", "encrypted");
	BIO *bio = BIO_new_file(made_path(folder, "old.key"), "we");
	assert_int_equal(PEM_write_bio_PrivateKey_traditional(bio,
				 made_key("p256", 0), EVP_aes_128_cbc(),
				 (const unsigned char *)"four", 4, NULL, NULL),
		1);
	BIO_free(bio);
	refuse("old.key", "encrypted");
}

static void file_of_two_keys_is_refused(void **state)
{
	FILE *f = fopen(made_path(folder, "two.key"), "we");
	PEM_write_PrivateKey(f, made_key("p256", 0), NULL, NULL, 0, NULL, NULL);
	PEM_write_PrivateKey(f, made_key("p256", 1), NULL, NULL, 0, NULL, NULL);
	fclose(f);
	refuse("two.key", "more than one private key");
}

static void file_without_a_key_is_refused(void **state)
{
	X509 *ca = made_ca("CA", 0);
	made_file(folder, "empty.key", "", 0);
	refuse("empty.key", "no readable private key");
	made_pem(folder, "cert.key", ca);
	refuse("cert.key", "no readable private key");
	made_file(folder, "bad.key",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n"
		"-----END PRIVATE KEY-----\n",
		58);
	refuse("bad.key", "no readable private key");
	X509_free(ca);
}

static void kinds_that_do_not_exist_are_refused(void **state)
{
	struct diag d;
	EVP_PKEY *key = NULL;
	assert_int_equal(cert_key_make("rsa512", &key, &d), -EINVAL);
	assert_non_null(strstr(d.text, "no key kind \"rsa512\""));
	assert_null(key);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_come_back_and_nobody_else_can_read_them),
		cmocka_unit_test(
			encrypted_key_is_refused_without_asking_anybody),
		cmocka_unit_test(file_of_two_keys_is_refused),
		cmocka_unit_test(file_without_a_key_is_refused),
		cmocka_unit_test(kinds_that_do_not_exist_are_refused),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("key", tests, begin, end);
}
