/* SPDX-License-Identifier: Apache-2.0 */
/* Devices as CSV, both ways: what is exported imports to the same. */
#ifndef REGISTRAR_ADMIN_DEVICE_CSV_H
#define REGISTRAR_ADMIN_DEVICE_CSV_H

#include <stddef.h>

#include "registrar/inventory.h"

/* Why a file was refused: the first places, not more than this. */
enum { DEVICE_CSV_FAULTS = 10 };
struct device_csv_fault {
	size_t line;
	char column[40];
	char why[200];
};
struct device_csv_faults {
	struct device_csv_fault list[DEVICE_CSV_FAULTS];
	size_t n;
};

/*
 * Reads a whole file, text[n] being a NUL that may be overwritten like the
 * text. The first row names the columns, in any order; `name` must be among
 * them. A column that is not there leaves that part of a device as it is; an
 * empty field empties it. 0 and devices to import (inventory_list_free()); or
 * -EINVAL and where, with nothing of the file taken.
 */
int device_csv_read(struct inventory *inv, const char *realm, char *text,
	size_t n, struct device ***out, size_t *n_out,
	struct device_csv_faults *faults);

/* The devices but those of the configuration file; malloc'ed. Passwords and
 * their hashes are no part of it. */
char *device_csv_write(struct inventory *inv);

#endif
