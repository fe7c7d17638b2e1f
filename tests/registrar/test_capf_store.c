/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about CAPF's records: what is kept, the ledger, the audit chain. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/registrar/capf_rig.h"

/* ---- operations ---- */

static void put(struct capf_operation o)
{
	rig_good(capf_store_put_operation(rig_store, &o, &rig_why));
}

#define SAME(field) assert_memory_equal(&a->field, &b->field, sizeof(a->field))

static void same_operation(
	const struct capf_operation *a, const struct capf_operation *b)
{
	SAME(device);
	SAME(kind);
	SAME(mode);
	SAME(state);
	SAME(why);
	SAME(detail);
	SAME(origin);
	SAME(queued_at);
	SAME(turn_at);
	SAME(completes_by);
	SAME(changed_at);
	SAME(tell);
	SAME(told_at);
	SAME(visits);
	SAME(key_failures);
	SAME(address);
	SAME(salt);
	SAME(hash);
	SAME(string_until);
	SAME(wrong_strings);
	SAME(null_until);
	SAME(serial);
}

static void same_issued(
	const struct capf_issued *a, const struct capf_issued *b)
{
	SAME(serial);
	SAME(device);
	SAME(state);
	SAME(sha256);
	SAME(key_sha256);
	SAME(issuer);
	SAME(issuer_cn);
	SAME(issued_at);
	SAME(confirmed_at);
	SAME(not_before);
	SAME(not_after);
	SAME(key);
	SAME(origin);
}

static void an_operation_is_read_as_it_was_put(void **state)
{
	struct capf_operation o = rig_operation("SEP1"), back;
	rig_begin();
	put(o);
	rig_commit();
	rig_reopen();
	rig_good(capf_store_operation(rig_store, "SEP1", &back, &rig_why));
	same_operation(&back, &o);
}

static void no_operation_is_enoent(void **state)
{
	struct capf_operation o;
	assert_int_equal(
		capf_store_operation(rig_store, "SEP1", &o, &rig_why), -ENOENT);
	assert_non_null(strstr(rig_why.text, "SEP1"));
}

static void a_device_has_one_whatever_its_case(void **state)
{
	struct capf_operation o;
	rig_begin();
	put(rig_operation("SEPAB"));
	o = rig_operation("sepab");
	o.kind = CAPF_DELETE;
	put(o);
	rig_commit();
	rig_good(capf_store_operation(rig_store, "SepAb", &o, &rig_why));
	assert_int_equal(o.kind, CAPF_DELETE);
	rig_begin();
	rig_good(capf_store_remove_operation(rig_store, "SEPab", &rig_why));
	rig_good(capf_store_remove_operation(
		rig_store, "SEPab", &rig_why)); /* it is gone: fine */
	rig_commit();
	assert_int_equal(capf_store_operation(rig_store, "SEPAB", &o, &rig_why),
		-ENOENT);
}

static char seen[4096];

static bool see_operation(void *self, const struct capf_operation *o)
{
	size_t n = strlen(seen);
	snprintf(seen + n, sizeof(seen) - n, "%s ", o->device);
	return !self || --*(int *)self > 0;
}

static void sees(const struct capf_which *which, const char *wanted)
{
	seen[0] = '\0';
	rig_good(capf_store_operations(
		rig_store, which, see_operation, NULL, &rig_why));
	assert_string_equal(seen, wanted);
}

/* A: pending, turn at 30; B: pending, turn at 20, by null string until 100;
 * C: told; D: done; E: pending, nobody tells it, from a rollover. */
static void put_five(void)
{
	rig_begin();
	for (int i = 0; i < 5; i++) {
		char name[2] = {(char)('A' + i), '\0'};
		struct capf_operation o = rig_operation(name);
		o.told_at = i == 2;
		o.turn_at = i == 1 ? 20 : 30;
		o.state = i == 3 ? CAPF_STATE_DONE : CAPF_STATE_PENDING;
		o.why = CAPF_WHY_NOTHING;
		o.tell = i != 4;
		o.completes_by = i * 100;
		o.mode = i == 1 ? CAPF_MODE_NULL_STRING : CAPF_MODE_LSC;
		o.null_until = 100;
		strcpy(o.origin, i == 4 ? "rollover" : "admin");
		put(o);
	}
	rig_commit();
}

