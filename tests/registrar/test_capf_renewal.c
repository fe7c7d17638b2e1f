/* SPDX-License-Identifier: Apache-2.0 */
/* When an LSC is renewed: the last third, spread, in hours, if it gains. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "registrar/capf/renewal.h"

enum { DAY = 86400, LIFE = 1800 * DAY };

static const int64_t begin = 1700000000;

static struct capf_issued lsc(unsigned chance)
{
	return (struct capf_issued){.not_before = begin,
		.not_after = begin + LIFE,
		.sha256 = {(uint8_t)(chance >> 8), (uint8_t)chance}};
}

static void is_due_in_the_first_half_of_the_last_third(void **state)
{
	int64_t last = 0;
	for (unsigned chance = 0; chance < 65536; chance += 257) {
		struct capf_issued i = lsc(chance);
		int64_t at = capf_renewal_due(&i);
		assert_in_range(at, begin + LIFE * 2 / 3,
			begin + LIFE * 2 / 3 + LIFE / 6);
		assert_true(at > last);
		last = at;
	}
	assert_true(last > begin + LIFE * 2 / 3 + LIFE / 600 * 99);
}

static void does_not_renew_what_the_root_would_cut_short(void **state)
{
	struct capf_issued i = lsc(0);
	struct config c = {.capf_validity_days = 1800};
	int64_t now = i.not_after - 10 * DAY;
	assert_true(capf_renewal_gains(&i, &c, 0, now));
	assert_true(capf_renewal_gains(&i, &c, i.not_after + 180 * DAY, now));
	assert_false(capf_renewal_gains(&i, &c, i.not_after + 179 * DAY, now));
	assert_false(capf_renewal_gains(&i, &c, i.not_after, now));
	c.capf_validity_days = 30; /* shorter lives than before */
	assert_false(capf_renewal_gains(&i, &c, 0, now));
}

static int64_t at_hour(int hour)
{
	struct tm tm = {.tm_year = 126,
		.tm_mon = 10,
		.tm_mday = 26,
		.tm_hour = hour,
		.tm_min = 59,
		.tm_isdst = -1};
	return mktime(&tm);
}

static void keeps_to_the_hours(void **state)
{
	struct config c = {.capf_renew_from = 1, .capf_renew_to = 5};
	assert_false(capf_renewal_hour(&c, at_hour(0)));
	assert_true(capf_renewal_hour(&c, at_hour(1)));
	assert_true(capf_renewal_hour(&c, at_hour(4)));
	assert_false(capf_renewal_hour(&c, at_hour(5)));
	c = (struct config){.capf_renew_from = 22, .capf_renew_to = 2};
	assert_true(capf_renewal_hour(&c, at_hour(23)));
	assert_true(capf_renewal_hour(&c, at_hour(0)));
	assert_false(capf_renewal_hour(&c, at_hour(2)));
	c = (struct config){.capf_renew_from = 20, .capf_renew_to = 24};
	assert_true(capf_renewal_hour(&c, at_hour(23)));
	assert_false(capf_renewal_hour(&c, at_hour(0)));
	c = (struct config){.capf_renew_from = 3, .capf_renew_to = 3};
	assert_true(capf_renewal_hour(&c, at_hour(12)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_due_in_the_first_half_of_the_last_third),
		cmocka_unit_test(does_not_renew_what_the_root_would_cut_short),
		cmocka_unit_test(keeps_to_the_hours),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
