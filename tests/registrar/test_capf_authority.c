/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about CAPF's roots: their files, their steps, and a kill anywhere. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "certs/file.h"
#include "certs/issuer.h"
#include "certs/lsc.h"
#include "certs/pem.h"
#include "registrar/capf/authority.h"

static char top[] = "/tmp/dialtone-authority-XXXXXX";
static char folder[96], retired[112], callmanager[96], capf[96];
static struct config *config;
static struct diag d;

static int drop(
	const char *path, const struct stat *st, int type, struct FTW *f)
{
	return remove(path);
}

static void set(char **at, const char *text)
{
	free(*at);
	*at = strdup(text);
}

/* Each fact begins with empty trust folders and without roots. */
static int set_up(void **state)
{
	static int n;
	char here[64];
	if (n == 0)
		assert_non_null(mkdtemp(top));
	snprintf(here, sizeof(here), "%s/%d", top, n++);
	assert_int_equal(mkdir(here, 0700), 0);
	snprintf(folder, sizeof(folder), "%s/capf", here);
	snprintf(retired, sizeof(retired), "%s/retired", folder);
	snprintf(callmanager, sizeof(callmanager), "%s/cm", here);
	snprintf(capf, sizeof(capf), "%s/ct", here);
	assert_int_equal(mkdir(callmanager, 0755), 0);
	assert_int_equal(mkdir(capf, 0755), 0);
	config_free(config);
	assert_int_equal(config_load(NULL, here, &config, &d), 0);
	set(&config->capf_folder, folder);
	set(&config->trust_folder, callmanager);
	set(&config->trust_capf, capf);
	config->capf_root_key = 3; /* p256: made at once */
	return 0;
}

static int tear_down(void **state)
{
	config_free(config);
	return nftw(top, drop, 8, FTW_DEPTH | FTW_PHYS);
}

static struct capf_authority *open_it(void)
{
	struct capf_authority *a;
	if (capf_authority_open(config, time(NULL), &a, &d) < 0)
		fail_msg("%s", d.text);
	return a;
}

static void refuses(int error, const char *rule, const char *cure)
{
	struct capf_authority *a;
	d.text[0] = '\0';
	assert_int_equal(
		capf_authority_open(config, time(NULL), &a, &d), error);
	assert_null(a);
	if (!strstr(d.text, rule) || !strstr(d.text, cure))
		fail_msg("%s", d.text);
}

static void good(int error)
{
	if (error < 0)
		fail_msg("%s", d.text);
}

static char *at(const char *where, const char *name, const char *suffix)
{
	static char path[4][400];
	static int n;
	n = (n + 1) % 4;
	snprintf(path[n], sizeof(path[n]), "%s/%s%s", where, name, suffix);
	return path[n];
}

static bool there(const char *where, const char *name, const char *suffix)
{
	return access(at(where, name, suffix), F_OK) == 0;
}

static bool trusted(const char *name)
{
	bool in = there(callmanager, name, ".pem");
	assert_int_equal(in, there(capf, name, ".pem"));
	return in;
}

static void write_file(const char *path, const char *text)
{
	good(cert_file_write(path, 0600, text, strlen(text), &d));
}

static unsigned mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

/* The names of the three, "" where there is none. */
struct names {
	char signing[CERT_NAME_MAX + 1], old[CERT_NAME_MAX + 1],
		next[CERT_NAME_MAX + 1];
};

static struct names names_of(struct capf_authority *a)
{
	struct names n;
	struct capf_roots *r = capf_authority_roots(a);
	strcpy(n.signing, r->signing.name);
	strcpy(n.old, r->old.name);
	strcpy(n.next, r->next.name);
	assert_ptr_equal(capf_roots_tls(r), *n.old ? &r->old : &r->signing);
	capf_roots_unref(r);
	return n;
}

/* ---- the first start ---- */

static void first_start_makes_a_root_that_is_trusted(void **state)
{
	struct capf_authority *a = open_it();
	struct names n = names_of(a);
	assert_int_equal(strncmp(n.signing, "CAPF-", 5), 0);
	assert_string_equal(n.old, "");
	assert_string_equal(n.next, "");
	assert_true(trusted(n.signing));
	assert_int_equal(mode_of(folder), 0700);
	assert_int_equal(mode_of(at(folder, n.signing, ".key")), 0600);
	struct capf_roots *r = capf_authority_roots(a);
	good(cert_capf_check(r->signing.cert, r->signing.key, &d));
	capf_roots_unref(r);
	capf_authority_close(a);

	a = open_it();
	struct names again = names_of(a);
	assert_string_equal(again.signing, n.signing);
	capf_authority_close(a);
}