static void those_that_are_asked_for_are_shown(void **state)
{
	put_five();
	sees(&(struct capf_which){.after = NULL}, "A B C D E ");
	sees(&(struct capf_which){.after = "b"}, "C D E ");
	sees(&(struct capf_which){.most = 2}, "A B ");
	sees(&(struct capf_which){.after = "A", .most = 2}, "B C ");
	sees(&(struct capf_which){.pending = true}, "A B C E ");
	sees(&(struct capf_which){.turn_by = 30}, "B A ");
	sees(&(struct capf_which){.turn_by = 29}, "B ");
	sees(&(struct capf_which){.turn_by = 30, .most = 1}, "B ");
	sees(&(struct capf_which){.late_at = 200}, "B ");
	sees(&(struct capf_which){.late_at = 201}, "B C ");
	sees(&(struct capf_which){.null_at = 99}, "B ");
	sees(&(struct capf_which){.null_at = 100}, "");
	sees(&(struct capf_which){.origin = "rollover"}, "E ");
	sees(&(struct capf_which){.pending = true, .origin = "admin"},
		"A B C ");
	int two = 2;
	seen[0] = '\0';
	rig_good(capf_store_operations(rig_store,
		&(struct capf_which){.most = 0}, see_operation, &two,
		&rig_why));
	assert_string_equal(seen, "A B ");
}

static bool turn_page(void *self, const struct capf_operation *o)
{
	strcpy(self, o->device);
	return see_operation(NULL, o);
}

static void who_notes_the_last_one_where_he_asked_misses_none(void **state)
{
	char last[CERT_DEVICE_MAX + 1] = "0";
	const struct capf_which turns = {.after = last, .turn_by = 30};
	put_five();
	seen[0] = '\0';
	rig_good(capf_store_operations(
		rig_store, &turns, turn_page, last, &rig_why));
	assert_string_equal(seen, "B A ");
}

/* ---- the ledger ---- */

static void a_line_is_read_as_it_was_written(void **state)
{
	struct capf_issued i = rig_issued(1, "SEP1"), back;
	uint8_t *got;
	size_t n;
	rig_begin();
	rig_good(rig_add(i));
	rig_commit();
	rig_reopen();
	rig_good(capf_store_issued(rig_store, i.serial, &back, &rig_why));
	same_issued(&back, &i);
	rig_good(capf_store_issued_as(rig_store, i.sha256, &back, &rig_why));
	same_issued(&back, &i);
	rig_good(capf_store_stale(
		rig_store, "sep1", i.key_sha256, &back, &rig_why));
	same_issued(&back, &i);
	rig_good(capf_store_newest(
		rig_store, "sep1", CAPF_ISSUED_STALE, &back, &rig_why));
	same_issued(&back, &i);
	rig_good(
		capf_store_issued_der(rig_store, i.serial, &got, &n, &rig_why));
	assert_int_equal(n, sizeof(rig_der));
	assert_memory_equal(got, rig_der, n);
	free(got);
}

static void what_the_ledger_does_not_hold_is_enoent(void **state)
{
	struct capf_issued i = rig_issued(1, "SEP1");
	uint8_t *got;
	size_t n;
	int64_t at = 1;
	assert_int_equal(
		capf_store_issued(rig_store, i.serial, &i, &rig_why), -ENOENT);
	assert_int_equal(
		capf_store_issued_as(rig_store, i.sha256, &i, &rig_why),
		-ENOENT);
	assert_int_equal(
		capf_store_stale(rig_store, "SEP1", i.sha256, &i, &rig_why),
		-ENOENT);
	assert_int_equal(capf_store_newest(rig_store, "SEP1",
				 CAPF_ISSUED_INSTALLED, &i, &rig_why),
		-ENOENT);
	assert_int_equal(
		capf_store_issued_der(rig_store, i.serial, &got, &n, &rig_why),
		-ENOENT);
	assert_null(got);
	rig_good(capf_store_newest_issue(rig_store, &at, &rig_why));
	assert_int_equal(at, 0);
	rig_begin();
	assert_int_equal(capf_store_set_issued(rig_store, i.serial,
				 CAPF_ISSUED_INSTALLED, 1, &rig_why),
		-ENOENT);
	capf_store_rollback(rig_store);
}

