/* SPDX-License-Identifier: Apache-2.0 */
/* The state folder: made if need be, private, and one process's at a time. */
#ifndef REGISTRAR_STORE_FOLDER_H
#define REGISTRAR_STORE_FOLDER_H

#include "certs/diag.h"

/*
 * Makes the folder if it is not there (its parent must be), takes away what
 * group and others may do in it, and locks it until folder_close() or our
 * death. 0, or -errno and d: -EBUSY when another process has it.
 */
struct folder;
int folder_open(const char *path, struct folder **out, struct diag *d);
void folder_close(struct folder *f);
const char *folder_path(const struct folder *f);

#endif
