/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind the question mark: known names, each once, good values. */
#include "registrar/status/query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/text.h"

enum { SHOWN_MAX = 64, DETAIL_MAX = 512 };

static const struct query_row *row_of(const struct query *q, const char *name)
{
	for (const struct query_row *r = q->rows; r->name; r++)
		if (strcmp(r->name, name) == 0)
			return r;
	return NULL;
}

static void refuse_name(
	const struct query *q, const char *name, struct plane_answer *out)
{
	char detail[DETAIL_MAX], shown[SHOWN_MAX];
	text_copy(shown, sizeof(shown), name);
	int n = snprintf(detail, sizeof(detail), "\"%s\" is none; %s", shown,
		q->rows->name ? "there are " : "this resource takes none");
	for (const struct query_row *r = q->rows; r->name; r++)
		n += snprintf(detail + n, sizeof(detail) - (size_t)n, "%s%s",
			r == q->rows ? "" : ", ", r->name);
	plane_problem(out, PROBLEM_PARAMETER, detail);
}

bool query_refuse(
	const struct query *q, const char *name, struct plane_answer *out)
{
	char detail[DETAIL_MAX], shown[SHOWN_MAX];
	text_copy(shown, sizeof(shown), query_get(q, name));
	snprintf(detail, sizeof(detail), "%s=%s: must be %s", name, shown,
		row_of(q, name)->rule);
	plane_problem(out, PROBLEM_VALUE, detail);
	return false;
}

static bool is_twice(const struct query *q, int i)
{
	for (int k = 0; k < i; k++)
		if (strcmp(q->list[k].name, q->list[i].name) == 0)
			return true;
	return false;
}

bool query_read(struct query *q, const struct query_row *rows,
	const struct plane_request *request, struct plane_answer *out)
{
	char detail[DETAIL_MAX];
	q->rows = rows;
	q->n = plane_parameters(request, q->list);
	if (q->n == -EILSEQ) {
		q->n = 0;
		plane_problem(out, PROBLEM_VALUE,
			"%00 is there, which stands in no name and no value");
		return false;
	}
	if (q->n < 0) {
		q->n = 0;
		snprintf(detail, sizeof(detail),
			"what follows the question mark may have %d bytes and "
			"%d parameters",
			PLANE_QUERY_MAX, PLANE_PARAMETERS_MAX);
		plane_problem(out, PROBLEM_LONG_QUERY, detail);
		return false;
	}
	for (int i = 0; i < q->n; i++) {
		if (!row_of(q, q->list[i].name)) {
			refuse_name(q, q->list[i].name, out);
			return false;
		}
		if (is_twice(q, i)) {
			snprintf(detail, sizeof(detail),
				"%s: is there twice; say it once",
				q->list[i].name);
			plane_problem(out, PROBLEM_TWICE, detail);
			return false;
		}
	}
	return true;
}

const char *query_get(const struct query *q, const char *name)
{
	for (int i = 0; i < q->n; i++)
		if (strcmp(q->list[i].name, name) == 0)
			return q->list[i].value;
	return NULL;
}

bool query_limit(const struct query *q, size_t most, size_t *limit,
	struct plane_answer *out)
{
	const char *text = query_get(q, "limit");
	char *end;
	*limit = 0;
	if (!text)
		return true;
	*limit = strtoul(text, &end, 10);
	if (*end || *text < '0' || *text > '9' || *limit < 1 || *limit > most)
		return query_refuse(q, "limit", out);
	return true;
}

bool query_token(const struct query *q, const struct query_token *token,
	uint64_t *number, bool *said, struct plane_answer *out)
{
	char detail[DETAIL_MAX];
	struct token_moment then;
	const char *text = query_get(q, token->name);
	*said = text != NULL;
	if (!text)
		return true;
	if (!token_read_moment(text, token->kind, &then))
		return query_refuse(q, token->name, out);
	*number = then.number;
	if (then.run == token->now.run && then.number >= token->oldest &&
		then.number <= token->now.number)
		return true;
	snprintf(detail, sizeof(detail),
		"what %s= names is not known any more, or the registrar was "
		"started anew; ask without %s= for all, and go on with the "
		"token of that answer",
		token->name, token->name);
	plane_problem(out, PROBLEM_OLD_TOKEN, detail);
	return false;
}

bool query_cursor(const struct query *q, enum token_kind kind,
	char behind[TOKEN_DATA_MAX + 1], struct plane_answer *out)
{
	uint8_t data[TOKEN_DATA_MAX];
	const char *text = query_get(q, "cursor");
	int n = text ? token_read(text, kind, data) : 0;
	if (n < 0)
		return query_refuse(q, "cursor", out);
	memcpy(behind, data, (size_t)n);
	behind[n] = '\0';
	return true;
}

void query_set_cursor(json_t *page, enum token_kind kind, const char *last)
{
	char text[TOKEN_MAX + 1];
	token_write(text, kind, last, strlen(last));
	json_object_set_new(page, "next", json_string(text));
}
