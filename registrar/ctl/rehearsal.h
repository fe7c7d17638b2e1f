/* SPDX-License-Identifier: Apache-2.0 */
/* A dry run of what writes files: in a copy of the folder, which then goes. */
#ifndef REGISTRAR_CTL_REHEARSAL_H
#define REGISTRAR_CTL_REHEARSAL_H

#include <jansson.h>

#include "certs/diag.h"

struct rehearsal {
	const char *of; /* the folder that it stands for */
	char *top;	/* ours alone, below $TMPDIR or /tmp */
	char *dir;	/* the copy: not there where `of` is not */
};

/* Copies the folder, which may not be there yet. -errno: that failed, or
 * nothing could be written to it. End it in either case. */
int rehearsal_begin(struct rehearsal *r, const char *of, struct diag *d);
/* What is new or other in the copy: paths as they would be in `of`. */
json_t *rehearsal_files(const struct rehearsal *r);
/* What was said of the copy is said of the folder. */
void rehearsal_translate(const struct rehearsal *r, struct diag *d);
void rehearsal_end(struct rehearsal *r);

struct ctl;
/* Says what would be written, all of it: people a line a file, programs
 * {"dryRun": true, "files": [...]} and the members of `more`. CTL_OK. */
int rehearsal_print(const struct ctl *ctl, const json_t *files, json_t *more);

#endif
