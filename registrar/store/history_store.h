/* SPDX-License-Identifier: Apache-2.0 */
/* Where history lasts. An engine implements this; SQLite does. */
#ifndef REGISTRAR_STORE_HISTORY_STORE_H
#define REGISTRAR_STORE_HISTORY_STORE_H

#include "registrar/history.h"

/* One thread at a time may call these. */
struct history_store;

/* history.db in the folder; NULL: in memory, gone when it is closed. */
int history_store_open(const char *folder, size_t rows_max,
	struct history_store **out, struct diag *d);
void history_store_close(struct history_store *s);

/* All of them in one transaction, or none: -errno with d. */
int history_store_write(struct history_store *s,
	const struct history_event *const *events, size_t n, struct diag *d);
/* The last `most` events of a device, newest first (history_list_free()). */
struct history_event **history_store_read(
	struct history_store *s, const char *device, size_t most, size_t *n);
size_t history_store_rows(const struct history_store *s);

#endif
