/* SPDX-License-Identifier: Apache-2.0 */
/* A laboratory PKI in a fresh folder, made for one test program. */
#ifndef TESTS_BENCH_LAB_DIR_H
#define TESTS_BENCH_LAB_DIR_H

/* cmocka group fixtures: they make and remove the folder. */
int lab_dir_make(void **state);
int lab_dir_remove(void **state);

/* The folder, and a file in it; valid until the fourth next call. */
const char *lab_dir(void);
const char *lab_dir_file(const char *name);

#endif
