/* SPDX-License-Identifier: Apache-2.0 */
/* Things kept by name, devices and profiles: sent, got, removed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "registrar/ctl/ctl.h"
#include "registrar/memory.h"

int ctl_named_send(const struct ctl *ctl, const struct ctl_named *n,
	const char *query, json_t **out)
{
	json_t *said = json_object();
	int status = ctl_read_options(
		n->argc - 1, n->argv + 1, n->options, n->n_options, said);
	if (status == CTL_OK) {
		char *path = ctl_path(n->folder, n->argv[0]);
		char *where = memory_format("%s%s", path, query);
		char *text = json_dumps(said, JSON_COMPACT);
		const struct ctl_body body = {
			"application/json", text, strlen(text)};
		status = ctl_admin_send(
			ctl, *query ? "PUT" : "PATCH", where, &body, out);
		OPENSSL_cleanse(text, strlen(text)); /* passwords, perhaps */
		free(text);
		free(where);
		free(path);
	}
	json_decref(said);
	return status;
}

int ctl_named_get(const struct ctl *ctl, const char *folder, const char *name,
	json_t **out)
{
	char *path = ctl_path(folder, name);
	int status = ctl_admin(ctl, "GET", path, out);
	free(path);
	return status;
}

int ctl_named_remove(
	const struct ctl *ctl, const char *folder, const char *name)
{
	json_t *o;
	char *path = ctl_path(folder, name);
	int status = ctl_admin(ctl, "DELETE", path, &o);
	free(path);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctl_print_json(o);
	else
		printf("%s%s is removed.\n", ctl_would(ctl),
			ctl_text(o, "removed"));
	json_decref(o);
	return CTL_OK;
}
