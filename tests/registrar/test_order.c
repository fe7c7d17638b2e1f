/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about what all orders share. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "registrar/admin/order.h"

static const struct {
	struct order_row row;
	int number;
} rows[] = {
	{{"/v1/things", "GET", 0}, 1},
	{{"/v1/things", "POST", 100}, 2},
	{{"/v1/things/import", "POST", 0}, 3},
	{{"/v1/things/", "GET", 0}, 4},
	{{"/v1/things/", "DELETE", 0}, 5},
};
static const struct order_table table = {
	rows, sizeof(rows) / sizeof(rows[0]), sizeof(rows[0])};

static void is_row(const char *method, const char *path, int number)
{
	const struct order_row *found = order_find(&table, method, path);
	int is = found ? rows[((const char *)found - (const char *)rows) /
				 sizeof(rows[0])]
				 .number
		       : 0;
	if (is != number)
		fail_msg("%s %s is row %d, not %d", method, path, is, number);
}

static void a_method_and_a_path_make_a_row(void **state)
{
	is_row("GET", "/v1/things", 1);
	is_row("POST", "/v1/things", 2);
	is_row("GET", "/v1/things/a", 4);
	is_row("DELETE", "/v1/things/a", 5);
	is_row("PUT", "/v1/things/a", 0);
	is_row("GET", "/v1/things/", 0);
	is_row("GET", "/v1/things/a/b", 0);
	is_row("GET", "/v1/thing", 0);
}

/* "import" is no name, whatever is asked of it. */
static void the_first_row_of_a_path_decides(void **state)
{
	is_row("POST", "/v1/things/import", 3);
	is_row("GET", "/v1/things/import", 0);
}

static void a_row_names_what_follows_its_slash(void **state)
{
	assert_string_equal(order_name(&rows[0].row, "/v1/things"), "");
	assert_string_equal(order_name(&rows[3].row, "/v1/things/a"), "a");
}

static void other_methods_are_told_of(void **state)
{
	struct plane_answer out = {.status = 0};
	assert_true(order_refuse_method(&table, "/v1/things/a", &out));
	assert_int_equal(out.status, 405);
	assert_string_equal(out.allow, "GET, HEAD, DELETE");
	json_decref(out.json);
	assert_false(order_refuse_method(&table, "/v1/other", &out));
}

static void an_error_has_its_http_status(void **state)
{
	static const struct {
		int error;
		unsigned status;
	} all[] = {{-EINVAL, 400}, {-ENOENT, 404}, {-EEXIST, 409},
		{-EMEDIUMTYPE, 415}, {-ENOSPC, 507}, {-EIO, 500}};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct plane_answer out = {.status = 0};
		struct diag d = {.text = "because \xff"};
		assert_int_equal(
			order_refuse(&out, all[i].error, &d), all[i].error);
		assert_int_equal(out.status, all[i].status);
		assert_string_equal(
			json_string_value(json_object_get(out.json, "detail")),
			"because ?");
		json_decref(out.json);
	}
}

static void a_time_is_a_date_or_a_utc_time(void **state)
{
	static const char *const none[] = {"", "2026-11-26T18:00:00",
		"2026-11-26T18:00:00+01:00", "26.11.2026", "2026-11",
		"2026-13-01", "2026-11-26 ", "tomorrow"};
	assert_int_equal(order_time("2026-11-26T18:00:00Z"), 1795716000);
	assert_int_equal(order_time("2026-11-26"), 1795651200);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (order_time(none[i]))
			fail_msg("\"%s\" passes", none[i]);
}

static int body_error(const char *type, const char *body)
{
	char copy[64];
	int error;
	struct diag d = {.text = ""};
	strcpy(copy, body);
	const struct plane_request request = {
		.type = type, .body = copy, .n = strlen(copy)};
	json_t *o = order_object(&request, &error, &d);
	assert_int_equal(o == NULL, error != 0);
	assert_int_equal(error != 0, *d.text != '\0');
	json_decref(o);
	return error;
}

static void a_body_is_one_json_object(void **state)
{
	assert_int_equal(body_error("application/json", "{\"a\": 1}"), 0);
	assert_int_equal(body_error("Application/JSON", "{}"), 0);
	assert_int_equal(body_error("text/csv", "{}"), -EMEDIUMTYPE);
	assert_int_equal(body_error("application/json", "[]"), -EINVAL);
	assert_int_equal(body_error("application/json", ""), -EINVAL);
	assert_int_equal(body_error("application/json", "{} {}"), -EINVAL);
	assert_int_equal(
		body_error("application/json", "{\"a\":1,\"a\":2}"), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest facts[] = {
		cmocka_unit_test(a_method_and_a_path_make_a_row),
		cmocka_unit_test(the_first_row_of_a_path_decides),
		cmocka_unit_test(a_row_names_what_follows_its_slash),
		cmocka_unit_test(other_methods_are_told_of),
		cmocka_unit_test(an_error_has_its_http_status),
		cmocka_unit_test(a_time_is_a_date_or_a_utc_time),
		cmocka_unit_test(a_body_is_one_json_object),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("order", facts, NULL, NULL);
}
