/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about the thread that writes the log: nobody waits, nothing is mixed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "registrar/log.h"
#include "registrar/log_writer.h"

enum { THREADS = 4, LINES = 500, LONG = 512 };

/* stderr as a pipe, for as long as the writer runs. */
struct wire {
	int reader;
	int saved;
};

static void open_wire(struct wire *w)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	w->reader = ends[0];
	w->saved = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	log_writer_start();
}

static void close_wire(struct wire *w)
{
	dup2(w->saved, STDERR_FILENO);
	close(w->saved);
	close(w->reader);
}

/* All there is until the other end is closed. */
static char *read_all(int fd)
{
	static char text[4 * LOG_WRITER_BYTES];
	size_t n = 0;
	ssize_t got;
	while ((got = read(fd, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = '\0';
	return text;
}

static void *read_on_a_thread(void *fd)
{
	return read_all(*(const int *)fd);
}

static void *put_lines(void *arg)
{
	char line[32];
	for (int i = 0; i < LINES; i++) {
		int n = snprintf(
			line, sizeof(line), "%c %d\n", *(const char *)arg, i);
		log_writer_put(line, (size_t)n);
	}
	return NULL;
}

static void lines_of_many_threads_come_whole_and_in_order(void **state)
{
	struct wire w;
	pthread_t threads[THREADS];
	int next[THREADS] = {0};
	char names[] = "abcd";
	char *place;
	open_wire(&w);
	fcntl(w.reader, F_SETPIPE_SZ, 1 << 20);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, put_lines, &names[i]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	log_writer_stop();
	dup2(w.saved, STDERR_FILENO);
	for (char *line = strtok_r(read_all(w.reader), "\n", &place); line;
		line = strtok_r(NULL, "\n", &place)) {
		int *n = &next[line[0] - names[0]];
		assert_int_equal(atoi(line + 2), *n);
		++*n;
	}
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(next[i], LINES);
	close_wire(&w);
}

static void after_sync_the_line_is_written(void **state)
{
	struct wire w;
	char text[16] = "";
	open_wire(&w);
	fcntl(w.reader, F_SETFL, O_NONBLOCK);
	log_writer_put("audit\n", 6);
	log_writer_sync();
	assert_int_equal(read(w.reader, text, sizeof(text)), 6);
	assert_string_equal(text, "audit\n");
	log_writer_stop();
	close_wire(&w);
}

/* The pipe holds 64 KiB, the writer two buffers: the rest is dropped. */
static void a_reader_that_stalls_costs_lines_and_no_time(void **state)
{
	struct wire w;
	char line[LONG];
	memset(line, 'x', sizeof(line));
	line[LONG - 1] = '\n';
	open_wire(&w);
	for (int i = 0; i < 3 * LOG_WRITER_BYTES / LONG; i++)
		log_writer_put(line, sizeof(line));
	/* Nobody reads yet: had one of them waited, we would not be here. */
	int saved = dup(w.reader);
	pthread_t reader;
	pthread_create(&reader, NULL, read_on_a_thread, &saved);
	log_writer_stop();
	dup2(w.saved, STDERR_FILENO);
	void *text;
	pthread_join(reader, &text);
	const char *lost = strstr(text, "log-lines-lost lines=");
	assert_non_null(lost);
	assert_true(atoi(lost + strlen("log-lines-lost lines=")) > 0);
	close(saved);
	close_wire(&w);
}

static void a_crash_takes_no_line_with_it(void **state)
{
	int ends[2];
	int status;
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		signal(SIGABRT, SIG_DFL); /* cmocka's own would catch it */
		log_writer_start();
		log_writer_put("last words\n", 11);
		abort();
	}
	close(ends[1]);
	assert_non_null(strstr(read_all(ends[0]), "last words\n"));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_of_many_threads_come_whole_and_in_order),
		cmocka_unit_test(after_sync_the_line_is_written),
		cmocka_unit_test(a_reader_that_stalls_costs_lines_and_no_time),
		cmocka_unit_test(a_crash_takes_no_line_with_it),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
