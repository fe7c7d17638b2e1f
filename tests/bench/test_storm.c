/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about dialtone-storm against the real dialtoned. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "tests/bench/lab_dir.h"
#include "tests/bench/program.h"

static struct program daemon_program, storm;
static char address[64], pid[16];

static const char *built(const char *name)
{
	static char paths[2][4096];
	static unsigned next;
	const char *build = getenv("DIALTONE_BUILD");
	char *path = paths[next++ % 2];
	snprintf(path, sizeof(*paths), "%s/%s", build ? build : ".", name);
	return path;
}

/* The registrar again, on the port it had, with its sessions in a file. */
static void write_second_config(const char *path)
{
	unsigned port = 0;
	json_error_t error;
	json_t *root = json_load_file(lab_dir_file("storm.json"), 0, &error);
	assert_non_null(root);
	assert_int_equal(sscanf(address, "127.0.0.1:%u", &port), 1);
	json_t *listener =
		json_array_get(json_object_get(root, "listeners"), 0);
	json_object_set_new(listener, "port", json_integer(port));
	assert_int_equal(json_dump_file(root, path, 0), 0);
	json_decref(root);
}

/* The registrar with one SCCP/TLS listener on a port of its own choice. It
 * says little: nobody reads on, and a full pipe would stop it. */
static void write_config(const char *path)
{
	json_t *root = json_pack("{s:{s:s},s:[{s:s,s:s,s:s,s:i}],s:{s:i},s:{s:"
				 "s},s:{s:s,s:s},s:{s:s},s:b}",
		"trust", "callmanager", "CallManager-trust", "listeners",
		"service", "sccp", "transport", "tls", "address", "127.0.0.1",
		"port", 0, "status", "port", 0, "log", "level", "notice", "tls",
		"session_cache", "sessions", "ticket_keys", "keys",
		"registration", "unknown", "lsc", "core_dumps", 1);
	assert_int_equal(json_dump_file(root, path, 0), 0);
	json_decref(root);
}

static int start(void **state)
{
	if (lab_dir_make(state) != 0)
		return -1;
	const char *config = lab_dir_file("storm.json");
	write_config(config);
	const char *const words[] = {
		built("registrar/dialtoned"), "--config", config, NULL};
	program_start(&daemon_program, words);
	program_said(&daemon_program, " notice started ", 0);
	const char *at =
		program_said(&daemon_program, "listening service=sccp", 0);
	unsigned port = 0;
	at = strstr(at, " port=");
	if (!at || sscanf(at, " port=%u", &port) != 1)
		return -1;
	snprintf(address, sizeof(address), "127.0.0.1:%u", port);
	snprintf(pid, sizeof(pid), "%d", (int)daemon_program.pid);
	return 0;
}

static int end(void **state)
{
	program_kill(&daemon_program);
	return lab_dir_remove(state);
}

/* Runs a storm of 30 phones, twice each; its report, and its exit code. */
static json_t *run(const char *resume, const char *require, int *code)
{
	json_error_t error;
	const char *json = lab_dir_file("report.json");
	const char *html = lab_dir_file("report.html");
	const char *const words[] = {built("bench/dialtone-storm"), "--lab",
		lab_dir(), "--server", address, "--phones", "30", "--rate",
		"60", "--seconds", "1", "--resume", resume, "--retry", "2",
		"--server-pid", pid, "--json", json, "--html", html,
		"--require", "failed=0", "--require", require, NULL};
	program_start(&storm, words);
	*code = program_end(&storm);
	json_t *root = json_load_file(json, 0, &error);
	if (!root)
		fail_msg("%s: %s", error.text, storm.text);
	return root;
}

static double value(const json_t *root, const char *name)
{
	const json_t *found =
		json_object_get(json_object_get(root, "values"), name);
	if (!json_is_number(found))
		fail_msg("no %s: %s", name, storm.text);
	return json_number_value(found);
}

static void all_resume(const char *resume)
{
	int code;
	json_t *root = run(resume, "resumed>=95%", &code);
	if (code != 0)
		fail_msg("exit code %d: %s", code, storm.text);
	assert_true(value(root, "registered") == 60);
	assert_true(value(root, "resumed") >= 95);
	assert_true(value(root, "cpu") > 0);
	assert_true(value(root, "rss") > 1e6);
	json_decref(root);
}

