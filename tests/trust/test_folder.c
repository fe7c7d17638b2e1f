/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about reading a folder that others write to meanwhile. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <openssl/pem.h>

#include "tests/certs/made.h"
#include "trust/folder.h"
#include "trust/snapshot.h"

enum { CAS = 3 };

static X509 *ca[CAS];
static char bundle[8192];		 /* all of them, in PEM */
static size_t n_bundle, border[CAS + 1]; /* where its blocks begin and end */

static int begin(void **state)
{
	BIO *bio = BIO_new(BIO_s_mem());
	for (int i = 0; i < CAS; i++) {
		char cn[16];
		snprintf(cn, sizeof(cn), "CAPF-%08d", i);
		const struct cert_attribute subject[] = {
			{"CN", cn}, {NULL, NULL}};
		const struct cert_extension extensions[] = {
			{"basicConstraints", "critical,CA:TRUE"}, {NULL, NULL}};
		ca[i] = made_cert((struct cert_order){.subject = subject,
			.extensions = extensions,
			.key = made_key("p256", i)});
		PEM_write_bio_X509(bio, ca[i]);
		border[i + 1] = BIO_ctrl_pending(bio);
	}
	n_bundle = (size_t)BIO_read(bio, bundle, sizeof(bundle));
	BIO_free(bio);
	return 0;
}

static int end(void **state)
{
	for (int i = 0; i < CAS; i++)
		X509_free(ca[i]);
	return 0;
}

static struct trust_snapshot *load(const char *folder)
{
	const struct trust_load what = {.dir = folder};
	struct trust_snapshot *s = NULL;
	struct diag d = {.text = ""};
	if (trust_snapshot_load(&what, &s, &d))
		fail_msg("%s", d.text);
	return s;
}

/* The rule that refuses it, or "". */
static const char *rule_of(const struct trust_load *what)
{
	struct trust_snapshot *s = NULL;
	struct diag d = {.text = "", .rule = ""};
	int error = trust_snapshot_load(what, &s, &d);
	assert_int_equal(!error, !d.rule[0]);
	assert_int_equal(!error, s != NULL);
	trust_snapshot_unref(s);
	return d.rule;
}

static size_t anchors_in(const struct trust_snapshot *s)
{
	size_t n;
	trust_snapshot_anchors(s, &n);
	return n;
}

/* The blocks that stand whole in the first n bytes, of which the last may
 * lack its line end. */
static size_t blocks_in(size_t n)
{
	size_t blocks = 0;
	while (blocks < CAS && n + 1 >= border[blocks + 1])
		blocks++;
	return blocks;
}

/* A writer was killed there: what he left is closed, and will stay so. */
static void a_cut_bundle_never_takes_the_place_of_the_whole_one(void **state)
{
	char *folder = made_folder();
	made_file(folder, "a.pem", bundle, n_bundle);
	struct trust_snapshot *before = load(folder);
	const struct trust_load what = {.dir = folder, .before = before};
	assert_int_equal(anchors_in(before), CAS);
	for (size_t n = 0; n <= n_bundle; n++) {
		size_t blocks = blocks_in(n);
		bool at_border = blocks && n <= border[blocks];
		made_file(folder, "a.pem", bundle, n);
		const char *rule = rule_of(&what);
		if (n + 1 >= n_bundle)
			assert_string_equal(rule, "");
		else if (n == 0)
			assert_string_equal(rule, "empty-file");
		else
			assert_string_equal(
				rule, at_border ? "shrunk" : "half-written");
	}
	trust_snapshot_unref(before);
	made_folder_end(folder);
}

/* Nobody knows what the file will be: only whole blocks count. */
static void a_new_bundle_counts_at_the_borders_of_its_blocks_alone(void **state)
{
	char *folder = made_folder();
	const struct trust_load what = {.dir = folder};
	for (size_t n = 0; n <= n_bundle; n++) {
		size_t blocks = blocks_in(n);
		bool at_border = blocks && n <= border[blocks];
		made_file(folder, "a.pem", bundle, n);
		assert_int_equal(at_border, !rule_of(&what)[0]);
	}
	made_folder_end(folder);
}

