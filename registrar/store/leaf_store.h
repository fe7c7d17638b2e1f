/* SPDX-License-Identifier: Apache-2.0 */
/* Where phones' certificates last. An engine implements this; SQLite does. */
#ifndef REGISTRAR_STORE_LEAF_STORE_H
#define REGISTRAR_STORE_LEAF_STORE_H

#include "registrar/leaves.h"

/* One thread at a time may call these. */
struct leaf_store;

/* certificates.db in the folder; NULL: in memory, gone when it is closed. */
int leaf_store_open(const char *folder, size_t rows_max,
	struct leaf_store **out, struct diag *d);
void leaf_store_close(struct leaf_store *s);

/* All of the list in one transaction, or none: -errno with d. What is there
 * already is not written again. */
int leaf_store_write(
	struct leaf_store *s, const struct leaf *list, struct diag *d);
/* As leaves_after(). */
struct leaf *leaf_store_after(
	struct leaf_store *s, enum leaves_depth depth, const struct leaf *last);
size_t leaf_store_rows(const struct leaf_store *s);

#endif
