/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the laboratory PKI. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "certs/identity.h"
#include "certs/lab.h"
#include "certs/pem.h"
#include "tests/certs/made.h"

static char *folder;
static struct cert_lab *lab;

static int begin(void **state)
{
	folder = made_folder();
	struct diag d = {.text = ""};
	if (cert_lab_init(folder, "dialtone.example", MADE_NOW, &d) ||
		cert_lab_open(folder, &lab, &d)) {
		fprintf(stderr, "%s\n", d.text);
		return -1;
	}
	return 0;
}

static int end(void **state)
{
	cert_lab_close(lab);
	made_folder_end(folder);
	return 0;
}

static struct cert_identity identity(X509 *cert)
{
	struct cert_identity id;
	assert_int_equal(cert_identity_read(cert, &id), 0);
	return id;
}

static X509 *issue(const struct cert_lab_phone *phone)
{
	struct diag d = {.text = ""};
	X509 *cert = NULL;
	EVP_PKEY *key = NULL;
	if (cert_lab_issue(lab, phone, &cert, &key, &d))
		fail_msg("%s", d.text);
	assert_int_equal(X509_check_private_key(cert, key), 1);
	EVP_PKEY_free(key);
	return cert;
}

/* The extension as people write it. */
static void extension_text(X509 *cert, int nid, char *out, size_t size)
{
	snprintf(out, size, "absent");
	int at = X509_get_ext_by_NID(cert, nid, -1);
	if (at < 0)
		return;
	BIO *bio = BIO_new(BIO_s_mem());
	X509_EXTENSION *e = X509_get_ext(cert, at);
	X509V3_EXT_print(bio, e, 0, 0);
	char *text = NULL;
	long n = BIO_get_mem_data(bio, &text);
	snprintf(out, size, "%s%.*s",
		X509_EXTENSION_get_critical(e) ? "critical " : "", (int)n,
		text);
	BIO_free(bio);
}

static void assert_extension(X509 *cert, int nid, const char *expected)
{
	char text[512];
	extension_text(cert, nid, text, sizeof(text));
	assert_string_equal(text, expected);
}

static void cas_have_the_names_that_cucm_and_cisco_use(void **state)
{
	struct cert_identity capf = identity(cert_lab_ca(lab, CERT_LAB_CAPF));
	assert_int_equal(strlen(capf.cn), 13);
	assert_int_equal(strncmp(capf.cn, "CAPF-", 5), 0);
	assert_int_equal(strspn(capf.cn + 5, "0123456789abcdef"), 8);
	struct cert_identity other =
		identity(cert_lab_ca(lab, CERT_LAB_OTHER_CAPF));
	assert_string_not_equal(capf.cn, other.cn);
	assert_string_equal(
		identity(cert_lab_ca(lab, CERT_LAB_MFG_ROOT)).subject,
		"CN=Cisco Root CA M2,O=Cisco");
	struct cert_identity sha2 =
		identity(cert_lab_ca(lab, CERT_LAB_MFG_SHA2));
	assert_string_equal(
		sha2.subject, "CN=Cisco Manufacturing CA SHA2,O=Cisco");
	assert_string_equal(sha2.issuer, "CN=Cisco Root CA M2,O=Cisco");
	struct cert_identity sha1 =
		identity(cert_lab_ca(lab, CERT_LAB_MFG_SHA1));
	assert_string_equal(
		sha1.subject, "CN=Cisco Manufacturing CA,O=Cisco Systems");
	assert_string_equal(
		sha1.issuer, "CN=Cisco Root CA 2048,O=Cisco Systems");
}

static void capf_is_a_ca_of_one_level_for_five_years(void **state)
{
	X509 *capf = cert_lab_ca(lab, CERT_LAB_CAPF);
	assert_extension(
		capf, NID_basic_constraints, "critical CA:TRUE, pathlen:0");
	assert_extension(capf, NID_key_usage,
		"critical Digital Signature, Certificate Sign, CRL "
		"Sign");
	struct cert_identity id = identity(capf);
	assert_int_equal(id.not_after - MADE_NOW, 1825 * 86400);
	assert_int_equal(X509_self_signed(capf, 1), 1);
}

