/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the generations of phones, each put on our server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/sccp/alarm.h"
#include "protocols/sccp/devices.h"
#include "protocols/sccp/frame.h"
#include "protocols/sccp/generation.h"
#include "protocols/sccp/ids.h"
#include "tests/protocols/sccp/pair.h"

#define X(name, ...) name,
static const char *const names[] = {SCCP_GENERATION_LIST(X)};
#undef X

enum { N_NAMES = sizeof(names) / sizeof(*names) };

static const char device[] = "SEP001380AD9E5F";

static struct sccp_phone_config config_of(const char *name)
{
	const struct sccp_generation *g = sccp_generation_find(name);
	assert_non_null(g);
	return (struct sccp_phone_config){
		.generation = g,
		.device = device,
		.device_type = g->device_type,
		.version = g->version,
		.station_ipv4 = 0x0100007f,
		.load = g->load,
		.last_reason = "KeepaliveTO",
	};
}

static void is_registered(const struct pair *p, const char *name)
{
	if (p->failed)
		fail_msg("%s: %s", name, p->text);
	assert_int_equal(p->registers, 1);
	assert_int_equal(p->registered, 1);
	assert_int_equal(p->done, 1);
	assert_int_equal(p->ignored, 0);
	assert_int_equal(p->closed, 0);
}

/* The whole way: a token where it is the custom, then all that it asks. */
static void registers(const char *name, size_t cut, bool single, size_t *bytes)
{
	struct sccp_phone_config config = config_of(name);
	struct pair p;
	pair_init(&p, &config);
	p.cut = cut;
	p.single = single;
	if (config.generation->ways & SCCP_WAY_SPCP) {
		sccp_phone_token(&p.phone, &p.now);
		pair_talk(&p);
		assert_int_equal(p.tokens, 1);
		assert_int_equal(p.token, 0);
	}
	sccp_phone_start(&p.phone, &p.now);
	pair_talk(&p);
	is_registered(&p, name);
	*bytes = p.crossed;
	pair_deinit(&p);
}

static void each_registers_in_every_way_of_cutting(void **state)
{
	for (size_t i = 0; i < N_NAMES; i++) {
		size_t total, ignore;
		registers(names[i], 0, true, &total);
		for (size_t cut = 0; cut < total; cut++)
			registers(names[i], cut, false, &ignore);
	}
}

static void each_stays_for_hours(void **state)
{
	for (size_t i = 0; i < N_NAMES; i++) {
		struct sccp_phone_config config = config_of(names[i]);
		struct pair p;
		pair_init(&p, &config);
		sccp_phone_start(&p.phone, &p.now);
		pair_talk(&p);
		pair_pass(&p, 4 * 3600 * 1000);
		is_registered(&p, names[i]);
		assert_int_equal(p.alive, 4 * 120);
		pair_deinit(&p);
	}
}

static void each_is_a_model_that_exists_and_says_so(void **state)
{
	for (size_t i = 0; i < N_NAMES; i++) {
		struct sccp_phone_config config = config_of(names[i]);
		struct pair p;
		pair_init(&p, &config);
		sccp_phone_start(&p.phone, &p.now);
		pair_talk(&p);
		assert_non_null(sccp_device_type_name(config.device_type));
		assert_int_equal(p.reg.device_type, config.device_type);
		assert_int_equal(p.reg.version, config.version);
		assert_memory_equal(
			p.reg.features, config.generation->features, 3);
		bool has_load = config.generation->register_body >= 124;
		assert_string_equal(p.reg.load, has_load ? config.load : "");
		pair_deinit(&p);
	}
	assert_null(sccp_generation_find("7999"));
}

static void each_says_why_it_came_back(void **state)
{
	for (size_t i = 0; i < N_NAMES; i++) {
		struct sccp_phone_config config = config_of(names[i]);
		bool xml = config.generation->ways & SCCP_WAY_XML_ALARM;
		struct sccp_alarm_report r;
		struct pair p;
		pair_init(&p, &config);
		sccp_phone_start(&p.phone, &p.now);
		pair_talk(&p);
		sccp_alarm_read(&r, p.alarm);
		assert_true(r.whole);
		assert_int_equal(r.reason, SCCP_REASON_KEEPALIVE);
		assert_string_equal(r.device, device);
		assert_int_equal(r.has_number, xml);
		assert_string_equal(r.load, xml ? "" : config.load);
		assert_string_equal(r.address, xml ? "127.0.0.1/24" : "");
		pair_deinit(&p);
	}
}

