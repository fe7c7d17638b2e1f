/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about ticket keys and their file. */
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

#include "registrar/tls/ticket_keys.h"

static char folder[] = "/tmp/dialtone-keys-XXXXXX";
static char path[64];

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

static struct ticket_keys *open_keys(const char *at)
{
	struct ticket_keys *k;
	struct diag d;
	assert_int_equal(ticket_keys_open(at, &k, &d), 0);
	return k;
}

static void made_file_is_haproxys_and_private(void **state)
{
	struct stat st;
	char line[256];
	unlink(path);
	ticket_keys_free(open_keys(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	FILE *f = fopen(path, "r");
	int lines = 0;
	for (; fgets(line, sizeof(line), f); lines++)
		assert_int_equal(strlen(line), 108 + 1); /* 80 bytes */
	fclose(f);
	assert_int_equal(lines, TICKET_KEYS);
}

static void two_nodes_with_one_file_agree(void **state)
{
	unlink(path);
	struct ticket_keys *a = open_keys(path), *b = open_keys(path);
	struct ticket_key key, found;
	bool old = true;
	ticket_keys_seal(a, &key);
	assert_true(ticket_keys_find(b, key.name, &found, &old));
	assert_false(old);
	assert_memory_equal(&key, &found, sizeof(key));
	ticket_keys_free(a);
	ticket_keys_free(b);
}

/* A new key is known everywhere before it is used anywhere. */
static void a_node_that_has_not_read_yet_opens_the_others_tickets(void **state)
{
	struct diag d;
	unlink(path);
	struct ticket_keys *a = open_keys(path), *b = open_keys(path);
	struct ticket_key key, found;
	bool old;
	assert_int_equal(ticket_keys_rotate(a, &d), 0);
	ticket_keys_seal(a, &key);
	assert_true(ticket_keys_find(b, key.name, &found, &old));
	ticket_keys_seal(b, &key);
	assert_true(ticket_keys_find(a, key.name, &found, &old));
	assert_true(old);
	assert_int_equal(ticket_keys_reload(b, &d), 0);
	struct ticket_keys_view x = ticket_keys_view(a);
	struct ticket_keys_view y = ticket_keys_view(b);
	assert_memory_equal(x.names, y.names, sizeof(x.names));
	ticket_keys_free(a);
	ticket_keys_free(b);
}

static void revoked_keys_are_known_no_more(void **state)
{
	struct diag d;
	struct ticket_keys *k = open_keys(NULL);
	struct ticket_key key, found;
	bool old;
	ticket_keys_seal(k, &key);
	assert_int_equal(ticket_keys_revoke_all(k, &d), 0);
	assert_false(ticket_keys_find(k, key.name, &found, &old));
	ticket_keys_free(k);
}

static void the_view_says_which_key_seals_and_where_they_are(void **state)
{
	struct ticket_key key;
	char name[9];
	unlink(path);
	struct ticket_keys *k = open_keys(path);
	struct ticket_keys_view view = ticket_keys_view(k);
	ticket_keys_seal(k, &key);
	snprintf(name, sizeof(name), "%02x%02x%02x%02x", key.name[0],
		key.name[1], key.name[2], key.name[3]);
	assert_string_equal(view.names[view.seals], name);
	assert_string_equal(view.path, path);
	ticket_keys_free(k);
	k = open_keys("");
	assert_null(ticket_keys_view(k).path);
	ticket_keys_free(k);
}

/* A folder nobody may write to: the file cannot be replaced. */
static void keys_that_cannot_be_kept_are_not_used(void **state)
{
	struct diag d = {.text = ""};
	char away[80];
	unlink(path);
	struct ticket_keys *k = open_keys(path);
	struct ticket_keys_view before = ticket_keys_view(k);
	snprintf(away, sizeof(away), "%s.away", folder);
	assert_int_equal(rename(folder, away), 0);
	assert_int_equal(ticket_keys_rotate(k, &d), -ENOENT);
	assert_int_equal(ticket_keys_revoke_all(k, &d), -ENOENT);
	assert_int_equal(rename(away, folder), 0);
	assert_non_null(strstr(d.text, path));
	struct ticket_keys_view after = ticket_keys_view(k);
	assert_memory_equal(before.names, after.names, sizeof(before.names));
	assert_int_equal(ticket_keys_rotate(k, &d), 0);
	ticket_keys_free(k);
}

static void refused(const char *text, mode_t mode, const char *why)
{
	struct ticket_keys *k;
	struct diag d = {.text = ""};
	FILE *f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
	chmod(path, mode);
	assert_true(ticket_keys_open(path, &k, &d) < 0);
	if (!strstr(d.text, why))
		fail_msg("\"%s\" does not say \"%s\"", d.text, why);
}

static void bad_files_are_refused_by_line(void **state)
{
	refused("", 0600, "holds 0 keys, needs 3");
	refused("AAAA\n", 0600, "keys:1: not the base64 of 80 bytes");
	refused("\n\n!!!\n", 0600, "keys:3: not the base64");
	refused("", 0644, "only its owner");
}

static void a_refused_reload_keeps_the_keys(void **state)
{
	struct diag d = {.text = ""};
	struct ticket_key before, after;
	unlink(path);
	struct ticket_keys *k = open_keys(path);
	ticket_keys_seal(k, &before);
	FILE *f = fopen(path, "w");
	fputs("half", f);
	fclose(f);
	assert_int_equal(ticket_keys_reload(k, &d), -EINVAL);
	ticket_keys_seal(k, &after);
	assert_memory_equal(&before, &after, sizeof(before));
	ticket_keys_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(made_file_is_haproxys_and_private),
		cmocka_unit_test(two_nodes_with_one_file_agree),
		cmocka_unit_test(
			a_node_that_has_not_read_yet_opens_the_others_tickets),
		cmocka_unit_test(revoked_keys_are_known_no_more),
		cmocka_unit_test(
			the_view_says_which_key_seals_and_where_they_are),
		cmocka_unit_test(keys_that_cannot_be_kept_are_not_used),
		cmocka_unit_test(bad_files_are_refused_by_line),
		cmocka_unit_test(a_refused_reload_keeps_the_keys),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name(
		"ticket keys", tests, set_up, tear_down);
}
