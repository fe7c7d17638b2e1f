/* SPDX-License-Identifier: Apache-2.0 */
/* A bar on stderr for work that takes a while, when a terminal watches. */
#ifndef REGISTRAR_CTL_PROGRESS_H
#define REGISTRAR_CTL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

/* Zeroed or begun. */
struct progress {
	int64_t began_ms;
	bool shown;
};

/* Is stderr a terminal? Else nothing of this is to be called. */
bool progress_is_watched(void);
void progress_begin(struct progress *p);
/* Draws `done` of `all` behind a word, once the work takes longer than a
 * moment; all 0: nobody knows how much there is. */
void progress_show(
	struct progress *p, const char *what, double done, double all);
/* Leaves an empty line. */
void progress_end(struct progress *p);

#endif
