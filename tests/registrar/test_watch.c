/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about watching folders: whatever happens to them, somebody looks. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "registrar/watch.h"

enum { DEADLINE_S = 60, QUIET_MS = 200, AGAIN_MS = 250 };

/* Who looks, and what is to come of it. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t news;
	int looks, asked;
	bool refuse;
	int64_t at_ms[8]; /* of the first looks */
} seen = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER};

static char top[] = "/tmp/dialtone-watch-XXXXXX";
static char folder[64];
static struct watch *watch;

static int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool look(void *self, bool asked)
{
	pthread_mutex_lock(&seen.lock);
	if (seen.looks < 8)
		seen.at_ms[seen.looks] = now_ms();
	seen.looks++;
	seen.asked += asked;
	bool well = !seen.refuse;
	pthread_cond_broadcast(&seen.news);
	pthread_mutex_unlock(&seen.lock);
	return well;
}

/* Waits for so many looks, then forgets them. */
static void expect_looks(int n)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += DEADLINE_S;
	int late = 0;
	pthread_mutex_lock(&seen.lock);
	while (seen.looks < n && !late)
		late = pthread_cond_timedwait(&seen.news, &seen.lock, &until);
	seen.looks = 0;
	pthread_mutex_unlock(&seen.lock);
	if (late)
		fail_msg("nobody looked");
}

static void expect_a_look(void)
{
	expect_looks(1);
}

static int looks_so_far(void)
{
	pthread_mutex_lock(&seen.lock);
	int looks = seen.looks;
	pthread_mutex_unlock(&seen.lock);
	return looks;
}

/* top/NAME, valid until the fourth call after it. */
static const char *at(const char *name)
{
	static char paths[4][128];
	static int n;
	char *path = paths[n++ % 4];
	snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
	return path;
}

static void write_file(const char *name)
{
	FILE *f = fopen(at(name), "we");
	assert_non_null(f);
	assert_int_equal(fputs("x", f) >= 0, 1);
	fclose(f);
}

static void make(const char *name)
{
	assert_int_equal(mkdir(at(name), 0700), 0);
}

static void move(const char *from, const char *to)
{
	assert_int_equal(rename(at(from), at(to)), 0);
}

/* A link that turns from one place to another in one step. */
static void turn(const char *link, const char *to)
{
	assert_int_equal(symlink(to, at("new-link")), 0);
	move("new-link", link);
}

static void start(const char *path)
{
	const char *const folders[] = {path};
	seen.looks = seen.asked = 0;
	seen.refuse = false;
	watch = watch_new(folders, 1, look, NULL);
	watch_start(watch);
}

static int set_up(void **state)
{
	snprintf(top, sizeof(top), "/tmp/dialtone-watch-XXXXXX");
	assert_non_null(mkdtemp(top));
	snprintf(folder, sizeof(folder), "%s/trust", top);
	make("trust");
	return 0;
}

static int tear_down(void **state)
{
	char command[128];
	watch_free(watch);
	watch = NULL;
	snprintf(command, sizeof(command), "rm -r %s", top);
	return system(command); /* NOLINT(cert-env33-c): our own folder */
}

static void what_comes_together_is_one_look(void **state)
{
	start(folder);
	int64_t since = now_ms();
	for (int i = 0; i < 20; i++) {
		char name[32];
		snprintf(name, sizeof(name), "trust/%d.pem", i);
		write_file(name);
	}
	expect_a_look();
	assert_in_range(seen.at_ms[0] - since, QUIET_MS, DEADLINE_S * 1000);
	assert_int_equal(unlink(at("trust/7.pem")), 0);
	expect_a_look();
	assert_int_equal(chmod(at("trust/8.pem"), 0600), 0);
	expect_a_look();
	assert_int_equal(seen.asked, 0);
}