static void a_serial_number_is_never_used_twice(void **state)
{
	struct capf_issued i = rig_issued(1, "SEP1"),
			   again = rig_issued(2, "SEP2");
	rig_begin();
	rig_good(rig_add(i));
	rig_commit();
	memcpy(again.serial, i.serial, sizeof(i.serial));
	rig_begin();
	assert_int_equal(rig_add(again), -EEXIST);
	assert_non_null(strstr(rig_why.text, i.serial));
	rig_good(rig_add(rig_issued(3, "SEP3"))); /* the transaction goes on */
	rig_commit();
	rig_good(capf_store_issued(rig_store, i.serial, &again, &rig_why));
	assert_string_equal(again.device, "SEP1");
	rig_good(capf_store_issued(
		rig_store, rig_issued(3, "").serial, &again, &rig_why));
}

static void a_line_changes_its_state_and_no_more(void **state)
{
	struct capf_issued i = rig_issued(1, "SEP1"), back;
	rig_begin();
	rig_good(rig_add(i));
	rig_good(capf_store_set_issued(
		rig_store, i.serial, CAPF_ISSUED_INSTALLED, 77, &rig_why));
	rig_commit();
	rig_good(capf_store_issued(rig_store, i.serial, &back, &rig_why));
	i.state = CAPF_ISSUED_INSTALLED;
	i.confirmed_at = 77;
	same_issued(&back, &i);
	rig_begin();
	rig_good(capf_store_set_issued(
		rig_store, i.serial, CAPF_ISSUED_DELETED, 0, &rig_why));
	rig_commit();
	rig_good(capf_store_issued(rig_store, i.serial, &back, &rig_why));
	i.state = CAPF_ISSUED_DELETED;
	same_issued(&back, &i); /* 77 stays */
	assert_int_equal(capf_store_stale(rig_store, "SEP1", i.key_sha256,
				 &back, &rig_why),
		-ENOENT);
}

static bool see_issued(void *self, const struct capf_issued *i)
{
	size_t n = strlen(seen);
	snprintf(seen + n, sizeof(seen) - n, "%lu ",
		strtoul(i->serial, NULL, 16));
	return !self || --*(int *)self > 0;
}

static void ledger(const struct capf_issued_which *which, const char *wanted)
{
	seen[0] = '\0';
	rig_good(capf_store_ledger(
		rig_store, which, see_issued, NULL, &rig_why));
	assert_string_equal(seen, wanted);
}

static void what_a_device_had_ends_but_for_one(void **state)
{
	struct capf_issued i;
	rig_begin();
	for (unsigned n = 1; n <= 4; n++)
		rig_good(rig_add(rig_issued(n, n == 4 ? "SEP2" : "SEP1")));
	rig_good(capf_store_set_issued(rig_store, rig_issued(1, "").serial,
		CAPF_ISSUED_DELETED, 5, &rig_why));
	rig_good(capf_store_set_issued(rig_store, rig_issued(2, "").serial,
		CAPF_ISSUED_INSTALLED, 5, &rig_why));
	rig_good(capf_store_end_issued(rig_store, "sep1",
		rig_issued(3, "").serial, CAPF_ISSUED_REPLACED, &rig_why));
	rig_commit();
	ledger(&(struct capf_issued_which){.state = CAPF_ISSUED_DELETED + 1},
		"1 ");
	ledger(&(struct capf_issued_which){.state = CAPF_ISSUED_REPLACED + 1},
		"2 ");
	ledger(&(struct capf_issued_which){.state = CAPF_ISSUED_STALE + 1},
		"3 4 ");
	rig_good(capf_store_newest(
		rig_store, "SEP1", CAPF_ISSUED_STALE, &i, &rig_why));
	assert_string_equal(i.serial, rig_issued(3, "").serial);
	rig_begin();
	rig_good(capf_store_end_issued(
		rig_store, "SEP1", "", CAPF_ISSUED_DELETED, &rig_why));
	rig_commit();
	ledger(&(struct capf_issued_which){.state = CAPF_ISSUED_STALE + 1},
		"4 ");
}

