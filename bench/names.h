/* SPDX-License-Identifier: Apache-2.0 */
/* Names of the phones of a fleet, counted upwards from the first one's. */
#ifndef BENCH_NAMES_H
#define BENCH_NAMES_H

#include <stddef.h>

enum {
	NAMES_DEVICE_MAX = 63, /* characters; an SCCP phone has at most 15 */
	NAMES_LINE_MAX = 24,
};

/* 0; -EINVAL unless 1..max characters of A-Z a-z 0-9 . _ -, the first one a
 * letter or a digit: such a name is safe in a SIP header and in a path. */
int names_check(const char *name, size_t max);

/*
 * The n-th device after `first`: its last 12 characters are a MAC address in
 * hex and are counted; the rest stays. n = 0 is `first` itself, whatever its
 * shape. 0; -EINVAL: `first` does not end in a MAC; -ERANGE: counted past
 * FFFFFFFFFFFF.
 */
int names_device(const char *first, unsigned n, char out[NAMES_DEVICE_MAX + 1]);

/* The same for a line's number, decimal digits all; zeros in front of it are
 * kept. -EINVAL: it is no number. */
int names_line(const char *first, unsigned n, char out[NAMES_LINE_MAX + 1]);

#endif