static void sha1_twin_is_signed_with_sha1(void **state)
{
	assert_int_equal(X509_get_signature_nid(
				 cert_lab_ca(lab, CERT_LAB_MFG_ROOT_SHA1)),
		NID_sha1WithRSAEncryption);
	X509 *ca = cert_lab_ca(lab, CERT_LAB_MFG_SHA1);
	assert_int_equal(X509_get_signature_nid(ca), NID_sha1WithRSAEncryption);
	X509 *mic = issue(&(struct cert_lab_phone){.device = "SEP000E83E53398",
		.leaf = CERT_LAB_LEAF_MIC_SHA1,
		.now = MADE_NOW});
	assert_int_equal(
		X509_get_signature_nid(mic), NID_sha1WithRSAEncryption);
	assert_int_equal(X509_verify(mic, X509_get0_pubkey(ca)), 1);
	assert_string_equal(identity(mic).cn, "CP-7970G-SEP000E83E53398");
	X509_free(mic);
}

static void holds_alone(const char *name, enum cert_lab_ca ca)
{
	struct cert_list list;
	assert_int_equal(
		cert_pem_read(made_path(folder, name), &list, NULL), 0);
	assert_int_equal(list.n, 1);
	assert_int_equal(X509_cmp(list.cert[0], cert_lab_ca(lab, ca)), 0);
	cert_list_deinit(&list);
}

static void trust_folders_hold_capf_and_manufacturing_cas(void **state)
{
	static const char *const stores[] = {"CallManager-trust", "CAPF-trust"};
	static const char mfg[] = "Cisco_Manufacturing_CA";
	char name[400];
	for (size_t i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s/%s.pem", stores[i],
			identity(cert_lab_ca(lab, CERT_LAB_CAPF)).cn);
		holds_alone(name, CERT_LAB_CAPF);
		snprintf(name, sizeof(name), "%s/%s_SHA2_%s.pem", stores[i],
			mfg,
			identity(cert_lab_ca(lab, CERT_LAB_MFG_SHA2)).serial);
		holds_alone(name, CERT_LAB_MFG_SHA2);
	}
	snprintf(name, sizeof(name), "CAPF-trust/%s_%s.pem", mfg,
		identity(cert_lab_ca(lab, CERT_LAB_MFG_SHA1)).serial);
	holds_alone(name, CERT_LAB_MFG_SHA1);
}

static void server_certificates_name_the_host_and_loopback(void **state)
{
	static const char *const kinds[][2] = {
		{"rsa", "RSA-2048"}, {"ec", "P-256"}};
	for (size_t i = 0; i < 2; i++) {
		char name[64];
		struct cert_list list;
		EVP_PKEY *key = NULL;
		snprintf(name, sizeof(name), "server/%s.pem", kinds[i][0]);
		assert_int_equal(
			cert_pem_read(made_path(folder, name), &list, NULL), 0);
		snprintf(name, sizeof(name), "server/%s.key", kinds[i][0]);
		assert_int_equal(
			cert_key_read(made_path(folder, name), &key, NULL), 0);
		assert_int_equal(X509_check_private_key(list.cert[0], key), 1);
		assert_string_equal(identity(list.cert[0]).key, kinds[i][1]);
		assert_extension(list.cert[0], NID_subject_alt_name,
			"DNS:dialtone.example, DNS:localhost, "
			"IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1");
		cert_list_deinit(&list);
		EVP_PKEY_free(key);
	}
}

static mode_t mode_of(const char *name)
{
	struct stat st;
	assert_int_equal(stat(made_path(folder, name), &st), 0);
	return st.st_mode & 0777;
}

static void nobody_else_can_read_the_keys(void **state)
{
	static const char *const folders[] = {"ca", "server", "phones"};
	static const char *const files[] = {"ca/capf.key",
		"ca/manufacturing-sha1.key", "server/rsa.key", "server/ec.key"};
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(mode_of(folders[i]), 0700);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(mode_of(files[i]), 0600);
}