static void the_newest_is_what_was_issued_last(void **state)
{
	struct capf_issued i, other = rig_issued(3, "SEP1");
	other.key_sha256[0] = 9;
	rig_begin();
	rig_good(rig_add(rig_issued(7, "SEP1")));
	rig_good(rig_add(rig_issued(2, "SEP1")));
	rig_good(rig_add(other));
	rig_commit();
	rig_good(capf_store_newest(
		rig_store, "SEP1", CAPF_ISSUED_STALE, &i, &rig_why));
	assert_string_equal(i.serial, other.serial);
	rig_good(capf_store_stale(
		rig_store, "SEP1", rig_issued(2, "").key_sha256, &i, &rig_why));
	assert_string_equal(i.serial, rig_issued(2, "").serial);
}

static int64_t newest_issue(void)
{
	int64_t at = -1;
	rig_good(capf_store_newest_issue(rig_store, &at, &rig_why));
	return at;
}

static void no_clock_is_right_before_the_newest_line_or_the_one_accepted(
	void **state)
{
	assert_int_equal(newest_issue(), 0);
	rig_begin();
	rig_good(rig_add(rig_issued(7, "SEP1")));
	rig_good(rig_add(rig_issued(3, "SEP1")));
	rig_commit();
	assert_int_equal(newest_issue(), rig_issued(7, "").issued_at);
	rig_begin();
	rig_good(capf_store_accept_clock(rig_store, 1000, &rig_why));
	rig_commit();
	rig_reopen();
	assert_int_equal(newest_issue(), 1000);
	rig_begin();
	rig_good(rig_add(rig_issued(1, "SEP1")));
	rig_commit();
	assert_int_equal(newest_issue(), rig_issued(1, "").issued_at);
}

static void records_of_the_first_version_are_brought_up_to_date(void **state)
{
	rig_begin();
	rig_good(rig_add(rig_issued(7, "SEP1")));
	rig_commit();
	rig_close();
	rig_change("DROP TABLE clock; PRAGMA user_version = 1");
	rig_open();
	assert_int_equal(newest_issue(), rig_issued(7, "").issued_at);
	rig_begin();
	rig_good(capf_store_accept_clock(rig_store, 1000, &rig_why));
	rig_commit();
	assert_int_equal(newest_issue(), 1000);
}

