/* SPDX-License-Identifier: Apache-2.0 */
/* What orders share: rows of resources, bodies, and how a no is said. */
#include "registrar/admin/order.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "registrar/text.h"

/* ---- which resource ---- */

static const struct order_row *row_at(const struct order_table *t, size_t i)
{
	return (const struct order_row *)((const char *)t->rows +
					  i * t->stride);
}

/* The whole path, or all before the name. */
static bool is_at(const struct order_row *r, const char *path)
{
	size_t n = strlen(r->path);
	if (r->path[n - 1] != '/')
		return strcmp(r->path, path) == 0;
	return strncmp(r->path, path, n) == 0 && path[n] &&
	       !strchr(path + n, '/');
}

const struct order_row *order_find(
	const struct order_table *t, const char *method, const char *path)
{
	const char *first = NULL;
	for (size_t i = 0; i < t->n; i++) {
		const struct order_row *r = row_at(t, i);
		if (!is_at(r, path) || (first && strcmp(first, r->path) != 0))
			continue;
		first = r->path;
		if (strcmp(r->method, method) == 0)
			return r;
	}
	return NULL;
}

const char *order_name(const struct order_row *row, const char *path)
{
	size_t n = strlen(row->path);
	return row->path[n - 1] == '/' ? path + n : "";
}

bool order_refuse_method(
	const struct order_table *t, const char *path, struct plane_answer *out)
{
	static const char *const all[] = {
		"GET", "POST", "PUT", "PATCH", "DELETE"};
	char allow[PLANE_ALLOW_MAX + 1];
	size_t at = 0, n = 0;
	while (at < t->n && !is_at(row_at(t, at), path))
		at++;
	if (at == t->n)
		return false;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (order_find(t, all[i], path))
			n += (size_t)snprintf(allow + n, sizeof(allow) - n,
				"%s%s", n ? ", " : "",
				strcmp(all[i], "GET") == 0 ? "GET, HEAD"
							   : all[i]);
	plane_not_allowed(out, allow, "this path answers other methods");
	return true;
}

/* ---- answers ---- */

static const struct {
	int error;
	enum problem problem;
} problems[] = {
	{-EINVAL, PROBLEM_RULE},
	{-ERANGE, PROBLEM_RULE},
	{-ENOENT, PROBLEM_NONE},
	{-EEXIST, PROBLEM_EXISTS},
	{-EPERM, PROBLEM_FIXED},
	{-EBUSY, PROBLEM_NOT_NOW},
	{-ENOTSUP, PROBLEM_CONFIGURATION},
	{-EMEDIUMTYPE, PROBLEM_CONTENT},
	{-ENOSPC, PROBLEM_DISK},
	{-ECANCELED, PROBLEM_ENDS},
};
enum { PROBLEMS = sizeof(problems) / sizeof(problems[0]) };

int order_refuse(struct plane_answer *out, int error, const struct diag *d)
{
	char said[sizeof(d->text)]; /* what came may be no UTF-8 */
	size_t i = 0;
	while (i < PROBLEMS && problems[i].error != error)
		i++;
	text_copy(said, sizeof(said), d->text);
	plane_problem(
		out, i < PROBLEMS ? problems[i].problem : PROBLEM_FAILED, said);
	return error;
}

/* ---- what is asked ---- */

int order_has_type(
	const struct plane_request *request, const char *type, struct diag *d)
{
	if (strcasecmp(request->type, type) == 0)
		return 0;
	return diag_set(d, -EMEDIUMTYPE,
		"the body must be %s, and its Content-Type say so; it says "
		"\"%.40s\"",
		type, request->type);
}

json_t *order_object(
	const struct plane_request *request, int *error, struct diag *d)
{
	json_error_t why;
	*error = order_has_type(request, "application/json", d);
	if (*error < 0)
		return NULL;
	json_t *body = json_loadb(
		request->body, request->n, JSON_REJECT_DUPLICATES, &why);
	if (!body)
		*error = diag_set(
			d, -EINVAL, "body: line %d: %s", why.line, why.text);
	else if (!json_is_object(body))
		*error = diag_set(d, -EINVAL, "body: must be a JSON object");
	if (json_is_object(body))
		return body;
	json_decref(body);
	return NULL;
}

bool order_flag(const struct plane_request *request, const char *key)
{
	const char *value = plane_query(request, key);
	return value && strcmp(value, "false") != 0;
}

bool order_is_dry(const struct plane_request *request)
{
	return order_flag(request, "dryRun");
}

size_t order_limit(
	const struct plane_request *request, size_t most, struct diag *d)
{
	const char *limit = plane_query(request, "limit");
	char *end = NULL;
	size_t n = limit ? strtoul(limit, &end, 10) : most;
	if (n >= 1 && n <= most && !(end && *end))
		return n;
	diag_set(d, -EINVAL, "limit: must be 1 to %zu", most);
	return 0;
}

int64_t order_time(const char *text)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = {0};
		const char *end = strptime(text, forms[i], &tm);
		if (end && !*end)
			return timegm(&tm);
	}
	return 0;
}
