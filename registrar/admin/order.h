/* SPDX-License-Identifier: Apache-2.0 */
/* What orders share: rows of resources, bodies, and how a no is said. */
#ifndef REGISTRAR_ADMIN_ORDER_H
#define REGISTRAR_ADMIN_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "certs/diag.h"
#include "registrar/http/plane.h"

/* The first member of a row, behind which stands what obeys it. */
struct order_row {
	const char *path; /* ends in a slash: a name follows */
	const char *method;
	size_t body_max; /* 0: it has no body */
};

struct order_table {
	const void *rows;
	size_t n, stride; /* bytes of a row */
};

/* The row of that method and path. The path of the first row that fits
 * decides: "import" is no device's name. NULL: there is none. */
const struct order_row *order_find(
	const struct order_table *t, const char *method, const char *path);
/* What the path ends with, where the row's names something; else "". */
const char *order_name(const struct order_row *row, const char *path);
/* Answers 405 with the methods there are; false: no row has that path. */
bool order_refuse_method(const struct order_table *t, const char *path,
	struct plane_answer *out);

/* Answers no, with the status of that -errno and the reason in d; answers
 * `error`. */
int order_refuse(struct plane_answer *out, int error, const struct diag *d);

/* The body's type must be this one: else -EMEDIUMTYPE with d. */
int order_has_type(
	const struct plane_request *request, const char *type, struct diag *d);
/* The body as a JSON object, the caller's; NULL with *error and d. */
json_t *order_object(
	const struct plane_request *request, int *error, struct diag *d);
/* "?key", unless it is "false". */
bool order_flag(const struct plane_request *request, const char *key);
/* "?dryRun=true": say what the order would come to, and change nothing. Every
 * order that changes something heeds it. */
bool order_is_dry(const struct plane_request *request);
/* "?limit=" from 1 to most, which it is unless said: else 0, and d. */
size_t order_limit(
	const struct plane_request *request, size_t most, struct diag *d);
/* "2026-11-26T18:00:00Z", or "2026-11-26": midnight UTC; as unix seconds, 0
 * when it is no such time. */
int64_t order_time(const char *text);

#endif
