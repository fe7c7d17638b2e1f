/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the ten real Cisco CAs, where they are at hand. */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "certs/pem.h"
#include "tests/certs/made.h"
#include "trust/cisco.h"
#include "trust/verify.h"

static char *folder;
static struct trust_snapshot *snapshot;

/* The folder also holds a note on where they are from: not a trust folder
 * as it is. */
static int begin(void **state)
{
	const char *shared = getenv("DIALTONE_SHARED");
	char from[1024];
	snprintf(from, sizeof(from), "%s",
		made_path(shared ? shared : "", "cisco-cas"));
	DIR *dir = opendir(from);
	if (!dir)
		return 0;
	folder = made_folder();
	const struct dirent *entry = NULL;
	while ((entry = readdir(dir))) {
		struct cert_list list;
		const char *end = strrchr(entry->d_name, '.');
		if (!end || strcmp(end, ".pem") != 0)
			continue;
		assert_int_equal(cert_pem_read(made_path(from, entry->d_name),
					 &list, NULL),
			0);
		assert_int_equal(list.n, 1);
		made_pem(folder, entry->d_name, list.cert[0]);
		cert_list_deinit(&list);
	}
	closedir(dir);
	struct diag d = {.text = ""};
	if (trust_snapshot_load(
		    &(struct trust_load){.dir = folder, .generation = 1},
		    &snapshot, &d))
		fail_msg("%s", d.text);
	return 0;
}

static int end(void **state)
{
	trust_snapshot_unref(snapshot);
	if (folder)
		made_folder_end(folder);
	return 0;
}

static void all_ten_load_and_two_are_unusable(void **state)
{
	size_t n = 0, unusable = 0;
	if (!snapshot) {
		print_message("# no real-world data beside the checkout\n");
		skip();
	}
	const struct trust_anchor *anchor =
		trust_snapshot_anchors(snapshot, &n);
	assert_int_equal(n, 10);
	for (size_t i = 0; i < n; i++) {
		int is_ecc = strstr(anchor[i].file, "ecc") != NULL;
		assert_int_equal(anchor[i].usable, !is_ecc);
		assert_string_equal(anchor[i].unusable_why,
			is_ecc ? "its validity dates are not valid DER times, "
				 "so nothing can be verified under it"
			       : "");
		unusable += !anchor[i].usable;
	}
	assert_int_equal(unusable, 2);
}

static void all_ten_are_known_by_fingerprint_and_vouch_for_mics(void **state)
{
	size_t n = 0;
	if (!snapshot) {
		print_message("# no real-world data beside the checkout\n");
		skip();
	}
	const struct trust_anchor *anchor =
		trust_snapshot_anchors(snapshot, &n);
	for (size_t i = 0; i < n; i++) {
		assert_non_null(anchor[i].known_as);
		assert_non_null(strstr(anchor[i].id.cn, anchor[i].known_as));
		assert_int_equal(anchor[i].kind, CERT_KIND_MIC);
	}
}

static void dates_and_serials_are_those_of_the_specification(void **state)
{
	static const struct {
		const char *name;
		const char *serial;
		const char *to;
		const char *key;
	} rows[] = {
		{"Cisco Root CA 2048", "5ff87b282b54dc8d42a315b568c9adff",
			"2029-05-14", "RSA-2048"},
		{"Cisco Manufacturing CA", "6a6967b3000000000003", "2029-05-14",
			"RSA-2048"},
		{"ACT2 SUDI CA", "61096e7d00000000000c", "2029-05-14",
			"RSA-2048"},
		{"Cisco Root CA M1", "2ed20e7347d333834b4fdd0dd7b6967e",
			"2033-11-18", "RSA-2048"},
		{"Cisco Root CA M2", "01", "2037-11-12", "RSA-2048"},
		{"Cisco Manufacturing CA SHA2", "02", "2037-11-12", "RSA-2048"},
		{"Cisco Root CA 2099", "019a335878ce16c1c1", "2099-08-09",
			"RSA-2048"},
		{"High Assurance SUDI CA", "0a6475524cd8617c62", "2099-08-09",
			"RSA-2048"},
		{"Cisco ECC Root CA", "01", "2053-04-04", "P-384"},
		{"ACT2 ECC SUDI CA", "02", "2053-04-04", "P-384"},
	};
	size_t n = 0, met = 0;
	if (!snapshot) {
		print_message("# no real-world data beside the checkout\n");
		skip();
	}
	const struct trust_anchor *anchor =
		trust_snapshot_anchors(snapshot, &n);
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < sizeof(rows) / sizeof(rows[0]); j++) {
			char to[21];
			if (strcmp(anchor[i].known_as, rows[j].name) != 0)
				continue;
			cert_time_text(anchor[i].id.not_after, to);
			assert_int_equal(strncmp(to, rows[j].to, 10), 0);
			assert_string_equal(
				anchor[i].id.serial, rows[j].serial);
			assert_string_equal(anchor[i].id.key, rows[j].key);
			met++;
		}
	}
	assert_int_equal(met, 10);
}

/* A CA below a CA, taken for a phone, shows that the chains close (or why
 * not) before it is refused for being a CA. */
static enum trust_verdict verdict_of(const char *file, int level)
{
	struct cert_list list;
	struct trust_result r;
	struct trust_policy policy = {.auth_level = level};
	struct trust_snapshot *s = NULL;
	assert_int_equal(trust_snapshot_load(&(struct trust_load){.dir = folder,
						     .generation = 1,
						     .policy = &policy},
				 &s, NULL),
		0);
	assert_int_equal(
		cert_pem_read(made_path(folder, file), &list, NULL), 0);
	trust_verify(s, list.cert[0], NULL, MADE_NOW, &r);
	cert_list_deinit(&list);
	trust_snapshot_unref(s);
	return r.verdict;
}

static void sha1_signatures_count_only_at_level_0(void **state)
{
	if (!snapshot) {
		print_message("# no real-world data beside the checkout\n");
		skip();
	}
	assert_int_equal(
		verdict_of("cisco-manufacturing-ca.pem", 2), TRUST_WEAK_DIGEST);
	assert_int_equal(verdict_of("act2-sudi-ca.pem", 1), TRUST_WEAK_DIGEST);
	assert_int_equal(verdict_of("cisco-manufacturing-ca.pem", 0),
		TRUST_WRONG_PURPOSE);
	assert_int_equal(verdict_of("cisco-manufacturing-ca-sha2.pem", 2),
		TRUST_WRONG_PURPOSE);
}

static void other_certificates_are_not_known(void **state)
{
	assert_null(trust_cisco_name(""));
	assert_null(trust_cisco_name("8327bc8c9d69947b3de3c27511537267"
				     "f59c21b9fa7b613fafbccd53b7024001"));
	assert_string_equal(
		trust_cisco_name("8327bc8c9d69947b3de3c27511537267"
				 "f59c21b9fa7b613fafbccd53b7024000"),
		"Cisco Root CA 2048");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_ten_load_and_two_are_unusable),
		cmocka_unit_test(
			all_ten_are_known_by_fingerprint_and_vouch_for_mics),
		cmocka_unit_test(
			dates_and_serials_are_those_of_the_specification),
		cmocka_unit_test(sha1_signatures_count_only_at_level_0),
		cmocka_unit_test(other_certificates_are_not_known),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("cisco", tests, begin, end);
}
