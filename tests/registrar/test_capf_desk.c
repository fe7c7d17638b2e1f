/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about CAPF's desk: what phones are answered, and what is kept. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "tests/registrar/office.h"

enum { DAY_S = 86400 };

static const char sep1[] = "SEP000000000001", sep2[] = "SEP000000000002";

static struct diag d;

#define ANSWERS(a, text)                                          \
	do {                                                      \
		struct capf_answer answer_ = (a);                 \
		assert_string_equal(office_text(&answer_), text); \
	} while (0)

static void open_with(const char *device)
{
	office_start();
	office_add(device, "ec");
}

/* ---- a whole visit ---- */

static void an_install_ends_with_an_installed_lsc(void **state)
{
	open_with(sep1);
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	struct capf_visit *v = office_visit();
	ANSWERS(office_auth(v, "sep000000000001", 3, NULL), "GENERATE EC-256");
	assert_string_equal(capf_visit_device(v), sep1);
	assert_int_equal(capf_desk_state(office.desk).making_keys, 1);
	struct capf_answer a = office_key(v, made_key("p256", 1));
	ANSWERS(a, "STORE");
	assert_int_equal(capf_desk_state(office.desk).making_keys, 0);
	const unsigned char *der = a.der;
	X509 *cert = d2i_X509(NULL, &der, (long)a.n);
	struct cert_identity id;
	assert_int_equal(cert_identity_read(cert, &id), 0);
	assert_string_equal(id.device, sep1);
	X509_free(cert);
	assert_string_equal(office_ledger(sep1), "stale");
	assert_string_equal(office_operation(sep1).serial, id.serial);
	ANSWERS(office_reason(v, CAPF_SERVER_STORED, 1), "END 1 none");
	assert_string_equal(office_state(sep1), "done none");
	assert_string_equal(office_ledger(sep1), "installed");
	assert_string_equal(
		office_chain(), "ordered admitted issued installed");
	office_leave(v, NULL);
	office_settle();
	assert_int_equal(capf_desk_state(office.desk).issued, 1);
}

static void a_new_lsc_replaces_the_old_one(void **state)
{
	open_with(sep1);
	office_install(sep1, 1);
	office_install(sep1, 2);
	assert_string_equal(office_ledger(sep1), "replaced installed");
}

static void who_has_nothing_to_do_hears_so_and_leaves_no_trace(void **state)
{
	open_with(sep1);
	struct capf_visit *v2 = office_visit(), *v3 = office_visit();
	ANSWERS(office_auth(v2, sep1, 2, NULL), "END 7 none");
	ANSWERS(office_auth(v3, sep1, 3, NULL), "END 0 none");
	assert_string_equal(capf_visit_device(v3), "");
	assert_string_equal(office_chain(), "");
	office_leave(v2, NULL);
	office_leave(v3, NULL);
}

static void a_stranger_is_told_so_and_cannot_fill_the_chain(void **state)
{
	char name[32];
	office_start();
	for (int i = 0; i < 100; i++) {
		struct capf_visit *v = office_visit();
		snprintf(name, sizeof(name), "SEP0000000001%02d", i);
		ANSWERS(office_auth(v, name, 3, NULL), "END 9 device-gone");
		office_leave(v, NULL);
	}
	size_t n = strlen(office_chain());
	assert_true(n >= strlen("refused ") * 50);
	assert_true(n <= strlen("refused ") * 60);
}

/* ---- authentication strings ---- */

static struct capf_answer come_with(const char *device, const char *password)
{
	struct capf_visit *v = office_visit();
	struct capf_answer a = office_auth(v, device, 3, password);
	office_leave(v, a.what == CAPF_ANSWER_END ? NULL : "phone-gone");
	a.detail = "";
	return a;
}

static void the_string_lets_in_and_serves_until_it_is_done(void **state)
{
	open_with(sep1);
	const char *string = office_order(sep1, CAPF_INSTALL, CAPF_MODE_STRING);
	assert_int_equal(strlen(string), 6);
	ANSWERS(come_with(sep1, string), "GENERATE EC-256");
	office_settle();
	assert_string_equal(office_state(sep1), "pending phone-gone");
	/* Cut off, it may come again with it. */
	struct capf_visit *v = office_visit();
	ANSWERS(office_auth(v, sep1, 3, string), "GENERATE EC-256");
	office_key(v, made_key("p256", 1));
	ANSWERS(office_reason(v, CAPF_SERVER_STORED, 1), "END 1 none");
	office_leave(v, NULL);
	static const uint8_t none[CAPF_HASH];
	assert_memory_equal(office_operation(sep1).hash, none, CAPF_HASH);
	ANSWERS(come_with(sep1, string), "END 0 none");
}

static void three_wrong_strings_void_it_also_over_a_restart(void **state)
{
	open_with(sep1);
	const char *string = office_order(sep1, CAPF_INSTALL, CAPF_MODE_STRING);
	ANSWERS(come_with(sep1, ""), "END 7 no-string");
	ANSWERS(come_with(sep1, NULL), "END 7 no-string");
	ANSWERS(come_with(sep1, "000"), "END 7 wrong-string");
	assert_int_equal(office_operation(sep1).wrong_strings, 1);
	office_restart();
	ANSWERS(come_with(sep1, "000"), "END 7 wrong-string");
	ANSWERS(come_with(sep1, "000"), "END 7 string-locked");
	assert_string_equal(office_state(sep1), "failed string-locked");
	ANSWERS(come_with(sep1, string), "END 0 none");
}