static void folder_lies_in_the_state_folder_unless_named(void **state)
{
	char want[200];
	char *state_folder = at(top, "state-of-it", "");
	assert_int_equal(mkdir(state_folder, 0700), 0);
	snprintf(want, sizeof(want), "%s/capf", state_folder);
	set(&config->capf_folder, "");
	set(&config->state_folder, state_folder);
	struct capf_authority *a = open_it();
	assert_string_equal(capf_authority_folder(a), want);
	capf_authority_close(a);
	set(&config->state_folder, "");
	refuses(-EINVAL, "no folder", "state.folder");
}

static void others_cannot_enter_the_folder(void **state)
{
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(chmod(folder, 0755), 0);
	capf_authority_close(open_it());
	assert_int_equal(mode_of(folder), 0700);
}

static void root_that_an_admin_brought_is_taken(void **state)
{
	X509 *cert;
	EVP_PKEY *key;
	const struct cert_organisation of = {.organisation = "Acme"};
	struct cert_identity id;
	good(cert_capf_make(&of, "p256", time(NULL), 100, &cert, &key, &d));
	cert_identity_read(cert, &id);
	assert_int_equal(mkdir(folder, 0700), 0);
	good(cert_pem_write(at(folder, id.cn, ".pem"), &cert, 1, &d));
	good(cert_key_write(at(folder, id.cn, ".key"), key, &d));
	X509_free(cert);
	EVP_PKEY_free(key);
	struct capf_authority *a = open_it();
	struct names n = names_of(a);
	assert_string_equal(n.signing, id.cn);
	assert_true(trusted(id.cn));
	capf_authority_close(a);
}

/* ---- what is refused ---- */

static struct names made(void)
{
	struct capf_authority *a = open_it();
	struct names n = names_of(a);
	capf_authority_close(a);
	return n;
}

static void refuses_key_that_others_can_read(void **state)
{
	struct names n = made();
	assert_int_equal(chmod(at(folder, n.signing, ".key"), 0640), 0);
	refuses(-EPERM, "0640", "chmod 600");
}

static void refuses_folder_that_lost_its_root(void **state)
{
	struct names n = made();
	assert_int_equal(unlink(at(folder, n.signing, ".key")), 0);
	refuses(-ENOENT, n.signing, "backup");
	assert_int_equal(unlink(at(folder, n.signing, ".pem")), 0);
	refuses(-ENOENT, n.signing, "backup");
}

static void refuses_key_of_another_certificate(void **state)
{
	struct names n = made();
	EVP_PKEY *key;
	good(cert_key_make("p256", &key, &d));
	good(cert_key_write(at(folder, n.signing, ".key"), key, &d));
	EVP_PKEY_free(key);
	refuses(-EINVAL, n.signing, "key");
}

static void refuses_certificate_under_another_name(void **state)
{
	struct names n = made();
	rename(at(folder, n.signing, ".pem"), at(folder, "CAPF-x", ".pem"));
	rename(at(folder, n.signing, ".key"), at(folder, "CAPF-x", ".key"));
	write_file(at(folder, "signing", ""), "CAPF-x\n\n");
	refuses(-EINVAL, n.signing, "named after it");
}

static void refuses_what_is_no_signing_file(void **state)
{
	static const char *const wrong[] = {"", "CAPF-1", "CAPF-1\n",
		"CAPF-1\n\nCAPF-2\n", "../../key\n\n", "\n\n",
		"CAPF-1\nCAPF-1\n"};
	made();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		write_file(at(folder, "signing", ""), wrong[i]);
		refuses(-EINVAL, "/signing", "two lines");
	}
}

static void refuses_two_roots_that_nothing_names(void **state)
{
	made();
	struct capf_authority *a = open_it();
	good(capf_authority_prepare(a, time(NULL), &d));
	capf_authority_close(a);
	assert_int_equal(unlink(at(folder, "signing", "")), 0);
	refuses(-EINVAL, "names neither", "move one away");
}

static void overwrites_no_file_of_its_name(void **state)
{
	struct capf_authority *a = open_it();
	struct names n = names_of(a);
	struct capf_roots *r = capf_authority_roots(a);
	write_file(at(capf, n.signing, ".pem"), "something else\n");
	assert_int_equal(capf_authority_publish(a, &r->signing, &d), -EEXIST);
	assert_non_null(strstr(d.text, "move it away"));
	capf_roots_unref(r);
	capf_authority_close(a);
}

/* ---- trust ---- */

