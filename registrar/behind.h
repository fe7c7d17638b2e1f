/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that writes behind: what came within a second, or a batch of it. */
#ifndef REGISTRAR_BEHIND_H
#define REGISTRAR_BEHIND_H

#include "certs/diag.h"

struct behind;

/* write(self) is called, on a thread of its own, a second after the first
 * news, at once when there is a batch, and once more at the end. `what` is
 * for the message when there is no thread: -errno with d. */
int behind_start(void (*write)(void *self), void *self, const char *what,
	struct behind **out, struct diag *d);
/* Returns after the last write; NULL is nothing. */
void behind_stop(struct behind *b);

/* Something waits to be written, or so much that it need not wait for more.
 * Thread-safe; to be said once per writing, not for each thing. */
void behind_news(struct behind *b);
void behind_batch(struct behind *b);

#endif