static void strings_and_null_strings_end(void **state)
{
	open_with(sep1);
	office_add(sep2, "ec");
	const char *string = office_order(sep1, CAPF_INSTALL, CAPF_MODE_STRING);
	office_order(sep2, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	__atomic_add_fetch(&office.now, DAY_S - 1, __ATOMIC_RELAXED);
	ANSWERS(come_with(sep2, NULL), "GENERATE EC-256");
	__atomic_add_fetch(&office.now, 1, __ATOMIC_RELAXED);
	ANSWERS(come_with(sep2, NULL), "END 7 null-string-ended");
	__atomic_add_fetch(&office.now, 2 * DAY_S, __ATOMIC_RELAXED);
	ANSWERS(come_with(sep1, string), "END 7 string-expired");
	assert_string_equal(office_state(sep1), "pending string-expired");
}

/* ---- what goes wrong at the phone ---- */

static void a_visit_cut_off_is_delivered_again(void **state)
{
	char serial[CERT_SERIAL_MAX + 1];
	open_with(sep1);
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	struct capf_visit *v = office_visit();
	office_auth(v, sep1, 3, NULL);
	ANSWERS(office_key(v, made_key("p256", 1)), "STORE");
	strcpy(serial, office_operation(sep1).serial);
	office_leave(v, "phone-gone");
	office_settle();
	assert_string_equal(office_state(sep1), "pending phone-gone");
	v = office_visit();
	office_auth(v, sep1, 3, NULL);
	ANSWERS(office_key(v, made_key("p256", 1)), "STORE");
	assert_string_equal(office_operation(sep1).serial, serial);
	assert_string_equal(office_ledger(sep1), "stale");
	office_leave(v, "phone-gone");
	/* Another key is another LSC. */
	v = office_visit();
	office_auth(v, sep1, 3, NULL);
	ANSWERS(office_key(v, made_key("p256", 2)), "STORE");
	assert_string_not_equal(office_operation(sep1).serial, serial);
	ANSWERS(office_reason(v, CAPF_SERVER_STORED, 1), "END 1 none");
	office_leave(v, NULL);
	assert_string_equal(office_ledger(sep1), "replaced installed");
	assert_int_equal(capf_desk_state(office.desk).delivered_again, 1);
}

static void an_lsc_in_use_is_installed_whatever_was_heard(void **state)
{
	struct capf_issued i;
	open_with(sep1);
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	struct capf_visit *v = office_visit();
	office_auth(v, sep1, 3, NULL);
	office_key(v, made_key("p256", 1));
	office_leave(v, "phone-gone");
	office_settle();
	capf_store_newest(
		capf_desk_look(office.desk), sep1, CAPF_ISSUED_STALE, &i, &d);
	capf_desk_looked(office.desk);
	office_restart(); /* the stale ones are counted */
	capf_desk_registered(office.desk, i.device, i.sha256);
	for (int n = 0; strcmp(office_ledger(sep1), "installed"); n++)
		assert_true(n < 1000000);
	assert_string_equal(office_state(sep1), "done none");
}

/* Comes for an LSC, which it may or may not have kept. */
static struct capf_issued come_and_go(int key)
{
	struct capf_issued i;
	struct capf_visit *v = office_visit();
	office_auth(v, sep1, 3, NULL);
	ANSWERS(office_key(v, made_key("p256", key)), "STORE");
	office_leave(v, "phone-gone");
	office_settle();
	capf_store_newest(
		capf_desk_look(office.desk), sep1, CAPF_ISSUED_STALE, &i, &d);
	capf_desk_looked(office.desk);
	return i;
}

static void who_uses_an_lsc_may_have_a_newer_one_already(void **state)
{
	open_with(sep1);
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	struct capf_issued first = come_and_go(1), second = come_and_go(2);
	capf_desk_registered(office.desk, sep1, first.sha256);
	office_restart();
	assert_string_equal(office_ledger(sep1), "installed stale");
	assert_string_equal(office_state(sep1), "pending phone-gone");
	capf_desk_registered(office.desk, sep1, second.sha256);
	office_restart();
	assert_string_equal(office_ledger(sep1), "replaced installed");
	assert_string_equal(office_state(sep1), "done none");
}

static void a_phone_that_does_not_store_leaves_a_stale_lsc(void **state)
{
	open_with(sep1);
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	struct capf_visit *v = office_visit();
	office_auth(v, sep1, 3, NULL);
	office_key(v, made_key("p256", 1));
	ANSWERS(office_reason(v, CAPF_SERVER_STORED, 7), "END 7 phone-refused");
	office_leave(v, NULL);
	assert_string_equal(office_state(sep1), "pending phone-refused");
	assert_string_equal(office_ledger(sep1), "stale");
}

static void keys_that_fail_are_counted(void **state)
{
	open_with(sep1);
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	for (int i = 0; i < 2; i++) {
		struct capf_visit *v = office_visit();
		office_auth(v, sep1, 3, NULL);
		ANSWERS(office_reason(v, CAPF_SERVER_KEY, 7),
			"END 7 key-failed");
		office_leave(v, NULL);
	}
	assert_string_equal(office_state(sep1), "pending key-failed");
	/* Silence counts, too. */
	struct capf_visit *v = office_visit();
	office_auth(v, sep1, 3, NULL);
	office_leave(v, "capf-silent");
	office_settle();
	assert_string_equal(office_state(sep1), "failed key-late");
}

static void how_a_visit_ends_is_kept(void **state)
{
	static const struct {
		const char *rule, *state;
	} ends[] = {
		{"capf-order", "pending phone-protocol"},
		{"phone-gone", "pending phone-gone"},
		{"capf-silent", "pending phone-silent"},
	};
	open_with(sep1);
	office_order(sep1, CAPF_DELETE, CAPF_MODE_NULL_STRING);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct capf_visit *v = office_visit();
		ANSWERS(office_auth(v, sep1, 3, NULL), "ERASE");
		office_leave(v, ends[i].rule);
		office_settle();
		assert_string_equal(office_state(sep1), ends[i].state);
	}
}