static void withdraws_it_under_whatever_name(void **state)
{
	struct capf_authority *a = open_it();
	struct capf_roots *r = capf_authority_roots(a);
	struct names n = names_of(a);
	good(cert_pem_write(
		at(callmanager, "copy", ".pem"), &r->signing.cert, 1, &d));
	write_file(at(callmanager, "README", ""), "no certificate\n");
	good(capf_authority_withdraw(a, &r->signing, &d));
	assert_false(trusted(n.signing));
	assert_false(there(callmanager, "copy", ".pem"));
	assert_true(there(callmanager, "README", ""));
	good(capf_authority_withdraw(a, &r->signing, &d));
	good(capf_authority_publish(a, &r->signing, &d));
	assert_true(trusted(n.signing));
	capf_roots_unref(r);
	capf_authority_close(a);
}

static void leaves_file_that_holds_others_too(void **state)
{
	struct capf_authority *a = open_it();
	good(capf_authority_prepare(a, time(NULL), &d));
	struct capf_roots *r = capf_authority_roots(a);
	X509 *both[] = {r->signing.cert, r->next.cert};
	good(cert_pem_write(at(capf, "both", ".pem"), both, 2, &d));
	assert_int_equal(capf_authority_withdraw(a, &r->signing, &d), -EEXIST);
	assert_non_null(strstr(d.text, "both.pem"));
	assert_true(there(capf, "both", ".pem"));
	capf_roots_unref(r);
	capf_authority_close(a);
}

static void store_that_is_not_configured_is_left_out(void **state)
{
	set(&config->trust_capf, "");
	struct names n = made();
	assert_true(there(callmanager, n.signing, ".pem"));
	assert_false(there(capf, n.signing, ".pem"));
}

/* ---- a rollover ---- */

static void a_new_root_is_of_the_old_one_s_organisation(void **state)
{
	set(&config->capf_organisation, "Caf\xc3\xa9 AG");
	set(&config->capf_unit, "Phones");
	set(&config->capf_locality, "Bern");
	set(&config->capf_province, "BE");
	set(&config->capf_country, "CH");
	struct capf_authority *a = open_it();
	set(&config->capf_organisation, "");
	set(&config->capf_unit, "Voice");
	set(&config->capf_locality, "");
	set(&config->capf_province, "");
	set(&config->capf_country, "");
	good(capf_authority_prepare(a, time(NULL), &d));
	struct capf_roots *r = capf_authority_roots(a);
	char subject[CERT_NAME_MAX + 64];
	snprintf(subject, sizeof(subject),
		"L=Bern,ST=BE,CN=%s,OU=Voice,O=Caf\xc3\xa9 AG,C=CH",
		r->next.name);
	assert_string_equal(r->next.id.subject, subject);
	capf_roots_unref(r);
	capf_authority_close(a);
}

static void rollover_goes_and_comes(void **state)
{
	struct capf_authority *a = open_it();
	struct names first = names_of(a);
	assert_int_equal(capf_authority_promote(a, &d), -ENOENT);
	good(capf_authority_prepare(a, time(NULL), &d));
	struct names both = names_of(a);
	assert_string_not_equal(both.next, "");
	good(capf_authority_prepare(a, time(NULL), &d));
	assert_string_equal(names_of(a).next, both.next);

	good(capf_authority_promote(a, &d));
	struct names during = names_of(a);
	assert_string_equal(during.signing, both.next);
	assert_string_equal(during.old, first.signing);
	assert_string_equal(during.next, "");
	assert_int_equal(capf_authority_promote(a, &d), -EBUSY);
	good(capf_authority_demote(a, &d));
	struct names back = names_of(a);
	assert_string_equal(back.signing, first.signing);
	assert_string_equal(back.old, "");
	assert_string_equal(back.next, both.next);

	good(capf_authority_promote(a, &d));
	good(capf_authority_retire(a, &d));
	struct names after = names_of(a);
	assert_string_equal(after.signing, both.next);
	assert_string_equal(after.old, "");
	assert_string_equal(after.next, "");
	assert_false(there(folder, first.signing, ".key"));
	assert_false(there(folder, first.signing, ".pem"));
	assert_true(there(retired, first.signing, ".pem"));
	good(capf_authority_retire(a, &d));
	capf_authority_close(a);
}

static void next_one_can_be_abandoned(void **state)
{
	struct capf_authority *a = open_it();
	good(capf_authority_prepare(a, time(NULL), &d));
	struct names n = names_of(a);
	good(capf_authority_abandon(a, &d));
	good(capf_authority_abandon(a, &d));
	assert_string_equal(names_of(a).next, "");
	assert_false(there(folder, n.next, ".key"));
	assert_false(there(folder, n.next, ".pem"));
	capf_authority_close(a);
}

