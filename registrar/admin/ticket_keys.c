/* SPDX-License-Identifier: Apache-2.0 */
/* What an admin sees of ticket keys. */
#include "registrar/admin/ticket_keys.h"

#include <stdlib.h>

#include "certs/identity.h"
#include "registrar/tls/resumption.h"

static void set_time(json_t *o, const char *key, time_t at)
{
	char text[21];
	cert_time_text(at, text);
	json_object_set_new(o, key, json_string(text));
}

/* They seal in their order, oldest first. */
static const char *use_of(const struct ticket_keys_view *view, size_t i)
{
	if (i == view->seals)
		return "seals";
	return i < view->seals ? "opens" : "next";
}

static void set_path(json_t *o, const char *path)
{
	char *absolute = realpath(path, NULL);
	json_object_set_new(o, "file", json_string(absolute ? absolute : path));
	free(absolute);
}

json_t *admin_ticket_keys_json(const struct resume *resume)
{
	json_t *list = json_array();
	json_t *o = json_pack("{so}", "keys", list);
	if (!resume->keys)
		return o;
	struct ticket_keys_view view = ticket_keys_view(resume->keys);
	for (size_t i = 0; i < TICKET_KEYS; i++)
		json_array_append_new(
			list, json_pack("{ss ss}", "name", view.names[i], "use",
				      use_of(&view, i)));
	json_object_set_new(
		o, "kept", json_string(view.path ? "file" : "memory"));
	if (view.path)
		set_path(o, view.path);
	set_time(o, "rotated", view.rotated);
	set_time(o, "rotationDue", resumption_rotation_due(resume));
	return o;
}