static void phones_resume_by_session_id(void **state)
{
	all_resume("id");
}

static void phones_resume_by_ticket(void **state)
{
	all_resume("ticket");
}

static void phones_resume_by_psk(void **state)
{
	all_resume("psk");
}

static void full_handshakes_fail_a_threshold_on_resumption(void **state)
{
	int code;
	json_t *root = run("full", "resumed>=95%", &code);
	assert_int_equal(code, 1);
	assert_true(value(root, "registered") == 60);
	assert_true(value(root, "resumed") == 0);
	assert_non_null(
		strstr(storm.text, "require resumed>=95%: NOT MET (0.00%)"));
	assert_non_null(strstr(storm.text, "require failed=0: met (0)"));
	json_decref(root);
}

static void phones_that_stay_are_there_together(void **state)
{
	const char *const words[] = {built("bench/dialtone-storm"), "--lab",
		lab_dir(), "--server", address, "--phones", "40", "--burst",
		"--resume", "full", "--hold", "1", "--server-pid", pid,
		"--require", "registered=40", "--require", "dropped=0",
		"--require", "rss-phone<1MB", NULL};
	program_start(&storm, words);
	if (program_end(&storm) != 0)
		fail_msg("%s", storm.text);
	assert_non_null(strstr(storm.text, "of a core while holding"));
}

/*
 * kill -9, and the same registrar again as soon as the kernel has let go of
 * its port. It is a child of this program's while it is the first one, and
 * would stay a zombie: so its end is told by its port being free. Without its
 * configuration nobody starts it any more.
 */
static const char *restart_command(const char *pid_file)
{
	static char text[24576];
	char config[4200];
	snprintf(config, sizeof(config), "%s", lab_dir_file("second.json"));
	snprintf(text, sizeof(text),
		"kill -9 $(cat '%s'); "
		"(i=0; while [ $i -lt 1000 ] && [ -e '%s' ]; do "
		"i=$((i+1)); sh -c 'echo $$ >\"%s\"; exec \"%s\" --config "
		"\"%s\"' && break; done) &",
		pid_file, config, pid_file, built("registrar/dialtoned"),
		config);
	return text;
}

/* Sessions belong to a listener, which is another one on port 0. */
static void start_again(const char *config)
{
	write_second_config(config);
	const char *const words[] = {
		built("registrar/dialtoned"), "--config", config, NULL};
	program_kill(&daemon_program);
	program_start(&daemon_program, words);
	program_said(&daemon_program, " notice started ", 0);
	snprintf(pid, sizeof(pid), "%d", (int)daemon_program.pid);
}

static void write_pid_file(const char *path)
{
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs(pid, f);
	assert_int_equal(fclose(f), 0);
}

static void end_by_pid_file(const char *path)
{
	int number = 0;
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &number), 1);
	fclose(f);
	assert_true(number > 1);
	kill(number, SIGTERM);
}

static void phones_return_resumed_after_kill_9_in_mid_storm(void **state)
{
	json_error_t error;
	char pid_file[4200], json[4200];
	snprintf(pid_file, sizeof(pid_file), "%s", lab_dir_file("pid"));
	snprintf(json, sizeof(json), "%s", lab_dir_file("restart.json"));
	start_again(lab_dir_file("second.json"));
	write_pid_file(pid_file);
	const char *const words[] = {built("bench/dialtone-storm"), "--lab",
		lab_dir(), "--server", address, "--phones", "30", "--burst",
		"--hold", "12", "--retry", "forever", "--until", "15",
		"--restart-at", "2", "--restart-command",
		restart_command(pid_file), "--server-pid-file", pid_file,
		"--json", json, "--require", "resumed-after>=95%", "--require",
		"back<12s", NULL};
	program_start(&storm, words);
	int code = program_end(&storm);
	assert_int_equal(unlink(lab_dir_file("second.json")), 0);
	end_by_pid_file(pid_file);
	if (code != 0)
		fail_msg("exit code %d: %s", code, storm.text);
	json_t *root = json_load_file(json, 0, &error);
	assert_non_null(root);
	int status = -1, processes = 0, returned = 0;
	assert_int_equal(
		json_unpack(root, "{s:{s:i},s:{s:i},s:{s:i}}", "restart",
			"exit_code", &status, "server", "processes", &processes,
			"arrivals", "returned", &returned),
		0);
	assert_int_equal(status, 0);
	assert_true(processes >= 2);
	assert_int_equal(returned, 30);
	json_decref(root);
}

