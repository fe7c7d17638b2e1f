/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about what time, admins and other nodes do to keys and sessions. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "registrar/log.h"
#include "registrar/tls/resumption.h"

static char folder[] = "/tmp/dialtone-resumption-XXXXXX";
static char path[64];
static struct config config = {.ticket_rotate_s = 3600};

static int set_up(void **state)
{
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/keys", folder);
	return 0;
}

static int tear_down(void **state)
{
	unlink(path);
	return rmdir(folder);
}

static struct resume node(const char *keys_path)
{
	struct resume r = {.config = &config, .now = time};
	struct diag d;
	assert_int_equal(ticket_keys_open(keys_path, &r.keys, &d), 0);
	assert_int_equal(session_cache_open(NULL, 64, &r.cache, &d), 0);
	session_cache_put(r.cache,
		&(struct session_cache_entry){(const uint8_t *)"id",
			(const uint8_t *)"data", 2, 4, INT64_MAX},
		0);
	return r;
}

static void forget(struct resume *r)
{
	ticket_keys_free(r->keys);
	session_cache_close(r->cache);
}

static size_t sessions(const struct resume *r)
{
	return session_cache_fill(r->cache).used;
}

static void a_rotation_keeps_sessions_and_revoking_does_not(void **state)
{
	struct diag d;
	struct resume r = node(NULL);
	assert_int_equal(resumption_rotate(&r, &d), 0);
	assert_int_equal(sessions(&r), 1);
	assert_int_equal(r.revoked_ns, 0);
	assert_int_equal(resumption_revoke_all(&r, &d), 0);
	assert_int_equal(sessions(&r), 0);
	assert_true(r.revoked_ns > 0);
	forget(&r);
}

static void what_another_node_revoked_is_revoked_here(void **state)
{
	struct diag d;
	unlink(path);
	struct resume a = node(path), b = node(path);
	assert_int_equal(resumption_rotate(&a, &d), 0);
	resumption_tend(&b);
	assert_int_equal(sessions(&b), 1);
	assert_int_equal(resumption_revoke_all(&a, &d), 0);
	resumption_tend(&b);
	assert_int_equal(sessions(&b), 0);
	assert_true(b.revoked_ns > 0);
	struct ticket_keys_view x = ticket_keys_view(a.keys);
	struct ticket_keys_view y = ticket_keys_view(b.keys);
	assert_memory_equal(x.names, y.names, sizeof(x.names));
	forget(&a);
	forget(&b);
}

static void a_rotation_builds_on_what_another_node_wrote(void **state)
{
	struct diag d;
	unlink(path);
	struct resume a = node(path), b = node(path);
	assert_int_equal(resumption_rotate(&a, &d), 0);
	struct ticket_keys_view x = ticket_keys_view(a.keys);
	assert_int_equal(resumption_rotate(&b, &d), 0);
	struct ticket_keys_view y = ticket_keys_view(b.keys);
	assert_string_equal(y.names[0], x.names[1]);
	assert_string_equal(y.names[1], x.names[2]);
	forget(&a);
	forget(&b);
}

static void keys_are_due_when_they_are_old(void **state)
{
	struct resume r = node(NULL);
	time_t made = ticket_keys_view(r.keys).rotated;
	assert_int_equal(resumption_rotation_due(&r), made + 3600);
	struct ticket_keys_view before = ticket_keys_view(r.keys);
	resumption_tend(&r);
	struct ticket_keys_view young = ticket_keys_view(r.keys);
	assert_memory_equal(before.names, young.names, sizeof(young.names));
	config.ticket_rotate_s = 0;
	resumption_tend(&r);
	config.ticket_rotate_s = 3600;
	struct ticket_keys_view old = ticket_keys_view(r.keys);
	assert_string_equal(old.names[0], before.names[1]);
	forget(&r);
}

static void keys_of_the_future_are_due(void **state)
{
	const struct timespec at = {.tv_sec = time(NULL) + 3 * 3600};
	unlink(path);
	struct resume first = node(path);
	forget(&first);
	assert_int_equal(
		utimensat(AT_FDCWD, path, (const struct timespec[]){at, at}, 0),
		0);
	struct resume r = node(path);
	struct ticket_keys_view before = ticket_keys_view(r.keys);
	assert_int_equal(before.rotated, at.tv_sec);
	resumption_tend(&r);
	struct ticket_keys_view after = ticket_keys_view(r.keys);
	assert_string_equal(after.names[0], before.names[1]);
	assert_true(after.rotated < at.tv_sec);
	before = after;
	resumption_tend(&r);
	after = ticket_keys_view(r.keys);
	assert_memory_equal(before.names, after.names, sizeof(after.names));
	forget(&r);
}

static void what_is_off_says_so_and_how_to_turn_it_on(void **state)
{
	struct resume off = {.config = &config}, ids = node(NULL);
	struct diag d = {.text = ""};
	ticket_keys_free(ids.keys);
	ids.keys = NULL;
	resumption_tend(&off);
	assert_int_equal(resumption_revoke_all(&off, &d), -ENOTSUP);
	assert_non_null(strstr(d.text, "tls.resumption is \"off\""));
	assert_int_equal(resumption_rotate(&off, &d), -ENOTSUP);
	assert_int_equal(resumption_rotate(&ids, &d), -ENOTSUP);
	assert_non_null(strstr(d.text, "set it to \"all\""));
	assert_int_equal(resumption_revoke_all(&ids, &d), 0);
	assert_int_equal(sessions(&ids), 0);
	forget(&ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_rotation_keeps_sessions_and_revoking_does_not),
		cmocka_unit_test(what_another_node_revoked_is_revoked_here),
		cmocka_unit_test(a_rotation_builds_on_what_another_node_wrote),
		cmocka_unit_test(keys_are_due_when_they_are_old),
		cmocka_unit_test(keys_of_the_future_are_due),
		cmocka_unit_test(what_is_off_says_so_and_how_to_turn_it_on),
	};
	log_setup(LOG_TEXT, LOG_ERROR);
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name(
		"resumption", tests, set_up, tear_down);
}
