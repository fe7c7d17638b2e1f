/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about how an operation of CAPF's stands, in CUCM's words and ours. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/capf/records.h"
#include "registrar/capf/status.h"

/* The schema's 34, made of its structure rather than listed again. */
static const char *const words[] = {"Upgrade", "Delete", "Troubleshoot"};
static const char *const tails[] = {"Invalid LSC",
	"Invalid Authentication String", "Invalid MIC", "Invalid Credentials",
	"Phone Communication Failure", "Key Generation Failed/Timeout",
	"CA Communication Failure", "CA Rejected Connection",
	"User Initiated Request Late/Timedout"};

static char wanted[CAPF_STATUSES][80];

static int make_wanted(void **state)
{
	size_t n = 1;
	strcpy(wanted[n++], "None");
	strcpy(wanted[n++], "Operation Pending");
	for (size_t w = 0; w < 3; w++)
		snprintf(wanted[n++], 80, "%s Success", words[w]);
	for (size_t w = 0; w < 3; w++)
		snprintf(wanted[n++], 80, "%s Failed", words[w]);
	for (size_t w = 0; w < 3; w++)
		for (size_t t = 0; t < 9; t++)
			if (w < 2 || strncmp(tails[t], "CA ", 3) != 0)
				snprintf(wanted[n++], 80, "%s Failed: %s",
					words[w], tails[t]);
	strcpy(wanted[n++],
		"Upgrade Failed: No Support for EC only in CAPF version 3");
	assert_int_equal(n, CAPF_STATUSES);
	return 0;
}

static void every_answer_is_one_of_the_34_and_each_is_given(void **state)
{
	unsigned given[CAPF_STATUSES] = {0};
	for (int kind = 0; kind < CAPF_KINDS; kind++)
		for (int s = CAPF_STATE_NONE; s <= CAPF_STATE_FAILED; s++)
			for (int why = 0; why < CAPF_WHYS; why++)
				for (int mode = CAPF_MODE_STRING;
					mode <= CAPF_MODE_MIC; mode++) {
					unsigned number = capf_status_number(
						kind, s, why, mode);
					assert_in_range(number, 1, 34);
					assert_string_equal(
						capf_status_text(
							kind, s, why, mode),
						wanted[number]);
					given[number]++;
				}
	for (unsigned i = 1; i < CAPF_STATUSES; i++)
		if (given[i] == 0)
			fail_msg("nothing answers %u, %s", i, wanted[i]);
}

static const struct {
	enum capf_kind kind;
	enum capf_state state;
	enum capf_why why;
	enum capf_mode mode;
	unsigned number;
} rows[] = {
#define ROW(kind, state, why, mode, number)                      \
	{                                                        \
		CAPF_##kind, CAPF_STATE_##state, CAPF_WHY_##why, \
			CAPF_MODE_##mode, number                 \
	}
	ROW(NONE, FAILED, LATE, LSC, 1),
	ROW(INSTALL, NONE, LATE, LSC, 1),
	ROW(INSTALL, PENDING, NOTHING, LSC, 2),
	ROW(TROUBLESHOOT, PENDING, NOTHING, STRING, 2),
	/* a CA outside takes its time, which is no failure until it ends */
	ROW(INSTALL, PENDING, CA_WAITING, MIC, 2),
	ROW(INSTALL, FAILED, CA_WAITING, MIC, 6),
	/* the last failure shows while the phone may come again */
	ROW(INSTALL, PENDING, NOT_TRUSTED, LSC, 9),
	ROW(INSTALL, PENDING, WRONG_STRING, STRING, 10),
	ROW(INSTALL, FAILED, BAD_PROOF, MIC, 11),
	ROW(DELETE, FAILED, OTHER_DEVICE, LSC, 18),
	ROW(TROUBLESHOOT, FAILED, PRECEDENCE, MIC, 29),
	/* a certificate that no mode asked for */
	ROW(INSTALL, FAILED, BAD_PROOF, STRING, 12),
	ROW(INSTALL, FAILED, NULL_ENDED, NULL_STRING, 12),
	/* what came before success is over */
	ROW(INSTALL, DONE, PHONE_GONE, LSC, 3),
	ROW(DELETE, DONE, NOTHING, LSC, 4),
	ROW(TROUBLESHOOT, DONE, NOTHING, LSC, 5),
	/* tails that not every operation has */
	ROW(INSTALL, FAILED, CA_UNREACHABLE, LSC, 15),
	ROW(DELETE, FAILED, CA_REFUSED, LSC, 25),
	ROW(TROUBLESHOOT, FAILED, CA_UNREACHABLE, LSC, 8),
	ROW(TROUBLESHOOT, FAILED, CA_UNFIT, LSC, 8),
	ROW(INSTALL, FAILED, NO_EC, LSC, 34),
	ROW(DELETE, FAILED, NO_EC, LSC, 7),
	ROW(TROUBLESHOOT, FAILED, NO_EC, LSC, 8),
	/* reasons that CUCM has no words for */
	ROW(INSTALL, FAILED, CLOCK, LSC, 6),
	ROW(INSTALL, FAILED, CANCELLED, LSC, 6),
	ROW(DELETE, FAILED, NOTHING, LSC, 7),
	ROW(TROUBLESHOOT, FAILED, LATE, LSC, 33),
#undef ROW
};

