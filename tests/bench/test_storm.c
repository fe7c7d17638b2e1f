/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about dialtone-storm against the real dialtoned. */
#include <setjmp.h>
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

/* The registrar with one SCCP/TLS listener on a port of its own choice. It
 * says little: nobody reads on, and a full pipe would stop it. */
static void write_config(const char *path)
{
	json_t *root = json_pack(
		"{s:{s:s},s:[{s:s,s:s,s:s,s:i}],s:{s:i},s:{s:s},s:b}", "trust",
		"callmanager", "CallManager-trust", "listeners", "service",
		"sccp", "transport", "tls", "address", "127.0.0.1", "port", 0,
		"status", "port", 0, "log", "level", "notice", "core_dumps", 1);
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
		cmocka_unit_test(a_server_that_is_not_there_is_a_failure),
		cmocka_unit_test(strangers_are_not_stormed),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, start, end);
}
