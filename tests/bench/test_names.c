/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about counting devices and lines, and about what may be a name. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench/names.h"

static void device_is(const char *first, unsigned n, const char *want)
{
	char name[NAMES_DEVICE_MAX + 1];
	assert_int_equal(names_device(first, n, name), 0);
	assert_string_equal(name, want);
}

static void the_mac_is_counted_in_hex(void **state)
{
	device_is("SEP000000000001", 1, "SEP000000000002");
	device_is("SEP000000000009", 1, "SEP00000000000A");
	device_is("SEP0000000000FF", 1, "SEP000000000100");
	device_is("SEP00FFFFFFFFFF", 1, "SEP010000000000");
	device_is("SEP001122334400", 0x1234, "SEP001122335634");
	device_is("ATA001122334455", 2, "ATA001122334457");
}

static void counted_names_are_upper_case(void **state)
{
	device_is("SEP00aabbccddee", 1, "SEP00AABBCCDDEF");
}

static void the_first_device_is_left_as_it_is(void **state)
{
	device_is("CSFjoe", 0, "CSFjoe");
	device_is("SEP00aabbccddee", 0, "SEP00aabbccddee");
}

static void counting_stops_at_the_last_mac(void **state)
{
	char name[NAMES_DEVICE_MAX + 1];
	device_is("SEPFFFFFFFFFFFE", 1, "SEPFFFFFFFFFFFF");
	assert_int_equal(names_device("SEPFFFFFFFFFFFE", 2, name), -ERANGE);
	assert_int_equal(
		names_device("SEPFFFFFFFFFFFF", UINT32_MAX, name), -ERANGE);
}

static void only_names_with_a_mac_are_counted(void **state)
{
	char name[NAMES_DEVICE_MAX + 1];
	assert_int_equal(names_device("CSFjoe", 1, name), -EINVAL);
	assert_int_equal(names_device("SEP00112233445G", 1, name), -EINVAL);
	assert_int_equal(names_device("00112233445", 1, name), -EINVAL);
	assert_int_equal(names_device("", 1, name), -EINVAL);
}

static void line_is(const char *first, unsigned n, const char *want)
{
	char line[NAMES_LINE_MAX + 1];
	assert_int_equal(names_line(first, n, line), 0);
	assert_string_equal(line, want);
}

static void lines_are_counted_and_keep_their_width(void **state)
{
	line_is("1001", 998, "1999");
	line_is("0009", 1, "0010");
	line_is("9999", 1, "10000");
	line_is("9999999999999999999", 1, "10000000000000000000");
	line_is("joe", 0, "joe");
}

static void a_line_that_cannot_be_counted_is_refused(void **state)
{
	char line[NAMES_LINE_MAX + 1];
	assert_int_equal(names_line("joe", 1, line), -EINVAL);
	assert_int_equal(names_line("", 1, line), -EINVAL);
	assert_int_equal(names_line("11111111111111111111", 1, line), -EINVAL);
}

static void names_that_could_break_a_header_or_a_path_are_refused(void **state)
{
	static const char *const bad[] = {"", "..", "../../etc", "SEP/1",
		"SEP\r\nVia: x", "SEP 1", "SEP\"1", ".SEP", "-SEP",
		"S\xc3\xa9"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(names_check(bad[i], 63), -EINVAL);
	assert_int_equal(names_check("SEP000000000001", 15), 0);
	assert_int_equal(names_check("SEP0000000000010", 15), -EINVAL);
	assert_int_equal(names_check("CSF_joe.b-1", 15), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_mac_is_counted_in_hex),
		cmocka_unit_test(counted_names_are_upper_case),
		cmocka_unit_test(the_first_device_is_left_as_it_is),
		cmocka_unit_test(counting_stops_at_the_last_mac),
		cmocka_unit_test(only_names_with_a_mac_are_counted),
		cmocka_unit_test(lines_are_counted_and_keep_their_width),
		cmocka_unit_test(a_line_that_cannot_be_counted_is_refused),
		cmocka_unit_test(
			names_that_could_break_a_header_or_a_path_are_refused),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
