/* SPDX-License-Identifier: Apache-2.0 */
/* Where an address can be reached, as JSON. */
#include "registrar/status/locations.h"

#include <time.h>

#include "registrar/status/member.h"

static json_t *contact(const struct location *l)
{
	json_t *o = json_object();
	member_text(o, "uri", l->uri);
	member_text(o, "contact", l->contact);
	json_object_set_new(o, "q", json_real(l->q / 1000.0));
	member_number(o, "expiresSeconds", l->expires_s);
	member_text(o, "path", l->path);
	member_text(o, "instance", l->instance);
	if (l->reg_id)
		member_number(o, "regId", l->reg_id);
	member_text(o, "device", l->device);
	member_text(o, "address", l->address);
	member_number(o, "port", l->port);
	member_text(o, "transport", config_transport_name(l->tls, l->udp));
	return o;
}

json_t *status_json_location(struct server *s, const char *aor)
{
	struct timespec mono;
	size_t n;
	clock_gettime(CLOCK_MONOTONIC, &mono);
	const struct moment now = {.mono_ms = (uint64_t)mono.tv_sec * 1000 +
					      (uint64_t)mono.tv_nsec / 1000000};
	struct location *list =
		locations_find(server_locations(s), aor, &now, &n);
	if (!n)
		return NULL;
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, contact(&list[i]));
	locations_list_free(list, n);
	return json_pack("{ss so sI}", "aor", aor, "contacts", all, "count",
		(json_int_t)n);
}