static void the_newest_visit_of_a_phone_counts(void **state)
{
	open_with(sep1);
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	struct capf_visit *old = office_visit(), *new = office_visit();
	office_auth(old, sep1, 3, NULL);
	ANSWERS(office_auth(new, sep1, 3, NULL), "GENERATE EC-256");
	ANSWERS(office_answer(old), "END 7 phone-gone");
	office_leave(old, NULL);
	ANSWERS(office_key(new, made_key("p256", 1)), "STORE");
	ANSWERS(office_reason(new, CAPF_SERVER_STORED, 1), "END 1 none");
	office_leave(new, NULL);
	assert_string_equal(office_state(sep1), "done none");
}

/* ---- delete, troubleshoot ---- */

static void a_deleted_lsc_is_deleted_in_the_ledger(void **state)
{
	open_with(sep1);
	office_install(sep1, 1);
	office_order(sep1, CAPF_DELETE, CAPF_MODE_NULL_STRING);
	struct capf_visit *v = office_visit();
	ANSWERS(office_auth(v, sep1, 2, NULL), "ERASE");
	ANSWERS(office_reason(v, CAPF_SERVER_ERASED, 7), "END 1 phone-refused");
	office_leave(v, NULL);
	assert_string_equal(office_ledger(sep1), "installed");
	assert_string_equal(office_state(sep1), "pending phone-refused");
	v = office_visit();
	ANSWERS(office_auth(v, sep1, 2, NULL), "ERASE");
	ANSWERS(office_reason(v, CAPF_SERVER_ERASED, 1), "END 1 none");
	office_leave(v, NULL);
	assert_string_equal(office_ledger(sep1), "deleted");
	assert_string_equal(office_state(sep1), "done none");
}

/* FETCHED with these certificates, all said to be of type 1. */
static struct capf_answer show(
	struct capf_visit *v, X509 *const *certs, size_t n, unsigned type)
{
	struct capf_server_event e = {
		.type = CAPF_SERVER_FETCHED, .reason = 1, .n_certs = n};
	unsigned char *der[CAPF_CERTS_MAX] = {NULL};
	for (size_t i = 0; i < n; i++) {
		int size = i2d_X509(certs[i], &der[i]);
		e.certs[i].type = type;
		e.certs[i].der = (struct capf_bytes){der[i], (size_t)size};
	}
	struct capf_answer a = office_tell(v, &e);
	for (size_t i = 0; i < n; i++)
		OPENSSL_free(der[i]);
	return a;
}

static bool add_type(void *self, const struct capf_shown *c)
{
	unsigned *types = self;
	*types = *types * 10 + c->type;
	return true;
}

static unsigned shown(const char *device)
{
	unsigned types = 0;
	capf_store_shown(
		capf_desk_look(office.desk), device, add_type, &types, &d);
	capf_desk_looked(office.desk);
	return types;
}

static void what_a_phone_shows_is_kept(void **state)
{
	X509 *lsc = made_leaf(sep1, office.mic_ca, 9);
	open_with(sep1);
	office_order(sep1, CAPF_TROUBLESHOOT, CAPF_MODE_NULL_STRING);
	struct capf_visit *v = office_visit();
	ANSWERS(office_auth(v, sep1, 3, NULL), "FETCH 0");
	ANSWERS(show(v, &lsc, 1, 1), "END 0 none");
	office_leave(v, NULL);
	assert_int_equal(shown(sep1), 1);
	assert_string_equal(office_state(sep1), "done none");
	X509_free(lsc);
}

static void two_certificates_are_lsc_and_mic_whatever_they_are_called(
	void **state)
{
	X509 *const certs[] = {made_leaf(sep1, office.mic_ca, 9),
		made_leaf(sep1, office.mic_ca, 9)};
	open_with(sep1);
	office_order(sep1, CAPF_TROUBLESHOOT, CAPF_MODE_NULL_STRING);
	struct capf_visit *v = office_visit();
	office_auth(v, sep1, 3, NULL);
	ANSWERS(show(v, certs, 2, 1), "END 0 none");
	office_leave(v, NULL);
	assert_int_equal(shown(sep1), 12);
	X509_free(certs[0]);
	X509_free(certs[1]);
}

