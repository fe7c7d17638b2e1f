/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about device types, and about models that fit them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/sccp/devices.h"

static const uint32_t types[] = {
#define X(type, name) type,
	SCCP_DEVICE_TYPE_LIST(X)
#undef X
};

enum { N_TYPES = sizeof(types) / sizeof(*types) };

static void every_type_has_a_number_and_a_name_of_its_own(void **state)
{
	for (size_t i = 0; i < N_TYPES; i++) {
		const char *name = sccp_device_type_name(types[i]);
		assert_string_not_equal(name, "");
		assert_true(sccp_device_type_fits(types[i], name));
		for (size_t k = 0; k < i; k++) {
			assert_int_not_equal(types[i], types[k]);
			assert_string_not_equal(
				name, sccp_device_type_name(types[k]));
		}
	}
	assert_string_equal(sccp_device_type_name(30007), "7912");
	assert_null(sccp_device_type_name(0));
	assert_null(sccp_device_type_name(UINT32_MAX));
}

static void a_model_fits_by_its_number(void **state)
{
	static const char *const good[] = {"7941", "7941GE", "7941G-GE",
		"CP-7941G", "Cisco 7941", "cp-7941", ""};
	static const char *const bad[] = {"7940", "79411", "794", "CP-7961G",
		"IP Communicator", "SPA504G", "7"};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_true(sccp_device_type_fits(115, good[i]));
		assert_true(sccp_device_type_fits(309, good[i]));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_false(sccp_device_type_fits(115, bad[i]));
	assert_true(sccp_device_type_fits(80004, "Cisco SPA504G"));
	assert_true(sccp_device_type_fits(12, "ATA 186"));
	assert_false(sccp_device_type_fits(12, "ATA188"));
}

static void a_model_without_a_number_fits_by_its_name(void **state)
{
	assert_true(sccp_device_type_fits(503, "csf"));
	assert_true(sccp_device_type_fits(503, "Cisco CSF"));
	assert_true(sccp_device_type_fits(30016, "Cisco IP Communicator"));
	assert_false(sccp_device_type_fits(30016, "CSF"));
	assert_false(sccp_device_type_fits(30016, "7960"));
}

static void an_unknown_type_may_be_anything(void **state)
{
	assert_true(sccp_device_type_fits(99999, "7941"));
}

static void spa_phones_speak_spcp(void **state)
{
	for (size_t i = 0; i < N_TYPES; i++)
		assert_int_equal(sccp_device_type_is_spcp(types[i]),
			strncmp(sccp_device_type_name(types[i]), "SPA", 3) ==
				0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_type_has_a_number_and_a_name_of_its_own),
		cmocka_unit_test(a_model_fits_by_its_number),
		cmocka_unit_test(a_model_without_a_number_fits_by_its_name),
		cmocka_unit_test(an_unknown_type_may_be_anything),
		cmocka_unit_test(spa_phones_speak_spcp),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("sccp devices", tests, NULL, NULL);
}