static void a_reason_gives_its_status(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned number = capf_status_number(
			rows[i].kind, rows[i].state, rows[i].why, rows[i].mode);
		if (number != rows[i].number)
			fail_msg("row %zu: %s instead of %s", i, wanted[number],
				wanted[rows[i].number]);
	}
}

static void names_are_found_again_whatever_their_case(void **state)
{
	for (int i = 0; i < CAPF_KINDS; i++) {
		assert_int_equal(capf_kind_find(capf_kind_name(i)), i);
		assert_int_equal(capf_kind_find(capf_kind_cucm(i)), i);
	}
	for (int i = CAPF_MODE_STRING; i <= CAPF_MODE_MIC; i++) {
		assert_int_equal(capf_mode_find(capf_mode_name(i)), i);
		assert_int_equal(capf_mode_find(capf_mode_cucm(i)), i);
	}
	for (int i = 0; i < CAPF_WHYS; i++) {
		assert_int_equal(capf_why_find(capf_why_name(i)), i);
		assert_int_equal(*capf_why_text(i) == '\0', i == 0);
	}
	for (int i = CAPF_STATE_NONE; i <= CAPF_STATE_FAILED; i++)
		assert_int_equal(capf_state_find(capf_state_name(i)), i);
	for (int i = 0; i < CAPF_ISSUED_STATES; i++)
		assert_int_equal(capf_issued_find(capf_issued_name(i)), i);
	assert_int_equal(capf_kind_find("INSTALL/upgrade"), CAPF_INSTALL);
	assert_int_equal(
		capf_mode_find("by null string"), CAPF_MODE_NULL_STRING);
	assert_int_equal(capf_issued_find("Stale"), CAPF_ISSUED_STALE);
}

static void what_is_no_name_is_not_found(void **state)
{
	const char *const none[] = {"", "upgrade ", "instal", "unheard-of"};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_int_equal(capf_kind_find(none[i]), -1);
		assert_int_equal(capf_mode_find(none[i]), -1);
		assert_int_equal(capf_why_find(none[i]), -1);
		assert_int_equal(capf_state_find(none[i]), -1);
		assert_int_equal(capf_issued_find(none[i]), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_answer_is_one_of_the_34_and_each_is_given),
		cmocka_unit_test(a_reason_gives_its_status),
		cmocka_unit_test(names_are_found_again_whatever_their_case),
		cmocka_unit_test(what_is_no_name_is_not_found),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name(
		"capf_status", tests, make_wanted, NULL);
}
