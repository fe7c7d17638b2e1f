/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about comma-separated values. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/csv.h"

static char text[4096];
static struct csv csv;
static struct csv_row row;
static struct csv_fault fault;

static void read_from(const char *from)
{
	strcpy(text, from);
	csv_init(&csv, text, strlen(text));
}

static void expect_row(size_t line, size_t n, const char *const *fields)
{
	assert_int_equal(csv_next(&csv, &row, &fault), 1);
	assert_int_equal(row.line, line);
	assert_int_equal(row.n, n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(row.fields[i], fields[i]);
}

#define ROW(line, ...)                                                  \
	expect_row(line,                                                \
		sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *), \
		(const char *[]){__VA_ARGS__})
#define END() assert_int_equal(csv_next(&csv, &row, &fault), 0)

static void rows_end_with_either_line_break(void **state)
{
	read_from("a,b\r\nc,d\ne,f");
	ROW(1, "a", "b");
	ROW(2, "c", "d");
	ROW(3, "e", "f");
	END();
}

static void empty_lines_and_fields(void **state)
{
	read_from("\n\r\na,,\n,\n\n");
	ROW(3, "a", "", "");
	ROW(4, "", "");
	END();
	read_from("");
	END();
	read_from("\"\"");
	ROW(1, "");
	END();
}

static void quotes_hold_commas_and_quotes(void **state)
{
	read_from("\"a,\"\"b\"\"\",\"\"\"\"\n\"\",x\n");
	ROW(1, "a,\"b\"", "\"");
	ROW(2, "", "x");
	END();
}

static void a_byte_order_mark_is_passed_over(void **state)
{
	read_from("\xef\xbb\xbf\"name\",b\n");
	ROW(1, "name", "b");
	END();
}

static void spaces_belong_to_the_field(void **state)
{
	read_from(" a , b\n");
	ROW(1, " a ", " b");
	END();
}

static void refusals_name_line_and_field(void **state)
{
	static const struct {
		const char *text;
		size_t line, field;
		const char *why;
	} rows[] = {
		{"a\nb,\"c\nd\"\n", 2, 2, "not closed on this line"},
		{"a\nb,\"c", 2, 2, "never closed"},
		{"\"", 1, 1, "never closed"},
		{"a,\"b\"c\n", 1, 2, "follows its closing"},
		{"a,\"b\" \n", 1, 2, "follows its closing"},
		{"a,b\"c\n", 1, 2, "does not begin with one"},
		{"a,b\tc\n", 1, 2, "control character"},
		{"a,\"b\x7f\"\n", 1, 2, "control character"},
		{"a\rb\n", 1, 1, "control character"},
		{"a\r", 1, 1, "control character"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int more;
		read_from(rows[i].text);
		do
			more = csv_next(&csv, &row, &fault);
		while (more > 0);
		assert_int_equal(more, -EINVAL);
		assert_int_equal(fault.line, rows[i].line);
		assert_int_equal(fault.field, rows[i].field);
		if (!strstr(fault.why, rows[i].why))
			fail_msg("%s: %s", rows[i].text, fault.why);
	}
}

static void a_nul_is_a_control_character(void **state)
{
	memcpy(text, "a\0b,c\n", 7);
	csv_init(&csv, text, 6);
	assert_int_equal(csv_next(&csv, &row, &fault), -EINVAL);
	assert_non_null(strstr(fault.why, "control"));
}

static void limits_are_kept(void **state)
{
	memset(text, 'x', CSV_FIELD_MAX);
	text[CSV_FIELD_MAX] = '\0';
	csv_init(&csv, text, CSV_FIELD_MAX);
	assert_int_equal(csv_next(&csv, &row, &fault), 1);
	assert_int_equal(strlen(row.fields[0]), CSV_FIELD_MAX);
	memset(text, 'x', CSV_FIELD_MAX + 1);
	csv_init(&csv, text, CSV_FIELD_MAX + 1);
	assert_int_equal(csv_next(&csv, &row, &fault), -EINVAL);
	memset(text, ',', CSV_FIELDS_MAX);
	csv_init(&csv, text, CSV_FIELDS_MAX - 1);
	assert_int_equal(csv_next(&csv, &row, &fault), 1);
	assert_int_equal(row.n, CSV_FIELDS_MAX);
	memset(text, ',', CSV_FIELDS_MAX);
	csv_init(&csv, text, CSV_FIELDS_MAX);
	assert_int_equal(csv_next(&csv, &row, &fault), -EINVAL);
}

static void what_is_written_is_read(void **state)
{
	static const char *const fields[] = {"plain", "", "a,b", "say \"hi\"",
		" lead", "trail ", "Gr\xc3\xbc\xc3\x9f"};
	enum { N = sizeof(fields) / sizeof(fields[0]) };
	char *out = NULL;
	size_t n;
	FILE *f = open_memstream(&out, &n);
	for (size_t i = 0; i < N; i++)
		csv_put(f, fields[i], i);
	csv_end(f);
	fclose(f);
	assert_string_equal(out,
		"plain,,\"a,b\",\"say \"\"hi\"\"\",\" lead\",\"trail \","
		"Gr\xc3\xbc\xc3\x9f\r\n");
	csv_init(&csv, out, n);
	expect_row(1, N, fields);
	END();
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_end_with_either_line_break),
		cmocka_unit_test(empty_lines_and_fields),
		cmocka_unit_test(quotes_hold_commas_and_quotes),
		cmocka_unit_test(a_byte_order_mark_is_passed_over),
		cmocka_unit_test(spaces_belong_to_the_field),
		cmocka_unit_test(refusals_name_line_and_field),
		cmocka_unit_test(a_nul_is_a_control_character),
		cmocka_unit_test(limits_are_kept),
		cmocka_unit_test(what_is_written_is_read),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("csv", tests, NULL, NULL);
}