static void lines_that_are_asked_for_are_shown(void **state)
{
	const uint8_t issuer[32] = {8};
	rig_begin();
	for (unsigned n = 1; n <= 5; n++) {
		struct capf_issued i =
			rig_issued(10 - n, n % 2 ? "ODD" : "EVEN");
		i.issuer[0] = n == 4 ? 8 : 3;
		i.not_before = 1000;
		i.not_after = 1000 + 300 * n;
		rig_good(rig_add(i));
	}
	rig_commit();
	ledger(&(struct capf_issued_which){.device = NULL}, "9 8 7 6 5 ");
	ledger(&(struct capf_issued_which){.device = "odd"}, "9 7 5 ");
	ledger(&(struct capf_issued_which){.issuer = issuer}, "6 ");
	ledger(&(struct capf_issued_which){.ends_before = 1900}, "9 8 ");
	/* two thirds of 300, of 600, ... */
	ledger(&(struct capf_issued_which){.now = 1399, .part = 666}, "9 ");
	ledger(&(struct capf_issued_which){.now = 1400, .part = 666}, "9 8 ");
	ledger(&(struct capf_issued_which){.now = 1000, .part = 1}, "");
	char after[CERT_SERIAL_MAX + 1];
	strcpy(after, rig_issued(8, "").serial);
	ledger(&(struct capf_issued_which){.after_serial = after}, "7 6 5 ");
	ledger(&(struct capf_issued_which){.after_serial = after, .most = 1},
		"7 ");
	ledger(&(struct capf_issued_which){.after_serial = after,
		       .device = "EVEN"},
		"6 ");
	ledger(&(struct capf_issued_which){.after_serial = after,
		       .state = CAPF_ISSUED_STALE + 1,
		       .most = 2},
		"7 6 ");
	ledger(&(struct capf_issued_which){.state = CAPF_ISSUED_INSTALLED + 1},
		"");
	int one = 1;
	seen[0] = '\0';
	rig_good(capf_store_ledger(rig_store, &(struct capf_issued_which){0},
		see_issued, &one, &rig_why));
	assert_string_equal(seen, "9 ");
}

/* A look within a look. */
static bool look_again(void *self, const struct capf_issued *i)
{
	uint8_t *got;
	size_t n;
	ledger(&(struct capf_issued_which){.device = i->device}, self);
	rig_good(capf_store_issued_der(
		rig_store, i->serial, &got, &n, &rig_why));
	free(got);
	return true;
}

static void who_looks_may_look_again(void **state)
{
	char wanted[] = "1 2 ";
	rig_begin();
	rig_good(rig_add(rig_issued(1, "SEP1")));
	rig_good(rig_add(rig_issued(2, "SEP1")));
	rig_commit();
	rig_good(capf_store_ledger(rig_store, &(struct capf_issued_which){0},
		look_again, wanted, &rig_why));
}

/* ---- certificates that were shown, requests ---- */

static bool see_shown(void *self, const struct capf_shown *c)
{
	size_t n = strlen(seen);
	snprintf(seen + n, sizeof(seen) - n, "%s %u %d %.*s, ", c->device,
		c->type, (int)c->at, (int)c->n, (const char *)c->der);
	return true;
}

static void show(const char *device, unsigned type, const char *text)
{
	struct capf_shown c = {.type = type,
		.at = 9,
		.der = (const uint8_t *)text,
		.n = strlen(text)};
	strcpy(c.device, device);
	rig_good(capf_store_put_shown(rig_store, &c, &rig_why));
}

static void a_device_shows_one_certificate_of_a_type(void **state)
{
	rig_begin();
	show("SEP1", 2, "mic");
	show("SEP1", 1, "old");
	show("sep1", 1, "new");
	show("SEP2", 1, "lsc");
	rig_commit();
	rig_reopen();
	seen[0] = '\0';
	rig_good(
		capf_store_shown(rig_store, "Sep1", see_shown, NULL, &rig_why));
	assert_string_equal(seen, "sep1 1 9 new, SEP1 2 9 mic, ");
	rig_begin();
	rig_good(capf_store_remove_shown(rig_store, "SEP1", &rig_why));
	rig_commit();
	seen[0] = '\0';
	rig_good(
		capf_store_shown(rig_store, "SEP1", see_shown, NULL, &rig_why));
	rig_good(
		capf_store_shown(rig_store, "SEP2", see_shown, NULL, &rig_why));
	assert_string_equal(seen, "SEP2 1 9 lsc, ");
}

static bool see_request(void *self, const struct capf_request *r)
{
	size_t n = strlen(seen);
	snprintf(seen + n, sizeof(seen) - n, "%s %u %d %d %.*s, ", r->device,
		r->key_sha256[31], (int)r->at, (int)r->exported_at, (int)r->n,
		(const char *)r->spki);
	return true;
}

