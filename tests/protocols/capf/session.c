/* SPDX-License-Identifier: Apache-2.0 */
/* Recorded CAPF sessions of the real-world data beside the checkout. */
#include "tests/protocols/capf/session.h"

#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/protocols/capf/player.h"

enum { SESSIONS = 11 };

static void add_message(struct session *s, const char *line)
{
	static uint8_t data[CAPF_MESSAGE_MAX];
	struct capf_refusal why;
	char hex[2 * 8192];
	assert_true(s->n < SESSION_MESSAGES_MAX);
	assert_int_equal(sscanf(line + 1, " %16383[0-9a-f]", hex), 1);
	size_t n = player_hex(hex, data, sizeof(data));
	struct bytes_queue *q = &s->said[s->n].bytes;
	bytes_queue_init(q, sizeof(data));
	assert_int_equal(bytes_queue_put(q, data, n), 0);
	assert_int_equal(capf_frame_next(q, &s->said[s->n].frame, &why),
		CAPF_FRAME_WHOLE);
	if (!capf_message_read(&s->said[s->n].m, &s->said[s->n].frame, &why))
		fail_msg("%s: %s", s->name, why.text);
	s->said[s->n++].from_phone = *line == '>';
}

static void session_open(struct session *s, const char *path, const char *name)
{
	char *line = NULL;
	size_t size = 0;
	FILE *f = fopen(path, "r");
	*s = (struct session){.name = name};
	if (!f)
		fail_msg("%s: cannot be read", path);
	while (getline(&line, &size, f) > 0)
		if (*line == '<' || *line == '>')
			add_message(s, line);
	free(line);
	fclose(f);
	assert_true(s->n >= 3);
	assert_int_equal(s->said[s->n - 1].m.command, CAPF_END_SESSION);
}

static void session_close(struct session *s)
{
	for (size_t i = 0; i < s->n; i++)
		bytes_queue_deinit(&s->said[i].bytes);
}

static int is_session(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');
	return dot && strcmp(dot, ".txt") == 0;
}

void session_each(void (*replay)(struct session *session))
{
	const char *shared = getenv("DIALTONE_SHARED");
	char folder[PATH_MAX], path[PATH_MAX + NAME_MAX + 2];
	struct dirent **entries = NULL;
	struct session session;
	snprintf(folder, sizeof(folder), "%s/capf-sessions",
		shared ? shared : ".");
	int n = scandir(folder, &entries, is_session, alphasort);
	if (n < 0) {
		print_message("# no recorded sessions beside the checkout\n");
		skip();
	}
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder,
			entries[i]->d_name);
		session_open(&session, path, entries[i]->d_name);
		replay(&session);
		session_close(&session);
		free(entries[i]);
	}
	free(entries);
	assert_true(n >= SESSIONS);
}