static void lsc_is_what_a_capf_issues(void **state)
{
	X509 *lsc = issue(&(struct cert_lab_phone){.device = "SEPB000B4BA0AEE",
		.leaf = CERT_LAB_LEAF_LSC,
		.now = MADE_NOW});
	struct cert_identity id = identity(lsc);
	struct cert_identity capf = identity(cert_lab_ca(lab, CERT_LAB_CAPF));
	assert_string_equal(id.subject,
		"CN=CP-8861-SEPB000B4BA0AEE,L=Arnhem,ST=Gelderland,"
		"OU=Telephony,O=Dialtone Lab,C=NL,"
		"serialNumber=PID:CP-8861 SN:FCH21330AEE");
	assert_string_equal(id.issuer, capf.subject);
	assert_string_equal(id.device, "SEPB000B4BA0AEE");
	assert_int_equal(strlen(id.serial), 32);
	assert_string_equal(id.key, "RSA-2048");
	assert_int_equal(id.not_after - MADE_NOW, 1825 * 86400);
	assert_extension(lsc, NID_basic_constraints, "critical CA:FALSE");
	assert_extension(lsc, NID_key_usage,
		"critical Digital Signature, Key Encipherment");
	assert_extension(lsc, NID_ext_key_usage,
		"TLS Web Server Authentication, "
		"TLS Web Client Authentication, IPSec End System");
	assert_extension(lsc, NID_subject_alt_name, "URI:SEPB000B4BA0AEE");
	X509_free(lsc);
}

static void mic_is_what_cisco_ships(void **state)
{
	X509 *mic = issue(&(struct cert_lab_phone){.device = "SEP2C3124C9F8E1",
		.leaf = CERT_LAB_LEAF_MIC,
		.now = MADE_NOW});
	struct cert_identity id = identity(mic);
	assert_string_equal(id.subject,
		"CN=CP-8861-SEP2C3124C9F8E1,OU=CTG,O=Cisco Systems Inc.,"
		"serialNumber=PID:CP-8861 SN:FCH2133F8E1");
	assert_string_equal(
		id.issuer, "CN=Cisco Manufacturing CA SHA2,O=Cisco");
	assert_int_equal(id.not_after - MADE_NOW, 3650 * 86400);
	assert_extension(mic, NID_basic_constraints, "critical CA:FALSE");
	assert_extension(
		mic, NID_key_usage, "Digital Signature, Key Encipherment");
	assert_extension(mic, NID_ext_key_usage, "absent");
	assert_extension(mic, NID_authority_key_identifier, "absent");
	X509_free(mic);
}

static void wrong_leaves_have_one_thing_wrong_each(void **state)
{
	struct cert_lab_phone phone = {
		.device = "SEP001122334450", .now = MADE_NOW, .key = "p256"};
	phone.leaf = CERT_LAB_LEAF_EXPIRED;
	X509 *cert = issue(&phone);
	assert_true(identity(cert).not_after < MADE_NOW);
	X509_free(cert);
	phone.leaf = CERT_LAB_LEAF_NOT_YET_VALID;
	cert = issue(&phone);
	assert_true(identity(cert).not_before > MADE_NOW);
	X509_free(cert);
	phone.leaf = CERT_LAB_LEAF_WRONG_NAME;
	cert = issue(&phone);
	assert_string_equal(identity(cert).device, "SEP001122334451");
	X509_free(cert);
	phone.leaf = CERT_LAB_LEAF_WRONG_PURPOSE;
	cert = issue(&phone);
	assert_extension(
		cert, NID_ext_key_usage, "TLS Web Server Authentication");
	X509_free(cert);
	phone.leaf = CERT_LAB_LEAF_SELF_SIGNED;
	cert = issue(&phone);
	assert_int_equal(X509_self_signed(cert, 1), 1);
	X509_free(cert);
	phone.leaf = CERT_LAB_LEAF_FOREIGN;
	cert = issue(&phone);
	assert_int_equal(X509_verify(cert, X509_get0_pubkey(cert_lab_ca(
						   lab, CERT_LAB_OTHER_CAPF))),
		1);
	X509_free(cert);
}

