/* SPDX-License-Identifier: Apache-2.0 */
/* Text and tables that fit the terminal. */
#include "registrar/ctl/wrap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH = 80, WIDTH_MIN = 40, WIDTH_MAX = 100 };

size_t wrap_width(void)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	long width = columns ? strtol(columns, NULL, 10) : 0;
	if (width <= 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
		width = size.ws_col;
	if (width <= 0)
		return WIDTH;
	return (size_t)(width < WIDTH_MIN ? WIDTH_MIN : width);
}

/* Characters, not bytes, of n bytes of UTF-8. */
static size_t columns_of(const char *text, size_t n)
{
	size_t columns = 0;
	for (size_t i = 0; i < n; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

void wrap_to(FILE *to, const char *first, const char *text)
{
	size_t indent = columns_of(first, strlen(first));
	size_t width = wrap_width();
	if (width > WIDTH_MAX)
		width = WIDTH_MAX; /* longer lines are hard to read */
	size_t at = indent;
	fputs(first, to);
	while (*text) {
		size_t n = strcspn(text, " ");
		size_t columns = columns_of(text, n);
		if (at > indent && at + 1 + columns > width) {
			fprintf(to, "\n%*s", (int)indent, "");
			at = indent;
		} else if (at > indent) {
			fputc(' ', to);
			at++;
		}
		fwrite(text, 1, n, to);
		at += columns;
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', to);
}

void wrap_print(const char *first, const char *text)
{
	wrap_to(stdout, first, text);
}
