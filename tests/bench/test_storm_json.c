/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON report is what bench/storm-report.schema.json says, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/storm_report.h"

enum { WHERE_MAX = 256 };

static json_t *schema;
static char wrong[WHERE_MAX * 2]; /* the first thing found; "" for none */

static void note(const char *where, const char *what)
{
	if (!wrong[0])
		snprintf(wrong, sizeof(wrong), "%s: %s", where, what);
}

static bool is(const json_t *value, const char *type)
{
	if (strcmp(type, "object") == 0)
		return json_is_object(value);
	if (strcmp(type, "array") == 0)
		return json_is_array(value);
	if (strcmp(type, "string") == 0)
		return json_is_string(value);
	if (strcmp(type, "boolean") == 0)
		return json_is_boolean(value);
	if (strcmp(type, "null") == 0)
		return json_is_null(value);
	if (strcmp(type, "integer") == 0)
		return json_is_integer(value);
	return strcmp(type, "number") == 0 && json_is_number(value);
}

/* "type": "x", or ["x", "y"]. */
static bool fits(const json_t *value, const json_t *type)
{
	size_t i;
	json_t *one;
	if (json_is_string(type))
		return is(value, json_string_value(type));
	json_array_foreach(type, i,
		one) if (is(value, json_string_value(one))) return true;
	return false;
}

/* "#/$defs/name" in place of what says it. */
static const json_t *meant(const json_t *rule)
{
	const char *ref = json_string_value(json_object_get(rule, "$ref"));
	if (!ref)
		return rule;
	const char *name = strrchr(ref, '/') + 1;
	return json_object_get(json_object_get(schema, "$defs"), name);
}

static void check(const json_t *value, const json_t *rule, const char *where);

static void check_object(json_t *value, const json_t *rule, const char *where)
{
	const char *key;
	size_t i;
	json_t *member, *name;
	char at[WHERE_MAX];
	json_t *properties = json_object_get(rule, "properties");
	json_t *others = json_object_get(rule, "additionalProperties");
	json_object_foreach(value, key, member)
	{
		json_t *own = json_object_get(properties, key);
		snprintf(at, sizeof(at), "%.120s/%.100s", where, key);
		if (own || json_is_object(others))
			check(member, own ? own : others, at);
		else
			note(at, "is not in the schema");
	}
	json_array_foreach(json_object_get(rule, "required"), i, name)
	{
		snprintf(at, sizeof(at), "%.120s/%.100s", where,
			json_string_value(name));
		if (!json_object_get(value, json_string_value(name)))
			note(at, "is not in the report");
	}
	if (properties &&
		json_object_size(properties) !=
			json_array_size(json_object_get(rule, "required")))
		note(where, "has a property that is not required");
}

static void check(const json_t *value, const json_t *rule, const char *where)
{
	size_t i;
	json_t *item;
	rule = meant(rule);
	if (!fits(value, json_object_get(rule, "type")))
		note(where, "is of another type");
	if (json_is_object(value))
		check_object((json_t *)value, rule, where);
	json_array_foreach(value, i, item)
		check(item, json_object_get(rule, "items"), where);
}

static void is_valid(const struct storm_report *r)
{
	json_t *root = storm_report_json(r);
	wrong[0] = '\0';
	check(root, schema, "");
	if (wrong[0])
		fail_msg("%s", wrong);
	json_decref(root);
}

static void what_measured_nothing_is_valid(void **state)
{
	static struct tally t;
	const struct storm_report r = {.tally = &t};
	is_valid(&r);
}

/* Every part that may be null or empty is there. */
static struct storm_report everything(void)
{
	static struct tally t;
	static const struct storm_report_fact facts[] = {{"rate", "200"}};
	static const struct require require = {
		REQUIRE_FAILED, REQUIRE_EQUAL, 0};
	static const char *const words[] = {"failed=0"};
	t = (struct tally){.registered = 3, .planned = 3, .storm_s = 2};
	t.server_seen = true;
	t.all_in_s = 2;
	t.restart = (struct tally_restart){.begun = true,
		.ended = true,
		.at_s = 1,
		.took_s = 1,
		.first_s = 1,
		.back_s = 1};
	t.series.cell_ms = 100;
	series_latency(series_at(&t.series, 0), 1234);
	series_at(&t.series, 3000000000);
	for (int i = 0; i < TALLY_KINDS; i++)
		histogram_add(&t.latency[i], 1234);
	histogram_add(&t.lateness, 1);
	histogram_add(&t.pulses.latency, 1);
	histogram_add(&t.waits.latency, 1);
	tally_reason(&t.reasons, "rejected", "no");
	return (struct storm_report){
		.tally = &t,
		.facts = facts,
		.n_facts = 1,
		.require = &require,
		.require_text = words,
		.n_require = 1,
		.cut = true,
		.restart = true,
	};
}

static void what_measured_everything_is_valid(void **state)
{
	const struct storm_report r = everything();
	is_valid(&r);
}

static void the_schema_is_missed_and_broken(void **state)
{
	const struct storm_report r = everything();
	json_t *root = storm_report_json(&r);
	json_t *arrivals = json_object_get(root, "arrivals");
	json_object_set_new(arrivals, "planned", json_string("3"));
	wrong[0] = '\0';
	check(root, schema, "");
	assert_string_equal(wrong, "/arrivals/planned: is of another type");
	json_object_del(arrivals, "planned");
	wrong[0] = '\0';
	check(root, schema, "");
	assert_string_equal(wrong, "/arrivals/planned: is not in the report");
	json_object_set_new(arrivals, "planned", json_integer(3));
	json_object_set_new(root, "more", json_null());
	wrong[0] = '\0';
	check(root, schema, "");
	assert_string_equal(wrong, "/more: is not in the schema");
	json_decref(root);
}

static int load(void **state)
{
	char path[4096];
	json_error_t error;
	const char *source = getenv("DIALTONE_SOURCE");
	snprintf(path, sizeof(path), "%s/bench/storm-report.schema.json",
		source ? source : ".");
	schema = json_load_file(path, 0, &error);
	return schema ? 0 : -1;
}

static int unload(void **state)
{
	json_decref(schema);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_measured_nothing_is_valid),
		cmocka_unit_test(what_measured_everything_is_valid),
		cmocka_unit_test(the_schema_is_missed_and_broken),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, load, unload);
}