static void model_key_days_and_a_given_key_are_taken(void **state)
{
	X509 *cert = NULL;
	EVP_PKEY *key = NULL;
	struct cert_lab_phone phone = {
		.device = "SEP001122334455",
		.model = "CP-7962G",
		.leaf = CERT_LAB_LEAF_LSC,
		.use_key = made_key("p384", 0),
		.now = MADE_NOW,
		.days = 30,
	};
	assert_int_equal(cert_lab_issue(lab, &phone, &cert, &key, NULL), 0);
	assert_ptr_equal(key, phone.use_key);
	struct cert_identity id = identity(cert);
	assert_string_equal(id.cn, "CP-7962G-SEP001122334455");
	assert_string_equal(id.key, "P-384");
	assert_int_equal(id.not_after - MADE_NOW, 30 * 86400);
	EVP_PKEY_free(key);
	X509_free(cert);
	phone.model = "";
	phone.use_key = NULL;
	phone.key = "rsa1024";
	cert = issue(&phone);
	id = identity(cert);
	assert_string_equal(id.cn, "SEP001122334455");
	assert_string_equal(id.key, "RSA-1024");
	X509_free(cert);
}

static void bad_wishes_are_refused(void **state)
{
	static const struct {
		struct cert_lab_phone phone;
		const char *why;
	} rows[] = {
		{{.device = "../x"}, "\"../x\" is no device name"},
		{{.device = "SEP00112233445"}, "no device name"},
		{{.device = "CP-8861-SEP001122334455"}, "no device name"},
		{{.device = "SEP001122334455", .model = "a,b"},
			"\"a,b\" is no model"},
		{{.device = "SEP001122334455", .key = "rsa"},
			"no key kind \"rsa\""},
		{{.device = "SEP001122334455", .days = 1000000},
			"1000000 days: at most 36500"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct diag d = {.text = ""};
		X509 *cert = NULL;
		EVP_PKEY *key = NULL;
		assert_int_equal(
			cert_lab_issue(lab, &rows[i].phone, &cert, &key, &d),
			-EINVAL);
		if (!strstr(d.text, rows[i].why))
			fail_msg("%s", d.text);
		assert_null(cert);
		assert_null(key);
	}
}

static void phone_files_are_written_and_read_again(void **state)
{
	struct cert_lab_phone phone = {.device = "SEP001122334455",
		.leaf = CERT_LAB_LEAF_MIC,
		.now = MADE_NOW};
	struct cert_list list;
	EVP_PKEY *key = NULL;
	assert_int_equal(cert_lab_phone(lab, &phone, NULL), 0);
	assert_int_equal(mode_of("phones/SEP001122334455"), 0700);
	assert_int_equal(mode_of("phones/SEP001122334455/mic.key"), 0600);
	assert_int_equal(
		cert_pem_read(
			made_path(folder, "phones/SEP001122334455/mic.pem"),
			&list, NULL),
		0);
	assert_int_equal(list.n, 2);
	assert_int_equal(
		X509_cmp(list.cert[1], cert_lab_ca(lab, CERT_LAB_MFG_SHA2)), 0);
	assert_int_equal(
		cert_key_read(
			made_path(folder, "phones/SEP001122334455/mic.key"),
			&key, NULL),
		0);
	assert_int_equal(X509_check_private_key(list.cert[0], key), 1);
	EVP_PKEY_free(key);
	cert_list_deinit(&list);
	phone.leaf = CERT_LAB_LEAF_LSC;
	assert_int_equal(cert_lab_phone(lab, &phone, NULL), 0);
	assert_int_equal(
		cert_pem_read(
			made_path(folder, "phones/SEP001122334455/lsc.pem"),
			&list, NULL),
		0);
	assert_int_equal(list.n, 1);
	cert_list_deinit(&list);
}

static void a_ca_s_list_grows(void **state)
{
	char path[CERT_LAB_PATH_MAX];
	struct cert_lab_phone phone = {
		.leaf = CERT_LAB_LEAF_LSC, .now = MADE_NOW};
	static const char *const devices[] = {
		"SEP001122334466", "SEP001122334477"};
	for (int i = 0; i < 2; i++) {
		phone.device = devices[i];
		assert_int_equal(cert_lab_phone(lab, &phone, NULL), 0);
		assert_int_equal(cert_lab_revoke(lab, devices[i], phone.leaf,
					 MADE_NOW, path, NULL),
			0);
		FILE *f = fopen(path, "re");
		assert_non_null(f);
		X509_CRL *list = PEM_read_X509_CRL(f, NULL, NULL, NULL);
		fclose(f);
		X509 *capf = cert_lab_ca(lab, CERT_LAB_CAPF);
		assert_int_equal(
			X509_CRL_verify(list, X509_get0_pubkey(capf)), 1);
		assert_int_equal(
			sk_X509_REVOKED_num(X509_CRL_get_REVOKED(list)), i + 1);
		ASN1_INTEGER *number =
			X509_CRL_get_ext_d2i(list, NID_crl_number, NULL, NULL);
		assert_int_equal(ASN1_INTEGER_get(number), i + 1);
		ASN1_INTEGER_free(number);
		X509_CRL_free(list);
	}
	assert_int_equal(cert_lab_revoke(lab, "SEP000000000000", phone.leaf,
				 MADE_NOW, path, NULL),
		-ENOENT);
}

static void folder_in_use_is_left_alone(void **state)
{
	struct diag d;
	assert_int_equal(
		cert_lab_init(folder, "localhost", MADE_NOW, &d), -EEXIST);
	assert_non_null(strstr(d.text, "exists and is not empty"));
	assert_int_equal(cert_lab_init(made_path(folder, "ca/capf.key"),
				 "localhost", MADE_NOW, &d),
		-ENOTDIR);
}

static void hosts_that_would_add_names_are_refused(void **state)
{
	struct diag d;
	const char *path = made_path(folder, "never");
	static const char *const hosts[] = {
		"", "a,DNS:b", "a b", "*.example", "-x", "a/b", "a\nb"};
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		assert_int_equal(
			cert_lab_init(path, hosts[i], MADE_NOW, &d), -EINVAL);
	assert_int_equal(access(path, F_OK), -1);
}

static void lab_with_a_wrong_key_does_not_open(void **state)
{
	struct cert_lab *again = NULL;
	struct diag d;
	const char *path = made_path(folder, "ca/other-capf.key");
	EVP_PKEY *right = NULL;
	assert_int_equal(cert_key_read(path, &right, NULL), 0);
	assert_int_equal(cert_key_write(path, made_key("rsa2048", 0), NULL), 0);
	assert_int_equal(cert_lab_open(folder, &again, &d), -EINVAL);
	assert_non_null(strstr(d.text, "other-capf.key: not the key"));
	assert_null(again);
	assert_int_equal(cert_key_write(path, right, NULL), 0);
	EVP_PKEY_free(right);
	assert_int_equal(cert_lab_open("/nonexistent", &again, &d), -ENOENT);
}

static void leaf_names_are_found_again(void **state)
{
	for (int i = 0; i < CERT_LAB_LEAVES; i++)
		assert_int_equal(cert_lab_leaf_find(cert_lab_leaf_name(i)), i);
	assert_int_equal(cert_lab_leaf_find("nothing"), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cas_have_the_names_that_cucm_and_cisco_use),
		cmocka_unit_test(capf_is_a_ca_of_one_level_for_five_years),
		cmocka_unit_test(sha1_twin_is_signed_with_sha1),
		cmocka_unit_test(trust_folders_hold_capf_and_manufacturing_cas),
		cmocka_unit_test(
			server_certificates_name_the_host_and_loopback),
		cmocka_unit_test(nobody_else_can_read_the_keys),
		cmocka_unit_test(lsc_is_what_a_capf_issues),
		cmocka_unit_test(mic_is_what_cisco_ships),
		cmocka_unit_test(wrong_leaves_have_one_thing_wrong_each),
		cmocka_unit_test(model_key_days_and_a_given_key_are_taken),
		cmocka_unit_test(bad_wishes_are_refused),
		cmocka_unit_test(phone_files_are_written_and_read_again),
		cmocka_unit_test(a_ca_s_list_grows),
		cmocka_unit_test(folder_in_use_is_left_alone),
		cmocka_unit_test(hosts_that_would_add_names_are_refused),
		cmocka_unit_test(lab_with_a_wrong_key_does_not_open),
		cmocka_unit_test(leaf_names_are_found_again),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("lab", tests, begin, end);
}
