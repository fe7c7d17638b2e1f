/* SPDX-License-Identifier: Apache-2.0 */
/* Takes log lines to stderr on a thread of its own: no phone waits for it. */
#include "registrar/log_writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "registrar/log.h"
#include "registrar/memory.h"

enum { PATIENCE_S = 1 };

static const int fatal_signals[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};

/*
 * The one mutable thing that every thread reaches without being handed it, as
 * stderr itself is. Lines are put into `filling`; the thread swaps it for the
 * other buffer and writes without the lock.
 */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t more;	/* lines, or stopping or hurried */
	pthread_cond_t written; /* `done` has moved */
	pthread_t thread;
	char *filling, *writing;
	size_t n; /* in filling */
	uint64_t put, done;
	uint64_t lost;
	bool running, stopping, hurried;
} writer = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void write_all(const char *text, size_t n)
{
	while (n > 0) {
		ssize_t put = write(STDERR_FILENO, text, n);
		if (put < 0 && errno != EINTR && errno != EAGAIN)
			return; /* a log that cannot be written says so nowhere
				 */
		if (put > 0) {
			text += put;
			n -= (size_t)put;
		}
	}
}

static struct timespec in_ms(long ms)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += (at.tv_nsec / 1000000 + ms) / 1000;
	at.tv_nsec = (at.tv_nsec + ms * 1000000) % 1000000000;
	return at;
}

/* Waits for lines, then a moment for those that follow them. */
static void gather(void)
{
	while (writer.n == 0 && !writer.stopping)
		pthread_cond_wait(&writer.more, &writer.lock);
	struct timespec at = in_ms(LOG_WRITER_GATHER_MS);
	while (!writer.stopping && !writer.hurried &&
		pthread_cond_timedwait(&writer.more, &writer.lock, &at) == 0)
		;
	writer.hurried = false;
}

static void say_lost(uint64_t n)
{
	struct log_line line;
	log_begin(&line, LOG_EV_LINES_LOST);
	log_num(&line, "lines", (int64_t)n);
	log_str(&line, "why", "nobody read stderr for a while");
	log_end(&line);
}

static void *run(void *arg)
{
	pthread_mutex_lock(&writer.lock);
	while (!writer.stopping || writer.n > 0) {
		gather();
		char *text = writer.filling;
		size_t n = writer.n;
		uint64_t upto = writer.put, lost = writer.lost;
		writer.filling = writer.writing;
		writer.writing = text;
		writer.n = 0;
		writer.lost = 0;
		pthread_mutex_unlock(&writer.lock);
		write_all(text, n);
		if (lost)
			say_lost(lost);
		pthread_mutex_lock(&writer.lock);
		writer.done = upto;
		pthread_cond_broadcast(&writer.written);
	}
	pthread_mutex_unlock(&writer.lock);
	return NULL;
}

/* The lock may be held by the thread that crashed: none is taken. */
static void on_crash(int number)
{
	write_all(writer.filling, writer.n);
	raise(number); /* the default action was restored */
}

static void catch_crashes(void)
{
	struct sigaction ours = {.sa_handler = on_crash,
		.sa_flags = (int)(SA_RESETHAND | SA_NODEFER)};
	for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(int); i++) {
		struct sigaction old;
		/* A sanitizer that has its own keeps it. */
		if (sigaction(fatal_signals[i], NULL, &old) == 0 &&
			old.sa_handler == SIG_DFL)
			sigaction(fatal_signals[i], &ours, NULL);
	}
}

void log_writer_start(void)
{
	pthread_condattr_t monotonic;
	sigset_t all, before;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&writer.more, &monotonic);
	pthread_cond_init(&writer.written, &monotonic);
	pthread_condattr_destroy(&monotonic);
	writer.filling = memory_zero(LOG_WRITER_BYTES);
	writer.writing = memory_zero(LOG_WRITER_BYTES);
	sigfillset(&all); /* signals are the main loop's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (pthread_create(&writer.thread, NULL, run, NULL) != 0)
		abort(); /* law 2: at start */
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_mutex_lock(&writer.lock);
	writer.running = true;
	pthread_mutex_unlock(&writer.lock);
	catch_crashes();
}

/* Until all is written, or nobody seems to read. */
static bool await_written(void)
{
	struct timespec at = in_ms(1000L * PATIENCE_S);
	uint64_t upto = writer.put;
	int error = 0;
	pthread_cond_signal(&writer.more);
	while (writer.done < upto && error == 0)
		error = pthread_cond_timedwait(
			&writer.written, &writer.lock, &at);
	return writer.done >= upto;
}

void log_writer_sync(void)
{
	pthread_mutex_lock(&writer.lock);
	if (writer.running && writer.done < writer.put) {
		writer.hurried = true;
		await_written();
	}
	pthread_mutex_unlock(&writer.lock);
}

void log_writer_stop(void)
{
	pthread_mutex_lock(&writer.lock);
	if (!writer.running) {
		pthread_mutex_unlock(&writer.lock);
		return;
	}
	writer.stopping = true;
	bool written = await_written();
	writer.running = false;
	pthread_mutex_unlock(&writer.lock);
	if (!written)
		return; /* it hangs in write(2); the process is about to end */
	pthread_join(writer.thread, NULL);
	free(writer.filling);
	free(writer.writing);
	writer.filling = writer.writing = NULL;
	writer.stopping = false;
}

void log_writer_put(const char *line, size_t n)
{
	pthread_mutex_lock(&writer.lock);
	bool running = writer.running;
	if (running && writer.n + n > LOG_WRITER_BYTES) {
		writer.lost++;
	} else if (running) {
		memcpy(writer.filling + writer.n, line, n);
		if (writer.n == 0)
			pthread_cond_signal(&writer.more);
		writer.n += n;
		writer.put += n;
	}
	pthread_mutex_unlock(&writer.lock);
	if (!running)
		write_all(line, n);
}
