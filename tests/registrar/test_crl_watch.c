/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about warnings of lists that end: each once, and of those in force. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "registrar/crl_watch.h"
#include "tests/certs/made.h"

enum { DAY = 86400 };

static char *folder;
static X509 *ca;

static void write_list(const char *name, int64_t number, time_t to)
{
	X509_CRL *crl = made_crl(&(struct made_crl){.ca = ca,
		.key = made_key("rsa2048", 1),
		.number = number,
		.to = to});
	made_crl_pem(folder, name, crl);
	X509_CRL_free(crl);
}

static struct trust_snapshot *load(uint64_t generation)
{
	struct trust_snapshot *s = NULL;
	struct diag d = {.text = ""};
	const struct trust_load what = {
		.dir = folder, .generation = generation};
	if (trust_snapshot_load(&what, &s, &d))
		fail_msg("%s", d.text);
	return s;
}

static void a_list_is_warned_of_once_when_it_ends(void **state)
{
	static struct crl_watch w = {.lock = PTHREAD_MUTEX_INITIALIZER};
	folder = made_folder();
	ca = made_ca("CAPF-00000001", 1);
	made_pem(folder, "capf.pem", ca);
	write_list("old.crl", 1, MADE_NOW + 60); /* superseded: nothing */
	write_list("new.crl", 2, MADE_NOW + 10 * DAY);
	struct trust_snapshot *s = load(1);
	assert_int_equal(crl_watch_look(&w, s, MADE_NOW), 0);
	assert_int_equal(crl_watch_look(&w, s, MADE_NOW + 9 * DAY - 1), 0);
	assert_int_equal(crl_watch_look(&w, s, MADE_NOW + 9 * DAY), 1);
	assert_int_equal(crl_watch_look(&w, s, MADE_NOW + 9 * DAY + 10), 0);
	assert_int_equal(crl_watch_look(&w, s, MADE_NOW + 10 * DAY), 1);
	assert_int_equal(crl_watch_look(&w, s, MADE_NOW + 99 * DAY), 0);
	/* A reload says it again. */
	trust_snapshot_unref(s);
	s = load(2);
	assert_int_equal(crl_watch_look(&w, s, MADE_NOW + 99 * DAY), 1);
	trust_snapshot_unref(s);
	/* The next list came in time. */
	write_list("new.crl", 3, MADE_NOW + 200 * DAY);
	s = load(3);
	assert_int_equal(crl_watch_look(&w, s, MADE_NOW + 99 * DAY), 0);
	trust_snapshot_unref(s);
	X509_free(ca);
	made_folder_end(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_is_warned_of_once_when_it_ends),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("crl_watch", tests, NULL, NULL);
}
