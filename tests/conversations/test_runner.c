/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the runner, told by a toy engine that shouts lines back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocols/bytes.h"
#include "tests/conversations/runner.h"

enum { BORED_MS = 5000 };

/*
 * "line\n" makes an event "line" and is sent back in capitals with CRLF; "?"
 * first asks the host. A cut inside "fragile" is noticed: a planted bug.
 */
struct toy {
	struct bytes_queue in, out;
	bool loud, asking, bored, stuck;
	uint64_t due;
};

static bool toy_set(void *self, const char *key, const char *value)
{
	struct toy *t = self;
	bool *flag = strcmp(key, "stuck") == 0 ? &t->stuck : &t->loud;
	*flag = strcmp(value, "yes") == 0;
	return flag == &t->stuck || strcmp(key, "loud") == 0;
}

static void toy_init(void *self, const struct moment *now)
{
	struct toy *t = self;
	bytes_queue_init(&t->in, 1000);
	bytes_queue_init(&t->out, 1000);
	t->due = now->mono_ms + BORED_MS;
}

static void toy_deinit(void *self)
{
	struct toy *t = self;
	bytes_queue_deinit(&t->in);
	bytes_queue_deinit(&t->out);
}

static void toy_feed(
	void *self, const void *data, size_t n, const struct moment *now)
{
	struct toy *t = self;
	assert_false(t->asking);
	assert_int_equal(bytes_queue_put(&t->in, data, n), 0);
	if (n == 3 && memcmp(data, "fra", 3) == 0)
		bytes_queue_put(&t->out, "cut\r\n", 5);
}

static void toy_tick(void *self, const struct moment *now)
{
	struct toy *t = self;
	t->bored = now->mono_ms >= t->due && !t->stuck;
	if (t->bored)
		t->due = MOMENT_NEVER;
}

static bool toy_next(void *self, char *text, size_t n)
{
	struct toy *t = self;
	size_t len;
	const uint8_t *in = bytes_queue_peek(&t->in, &len);
	if (t->bored) {
		t->bored = false;
		snprintf(text, n, "BORED");
		return true;
	}
	const uint8_t *end = len ? memmem(in, len, "\r\n", 2) : NULL;
	if (t->asking || !end)
		return false;
	size_t line = (size_t)(end - in);
	snprintf(text, n, "%.*s", (int)line, (const char *)in);
	t->asking = in[0] == '?';
	for (size_t i = 0; i < line + 2; i++) {
		uint8_t c = in[i];
		if (t->loud && c >= 'a' && c <= 'z')
			c ^= 0x20;
		bytes_queue_put(&t->out, &c, 1);
	}
	bytes_queue_drop(&t->in, line + 2);
	return true;
}

static const uint8_t *toy_out(void *self, size_t *n)
{
	return bytes_queue_peek(&((struct toy *)self)->out, n);
}

static void toy_sent(void *self, size_t n)
{
	bytes_queue_drop(&((struct toy *)self)->out, n);
}

static uint64_t toy_deadline(void *self)
{
	return ((struct toy *)self)->due;
}

static bool toy_verb(void *self, const char *line, const struct moment *now)
{
	struct toy *t = self;
	t->asking = false;
	return strcmp(line, "yes") == 0;
}

static const struct conversation_engine toy = {
	.name = "toy",
	.size = sizeof(struct toy),
	.set = toy_set,
	.init = toy_init,
	.deinit = toy_deinit,
	.feed = toy_feed,
	.tick = toy_tick,
	.next = toy_next,
	.out = toy_out,
	.sent = toy_sent,
	.deadline = toy_deadline,
	.verb = toy_verb,
};

static void passes(const char *text)
{
	char why[512] = "";
	if (!conversation_play(&toy, "toy.conv", text, why, sizeof(why)))
		fail_msg("%s", why);
}

static void fails(const char *text, const char *with)
{
	char why[512] = "";
	assert_false(
		conversation_play(&toy, "toy.conv", text, why, sizeof(why)));
	if (!strstr(why, with))
		fail_msg("wanted %s, said %s", with, why);
}

static void passes_what_went_as_written(void **state)
{
	passes("# a remark\n= loud yes\n\n> hello you\n! hello*\n< HELLO YOU\n"
	       "-\n@ 4999\n-\n@ 1\n! BORED\n");
	passes(">x 6869 0d 0a\n<x .. 69 0d 0a\n! hi\n");
	passes(">x \"abab\" 00*2 0d0a\n<x \"abab\" ..*2 0d 0a\n! abab\n");
	passes("> a\n>\n> b\n! a\n! \n! b\n< a\n<\n< *\n");
}

static void feeds_nothing_over_an_open_question(void **state)
{
	passes("> a\n! a\n< a\n> ?b\n! ?b\n. yes\n< ?b\n> c\n! c\n< c\n");
	passes("> ?b\n> c\n! ?b\n. yes\n< ?b\n! c\n< c\n");
}

static void fails_on_other_bytes_and_says_both(void **state)
{
	fails("> a\n! a\n< b\n",
		"toy.conv:3: toy, whole: expected < b\\x0d\\x0a");
	fails("> a\n! a\n< b\n", "came a\\x0d\\x0a");
	fails("> a\n! a\n<x 01\n", "expected < 01");
	fails("> a\n! a\n< a\n<x ..\n", "came nothing");
}

static void fails_on_other_events(void **state)
{
	fails("> a\n! b\n", "toy.conv:2: toy, whole: expected ! b\n  came ! a");
	fails("! a\n", "came no event");
}

static void fails_on_what_the_file_does_not_mention(void **state)
{
	fails("> a\n< a\n", "expected nothing more\n  came ! a");
	fails("> a\n! a\n", "expected nothing more\n  came < a");
	fails("> a\n-\n! a\n< a\n", "toy.conv:2");
	fails("@ 5000\n", "came ! BORED");
}

static void fails_on_a_deadline_that_never_moves(void **state)
{
	fails("= stuck yes\n@ 5000\n", "a deadline that tick() never moves");
}

static void finds_the_one_cut_that_matters(void **state)
{
	fails("> fragile\n! fragile\n< fragile\n", "cut after 3 bytes");
}

static void refuses_lines_it_does_not_know(void **state)
{
	fails("hello\n", "toy.conv:1: not a line");
	fails("# x\n>x 0\n", "toy.conv:2: not a line");
	fails(">x ..\n", "not a line");
	fails("@ soon\n", "not a line");
	fails("> a\n= loud yes\n", "toy.conv:2: not a line");
	fails("= colour red\n", "no such setting");
	fails(". sing\n", "no verb");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_what_went_as_written),
		cmocka_unit_test(feeds_nothing_over_an_open_question),
		cmocka_unit_test(fails_on_other_bytes_and_says_both),
		cmocka_unit_test(fails_on_other_events),
		cmocka_unit_test(fails_on_what_the_file_does_not_mention),
		cmocka_unit_test(fails_on_a_deadline_that_never_moves),
		cmocka_unit_test(finds_the_one_cut_that_matters),
		cmocka_unit_test(refuses_lines_it_does_not_know),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("runner", tests, NULL, NULL);
}
