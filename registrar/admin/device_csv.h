/* SPDX-License-Identifier: Apache-2.0 */
/* Devices as CSV, both ways: what is exported imports to the same. */
#ifndef REGISTRAR_ADMIN_DEVICE_CSV_H
#define REGISTRAR_ADMIN_DEVICE_CSV_H

#include <stddef.h>

#include "registrar/inventory.h"

/* A place for which a file is refused. */
struct device_csv_fault {
	size_t line;
	char column[40];
	char why[320];
};

enum { DEVICE_CSV_FAULTS = 10 };

/* What a file comes to: devices to import, or the first faults in it. */
struct device_csv {
	struct device **devices; /* inventory_list_free() */
	size_t n_devices;
	struct device_csv_fault faults[DEVICE_CSV_FAULTS];
	size_t n_faults;
};

/*
 * Reads a whole file, text[n] being a NUL that may be overwritten like the
 * text. The first row names the columns, in any order; `name` must be among
 * them. A column that is not there leaves that part of a device as it is; an
 * empty field empties it. 0 and the devices, of which no two have one name;
 * or -EINVAL and the faults, and no device. realm is for digest passwords.
 */
int device_csv_read(struct inventory *inv, const char *realm, char *text,
	size_t n, struct device_csv *out);

/* The devices but those of the configuration file; malloc'ed. Passwords and
 * their hashes are no part of it. */
char *device_csv_write(struct inventory *inv);

#endif
