/* SPDX-License-Identifier: Apache-2.0 */
/* Why a device is not registered, as the status plane says it. */
#include "registrar/status/explain.h"

#include <time.h>

#include "registrar/admin/device_json.h"
#include "registrar/device_rules.h"
#include "registrar/explain/device.h"
#include "registrar/status/json.h"

/* As the inventory has it; NULL: it has none of this name. */
static json_t *entry(struct server *s, const char *name)
{
	struct device *d = inventory_find(server_inventory(s), name);
	json_t *o = d ? device_json(d, NULL, time(NULL)) : NULL;
	device_unref(d);
	return o;
}

json_t *status_json_explain(
	struct server *s, struct refusals *refusals, const char *name)
{
	/* The cure has it in commands that are pasted into a shell. */
	if (!device_name_good(name))
		return NULL;
	json_t *phone = status_json_phone(s, refusals, name);
	json_t *history = status_json_history(s, name);
	json_t *failures = refusals_json(refusals);
	json_t *device = entry(s, name);
	json_t *o = explain_device(name,
		&(struct explain_facts){phone, history, failures, device});
	json_decref(phone);
	json_decref(history);
	json_decref(failures);
	json_decref(device);
	return o;
}