static void who_holds_roots_keeps_them(void **state)
{
	struct capf_authority *a = open_it();
	struct capf_roots *before = capf_authority_roots(a);
	good(capf_authority_prepare(a, time(NULL), &d));
	good(capf_authority_promote(a, &d));
	good(capf_authority_retire(a, &d));
	capf_authority_close(a);
	good(cert_capf_check(before->signing.cert, before->signing.key, &d));
	capf_roots_unref(before);
}

/* ---- a kill between any two system calls ---- */

/* Those that change what others see of the disk. */
static bool changes_files(const struct __ptrace_syscall_info *info)
{
	static const uint64_t all[] = {SYS_write, SYS_rename, SYS_unlink,
		SYS_mkdir, SYS_chmod, SYS_fchmod};
	if (info->entry.nr == SYS_openat)
		return info->entry.args[2] & O_CREAT;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (all[i] == info->entry.nr)
			return true;
	return false;
}

typedef void step_fn(struct capf_authority *a);

/* The child, which is traced: opens, and takes the step. */
static void child(step_fn *step)
{
	struct capf_authority *a;
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	if (step && capf_authority_open(config, time(NULL), &a, &d) == 0)
		step(a);
	else
		capf_authority_open(config, time(NULL), &a, &d);
	_exit(0);
}

/* ptrace takes numbers as pointers. */
static void *number(size_t n)
{
	return (void *)n; /* NOLINT(performance-no-int-to-ptr) */
}

/* Kills the child before its n-th such call; false: it had fewer. */
static bool kill_before(step_fn *step, unsigned n)
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		child(step);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, number(PTRACE_O_TRACESYSGOOD));
	for (unsigned seen = 0;;) {
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
		assert_true(WIFSTOPPED(status));
		assert_int_equal(WSTOPSIG(status), SIGTRAP | 0x80);
		struct __ptrace_syscall_info info;
		ptrace(PTRACE_GET_SYSCALL_INFO, pid, number(sizeof(info)),
			&info);
		if (info.op != PTRACE_SYSCALL_INFO_ENTRY ||
			!changes_files(&info))
			continue;
		if (seen++ < n)
			continue;
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		return true;
	}
}

/* No half-written file is left, and no key but those of roots. */
static int count_keys(const char *where)
{
	int n = 0;
	DIR *list = opendir(where);
	assert_non_null(list);
	const struct dirent *entry;
	while ((entry = readdir(list)))
		n += strstr(entry->d_name, ".key") ||
		     strncmp(entry->d_name, ".CAPF", 5) == 0;
	closedir(list);
	return n;
}

/* For every call: a fresh scene, the kill, and what must hold then. */
static void survives(void (*scene)(void), step_fn *step, void (*holds)(void))
{
	unsigned n = 0;
	bool killed = true;
	for (; killed; n++) {
		set_up(NULL);
		scene();
		killed = kill_before(step, n);
		holds();
	}
	/* A step that does nothing would have passed. */
	assert_true(n > 4);
}

static void nothing(void)
{
}

static void first_start_stands(void)
{
	struct capf_authority *a = open_it();
	struct names n = names_of(a);
	assert_true(trusted(n.signing));
	assert_string_equal(n.next, "");
	assert_string_equal(n.old, "");
	assert_int_equal(count_keys(folder), 1);
	capf_authority_close(a);
}

static void first_start_survives_a_kill_anywhere(void **state)
{
	survives(nothing, NULL, first_start_stands);
}

/* By what the steps are given. */
static struct names scene_names;

static void one_root(void)
{
	scene_names = made();
}

static void two_roots(void)
{
	struct capf_authority *a = open_it();
	good(capf_authority_prepare(a, time(NULL), &d));
	scene_names = names_of(a);
	capf_authority_close(a);
}

static void old_root(void)
{
	struct capf_authority *a = open_it();
	good(capf_authority_prepare(a, time(NULL), &d));
	good(capf_authority_promote(a, &d));
	scene_names = names_of(a);
	capf_authority_close(a);
}

static void prepare(struct capf_authority *a)
{
	capf_authority_prepare(a, time(NULL), &d);
}

