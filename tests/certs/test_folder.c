/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about folders that are written whole. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "certs/file.h"
#include "certs/folder.h"
#include "tests/certs/made.h"

static const struct cert_folder_file three[] = {{"a.txt", "hello\n", 6, NULL},
	{"in/b.txt", "deep\n", 5, NULL}, {"in/c.0", NULL, 0, "b.txt"}};
static const struct cert_folder_file one[] = {{"z.txt", "new\n", 4, NULL}};

static char *top;
static char path[1024]; /* a folder that may be made in it */

static int begin(void **state)
{
	top = made_folder();
	snprintf(path, sizeof(path), "%s/new", top);
	return 0;
}

static int end(void **state)
{
	made_folder_end(top);
	return 0;
}

static int write_three(void)
{
	return cert_folder_write(path, three, 3, NULL);
}

/* How many entries a folder has, hidden ones too. */
static int entries(const char *at)
{
	DIR *dir = opendir(at);
	int n = -2; /* "." and ".." */
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static unsigned mode_of(const char *at)
{
	struct stat st;
	assert_int_equal(lstat(at, &st), 0);
	return st.st_mode & 07777;
}

static void holds(const char *at, const char *text)
{
	char *data = NULL;
	size_t n = 0;
	assert_int_equal(cert_file_read(at, 100, &data, &n, NULL), 0);
	assert_int_equal(n, strlen(text));
	assert_memory_equal(data, text, n);
	free(data);
}

static void refused(const char *at, int error, const char *why)
{
	struct diag d = {.text = ""};
	assert_int_equal(cert_folder_write(at, one, 1, &d), error);
	if (!strstr(d.text, why) || !strstr(d.text, at))
		fail_msg("\"%s\" lacks \"%s\" or \"%s\"", d.text, why, at);
}

static void writes_files_links_and_modes(void **state)
{
	mode_t mask = umask(077);
	assert_int_equal(write_three(), 0);
	umask(mask);
	assert_int_equal(mode_of(path), 0755);
	assert_int_equal(mode_of(made_path(path, "in")), 0755);
	assert_int_equal(mode_of(made_path(path, "a.txt")), 0644);
	assert_int_equal(mode_of(made_path(path, CERT_FOLDER_MARKER)), 0644);
	holds(made_path(path, "a.txt"), "hello\n");
	holds(made_path(path, "in/c.0"), "deep\n");
	char to[16] = "";
	assert_int_equal(
		readlink(made_path(path, "in/c.0"), to, sizeof(to) - 1), 5);
	assert_string_equal(to, "b.txt");
	assert_int_equal(entries(top), 1);
}

static void replaces_what_it_wrote_and_nothing_of_it_stays(void **state)
{
	assert_int_equal(write_three(), 0);
	assert_int_equal(
		cert_folder_write(made_path(top, "new//"), one, 1, NULL), 0);
	holds(made_path(path, "z.txt"), "new\n");
	assert_int_equal(entries(path), 2);
	assert_int_equal(entries(top), 1);
}

static void refuses_what_it_did_not_write(void **state)
{
	const char *why = "is no earlier export";
	char ours[1100];
	snprintf(ours, sizeof(ours), "%s-ours", path);
	assert_int_equal(mkdir(path, 0755), 0);
	refused(path, -EEXIST, why);
	made_file(path, CERT_FOLDER_MARKER, "z.txt\n", 6);
	refused(path, -EEXIST, why);
	made_file(top, "file", "x", 1);
	refused(made_path(top, "file"), -EEXIST, why);
	assert_int_equal(cert_folder_write(ours, one, 1, NULL), 0);
	assert_int_equal(symlink("new-ours", made_path(top, "link")), 0);
	refused(made_path(top, "link"), -EEXIST, why);
	refused(made_path(top, "none/below"), -ENOENT, "No such file");
	assert_int_equal(entries(path), 1);
	assert_int_equal(entries(top), 4);
}

/* A key or a note that somebody laid into an export is not lost with it. */
static void keeps_a_folder_in_which_others_left_something(void **state)
{
	static const char *const left[] = {
		"server.key", "in/server.key", "a.txt\nin", ".hidden"};
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		assert_int_equal(write_three(), 0);
		made_file(path, left[i], "mine", 4);
		refused(path, -EEXIST, i == 2 ? "a.txt?in" : left[i]);
		holds(made_path(path, left[i]), "mine");
		holds(made_path(path, "a.txt"), "hello\n");
		assert_int_equal(entries(top), 1);
		assert_int_equal(unlink(made_path(path, left[i])), 0);
	}
	assert_int_equal(mkdir(made_path(path, "empty"), 0755), 0);
	refused(path, -EEXIST, "empty");
}

static void marker_that_names_others_files_removes_none(void **state)
{
	static const char more[] =
		"written by dialtone, and replaced as a whole\n"
		"../precious\nz.txt\n";
	assert_int_equal(cert_folder_write(path, one, 1, NULL), 0);
	made_file(top, "precious", "mine", 4);
	made_file(path, CERT_FOLDER_MARKER, more, strlen(more));
	assert_int_equal(write_three(), 0);
	holds(made_path(top, "precious"), "mine");
	assert_int_equal(entries(top), 2);
}

static void what_fails_midway_leaves_the_old_and_no_litter(void **state)
{
	char name[300];
	struct diag d = {.text = ""};
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	const struct cert_folder_file bad[] = {
		three[0], three[1], {name, "x", 1, NULL}};
	assert_int_equal(cert_folder_write(path, bad, 3, &d), -ENAMETOOLONG);
	assert_int_equal(entries(top), 0);
	assert_int_equal(write_three(), 0);
	assert_int_equal(cert_folder_write(path, bad, 3, &d), -ENAMETOOLONG);
	holds(made_path(path, "in/b.txt"), "deep\n");
	assert_int_equal(entries(top), 1);
}

static void names_that_are_no_names_are_refused(void **state)
{
	char name[5000];
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	struct diag d = {.text = ""};
	assert_int_equal(cert_folder_write("", one, 1, &d), -ENAMETOOLONG);
	assert_int_equal(cert_folder_write(name, one, 1, &d), -ENAMETOOLONG);
	refused("/", -EEXIST, "is no earlier export");
	refused(".", -EEXIST, "is no earlier export");
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FACT(writes_files_links_and_modes),
		FACT(replaces_what_it_wrote_and_nothing_of_it_stays),
		FACT(refuses_what_it_did_not_write),
		FACT(keeps_a_folder_in_which_others_left_something),
		FACT(marker_that_names_others_files_removes_none),
		FACT(what_fails_midway_leaves_the_old_and_no_litter),
		FACT(names_that_are_no_names_are_refused),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("folder", tests, NULL, NULL);
}