static void ask(const char *device, const char *key)
{
	struct capf_request r = {.key_sha256[31] = (uint8_t)key[0],
		.at = 7,
		.exported_at = 8,
		.spki = (const uint8_t *)key,
		.n = strlen(key)};
	strcpy(r.device, device);
	rig_good(capf_store_put_request(rig_store, &r, &rig_why));
}

static void a_device_has_one_request(void **state)
{
	rig_begin();
	ask("SEP2", "B");
	ask("SEP1", "A");
	ask("sep2", "C");
	rig_commit();
	rig_reopen();
	seen[0] = '\0';
	rig_good(capf_store_requests(
		rig_store, NULL, see_request, NULL, &rig_why));
	assert_string_equal(seen, "SEP1 65 7 8 A, sep2 67 7 8 C, ");
	rig_begin();
	rig_good(capf_store_remove_request(rig_store, "SEP2", &rig_why));
	rig_commit();
	seen[0] = '\0';
	rig_good(capf_store_requests(
		rig_store, "SEP2", see_request, NULL, &rig_why));
	rig_good(capf_store_requests(
		rig_store, "sep1", see_request, NULL, &rig_why));
	assert_string_equal(seen, "SEP1 65 7 8 A, ");
}

static void all_is_counted(void **state)
{
	struct capf_store_counts n;
	struct capf_audit link = {.event = "issued"};
	put_five();
	rig_begin();
	struct capf_operation o = rig_operation("F");
	o.kind = CAPF_DELETE;
	put(o);
	rig_good(rig_add(rig_issued(1, "A")));
	rig_good(rig_add(rig_issued(2, "A")));
	rig_good(capf_store_set_issued(rig_store, rig_issued(1, "").serial,
		CAPF_ISSUED_INSTALLED, 1, &rig_why));
	show("A", 1, "x");
	ask("A", "y");
	ask("B", "y");
	rig_good(capf_store_audit(rig_store, &link, &rig_why));
	rig_commit();
	rig_good(capf_store_count(rig_store, &n, &rig_why));
	assert_int_equal(n.pending[CAPF_INSTALL], 4);
	assert_int_equal(n.pending[CAPF_DELETE], 1);
	assert_int_equal(n.pending[CAPF_TROUBLESHOOT], 0);
	assert_int_equal(n.by_status[2], 4);
	assert_int_equal(n.by_status[3], 1);
	assert_int_equal(n.by_status[19], 1);
	assert_int_equal(n.issued[CAPF_ISSUED_STALE], 1);
	assert_int_equal(n.issued[CAPF_ISSUED_INSTALLED], 1);
	assert_int_equal(n.shown, 1);
	assert_int_equal(n.requests, 2);
	assert_int_equal(n.audit, 1);
}

/* ---- transactions ---- */

static void what_is_rolled_back_was_never(void **state)
{
	struct capf_store_counts n;
	struct capf_audit link = {.event = "issued"};
	rig_begin();
	put(rig_operation("A"));
	rig_good(rig_add(rig_issued(1, "A")));
	rig_good(capf_store_audit(rig_store, &link, &rig_why));
	capf_store_rollback(rig_store);
	capf_store_rollback(rig_store); /* twice is fine */
	rig_good(capf_store_count(rig_store, &n, &rig_why));
	assert_int_equal(n.by_status[10], 0);
	assert_int_equal(n.issued[CAPF_ISSUED_STALE], 0);
	assert_int_equal(n.audit, 0);
	rig_begin(); /* the chain goes on where it was */
	rig_good(capf_store_audit(rig_store, &link, &rig_why));
	assert_int_equal(link.number, 1);
	rig_commit();
	rig_reopen();
}

