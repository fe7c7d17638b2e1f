/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone phone history NAME: a table that fits the terminal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/ctl/ctl.h"
#include "registrar/ctl/wrap.h"
#include "registrar/memory.h"

enum { CELLS = 5, CELL_MAX = 400 };

/* AT, EVENT, FROM, OVER and, as far as there is room, WHY. */
static const char *const titles[CELLS] = {"AT", "EVENT", "FROM", "OVER", "WHY"};

static void fill_why(const json_t *e, char out[CELL_MAX])
{
	const json_t *reason = json_object_get(e, "reason");
	const json_t *cert = json_object_get(e, "certificate");
	const char *rule = ctl_text(e, "rule");
	const char *why = ctl_text(e, "why");
	if (!*rule)
		rule = ctl_text(reason, "name");
	if (!*rule && cert) {
		snprintf(out, CELL_MAX, "%s of %s%s%s", ctl_text(cert, "kind"),
			ctl_text(cert, "issuer"), *why ? ", " : "", why);
		return;
	}
	snprintf(out, CELL_MAX, "%s%s%s", rule, *rule && *why ? ": " : "", why);
}

static void fill(const json_t *e, char cells[CELLS][CELL_MAX])
{
	long long times = ctl_number(e, "times");
	const char *protocol = ctl_text(e, "protocol");
	snprintf(cells[0], CELL_MAX, "%s", ctl_text(e, "at"));
	if (times > 1)
		snprintf(cells[1], CELL_MAX, "%s x%lld", ctl_text(e, "event"),
			times);
	else
		snprintf(cells[1], CELL_MAX, "%s", ctl_text(e, "event"));
	snprintf(cells[2], CELL_MAX, "%s", ctl_text(e, "address"));
	snprintf(cells[3], CELL_MAX, "%s%s%s", protocol, *protocol ? "/" : "",
		ctl_text(e, "transport"));
	fill_why(e, cells[4]);
}

/* The last cell takes what is left of the line, cut with "...". */
static void print_row(
	const char *const cells[CELLS], const size_t widths[CELLS])
{
	size_t width = wrap_width(), at = 0;
	for (size_t i = 0; i + 1 < CELLS; i++) {
		const char *text = *cells[i] ? cells[i] : "-";
		printf("%-*s  ", (int)widths[i], text);
		at += widths[i] + 2;
	}
	size_t room = at + 10 < width ? width - at : 10;
	size_t n = strlen(cells[CELLS - 1]);
	if (n <= room) {
		puts(cells[CELLS - 1]);
		return;
	}
	for (n = room - 3;
		n && ((unsigned char)cells[CELLS - 1][n] & 0xc0) == 0x80;)
		n--; /* not within a character */
	printf("%.*s...\n", (int)n, cells[CELLS - 1]);
}

static void print_table(const json_t *events)
{
	char cells[CELLS][CELL_MAX];
	const char *row[CELLS];
	size_t widths[CELLS] = {0}, i;
	json_t *e;
	for (size_t c = 0; c < CELLS; c++) {
		widths[c] = strlen(titles[c]);
		row[c] = cells[c];
	}
	json_array_foreach((json_t *)events, i, e)
	{
		fill(e, cells);
		for (size_t c = 0; c < CELLS; c++)
			if (strlen(cells[c]) > widths[c])
				widths[c] = strlen(cells[c]);
	}
	print_row(titles, widths);
	json_array_foreach((json_t *)events, i, e)
	{
		fill(e, cells);
		print_row(row, widths);
	}
}

int ctl_phone_history(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o;
	if (argc != 1)
		return ctl_misused(ctl);
	char *phone = ctl_path("/v1/phones/", argv[0]);
	char *path = memory_format("%s/history", phone);
	int status = ctl_get(ctl, path, &o, NULL);
	free(path);
	free(phone);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctl_print_json(o);
	else
		print_table(json_object_get(o, "events"));
	json_decref(o);
	return CTL_OK;
}
