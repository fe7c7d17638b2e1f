/* SPDX-License-Identifier: Apache-2.0 */
/* Takes log lines to stderr on a thread of its own: no phone waits for it. */
#ifndef REGISTRAR_LOG_WRITER_H
#define REGISTRAR_LOG_WRITER_H

#include <stddef.h>

enum {
	LOG_WRITER_BYTES = 1 << 20, /* that may wait; more is dropped */
	LOG_WRITER_GATHER_MS = 10,  /* lines of that time share one write(2) */
};

/*
 * From here on log_writer_put() only copies. Lines that find no room, because
 * nobody reads stderr, are dropped and counted; a `log-lines-lost` line says
 * so once there is room. The lines still waiting when the process crashes are
 * written by a handler of the fatal signals.
 */
void log_writer_start(void);
/* Writes what waits and ends the thread; at most for a second when nobody
 * reads. */
void log_writer_stop(void);
/* Waits until all lines put so far are written; as above. */
void log_writer_sync(void);
/* One whole line. Without a running writer it is written at once. */
void log_writer_put(const char *line, size_t n);

#endif