static int64_t longer(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static void one_that_never_rests_is_looked_at_in_between(void **state)
{
	start(folder);
	int64_t since = now_ms(), last = since, rest = 0;
	while (!looks_so_far() && last - since < DEADLINE_S * 1000) {
		write_file("trust/busy.pem");
		rest = longer(rest, now_ms() - last);
		last = now_ms();
		usleep(1000 * QUIET_MS / 4);
	}
	expect_a_look();
	/* A machine that kept us from writing let it rest. */
	rest = longer(rest, seen.at_ms[0] - last);
	assert_in_range(seen.at_ms[0] - since,
		rest < QUIET_MS / 2 ? 4 * QUIET_MS : QUIET_MS,
		DEADLINE_S * 1000);
}

static void a_folder_may_go_and_come_back(void **state)
{
	start(folder);
	move("trust", "away");
	expect_a_look();
	move("away", "trust");
	expect_a_look();
	write_file("trust/a.pem"); /* it is watched, not the one before */
	expect_a_look();
}

static void a_folder_may_be_replaced(void **state)
{
	start(folder);
	make("other");
	move("trust", "old");
	move("other", "trust");
	expect_a_look();
	write_file("trust/a.pem");
	expect_a_look();
}

static void a_folder_may_come_later(void **state)
{
	start(at("not/yet/there"));
	make("not");
	expect_a_look();
	make("not/yet");
	expect_a_look();
	make("not/yet/there");
	expect_a_look();
	write_file("not/yet/there/a.pem");
	expect_a_look();
}

static void links_on_the_way_may_turn(void **state)
{
	make("one");
	make("one/trust");
	make("two");
	make("two/trust");
	turn("current", "one");
	turn("alias", "./current/trust/");
	start(at("alias"));
	write_file("one/trust/a.pem");
	expect_a_look();
	turn("current", "two"); /* in the middle of the path */
	expect_a_look();
	write_file("two/trust/a.pem");
	expect_a_look();
	turn("alias", at("one/trust")); /* at its end */
	expect_a_look();
	write_file("one/trust/b.pem");
	expect_a_look();
}

static void links_in_a_circle_harm_nobody(void **state)
{
	char why[64];
	turn("a", "b");
	turn("b", "a");
	start(at("a"));
	watch_fault(watch, at("a"), why, sizeof(why));
	assert_string_not_equal(why, "");
	turn("a", "trust");
	expect_a_look();
	write_file("trust/a.pem");
	expect_a_look();
	watch_fault(watch, at("a"), why, sizeof(why));
	assert_string_equal(why, "");
}

static void what_went_wrong_is_looked_at_again_ever_later(void **state)
{
	start(folder);
	seen.refuse = true;
	watch_nudge(watch);
	expect_looks(4);
	pthread_mutex_lock(&seen.lock);
	for (int i = 1; i < 4; i++)
		assert_in_range(seen.at_ms[i] - seen.at_ms[i - 1],
			(AGAIN_MS << (i - 1)) - 1, DEADLINE_S * 1000);
	seen.refuse = false;
	seen.looks = 0;
	pthread_mutex_unlock(&seen.lock);
	write_file("trust/a.pem"); /* nobody waits for the next interval */
	expect_a_look();
}

static void who_asks_is_heard_at_once(void **state)
{
	start(folder);
	int64_t since = now_ms();
	watch_ask(watch);
	expect_a_look();
	assert_int_equal(seen.asked, 1);
	assert_in_range(seen.at_ms[0] - since, 0, DEADLINE_S * 1000);
}

static void it_ends_whether_it_was_started_or_not(void **state)
{
	const char *const folders[] = {folder};
	watch_free(watch_new(folders, 1, look, NULL));
	watch_free(watch_new(NULL, 0, look, NULL));
	start(folder);
	write_file("trust/a.pem");
}

int main(void)
{
#define FACT(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		FACT(what_comes_together_is_one_look),
		FACT(one_that_never_rests_is_looked_at_in_between),
		FACT(a_folder_may_go_and_come_back),
		FACT(a_folder_may_be_replaced),
		FACT(a_folder_may_come_later),
		FACT(links_on_the_way_may_turn),
		FACT(links_in_a_circle_harm_nobody),
		FACT(what_went_wrong_is_looked_at_again_ever_later),
		FACT(who_asks_is_heard_at_once),
		FACT(it_ends_whether_it_was_started_or_not),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