/* An openssl s_server in TLS 1.0, as phones of 2005 want it. It does not
 * speak SCCP: the handshakes are what counts. */
static void handshakes_in_tls_1_0_are_real(void **state)
{
	static struct program server;
	json_error_t error;
	static const char mark[] = "ACCEPT ";
	char at[64];
	const char *json = lab_dir_file("old.json");
	const char *const server_words[] = {"openssl", "s_server", "-accept",
		"127.0.0.1:0", "-tls1", "-cipher", "ALL:@SECLEVEL=0", "-cert",
		lab_dir_file("server/rsa.pem"), "-key",
		lab_dir_file("server/rsa.key"), "-Verify", "3", NULL};
	program_start(&server, server_words);
	const char *found = program_said(&server, mark, 0) + strlen(mark);
	program_said(&server, "\n", (size_t)(found - server.text));
	snprintf(at, sizeof(at), "%.*s", (int)strcspn(found, "\n"), found);
	/* It serves one after the other: each hangs up after a second. */
	const char *const words[] = {built("bench/dialtone-storm"), "--lab",
		lab_dir(), "--server", at, "--tls", "1.0", "--ciphers",
		"AES256-SHA:AES128-SHA", "--resume", "ticket", "--phones", "1",
		"--rate", "1", "--seconds", "2", "--patience", "1", "--json",
		json, NULL};
	program_start(&storm, words);
	assert_int_equal(program_end(&storm), 1);
	program_kill(&server);
	json_t *root = json_load_file(json, 0, &error);
	assert_non_null(root);
	int full = -1, resumed = -1;
	assert_int_equal(json_unpack(root, "{s:{s:i,s:i}}", "handshakes",
				 "full", &full, "resumed", &resumed),
		0);
	if (full != 0 || resumed < 1)
		fail_msg("%d full, %d resumed: %s", full, resumed, storm.text);
	json_decref(root);
}

static void more_phones_than_descriptors_are_refused_and_why(void **state)
{
	const char *const words[] = {"sh", "-c",
		"ulimit -n 500 && exec \"$0\" \"$@\"",
		built("bench/dialtone-storm"), "--plain", "--phones", "1000",
		NULL};
	program_start(&storm, words);
	assert_int_equal(program_end(&storm), 1);
	assert_non_null(strstr(storm.text,
		"1000 phones need 1064 file descriptors, and one process may "
		"have 500 here"));
}

static void a_server_that_is_not_there_is_a_failure(void **state)
{
	const char *const words[] = {built("bench/dialtone-storm"), "--plain",
		"--server", "127.0.0.1:1", "--phones", "3", "--burst", NULL};
	program_start(&storm, words);
	assert_int_equal(program_end(&storm), 1);
	assert_non_null(strstr(storm.text, "refused: connection refused"));
	assert_non_null(strstr(storm.text, "failed 3"));
}

static void strangers_are_not_stormed(void **state)
{
	const char *const words[] = {built("bench/dialtone-storm"), "--plain",
		"--server", "192.0.2.1", NULL};
	program_start(&storm, words);
	assert_int_equal(program_end(&storm), 2);
	assert_non_null(strstr(storm.text, "not a loopback address"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(phones_resume_by_session_id),
		cmocka_unit_test(phones_resume_by_ticket),
		cmocka_unit_test(phones_resume_by_psk),
		cmocka_unit_test(
			full_handshakes_fail_a_threshold_on_resumption),
		cmocka_unit_test(phones_that_stay_are_there_together),
		cmocka_unit_test(handshakes_in_tls_1_0_are_real),
		cmocka_unit_test(
			more_phones_than_descriptors_are_refused_and_why),
		cmocka_unit_test(a_server_that_is_not_there_is_a_failure),
		cmocka_unit_test(strangers_are_not_stormed),
		/* The last one: it kills the registrar. */
		cmocka_unit_test(
			phones_return_resumed_after_kill_9_in_mid_storm),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, end);
}
