/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind the question mark: known names, each once, good values. */
#ifndef REGISTRAR_STATUS_QUERY_H
#define REGISTRAR_STATUS_QUERY_H

#include <stdbool.h>

#include "registrar/http/plane.h"
#include "registrar/status/token.h"

/* One parameter of a resource; the last row's name is NULL. */
struct query_row {
	const char *name;
	const char *rule; /* what its value must be, for a no */
};

struct query {
	const struct query_row *rows;
	struct plane_parameter list[PLANE_PARAMETERS_MAX];
	int n;
};

/* False: out says which parameter is wrong, and which there are. */
bool query_read(struct query *q, const struct query_row *rows,
	const struct plane_request *request, struct plane_answer *out);
/* NULL: it was not said. */
const char *query_get(const struct query *q, const char *name);
/* Says no to the value of that parameter; answers false. */
bool query_refuse(
	const struct query *q, const char *name, struct plane_answer *out);
/* "limit": 1 to most, or 0 when it was not said. False: it is none. */
bool query_limit(const struct query *q, size_t most, size_t *limit,
	struct plane_answer *out);

/* "cursor": the name that a page ended with, "" when it was not said. False:
 * it is none of that kind. */
bool query_cursor(const struct query *q, enum token_kind kind,
	char behind[TOKEN_DATA_MAX + 1], struct plane_answer *out);
/* "next" of a page that ends with that name. */
void query_set_cursor(json_t *page, enum token_kind kind, const char *last);

/* A token that an answer had, of this run, from `oldest` on. */
struct query_token {
	const char *name; /* "since", "cursor" */
	enum token_kind kind;
	struct token_moment now;
	uint64_t oldest;
};
/* *number is its moment; *said: it was asked with one. False: out says no. */
bool query_token(const struct query *q, const struct query_token *token,
	uint64_t *number, bool *said, struct plane_answer *out);

#endif