static void a_mic_that_is_not_given_fails_nothing(void **state)
{
	X509 *lsc = made_leaf(sep1, office.mic_ca, 9);
	office.config->capf_fetch_mic = true;
	open_with(sep1);
	for (unsigned version = 2; version <= 3; version++) {
		office_order(sep1, CAPF_TROUBLESHOOT, CAPF_MODE_NULL_STRING);
		struct capf_visit *v = office_visit();
		ANSWERS(office_auth(v, sep1, version, NULL), "FETCH 0");
		ANSWERS(show(v, &lsc, 1, 1),
			version == 2 ? "END 0 none" : "FETCH 2");
		assert_string_equal(office_state(sep1), "done none");
		office_leave(v, version == 2 ? NULL : "phone-gone");
		office_settle();
		assert_string_equal(office_state(sep1), "done none");
	}
	X509_free(lsc);
}

static void a_phone_that_shows_nothing_has_refused(void **state)
{
	open_with(sep1);
	office_order(sep1, CAPF_TROUBLESHOOT, CAPF_MODE_NULL_STRING);
	struct capf_visit *v = office_visit();
	office_auth(v, sep1, 3, NULL);
	ANSWERS(office_reason(v, CAPF_SERVER_FETCHED, 7),
		"END 0 phone-refused");
	office_leave(v, NULL);
	assert_string_equal(office_state(sep1), "pending phone-refused");
}

/* ---- the clock, and the disk ---- */

