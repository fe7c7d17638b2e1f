/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the audit chain: what it is, and what it tells of a hand in it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/sha.h>

#include "tests/registrar/capf_rig.h"

enum { LINKS = 6 };

static struct capf_audit link_to(int i)
{
	struct capf_audit link = {.at = 1764100000 + i,
		.event = "issued",
		.address = "192.0.2.1",
		.detail = "with \"quotes\", and more"};
	snprintf(link.device, sizeof(link.device), "SEP%d", i);
	snprintf(link.serial, sizeof(link.serial), "%032x", i);
	return link;
}

static void add_links(int n)
{
	rig_begin();
	for (int i = 1; i <= n; i++) {
		struct capf_audit link = link_to(i);
		rig_good(capf_store_audit(rig_store, &link, &rig_why));
		assert_int_equal(link.number, i);
	}
	rig_commit();
}

/* ---- what it is ---- */

static void a_hash_is_that_of_the_link_before_and_the_text(void **state)
{
	uint8_t text[512] = {0}, hash[32];
	const char *const texts[] = {
		"1:1,10:1764100001,6:issued,4:SEP1,"
		"32:00000000000000000000000000000001,9:192.0.2.1,"
		"23:with \"quotes\", and more,",
		"1:2,10:1764100002,6:issued,4:SEP2,"
		"32:00000000000000000000000000000002,9:192.0.2.1,"
		"23:with \"quotes\", and more,",
	};
	struct capf_audit head;
	add_links(2);
	for (int i = 0; i < 2; i++) {
		memcpy(text + 32, texts[i], strlen(texts[i]));
		SHA256(text, 32 + strlen(texts[i]), hash);
		memcpy(text, hash, sizeof(hash));
	}
	rig_good(capf_store_audit_head(rig_store, &head, &rig_why));
	assert_int_equal(head.number, 2);
	assert_memory_equal(head.hash, hash, sizeof(hash));
}

static void an_empty_chain_has_no_head(void **state)
{
	struct capf_audit head;
	assert_int_equal(
		capf_store_audit_head(rig_store, &head, &rig_why), -ENOENT);
	rig_good(capf_store_audit_check(rig_store, &rig_why));
}

struct reading {
	uint64_t next, most;
};

static bool read_link(void *self, const struct capf_audit *link)
{
	struct reading *r = self;
	struct capf_audit wanted = link_to((int)r->next);
	assert_int_equal(link->number, r->next++);
	assert_int_equal(link->at, wanted.at);
	assert_string_equal(link->event, wanted.event);
	assert_string_equal(link->device, wanted.device);
	assert_string_equal(link->serial, wanted.serial);
	assert_string_equal(link->address, wanted.address);
	assert_string_equal(link->detail, wanted.detail);
	return r->next <= r->most;
}

static void links_are_read_from_a_number_on(void **state)
{
	struct reading r = {4, LINKS};
	add_links(LINKS);
	rig_reopen();
	rig_good(capf_store_audit_read(rig_store, 4, read_link, &r, &rig_why));
	assert_int_equal(r.next, LINKS + 1);
	r = (struct reading){1, 2};
	rig_good(capf_store_audit_read(rig_store, 0, read_link, &r, &rig_why));
	assert_int_equal(r.next, 3);
}

static void no_text_can_be_moved_to_its_neighbour(void **state)
{
	struct capf_audit a = {.event = "ab", .device = "c"};
	struct capf_audit b = {.event = "a", .device = "bc"};
	rig_begin();
	rig_good(capf_store_mark(rig_store, &rig_why));
	rig_good(capf_store_audit(rig_store, &a, &rig_why));
	capf_store_back_to_mark(rig_store);
	rig_good(capf_store_audit(rig_store, &b, &rig_why));
	rig_commit();
	assert_int_equal(a.number, b.number);
	assert_memory_not_equal(a.hash, b.hash, sizeof(a.hash));
}

static void texts_as_long_as_may_be_hold(void **state)
{
	struct capf_audit link = {.at = INT64_MIN};
	memset(link.event, 0xff, sizeof(link.event) - 1);
	memset(link.device, 'D', sizeof(link.device) - 1);
	memset(link.serial, 'f', sizeof(link.serial) - 1);
	memset(link.address, ':', sizeof(link.address) - 1);
	memset(link.detail, '\n', sizeof(link.detail) - 1);
	rig_begin();
	rig_good(capf_store_audit(rig_store, &link, &rig_why));
	rig_commit();
	rig_reopen();
}

static void a_walk_in_parts_takes_what_is_added_meanwhile(void **state)
{
	struct capf_audit_walk w = {.number = 0};
	add_links(LINKS);
	rig_good(capf_store_audit_walk(rig_store, &w, 2, &rig_why));
	assert_int_equal(w.number, 2);
	assert_false(w.over);
	rig_begin();
	struct capf_audit link = link_to(LINKS + 1);
	rig_good(capf_store_audit(rig_store, &link, &rig_why));
	rig_commit();
	for (int i = 0; i < 3 && !w.over; i++)
		rig_good(capf_store_audit_walk(rig_store, &w, 3, &rig_why));
	assert_true(w.over);
	assert_int_equal(w.number, LINKS + 1);
	assert_memory_equal(w.hash, link.hash, sizeof(w.hash));
}

/* ---- a hand in it ---- */

#define SWAP(a, b)                                                \
	"UPDATE audit SET number = 99 WHERE number = " #a ";"     \
	"UPDATE audit SET number = " #a " WHERE number = " #b ";" \
	"UPDATE audit SET number = " #b " WHERE number = 99;"