static void what_is_behind_the_mark_is_undone_alone(void **state)
{
	struct capf_audit link = {.event = "issued"};
	rig_begin();
	rig_good(capf_store_mark(rig_store, &rig_why));
	rig_good(rig_add(rig_issued(1, "A")));
	rig_good(capf_store_audit(rig_store, &link, &rig_why));
	rig_good(capf_store_mark(rig_store, &rig_why));
	rig_good(rig_add(rig_issued(2, "A")));
	rig_good(capf_store_audit(rig_store, &link, &rig_why));
	capf_store_back_to_mark(rig_store);
	rig_good(capf_store_mark(rig_store, &rig_why));
	rig_good(rig_add(rig_issued(3, "A")));
	capf_store_back_to_mark(rig_store);
	rig_good(rig_add(rig_issued(4, "A")));
	rig_good(capf_store_audit(rig_store, &link, &rig_why));
	assert_int_equal(link.number, 2);
	rig_commit();
	rig_reopen();
	ledger(&(struct capf_issued_which){0}, "1 4 ");
}

static void in_memory_it_is_the_same_but_does_not_last(void **state)
{
	struct capf_audit link = {.event = "issued"};
	capf_store_close(rig_store);
	rig_good(capf_store_open(NULL, &rig_store, &rig_why));
	rig_begin();
	rig_good(rig_add(rig_issued(1, "A")));
	assert_int_equal(rig_add(rig_issued(1, "A")), -EEXIST);
	rig_good(capf_store_audit(rig_store, &link, &rig_why));
	rig_commit();
	ledger(&(struct capf_issued_which){0}, "1 ");
	rig_good(capf_store_audit_check(rig_store, &rig_why));
	capf_store_close(rig_store);
	rig_good(capf_store_open(NULL, &rig_store, &rig_why));
	ledger(&(struct capf_issued_which){0}, "");
}

static void a_row_that_was_not_written_here_is_refused(void **state)
{
	struct capf_operation o;
	struct capf_issued i;
	struct capf_store_counts n;
	rig_begin();
	put(rig_operation("SEP1"));
	rig_good(rig_add(rig_issued(1, "SEP1")));
	rig_commit();
	rig_close();
	rig_change("UPDATE operation SET why = 'unheard-of';"
		   "UPDATE issued SET key = printf('%100d', 1)");
	rig_open();
	assert_int_equal(
		capf_store_operation(rig_store, "SEP1", &o, &rig_why), -EINVAL);
	assert_non_null(strstr(rig_why.text, "SEP1"));
	assert_non_null(strstr(rig_why.text, "restore it from a backup"));
	assert_int_equal(
		capf_store_operations(rig_store, &(struct capf_which){0},
			see_operation, NULL, &rig_why),
		-EINVAL);
	assert_int_equal(capf_store_count(rig_store, &n, &rig_why), -EINVAL);
	assert_int_equal(capf_store_issued(rig_store, rig_issued(1, "").serial,
				 &i, &rig_why),
		-EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FACT(f) cmocka_unit_test_setup_teardown(f, rig_set_up, rig_tear_down)
		FACT(an_operation_is_read_as_it_was_put),
		FACT(no_operation_is_enoent),
		FACT(a_device_has_one_whatever_its_case),
		FACT(those_that_are_asked_for_are_shown),
		FACT(who_notes_the_last_one_where_he_asked_misses_none),
		FACT(a_line_is_read_as_it_was_written),
		FACT(what_the_ledger_does_not_hold_is_enoent),
		FACT(a_serial_number_is_never_used_twice),
		FACT(a_line_changes_its_state_and_no_more),
		FACT(what_a_device_had_ends_but_for_one),
		FACT(the_newest_is_what_was_issued_last),
		FACT(no_clock_is_right_before_the_newest_line_or_the_one_accepted),
		FACT(records_of_the_first_version_are_brought_up_to_date),
		FACT(lines_that_are_asked_for_are_shown),
		FACT(who_looks_may_look_again),
		FACT(a_device_shows_one_certificate_of_a_type),
		FACT(a_device_has_one_request),
		FACT(all_is_counted),
		FACT(what_is_rolled_back_was_never),
		FACT(what_is_behind_the_mark_is_undone_alone),
		FACT(in_memory_it_is_the_same_but_does_not_last),
		FACT(a_row_that_was_not_written_here_is_refused),
#undef FACT
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("capf_store", tests, NULL, rig_end);
}
