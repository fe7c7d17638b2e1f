/* SPDX-License-Identifier: Apache-2.0 */
/* Orders to one registered phone: reset, restart, apply. */
#include "registrar/admin/phone_orders.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "registrar/admin/order.h"

static const char prefix[] = "/v1/phones/";

const char phone_order_paths[] =
	"POST /v1/phones/NAME/reset, POST /v1/phones/NAME/restart, "
	"POST /v1/phones/NAME/apply";

static const struct {
	const char *verb;
	enum phone_order order;
} orders[] = {
	{"reset", PHONE_RESET},
	{"restart", PHONE_RESTART},
	{"apply", PHONE_APPLY},
};
enum { ORDERS = sizeof(orders) / sizeof(orders[0]) };

/* The order and the device's name of such a path; -1: it is another. */
static int read_path(const char *path, char name[CERT_DEVICE_MAX + 1])
{
	if (strncmp(path, prefix, strlen(prefix)) != 0)
		return -1;
	path += strlen(prefix);
	const char *slash = strchr(path, '/');
	size_t n = slash ? (size_t)(slash - path) : 0;
	if (n == 0 || n > CERT_DEVICE_MAX)
		return -1;
	snprintf(name, CERT_DEVICE_MAX + 1, "%.*s", (int)n, path);
	for (int i = 0; i < ORDERS; i++)
		if (strcmp(orders[i].verb, slash + 1) == 0)
			return i;
	return -1;
}

bool phone_order(struct phone_request *r)
{
	char name[CERT_DEVICE_MAX + 1];
	int i = read_path(r->request->path, name);
	if (i < 0)
		return false;
	if (strcmp(r->request->method, "POST") != 0) {
		plane_not_allowed(r->out, "POST",
			"this tells a phone something: it is asked for with "
			"POST");
		return true;
	}
	r->changes = !order_is_dry(r->request);
	r->error = r->changes ? server_order(
					r->server, name, orders[i].order, &r->d)
			      : server_may_order(r->server, name, NULL, &r->d);
	if (r->error == 0)
		r->out->json = json_pack(
			"{ss ss}", "device", name, "told", orders[i].verb);
	else
		plane_problem(r->out,
			r->error == -ENOENT ? PROBLEM_NOBODY : PROBLEM_UNTOLD,
			r->d.text);
	return true;
}