static void what_a_writer_holds_open_is_not_read_at_any_byte(void **state)
{
	char *folder = made_folder();
	made_pem(folder, "b.pem", ca[0]);
	struct trust_snapshot *before = load(folder);
	const struct trust_load what = {
		.dir = folder, .before = before, .now = time(NULL)};
	int fd = open(made_path(folder, "a.pem"),
		O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	for (size_t n = 0; n <= n_bundle; n++) {
		assert_string_equal(rule_of(&what), "being-written");
		if (n < n_bundle)
			assert_int_equal(write(fd, bundle + n, 1), 1);
	}
	close(fd);
	trust_snapshot_unref(before);
	before = load(folder);
	assert_int_equal(anchors_in(before), CAS);
	trust_snapshot_unref(before);
	made_folder_end(folder);
}

/* Who owns a file may ask whether it is being written; of another's its age
 * has to say it, unless somebody says that it is complete. */
static void a_young_file_of_another_user_waits_unless_it_is_ordered(
	void **state)
{
	int status = -1;
	if (geteuid() != 0)
		skip(); /* it takes two users */
	char *folder = made_folder();
	assert_int_equal(chmod(folder, 0755), 0);
	made_pem(folder, "b.pem", ca[0]);
	struct trust_snapshot *before = load(folder);
	struct trust_load what = {.dir = folder, .now = time(NULL)};
	made_pem(folder, "a.pem", ca[1]);
	pid_t child = fork();
	if (child == 0) {
		if (setresuid(12345, 12345, 12345) < 0)
			_exit(2);
		bool good = !*rule_of(&what); /* a start */
		what.before = before;
		good = good && !strcmp(rule_of(&what), "being-written");
		what.now += 3;
		good = good && !*rule_of(&what);
		what.now -= 3;
		what.explicit_order = true;
		_exit(good && !*rule_of(&what) ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	trust_snapshot_unref(before);
	made_folder_end(folder);
}

static void files_may_lose_certificates_when_an_admin_says_so(void **state)
{
	char *folder = made_folder();
	made_file(folder, "a.pem", bundle, n_bundle);
	made_pem(folder, "b.pem", ca[0]);
	struct trust_snapshot *before = load(folder);
	struct trust_load what = {.dir = folder, .before = before};
	/* Also of what another file still has. */
	made_file(folder, "a.pem", bundle + border[1], n_bundle - border[1]);
	assert_string_equal(rule_of(&what), "shrunk");
	what.explicit_order = true;
	assert_string_equal(rule_of(&what), "");
	what.explicit_order = false;
	made_pem(folder, "a.pem", ca[1]);
	assert_string_equal(rule_of(&what), "shrunk");
	/* A file that is gone was removed. */
	unlink(made_path(folder, "a.pem"));
	assert_string_equal(rule_of(&what), "");
	made_file(folder, "c.pem", bundle, border[2]);
	assert_string_equal(rule_of(&what), "");
	trust_snapshot_unref(before);
	made_folder_end(folder);
}

static void a_file_may_be_left_out_of_the_set(void **state)
{
	char *folder = made_folder();
	made_pem(folder, "a.pem", ca[0]);
	made_pem(folder, "b.pem", ca[1]);
	made_file(folder, "c.pem", "x", 1);
	struct trust_snapshot *s = NULL;
	const char *const without[] = {"b.pem", "c.pem", "gone.pem"};
	struct trust_load what = {
		.dir = folder, .without = without, .n_without = 3};
	assert_int_equal(trust_snapshot_load(&what, &s, NULL), 0);
	assert_int_equal(anchors_in(s), 1);
	trust_snapshot_unref(s);
	what.n_without = 1;
	assert_string_equal(rule_of(&what), "no-certificate");
	made_folder_end(folder);
}

static void a_hidden_file_is_judged_as_if_it_had_a_name(void **state)
{
	char *folder = made_folder();
	struct trust_snapshot *s = NULL;
	struct diag d;
	size_t n;
	made_pem(folder, "a.pem", ca[0]);
	made_pem(folder, ".new", ca[1]);
	made_file(folder, ".bad", "x", 1);
	struct trust_load what = {.dir = folder};
	assert_int_equal(trust_snapshot_load(&what, &s, NULL), 0);
	assert_int_equal(anchors_in(s), 1);
	trust_snapshot_unref(s);
	what.with = ".new";
	what.with_name = "0.pem"; /* the first in order of names */
	assert_int_equal(trust_snapshot_load(&what, &s, NULL), 0);
	assert_string_equal(trust_snapshot_anchors(s, &n)[0].file, "0.pem");
	assert_int_equal(n, 2);
	trust_snapshot_unref(s);
	what.with = ".bad";
	assert_int_equal(trust_snapshot_load(&what, &s, &d), -EINVAL);
	assert_string_equal(d.rule, "no-certificate");
	assert_non_null(strstr(d.text, "/0.pem"));
	made_folder_end(folder);
}

/* As Kubernetes and others replace a folder: links to a link, swapped. */
static void links_inside_the_folder_are_followed(void **state)
{
	char *folder = made_folder();
	assert_int_equal(mkdir(made_path(folder, "..1"), 0755), 0);
	assert_int_equal(mkdir(made_path(folder, "..2"), 0755), 0);
	made_pem(folder, "..1/a.pem", ca[0]);
	made_file(folder, "..2/a.pem", bundle, n_bundle);
	assert_int_equal(symlink("..1", made_path(folder, "..data")), 0);
	assert_int_equal(
		symlink("..data/a.pem", made_path(folder, "a.pem")), 0);
	struct trust_snapshot *s = load(folder);
	assert_int_equal(anchors_in(s), 1);
	assert_int_equal(symlink("..2", made_path(folder, "..next")), 0);
	assert_int_equal(rename(made_path(folder, "..next"),
				 made_path(folder, "..data")),
		0);
	trust_snapshot_unref(s);
	s = load(folder);
	assert_int_equal(anchors_in(s), CAS);
	trust_snapshot_unref(s);
	made_folder_end(folder);
}

/* As on a kernel before 5.6, and where a filter does not know the call. */
static void take_openat2_away(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {
		.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};
	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

static void without_openat2_links_are_judged_alike(void **state)
{
	int status = -1;
	char *folder = made_folder(), *other = made_folder();
	const struct trust_load what = {.dir = folder};
	made_pem(folder, "a.pem", ca[0]);
	made_pem(other, "b.pem", ca[1]);
	assert_int_equal(symlink("a.pem", made_path(folder, "link.pem")), 0);
	pid_t child = fork();
	if (child == 0) {
		take_openat2_away();
		bool good = *rule_of(&what) == '\0';
		char target[300];
		snprintf(target, sizeof(target), "%s/b.pem", other);
		good = good &&
		       symlink(target, made_path(folder, "out.pem")) == 0 &&
		       strcmp(rule_of(&what), "link-out") == 0;
		_exit(good ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	made_folder_end(folder);
	made_folder_end(other);
}

/* ---- what happens between the first look and the last ---- */

static void replace(const char *folder)
{
	made_pem(folder, "a.pem", ca[1]);
}

static void write_in_place(const char *folder)
{
	made_file(folder, "b.pem", bundle, n_bundle);
}

static void come(const char *folder)
{
	made_pem(folder, "c.pem", ca[2]);
}

static void go(const char *folder)
{
	unlink(made_path(folder, "b.pem"));
}

static void change_its_name(const char *folder)
{
	rename(made_path(folder, "b.pem"), made_path(folder, "d.pem"));
}

static void go_to_a_link(const char *folder)
{
	unlink(made_path(folder, "b.pem"));
	assert_int_equal(symlink("a.pem", made_path(folder, "b.pem")), 0);
}

static void swap_the_folder(const char *folder)
{
	char *fresh = made_folder();
	assert_int_equal(rename(folder, made_path(fresh, "old")), 0);
	assert_int_equal(rename(fresh, folder), 0);
	free(fresh);
}

static void nothing(const char *folder)
{
	made_file(folder, ".hidden", "x", 1);
}

static void a_folder_that_changed_while_it_was_read_is_not_believed(
	void **state)
{
	static const struct {
		void (*change)(const char *folder);
		int error;
	} rows[] = {{replace, -EAGAIN}, {write_in_place, -EAGAIN},
		{come, -EAGAIN}, {go, -EAGAIN}, {change_its_name, -EAGAIN},
		{go_to_a_link, -EAGAIN}, {swap_the_folder, -EAGAIN},
		{nothing, 0}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trust_folder f;
		struct diag d = {.text = "", .rule = ""};
		char *folder = made_folder();
		made_pem(folder, "a.pem", ca[0]);
		made_pem(folder, "b.pem", ca[1]);
		assert_int_equal(trust_folder_open(&f, folder, 0, &d), 0);
		assert_int_equal(f.n, 2);
		for (size_t j = 0; j < f.n; j++) {
			char *data;
			size_t n;
			assert_int_equal(
				trust_folder_read(&f, j, 8192, &data, &n, &d),
				0);
			free(data);
		}
		assert_int_equal(trust_folder_unchanged(&f, &d), 0);
		rows[i].change(folder);
		assert_int_equal(trust_folder_unchanged(&f, &d), rows[i].error);
		assert_string_equal(
			d.rule, rows[i].error ? "changed-while-read" : "");
		trust_folder_close(&f);
		made_folder_end(folder);
	}
}

static void a_file_that_went_after_the_first_look_passes_by_itself(void **state)
{
	struct trust_folder f;
	struct diag d;
	char *folder = made_folder(), *data;
	size_t n;
	made_pem(folder, "a.pem", ca[0]);
	assert_int_equal(trust_folder_open(&f, folder, 0, &d), 0);
	unlink(made_path(folder, "a.pem"));
	assert_int_equal(
		trust_folder_read(&f, 0, 8192, &data, &n, &d), -EAGAIN);
	assert_string_equal(d.rule, "changed-while-read");
	trust_folder_close(&f);
	made_folder_end(folder);
}

struct writer {
	const char *path;
	atomic_bool stop;
};

static void *open_and_close(void *arg)
{
	struct writer *w = arg;
	while (!atomic_load(&w->stop)) {
		int fd = open(w->path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0)
			close(fd);
	}
	return NULL;
}

/* He waits until the file is read; the signal that says so kills nobody. */
static void a_writer_that_comes_while_it_is_read_does_no_harm(void **state)
{
	char *folder = made_folder();
	made_file(folder, "a.pem", bundle, n_bundle);
	struct writer w = {.path = made_path(folder, "a.pem")};
	const struct trust_load what = {.dir = folder};
	pthread_t thread;
	size_t read = 0, refused = 0;
	assert_int_equal(pthread_create(&thread, NULL, open_and_close, &w), 0);
	while (read + refused < 20000 && (read < 100 || refused < 100)) {
		const char *rule = rule_of(&what);
		assert_true(!*rule || !strcmp(rule, "being-written"));
		*rule ? refused++ : read++;
	}
	atomic_store(&w.stop, true);
	pthread_join(thread, NULL);
	assert_true(read > 0);
	made_folder_end(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_cut_bundle_never_takes_the_place_of_the_whole_one),
		cmocka_unit_test(
			a_new_bundle_counts_at_the_borders_of_its_blocks_alone),
		cmocka_unit_test(
			what_a_writer_holds_open_is_not_read_at_any_byte),
		cmocka_unit_test(
			a_young_file_of_another_user_waits_unless_it_is_ordered),
		cmocka_unit_test(
			files_may_lose_certificates_when_an_admin_says_so),
		cmocka_unit_test(a_file_may_be_left_out_of_the_set),
		cmocka_unit_test(a_hidden_file_is_judged_as_if_it_had_a_name),
		cmocka_unit_test(links_inside_the_folder_are_followed),
		cmocka_unit_test(without_openat2_links_are_judged_alike),
		cmocka_unit_test(
			a_folder_that_changed_while_it_was_read_is_not_believed),
		cmocka_unit_test(
			a_file_that_went_after_the_first_look_passes_by_itself),
		cmocka_unit_test(
			a_writer_that_comes_while_it_is_read_does_no_harm),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("folder", tests, begin, end);
}