static void macs_and_names_are_written_as_each_writes_them(void **state)
{
	static const struct {
		const char *name, *device;
		uint8_t mac[12];
	} cases[] = {
		{"7912", "SEP001380AD9E5F", {0}},
		{"7960", "SEP001380AD9E5F", "RING"},
		{"6961", "SEP001380AD9E5F",
			{'0', '0', '1', '3', '8', '0', 'A', 'D', '9', 'E', '5',
				'F'}},
		{"7941", "SEP001380AD9E5F",
			{0x00, 0x13, 0x80, 0xad, 0x9e, 0x5f}},
		{"8945", "SEP001380ad9e5f", {0}},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct sccp_phone_config config = config_of(cases[i].name);
		struct pair p;
		pair_init(&p, &config);
		sccp_phone_start(&p.phone, &p.now);
		pair_talk(&p);
		assert_string_equal(p.reg.device, cases[i].device);
		assert_memory_equal(p.reg.mac, cases[i].mac, 12);
		pair_deinit(&p);
	}
}

/* The ids of all that a phone says, in order; how many. */
static unsigned questions(const char *name, uint32_t ids[PAIR_IDS_MAX])
{
	struct sccp_phone_config config = config_of(name);
	struct bytes_queue q;
	struct sccp_frame frame;
	struct pair p;
	unsigned n = 0;
	size_t len;
	pair_init(&p, &config);
	bytes_queue_init(&q, 1 << 20);
	sccp_phone_start(&p.phone, &p.now);
	do {
		const uint8_t *data = sccp_phone_out(&p.phone, &len);
		assert_int_equal(bytes_queue_put(&q, data, len), 0);
		while (sccp_frame_next(&q, UINT16_MAX, &frame) ==
			SCCP_FRAME_WHOLE) {
			assert_true(n < PAIR_IDS_MAX);
			ids[n++] = frame.id;
			sccp_frame_drop(&q, &frame);
		}
	} while (pair_phone_to_server(&p) || pair_server_to_phone(&p));
	bytes_queue_deinit(&q);
	pair_deinit(&p);
	return n;
}

static unsigned count(const uint32_t *ids, unsigned n, uint32_t id)
{
	unsigned times = 0;
	for (unsigned i = 0; i < n; i++)
		times += ids[i] == id;
	return times;
}

static void each_asks_in_its_own_order(void **state)
{
	static const struct {
		const char *name;
		uint32_t first, last;
		unsigned lines, forwards, dials, features, services, available;
	} cases[] = {
		{"7912", SCCP_ID_ALARM, SCCP_ID_TIME_DATE_REQ, PAIR_LINES, 0, 4,
			1, 0, 1},
		{"7960", SCCP_ID_ALARM, SCCP_ID_TIME_DATE_REQ, PAIR_LINES,
			PAIR_LINES, 4, 1, 0, 1},
		/* Below version 15 a lamp is a plain speed dial. */
		{"7961-v11", SCCP_ID_ALARM, SCCP_ID_TIME_DATE_REQ, PAIR_LINES,
			PAIR_LINES, PAIR_DIALS, 1, PAIR_SERVICES, 1},
		{"7975", SCCP_ID_XML_ALARM, SCCP_ID_TIME_DATE_REQ, PAIR_LINES,
			PAIR_LINES, PAIR_DIALS, PAIR_FEATURES, PAIR_SERVICES,
			1},
		{"8945", SCCP_ID_XML_ALARM, SCCP_ID_TIME_DATE_REQ, PAIR_LINES,
			PAIR_LINES, PAIR_DIALS, PAIR_FEATURES, PAIR_SERVICES,
			0},
		{"spa504g", SCCP_ID_ALARM, SCCP_ID_AVAILABLE_LINES, PAIR_LINES,
			PAIR_LINES, PAIR_DIALS, 0, 0, 1},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint32_t ids[PAIR_IDS_MAX] = {0};
		unsigned n = questions(cases[i].name, ids);
		assert_in_range(n, 1, PAIR_IDS_MAX);
		print_message("# %s: %u messages\n", cases[i].name, n);
		assert_int_equal(ids[0], cases[i].first);
		assert_int_equal(ids[n - 1], cases[i].last);
		const struct {
			uint32_t id;
			unsigned times;
		} all[] = {
			{SCCP_ID_LINE_STAT_REQ, cases[i].lines},
			{SCCP_ID_FORWARD_STAT_REQ, cases[i].forwards},
			{SCCP_ID_SPEED_DIAL_STAT_REQ, cases[i].dials},
			{SCCP_ID_FEATURE_STAT_REQ, cases[i].features},
			{SCCP_ID_SERVICE_URL_STAT_REQ, cases[i].services},
			{SCCP_ID_AVAILABLE_LINES, cases[i].available},
		};
		for (size_t k = 0; k < sizeof(all) / sizeof(*all); k++)
			assert_int_equal(
				count(ids, n, all[k].id), all[k].times);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_registers_in_every_way_of_cutting),
		cmocka_unit_test(each_stays_for_hours),
		cmocka_unit_test(each_is_a_model_that_exists_and_says_so),
		cmocka_unit_test(each_says_why_it_came_back),
		cmocka_unit_test(
			macs_and_names_are_written_as_each_writes_them),
		cmocka_unit_test(each_asks_in_its_own_order),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name(
		"sccp generation", tests, NULL, NULL);
}
