/* SPDX-License-Identifier: Apache-2.0 */
/* What happened to a device, as JSON. */
#include <string.h>

#include "registrar/history.h"
#include "registrar/status/json.h"
#include "registrar/status/member.h"

static void set_certificate(json_t *o, const struct history_event *e)
{
	if (!*e->issuer)
		return;
	json_object_set_new(o, "certificate",
		json_pack("{ss ss}", "kind", cert_kind_name(e->kind), "issuer",
			e->issuer));
}

static json_t *event(const struct history_event *e)
{
	json_t *o = json_object();
	member_time(o, "at", e->at_ms);
	member_text(o, "event", history_what_name(e->what));
	json_object_set_new(o, "times", json_integer(e->times));
	if (e->times > 1)
		member_time(o, "first", e->first_ms);
	member_text(o, "address", e->address);
	if (*e->address) { /* an admin's order comes over none of these */
		json_object_set_new(o, "port", json_integer(e->port));
		member_text(o, "protocol", config_protocol_name(e->protocol));
		member_text(
			o, "transport", config_transport_name(e->tls, e->udp));
	}
	set_certificate(o, e);
	if (e->space != HISTORY_NO_CODE)
		json_object_set_new(o, "reason",
			status_json_code(e->space == HISTORY_UNREG
						 ? REASON_SPACE_UNREG
						 : REASON_SPACE_FAILURE,
				e->code));
	member_text(o, "rule", e->rule);
	member_text(o, "why", e->why);
	return o;
}

json_t *status_json_history(struct server *s, const char *name)
{
	size_t n;
	struct history_event **list = history_of(server_history(s), name, &n);
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, event(list[i]));
	json_t *o = n ? json_pack("{ss so sI}", "name", list[0]->device,
				"events", all, "count", (json_int_t)n)
		      : NULL;
	if (!n)
		json_decref(all);
	history_list_free(list, n);
	return o;
}
