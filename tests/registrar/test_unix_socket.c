/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about a Unix socket that one process serves. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "registrar/net/unix_socket.h"

static char folder[] = "/tmp/dialtone-socket-XXXXXX";
static struct sockaddr_un at = {.sun_family = AF_UNIX};

static int set_up(void **state)
{
	assert_non_null(mkdtemp(folder));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/admin.sock", folder);
	return 0;
}

static int tear_down(void **state)
{
	char lock[sizeof(at.sun_path) + 8];
	snprintf(lock, sizeof(lock), "%s.lock", at.sun_path);
	unlink(lock);
	return rmdir(folder);
}

static struct unix_socket *open_socket(void)
{
	struct unix_socket *s;
	struct diag d = {.text = ""};
	if (unix_socket_open(at.sun_path, &s, &d) < 0)
		fail_msg("%s", d.text);
	return s;
}

static void refused(int error, const char *why)
{
	struct unix_socket *s;
	struct diag d = {.text = ""};
	assert_int_equal(unix_socket_open(at.sun_path, &s, &d), error);
	if (!strstr(d.text, why) || !strstr(d.text, at.sun_path))
		fail_msg("\"%s\" does not say \"%s\"", d.text, why);
}

static bool is_there(void)
{
	struct stat st;
	return lstat(at.sun_path, &st) == 0;
}

/* A socket that somebody else made; 0: and serves it not. */
static int others(int backlog)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	if (backlog)
		assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static void owner_and_group_may_connect_whatever_the_umask(void **state)
{
	static const mode_t masks[] = {0, 022, 077, 0777};
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		struct stat st;
		mode_t before = umask(masks[i]);
		struct unix_socket *s = open_socket();
		umask(before);
		assert_int_equal(lstat(at.sun_path, &st), 0);
		assert_true(S_ISSOCK(st.st_mode));
		assert_int_equal(st.st_mode & 07777, 0660);
		unix_socket_close(s);
		assert_false(is_there());
	}
}

static void who_connects_is_known(void **state)
{
	struct unix_socket_peer who;
	struct unix_socket *s = open_socket();
	int listener = unix_socket_take(s);
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(
		connect(client, (struct sockaddr *)&at, sizeof(at)), 0);
	int served = accept(listener, NULL, NULL);
	assert_int_equal(unix_socket_peer(served, &who), 0);
	assert_int_equal(who.pid, getpid());
	assert_int_equal(who.uid, getuid());
	assert_int_equal(who.gid, getgid());
	close(served);
	close(client);
	close(listener);
	unix_socket_close(s);
	assert_true(unix_socket_peer(-1, &who) < 0);
}

static void what_a_dead_process_left_is_replaced(void **state)
{
	close(others(1));
	assert_true(is_there());
	unix_socket_close(open_socket());
	assert_false(is_there());
}

static void only_one_serves_it(void **state)
{
	struct unix_socket *s = open_socket();
	refused(-EADDRINUSE, "another dialtoned serves this socket");
	/* Also when its file was taken away meanwhile. */
	assert_int_equal(unlink(at.sun_path), 0);
	refused(-EADDRINUSE, "another dialtoned serves this socket");
	unix_socket_close(s);
	unix_socket_close(open_socket());
}

static void what_others_serve_is_left_to_them(void **state)
{
	int fd = others(1);
	refused(-EADDRINUSE, "another program serves this socket");
	assert_true(is_there());
	close(fd);
	unlink(at.sun_path);
}

static void what_is_no_socket_is_left_alone(void **state)
{
	FILE *f = fopen(at.sun_path, "w");
	assert_non_null(f);
	fclose(f);
	refused(-EEXIST, "no socket");
	assert_true(is_there());
	unlink(at.sun_path);
	assert_int_equal(symlink("/nowhere", at.sun_path), 0);
	refused(-EEXIST, "no socket");
	assert_true(is_there());
	unlink(at.sun_path);
}

static void a_socket_that_took_its_place_is_not_unlinked(void **state)
{
	struct unix_socket *s = open_socket();
	assert_int_equal(unlink(at.sun_path), 0);
	int fd = others(1);
	unix_socket_close(s);
	assert_true(is_there());
	close(fd);
	unlink(at.sun_path);
}

static void a_folder_that_is_not_there_is_named(void **state)
{
	struct unix_socket *s;
	struct diag d = {.text = ""};
	assert_int_equal(
		unix_socket_open("/nowhere/admin.sock", &s, &d), -ENOENT);
	assert_non_null(strstr(d.text, "/nowhere/admin.sock"));
	assert_non_null(strstr(d.text, "admin.socket must name a folder"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			owner_and_group_may_connect_whatever_the_umask),
		cmocka_unit_test(who_connects_is_known),
		cmocka_unit_test(what_a_dead_process_left_is_replaced),
		cmocka_unit_test(only_one_serves_it),
		cmocka_unit_test(what_others_serve_is_left_to_them),
		cmocka_unit_test(what_is_no_socket_is_left_alone),
		cmocka_unit_test(a_socket_that_took_its_place_is_not_unlinked),
		cmocka_unit_test(a_folder_that_is_not_there_is_named),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name(
		"unix socket", tests, set_up, tear_down);
}