static void a_clock_before_the_ledger_issues_nothing(void **state)
{
	open_with(sep1);
	office_add(sep2, "ec");
	office_install(sep1, 1);
	__atomic_sub_fetch(&office.now, 301, __ATOMIC_RELAXED);
	office_order(sep2, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	ANSWERS(come_with(sep2, NULL), "END 7 clock");
	assert_string_equal(office_state(sep2), "pending clock");
	struct capf_desk_state s = capf_desk_state(office.desk);
	assert_non_null(strstr(s.halted, "ledger"));
	assert_non_null(strstr(s.halted, "dialtone capf clock --accept"));
	assert_int_equal(s.halted_since, office.now);
	__atomic_add_fetch(&office.now, 1, __ATOMIC_RELAXED);
	capf_desk_tend(office.desk);
	assert_string_equal(capf_desk_state(office.desk).halted, "");
	office_install(sep2, 2);
}

/* Who came in with an LSC of it would be locked out by the next handshake. */
static void a_root_that_a_store_lacks_issues_nothing(void **state)
{
	open_with(sep1);
	office_install(sep1, 1);
	office_distrust();
	office_add(sep2, "ec");
	office_order(sep2, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	ANSWERS(come_with(sep2, NULL), "END 7 root-not-trusted");
	assert_string_equal(office_state(sep2), "pending root-not-trusted");
	const struct capf_desk_state s = capf_desk_state(office.desk);
	assert_non_null(strstr(s.halted, "CallManager-trust"));
	assert_non_null(strstr(s.halted, "dialtone trust add CAPF-"));
	assert_true(s.halted_since > 0);
	office_trust();
	capf_desk_tend(office.desk);
	assert_string_equal(capf_desk_state(office.desk).halted, "");
	office_install(sep2, 2);
}

static void on_clock(const char *device, bool right, size_t ahead)
{
	struct capf_clock *c = malloc(sizeof(*c));
	assert_int_equal(capf_desk_clock(office.desk, c, &d), 0);
	assert_int_equal(c->now, office.now);
	assert_int_equal(c->right, right);
	assert_int_equal(!*c->why, right);
	assert_int_equal(c->ahead, ahead);
	if (ahead)
		assert_string_equal(c->devices[0], device);
	free(c);
}

static void an_admin_s_word_ends_what_a_clock_that_was_ahead_began(void **state)
{
	open_with(sep1);
	office_add(sep2, "ec");
	assert_int_equal(capf_desk_accept_clock(office.desk, &d), -EBUSY);
	__atomic_add_fetch(&office.now, 365 * DAY_S, __ATOMIC_RELAXED);
	office_install(sep1, 1);
	on_clock("", true, 0);
	__atomic_sub_fetch(&office.now, 365 * DAY_S, __ATOMIC_RELAXED);
	office_restart();
	capf_desk_tend(office.desk);
	on_clock(sep1, false, 1);
	assert_int_equal(capf_desk_may_accept_clock(office.desk, &d), 0);
	on_clock(sep1, false, 1);
	assert_int_equal(capf_desk_accept_clock(office.desk, &d), 0);
	assert_string_equal(capf_desk_state(office.desk).halted, "");
	on_clock(sep1, true, 1);
	assert_non_null(strstr(office_chain(), "installed clock-accepted"));
	assert_int_equal(capf_desk_accept_clock(office.desk, &d), -EBUSY);
	office_restart();
	office_install(sep2, 2);
	/* It is the time that counts now. */
	__atomic_sub_fetch(&office.now, 301, __ATOMIC_RELAXED);
	capf_desk_tend(office.desk);
	assert_non_null(strstr(capf_desk_state(office.desk).halted, "ledger"));
	office_restart();
	capf_desk_tend(office.desk);
	assert_non_null(strstr(capf_desk_state(office.desk).halted, "ledger"));
}

static void what_a_clock_that_is_behind_the_root_says_is_not_accepted(
	void **state)
{
	open_with(sep1);
	office_install(sep1, 1);
	__atomic_store_n(&office.now, MADE_NOW - 10 * DAY_S, __ATOMIC_RELAXED);
	assert_int_equal(capf_desk_accept_clock(office.desk, &d), -EPERM);
	assert_non_null(strstr(d.text, "CAPF-"));
	assert_null(strstr(office_chain(), "clock-accepted"));
}

static void the_chain_is_walked_while_phones_are_served(void **state)
{
	struct capf_audit head;
	struct capf_progress p = {.stop = false};
	open_with(sep1);
	for (int i = 0; i < 1200; i++)
		assert_int_equal(
			capf_desk_note(office.desk, "note", "", &d), 0);
	assert_int_equal(capf_desk_check_audit(office.desk, &p, &head, &d), 0);
	assert_int_equal(head.number, 1200);
	p.stop = true;
	assert_int_equal(
		capf_desk_check_audit(office.desk, &p, &head, &d), -ECANCELED);
}

static void an_order_that_nobody_wants_any_more_queues_nothing(void **state)
{
	const char *name = sep1;
	struct capf_progress p = {.stop = true};
	struct capf_ordered result;
	open_with(sep1);
	const struct capf_order order = {.kind = CAPF_INSTALL,
		.mode = CAPF_MODE_STRING,
		.origin = "admin",
		.progress = &p};
	assert_int_equal(
		capf_desk_order(office.desk, &order, &name, 1, &result, &d),
		-ECANCELED);
	assert_string_equal(office_chain(), "");
	p.stop = false;
	assert_int_equal(
		capf_desk_order(office.desk, &order, &name, 1, &result, &d), 0);
	assert_int_equal(p.done, 0);
	assert_int_equal(p.all, 0);
}

static void a_clock_outside_the_root_s_life_issues_nothing(void **state)
{
	open_with(sep1);
	__atomic_store_n(&office.now, MADE_NOW - 10 * DAY_S, __ATOMIC_RELAXED);
	capf_desk_tend(office.desk);
	assert_non_null(strstr(capf_desk_state(office.desk).halted, "CAPF-"));
	__atomic_store_n(&office.now, MADE_NOW + 2000 * (int64_t)DAY_S,
		__ATOMIC_RELAXED);
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	ANSWERS(come_with(sep1, NULL), "END 7 clock");
}

/* No file may grow: a disk that is full, for this process alone. */
static void limit_files(rlim_t bytes)
{
	struct rlimit limit = {bytes, RLIM_INFINITY};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_gives_no_certificate_away(void **state)
{
	open_with(sep1);
	const char *string = office_order(sep1, CAPF_INSTALL, CAPF_MODE_STRING);
	struct capf_visit *v = office_visit();
	office_auth(v, sep1, 3, string);
	limit_files(0);
	ANSWERS(office_key(v, made_key("p256", 1)), "END 7 not-written");
	office_leave(v, NULL);
	/* Right or wrong, nobody learns which. */
	ANSWERS(come_with(sep1, "000"), "END 7 not-written");
	ANSWERS(come_with(sep1, string), "END 7 not-written");
	limit_files(RLIM_INFINITY);
	assert_string_equal(office_state(sep1), "pending none");
	assert_string_equal(office_ledger(sep1), "");
	assert_int_equal(office_operation(sep1).wrong_strings, 0);
	assert_non_null(strstr(capf_desk_state(office.desk).halted, "capf.db"));
	capf_desk_tend(office.desk);
	assert_string_equal(capf_desk_state(office.desk).halted, "");
	v = office_visit();
	ANSWERS(office_auth(v, sep1, 3, string), "GENERATE EC-256");
	ANSWERS(office_key(v, made_key("p256", 1)), "STORE");
	office_leave(v, NULL);
}

static void an_order_on_a_full_disk_is_none(void **state)
{
	struct capf_ordered result;
	const char *const names[] = {sep1};
	const struct capf_order order = {.kind = CAPF_INSTALL,
		.mode = CAPF_MODE_STRING,
		.origin = "admin"};
	open_with(sep1);
	limit_files(0);
	int error = capf_desk_order(office.desk, &order, names, 1, &result, &d);
	limit_files(RLIM_INFINITY);
	assert_true(error == -EIO || error == -ENOSPC);
	assert_string_equal(result.string, "");
	assert_string_equal(office_state(sep1), "none none");
}

/* ---- orders ---- */

static void orders_say_what_came_of_each_device(void **state)
{
	struct capf_ordered results[3];
	const char *const names[] = {sep1, "SEPNOBODY", sep2};
	const struct capf_order order = {
		.kind = CAPF_INSTALL, .origin = "admin", .per_min = 2};
	open_with(sep1);
	office_add(sep2, "ec");
	assert_int_equal(
		capf_desk_order(office.desk, &order, names, 3, results, &d), 0);
	assert_int_equal(results[0].error, 0);
	assert_int_equal(results[1].error, -ENOENT);
	assert_int_equal(results[2].error, 0);
	assert_non_null(strstr(results[0].warning, "whoever names"));
	struct capf_operation o = office_operation(sep1);
	assert_int_equal(o.mode, CAPF_MODE_NULL_STRING); /* the profile's */
	assert_int_equal(o.null_until, MADE_NOW + DAY_S);
	assert_int_equal(o.turn_at, MADE_NOW);
	assert_int_equal(office_operation(sep2).turn_at, MADE_NOW + 30);
	assert_int_equal(
		capf_desk_order(office.desk, &order, names, 1, results, &d), 0);
	assert_int_equal(results[0].error, -EEXIST);
}

/* Else it would be found out when the phone comes with its key. */
static void a_name_that_no_certificate_proves_gets_no_lsc(void **state)
{
	const char *names[] = {"SEP0000000000ZZ"};
	struct capf_order order = {.kind = CAPF_INSTALL,
		.mode = CAPF_MODE_NULL_STRING,
		.origin = "admin"};
	struct capf_ordered result;
	office_start();
	office_add(names[0], "ec");
	assert_int_equal(
		capf_desk_order(office.desk, &order, names, 1, &result, &d), 0);
	assert_int_equal(result.error, -EINVAL);
	assert_non_null(strstr(result.warning, "12 hex digits"));
	assert_int_equal(office_operation(names[0]).kind, CAPF_NONE);
	order.kind = CAPF_DELETE;
	assert_int_equal(
		capf_desk_order(office.desk, &order, names, 1, &result, &d), 0);
	assert_int_equal(result.error, 0);
}

static void orders_that_make_no_sense_are_refused(void **state)
{
	static const struct capf_order orders[] = {
		{.kind = CAPF_NONE},
		{.kind = CAPF_DELETE, .completes_by = MADE_NOW},
		{.kind = CAPF_DELETE, .string_digits = 3},
		{.kind = CAPF_DELETE, .string_digits = 11},
		{.kind = CAPF_DELETE, .null_until = MADE_NOW + DAY_S + 1},
		{.kind = CAPF_DELETE, .null_until = MADE_NOW},
		{.kind = CAPF_DELETE, .string_until = MADE_NOW},
	};
	struct capf_ordered result;
	const char *const names[] = {sep1};
	open_with(sep1);
	for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
		assert_int_equal(capf_desk_order(office.desk, &orders[i], names,
					 1, &result, &d),
			-EINVAL);
	assert_string_equal(office_chain(), "");
}

static void a_deadlock_by_string_is_warned_of(void **state)
{
	struct capf_ordered result;
	const char *const names[] = {sep1};
	const struct capf_order order = {.kind = CAPF_INSTALL,
		.mode = CAPF_MODE_STRING,
		.origin = "admin",
		.replace = true,
		.string_digits = 10};
	open_with(sep1);
	assert_int_equal(
		capf_desk_order(office.desk, &order, names, 1, &result, &d), 0);
	assert_int_equal(strlen(result.string), 10);
	assert_non_null(strstr(result.warning, "neither registers nor asks"));
	office_install(sep1, 1);
	assert_int_equal(
		capf_desk_order(office.desk, &order, names, 1, &result, &d), 0);
	assert_null(strstr(result.warning, "neither registers nor asks"));
}

static void what_is_cancelled_ends_the_visit(void **state)
{
	open_with(sep1);
	assert_int_equal(capf_desk_cancel(office.desk, sep1, &d), -ENOENT);
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	struct capf_visit *v = office_visit();
	office_auth(v, sep1, 3, NULL);
	assert_int_equal(capf_desk_cancel(office.desk, sep1, &d), 0);
	ANSWERS(office_answer(v), "END 7 cancelled");
	office_leave(v, NULL);
	office_settle();
	assert_string_equal(office_state(sep1), "failed cancelled");
	assert_string_equal(office_chain(), "ordered admitted cancelled");
}

static void what_replaces_an_operation_ends_its_visit(void **state)
{
	open_with(sep1);
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	struct capf_visit *v = office_visit();
	office_auth(v, sep1, 3, NULL);
	office_order(sep1, CAPF_DELETE, CAPF_MODE_NULL_STRING);
	ANSWERS(office_answer(v), "END 7 cancelled");
	office_leave(v, NULL);
	office_settle();
	assert_string_equal(office_state(sep1), "pending none");
	assert_string_equal(office_ledger(sep1), "");
}

static void who_leaves_the_inventory_is_forgotten(void **state)
{
	open_with(sep1);
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	assert_int_equal(inventory_remove(office.inventory, sep1, &d), 0);
	capf_desk_forget(office.desk, sep1);
	ANSWERS(come_with(sep1, NULL), "END 9 device-gone");
	/* Who is there again has no part in what was pending. */
	office_add(sep1, "ec");
	ANSWERS(come_with(sep1, NULL), "END 0 none");
	assert_string_equal(office_state(sep1), "failed device-gone");
}

static void who_left_while_nobody_was_here_is_forgotten(void **state)
{
	open_with(sep1);
	office_order(sep1, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
	assert_int_equal(inventory_remove(office.inventory, sep1, &d), 0);
	office_restart(); /* killed before it heard of that */
	office_add(sep1, "ec");
	ANSWERS(come_with(sep1, NULL), "END 0 none");
	assert_string_equal(office_state(sep1), "failed device-gone");
}

static void an_operation_that_is_late_has_failed(void **state)
{
	const char *const names[] = {sep1, sep2};
	struct capf_ordered results[2];
	const struct capf_order order = {.kind = CAPF_INSTALL,
		.mode = CAPF_MODE_NULL_STRING,
		.origin = "admin",
		.completes_by = MADE_NOW + 100};
	open_with(sep1);
	office_add(sep2, "ec");
	assert_int_equal(
		capf_desk_order(office.desk, &order, names, 2, results, &d), 0);
	struct capf_visit *v = office_visit();
	office_auth(v, sep1, 3, NULL);
	__atomic_add_fetch(&office.now, 101, __ATOMIC_RELAXED);
	ANSWERS(come_with(sep2, NULL), "END 7 late");
	assert_string_equal(office_state(sep2), "failed late");
	capf_desk_tend(office.desk);
	assert_string_equal(office_state(sep1), "failed late");
	ANSWERS(office_answer(v), "END 7 late");
	office_leave(v, NULL);
}

static void phones_are_told_at_their_turn_and_once(void **state)
{
	const char *const names[] = {sep1, sep2};
	struct capf_ordered results[2];
	const struct capf_order order = {.kind = CAPF_INSTALL,
		.mode = CAPF_MODE_NULL_STRING,
		.origin = "admin",
		.per_min = 1,
		.tell = true};
	open_with(sep1);
	office_add(sep2, "ec");
	assert_int_equal(
		capf_desk_order(office.desk, &order, names, 2, results, &d), 0);
	capf_desk_tend(office.desk);
	capf_desk_tend(office.desk);
	assert_int_equal(office.resets, 1);
	assert_int_equal(office_operation(sep1).told_at, MADE_NOW);
	__atomic_add_fetch(&office.now, 60, __ATOMIC_RELAXED);
	limit_files(0); /* a full disk must not reset it again and again */
	capf_desk_tend(office.desk);
	limit_files(RLIM_INFINITY);
	assert_int_equal(office.resets, 1);
	capf_desk_tend(office.desk);
	capf_desk_tend(office.desk);
	assert_int_equal(office.resets, 2);
}

static void a_phone_that_missed_its_turn_is_told_when_it_is_back(void **state)
{
	const char *const names[] = {sep1};
	struct capf_ordered result;
	const struct capf_order order = {.kind = CAPF_INSTALL,
		.mode = CAPF_MODE_NULL_STRING,
		.origin = "admin",
		.tell = true};
	open_with(sep1);
	capf_desk_order(office.desk, &order, names, 1, &result, &d);
	office.nobody_there = true;
	capf_desk_tend(office.desk);
	assert_int_equal(office_operation(sep1).told_at, -MADE_NOW);
	office.nobody_there = false;
	capf_desk_tend(office.desk);
	assert_int_equal(office.resets, 0);
	capf_desk_registered(office.desk, sep2, NULL);
	office_restart(); /* it is not forgotten */
	capf_desk_registered(office.desk, sep1, NULL);
	for (int n = 0; __atomic_load_n(&office.resets, __ATOMIC_RELAXED) == 0;
		n++)
		assert_true(n < 2000000000);
	capf_desk_registered(office.desk, sep1, NULL);
	__atomic_add_fetch(&office.now, 900, __ATOMIC_RELAXED);
	office_restart();
	assert_int_equal(office.resets, 1);
	assert_int_equal(office_operation(sep1).told_at, MADE_NOW);
}

/* Killed between the disk and the phone, or while the phone restarts: it comes
 * to nobody, and does not come again by itself. */
static void who_was_told_before_a_restart_is_told_again(void **state)
{
	const char *const names[] = {sep1, sep2};
	struct capf_ordered results[2];
	const struct capf_order order = {.kind = CAPF_INSTALL,
		.mode = CAPF_MODE_NULL_STRING,
		.origin = "rollover",
		.tell = true};
	open_with(sep1);
	office_add(sep2, "ec");
	capf_desk_order(office.desk, &order, names, 2, results, &d);
	capf_desk_tend(office.desk);
	assert_int_equal(office.resets, 2);
	struct capf_visit *v = office_visit();
	office_auth(v, sep2, 3, NULL);
	office_key(v, made_key("p256", 1));
	office_reason(v, CAPF_SERVER_STORED, 1);
	office_leave(v, NULL);
	office_restart();
	assert_int_equal(office_operation(sep1).told_at, -MADE_NOW);
	assert_int_equal(office_operation(sep2).told_at, MADE_NOW);
	capf_desk_registered(office.desk, sep1, NULL);
	capf_desk_registered(office.desk, sep2, NULL);
	office_restart(); /* whoever registered was looked at */
	assert_int_equal(office.resets, 3);
}

static void cancel_it(void)
{
	assert_int_equal(capf_desk_cancel(office.desk, sep1, &d), 0);
}

static void order_another(void)
{
	office_order(sep1, CAPF_DELETE, CAPF_MODE_NULL_STRING);
}

/* Nobody is there to be told, and something else happens meanwhile. */
static void tend_while(void (*meanwhile)(void))
{
	const char *const names[] = {sep1};
	struct capf_ordered result;
	const struct capf_order order = {.kind = CAPF_INSTALL,
		.mode = CAPF_MODE_NULL_STRING,
		.origin = "admin",
		.tell = true,
		.replace = true};
	capf_desk_order(office.desk, &order, names, 1, &result, &d);
	office.nobody_there = true;
	office.meanwhile = meanwhile;
	capf_desk_tend(office.desk);
	office.meanwhile = NULL;
}

static void a_missed_turn_brings_no_operation_back(void **state)
{
	open_with(sep1);
	tend_while(cancel_it);
	assert_string_equal(office_state(sep1), "failed cancelled");
	tend_while(order_another);
	assert_int_equal(office_operation(sep1).kind, CAPF_DELETE);
	assert_int_equal(office_operation(sep1).told_at, 0);
}

/* ---- all at once ---- */

enum { THREADS = 4, PHONES = 12 };

static void *phones_of_a_thread(void *self)
{
	char name[32];
	for (int i = 0; i < PHONES; i++) {
		snprintf(name, sizeof(name), "SEP00000000%02d%02d",
			*(const int *)self, i);
		struct capf_visit *v = office_visit();
		struct capf_answer a = office_auth(v, name, 3, NULL);
		assert_int_equal(a.what, CAPF_ANSWER_GENERATE);
		if (i % 4 == 3) {
			office_leave(v, "phone-gone");
			continue;
		}
		a = office_key(v, made_key("p256", 1));
		assert_int_equal(a.what, CAPF_ANSWER_STORE);
		uint8_t sha256[32];
		EVP_Digest(a.der, a.n, sha256, NULL, EVP_sha256(), NULL);
		if (i % 4 == 2) {
			capf_desk_registered(
				office.desk, "SEP020000000001", sha256);
			office_leave(v, "phone-gone");
			continue;
		}
		a = office_reason(v, CAPF_SERVER_STORED, 1);
		assert_int_equal(a.reason, CAPF_REASON_SUCCESS);
		office_leave(v, NULL);
	}
	return NULL;
}

static void many_phones_at_once_are_served(void **state)
{
	pthread_t threads[THREADS];
	int numbers[THREADS];
	char name[32];
	office_start();
	made_key("p256", 1); /* before the threads share it */
	for (int t = 0; t < THREADS; t++)
		for (int i = 0; i < PHONES; i++) {
			snprintf(name, sizeof(name), "SEP00000000%02d%02d", t,
				i);
			office_add(name, "ec");
			office_order(name, CAPF_INSTALL, CAPF_MODE_NULL_STRING);
		}
	for (int t = 0; t < THREADS; t++) {
		numbers[t] = t;
		pthread_create(
			&threads[t], NULL, phones_of_a_thread, &numbers[t]);
	}
	for (int i = 0; i < 50; i++) {
		capf_desk_tend(office.desk);
		capf_desk_forget(office.desk, "SEPNOBODY");
	}
	for (int t = 0; t < THREADS; t++)
		pthread_join(threads[t], NULL);
	office_settle();
	struct capf_desk_state s = capf_desk_state(office.desk);
	assert_int_equal(s.issued, THREADS * PHONES * 3 / 4);
	assert_int_equal(s.making_keys, 0);
	struct capf_store_counts counts;
	assert_int_equal(
		capf_store_count(capf_desk_look(office.desk), &counts, &d), 0);
	capf_desk_looked(office.desk);
	assert_int_equal(
		counts.issued[CAPF_ISSUED_INSTALLED], THREADS * PHONES * 3 / 4);
	assert_non_null(strstr(office_chain(), "installed-as-used"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FACT(f) \
	cmocka_unit_test_setup_teardown(f, office_set_up, office_tear_down)
		FACT(an_install_ends_with_an_installed_lsc),
		FACT(a_new_lsc_replaces_the_old_one),
		FACT(who_has_nothing_to_do_hears_so_and_leaves_no_trace),
		FACT(a_stranger_is_told_so_and_cannot_fill_the_chain),
		FACT(the_string_lets_in_and_serves_until_it_is_done),
		FACT(three_wrong_strings_void_it_also_over_a_restart),
		FACT(strings_and_null_strings_end),
		FACT(a_visit_cut_off_is_delivered_again),
		FACT(an_lsc_in_use_is_installed_whatever_was_heard),
		FACT(a_phone_that_does_not_store_leaves_a_stale_lsc),
		FACT(keys_that_fail_are_counted),
		FACT(how_a_visit_ends_is_kept),
		FACT(the_newest_visit_of_a_phone_counts),
		FACT(a_deleted_lsc_is_deleted_in_the_ledger),
		FACT(who_uses_an_lsc_may_have_a_newer_one_already),
		FACT(what_a_phone_shows_is_kept),
		FACT(two_certificates_are_lsc_and_mic_whatever_they_are_called),
		FACT(a_mic_that_is_not_given_fails_nothing),
		FACT(a_phone_that_shows_nothing_has_refused),
		FACT(a_clock_before_the_ledger_issues_nothing),
		FACT(a_clock_outside_the_root_s_life_issues_nothing),
		FACT(a_root_that_a_store_lacks_issues_nothing),
		FACT(an_admin_s_word_ends_what_a_clock_that_was_ahead_began),
		FACT(what_a_clock_that_is_behind_the_root_says_is_not_accepted),
		FACT(the_chain_is_walked_while_phones_are_served),
		FACT(an_order_that_nobody_wants_any_more_queues_nothing),
		FACT(a_full_disk_gives_no_certificate_away),
		FACT(an_order_on_a_full_disk_is_none),
		FACT(orders_say_what_came_of_each_device),
		FACT(a_name_that_no_certificate_proves_gets_no_lsc),
		FACT(orders_that_make_no_sense_are_refused),
		FACT(a_deadlock_by_string_is_warned_of),
		FACT(what_is_cancelled_ends_the_visit),
		FACT(what_replaces_an_operation_ends_its_visit),
		FACT(who_leaves_the_inventory_is_forgotten),
		FACT(who_left_while_nobody_was_here_is_forgotten),
		FACT(an_operation_that_is_late_has_failed),
		FACT(phones_are_told_at_their_turn_and_once),
		FACT(a_phone_that_missed_its_turn_is_told_when_it_is_back),
		FACT(who_was_told_before_a_restart_is_told_again),
		FACT(a_missed_turn_brings_no_operation_back),
		FACT(many_phones_at_once_are_served),
#undef FACT
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name(
		"capf desk", tests, NULL, office_end);
}