static const struct {
	const char *sql, *link, *fault;
} hands[] = {
	{"UPDATE audit SET at = at + 1 WHERE number = 3", "link 3 ", "changed"},
	{"UPDATE audit SET event = 'refused' WHERE number = 1", "link 1 ",
		"changed"},
	{"UPDATE audit SET device = 'SEP9' WHERE number = 3", "link 3 ",
		"changed"},
	{"UPDATE audit SET device = 'sep3' WHERE number = 3", "link 3 ",
		"changed"},
	{"UPDATE audit SET serial = '' WHERE number = 3", "link 3 ", "changed"},
	{"UPDATE audit SET address = '192.0.2.2' WHERE number = 3", "link 3 ",
		"changed"},
	{"UPDATE audit SET detail = detail || '.' WHERE number = 6", "link 6 ",
		"changed"},
	/* what a C string does not show */
	{"UPDATE audit SET detail = detail || char(0) || '.' WHERE number = 2",
		"link 2 ", "never writes"},
	{"UPDATE audit SET event = printf('%100d', 1) WHERE number = 2",
		"link 2 ", "never writes"},
	{"UPDATE audit SET hash = zeroblob(32) WHERE number = 3", "link 3 ",
		"changed"},
	{"UPDATE audit SET hash = x'00' WHERE number = 3", "link 3 ",
		"changed"},
	{"DELETE FROM audit WHERE number = 1", "link 1 ", "removed"},
	{"DELETE FROM audit WHERE number = 3", "link 3 ", "removed"},
	{"DELETE FROM audit WHERE number = 3;"
	 "UPDATE audit SET number = number - 1 WHERE number > 3",
		"link 3 ", "changed"},
	{"DELETE FROM audit WHERE number > 4", "link 5 ",
		"end of the chain was removed"},
	{"DELETE FROM audit", "link 1 ", "end of the chain was removed"},
	{SWAP(2, 4), "link 2 ", "moved"},
	{SWAP(5, 6), "link 5 ", "moved"},
	{"INSERT INTO audit SELECT 0, at, event, device, serial, address,"
	 " detail, hash FROM audit WHERE number = 1",
		"link 0 ", "inserted"},
	{"INSERT INTO audit SELECT -1, at, event, device, serial, address,"
	 " detail, hash FROM audit WHERE number = 1",
		"link -1 ", "inserted"},
	{"INSERT INTO audit SELECT 7, at, event, device, serial, address,"
	 " detail, hash FROM audit WHERE number = 6",
		"link 7 ", "inserted"},
	{"UPDATE audit SET number = -number WHERE number > 2;"
	 "UPDATE audit SET number = 1 - number WHERE number < 0;"
	 "INSERT INTO audit SELECT 3, at, event, device, serial, address,"
	 " detail, hash FROM audit WHERE number = 2",
		"link 3 ", "inserted"},
	{"DELETE FROM head", "link 1 ", "another program"},
	/* the last two were added with hashes that fit, but not the head */
	{"UPDATE head SET number = 4, hash ="
	 " (SELECT hash FROM audit WHERE number = 4)",
		"link 5 ", "another program"},
	{"UPDATE head SET number = 7", "link 7 ",
		"end of the chain was removed"},
	{"UPDATE head SET hash = zeroblob(32)", "link 6 ", "head"},
};

static void a_hand_in_it_is_told_by_number(void **state)
{
	add_links(LINKS);
	rig_close();
	for (size_t i = 0; i < sizeof(hands) / sizeof(hands[0]); i++) {
		rig_change("CREATE TABLE was AS SELECT * FROM audit;"
			   "CREATE TABLE head_was AS SELECT * FROM head;");
		rig_change(hands[i].sql);
		int error = capf_store_open(rig_folder, &rig_store, &rig_why);
		if (error != -EINVAL || !strstr(rig_why.text, rig_database) ||
			!strstr(rig_why.text, hands[i].link) ||
			!strstr(rig_why.text, hands[i].fault) ||
			!strstr(rig_why.text, "restore it from a backup"))
			fail_msg(
				"%s: %d %s", hands[i].sql, error, rig_why.text);
		assert_null(rig_store);
		rig_change("DELETE FROM audit; DELETE FROM head;"
			   "INSERT INTO audit SELECT * FROM was;"
			   "INSERT INTO head SELECT * FROM head_was;"
			   "DROP TABLE was; DROP TABLE head_was;");
	}
	rig_open();
}

/* What it cannot tell, so that nobody believes it can. */
static void a_chain_made_anew_holds(void **state)
{
	add_links(LINKS);
	rig_close();
	rig_change("DELETE FROM audit; DELETE FROM head");
	rig_open();
	add_links(2);
	rig_reopen();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define FACT(f) cmocka_unit_test_setup_teardown(f, rig_set_up, rig_tear_down)
		FACT(a_hash_is_that_of_the_link_before_and_the_text),
		FACT(an_empty_chain_has_no_head),
		FACT(links_are_read_from_a_number_on),
		FACT(no_text_can_be_moved_to_its_neighbour),
		FACT(a_walk_in_parts_takes_what_is_added_meanwhile),
		FACT(texts_as_long_as_may_be_hold),
		FACT(a_hand_in_it_is_told_by_number),
		FACT(a_chain_made_anew_holds),
#undef FACT
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("capf_audit", tests, NULL, rig_end);
}
