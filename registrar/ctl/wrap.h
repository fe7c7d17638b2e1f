/* SPDX-License-Identifier: Apache-2.0 */
/* Text and tables that fit the terminal. */
#ifndef REGISTRAR_CTL_WRAP_H
#define REGISTRAR_CTL_WRAP_H

#include <stddef.h>
#include <stdio.h>

/* Columns of the terminal ($COLUMNS first); 80 when there is none. */
size_t wrap_width(void);
/* Prints text in lines of at most wrap_width() columns: `first` before the
 * first, as many blanks before the others. Words are never cut. */
void wrap_print(const char *first, const char *text);
/* The same, to any file. */
void wrap_to(FILE *to, const char *first, const char *text);

#endif