static void prepared_stands(void)
{
	struct capf_authority *a = open_it();
	struct names n = names_of(a);
	assert_string_equal(n.signing, scene_names.signing);
	assert_string_equal(n.old, "");
	assert_int_equal(count_keys(folder), *n.next ? 2 : 1);
	good(capf_authority_prepare(a, time(NULL), &d));
	assert_string_not_equal(names_of(a).next, "");
	capf_authority_close(a);
}

static void prepare_survives_a_kill_anywhere(void **state)
{
	survives(one_root, prepare, prepared_stands);
}

static void promote(struct capf_authority *a)
{
	capf_authority_promote(a, &d);
}

static void promoted_stands(void)
{
	struct capf_authority *a = open_it();
	struct names n = names_of(a);
	assert_int_equal(count_keys(folder), 2);
	if (!*n.old) {
		assert_string_equal(n.signing, scene_names.signing);
		assert_string_equal(n.next, scene_names.next);
		good(capf_authority_promote(a, &d));
	}
	n = names_of(a);
	assert_string_equal(n.signing, scene_names.next);
	assert_string_equal(n.old, scene_names.signing);
	capf_authority_close(a);
}

static void promote_survives_a_kill_anywhere(void **state)
{
	survives(two_roots, promote, promoted_stands);
}

static void retire(struct capf_authority *a)
{
	capf_authority_retire(a, &d);
}

static void retired_stands(void)
{
	struct capf_authority *a = open_it();
	struct names n = names_of(a);
	assert_string_equal(n.signing, scene_names.signing);
	assert_string_equal(n.next, "");
	assert_int_equal(count_keys(folder), *n.old ? 2 : 1);
	good(capf_authority_retire(a, &d));
	assert_string_equal(names_of(a).old, "");
	assert_int_equal(count_keys(folder), 1);
	assert_false(there(folder, scene_names.old, ".pem"));
	assert_true(there(retired, scene_names.old, ".pem"));
	capf_authority_close(a);
}

static void retire_survives_a_kill_anywhere(void **state)
{
	survives(old_root, retire, retired_stands);
}

static void abandon(struct capf_authority *a)
{
	capf_authority_abandon(a, &d);
}

static void abandoned_stands(void)
{
	struct capf_authority *a = open_it();
	struct names n = names_of(a);
	assert_string_equal(n.signing, scene_names.signing);
	assert_int_equal(count_keys(folder), *n.next ? 2 : 1);
	good(capf_authority_abandon(a, &d));
	assert_string_equal(names_of(a).next, "");
	assert_int_equal(count_keys(folder), 1);
	capf_authority_close(a);
}

static void abandon_survives_a_kill_anywhere(void **state)
{
	survives(two_roots, abandon, abandoned_stands);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			first_start_makes_a_root_that_is_trusted, set_up),
		cmocka_unit_test_setup(
			folder_lies_in_the_state_folder_unless_named, set_up),
		cmocka_unit_test_setup(others_cannot_enter_the_folder, set_up),
		cmocka_unit_test_setup(
			root_that_an_admin_brought_is_taken, set_up),
		cmocka_unit_test_setup(
			refuses_key_that_others_can_read, set_up),
		cmocka_unit_test_setup(
			refuses_folder_that_lost_its_root, set_up),
		cmocka_unit_test_setup(
			refuses_key_of_another_certificate, set_up),
		cmocka_unit_test_setup(
			refuses_certificate_under_another_name, set_up),
		cmocka_unit_test_setup(refuses_what_is_no_signing_file, set_up),
		cmocka_unit_test_setup(
			refuses_two_roots_that_nothing_names, set_up),
		cmocka_unit_test_setup(overwrites_no_file_of_its_name, set_up),
		cmocka_unit_test_setup(
			withdraws_it_under_whatever_name, set_up),
		cmocka_unit_test_setup(
			leaves_file_that_holds_others_too, set_up),
		cmocka_unit_test_setup(
			store_that_is_not_configured_is_left_out, set_up),
		cmocka_unit_test_setup(
			a_new_root_is_of_the_old_one_s_organisation, set_up),
		cmocka_unit_test_setup(rollover_goes_and_comes, set_up),
		cmocka_unit_test_setup(next_one_can_be_abandoned, set_up),
		cmocka_unit_test_setup(who_holds_roots_keeps_them, set_up),
		cmocka_unit_test(first_start_survives_a_kill_anywhere),
		cmocka_unit_test(prepare_survives_a_kill_anywhere),
		cmocka_unit_test(promote_survives_a_kill_anywhere),
		cmocka_unit_test(retire_survives_a_kill_anywhere),
		cmocka_unit_test(abandon_survives_a_kill_anywhere),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name(
		"capf_authority", tests, NULL, tear_down);
}
