/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone trust expiry, retiring: what ends when, who must move. */
#include <stdio.h>

#include "registrar/ctl/ctl.h"

#define COLUMNS(list) list, sizeof(list) / sizeof((list)[0])

static int get(const struct ctl *ctl, int argc, char **argv, const char *path,
	json_t **out)
{
	int status = ctl_no_words(ctl, argc, argv);
	return status == CTL_OK ? ctl_get(ctl, path, out, NULL) : status;
}

/* ---- expiry ---- */

static const struct ctl_column month_columns[] = {
	{"MONTH", "month"},
	{"LSCS", "lsc"},
	{"MICS", "mic"},
	{"CAS", "files"},
	{"CRLS", "lists"},
};

static const struct ctl_column ca_columns[] = {
	{"CA", "file"},
	{"STORE", "store"},
	{"ENDS", "notAfter"},
	{"DEVICES", "devices"},
	{"SUBJECT", "subject"},
};

/* The files of a list, as a list of names. */
static json_t *files_of(const json_t *list)
{
	json_t *names = json_array(), *one;
	size_t i;
	json_array_foreach((json_t *)list, i, one)
		json_array_append(names, json_object_get(one, "file"));
	return names;
}

static void print_expiry(const json_t *o)
{
	json_t *cas = json_array(), *month;
	size_t i;
	json_array_foreach(json_object_get(o, "months"), i, month)
	{
		const json_t *here = json_object_get(month, "cas");
		json_object_set_new(month, "files", files_of(here));
		json_object_set_new(month, "lists",
			files_of(json_object_get(month, "crls")));
		json_array_extend(cas, (json_t *)here);
	}
	ctl_print_table(json_object_get(o, "months"), COLUMNS(month_columns));
	putchar('\n');
	ctl_print_table(cas, COLUMNS(ca_columns));
	json_decref(cas);
}

int ctl_trust_expiry(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o;
	int status = get(ctl, argc, argv, "/v1/trust/expiry", &o);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctl_print_json(o);
	else
		print_expiry(o);
	json_decref(o);
	return CTL_OK;
}

/* ---- retiring ---- */

static const struct ctl_column retiring_columns[] = {
	{"RETIRING", "file"},
	{"DEVICES", "devices"},
};

static const struct ctl_column device_columns[] = {
	{"DEVICE", "device"},
	{"CERT", "certificate"},
	{"ENDS", "notAfter"},
	{"ANCHOR", "anchor"},
	{"REGISTERED", "registered"},
	{"LAST SEEN", "lastSeen"},
};

static void print_retiring(const json_t *o)
{
	const json_t *anchors = json_object_get(o, "anchors");
	if (json_array_size(anchors) == 0) {
		puts("No anchor is retiring: mark one with \"retiring\": true "
		     "in trust.anchors.");
		return;
	}
	ctl_print_table(anchors, COLUMNS(retiring_columns));
	putchar('\n');
	if (ctl_number(o, "count"))
		ctl_print_table(
			json_object_get(o, "devices"), COLUMNS(device_columns));
	else
		puts("No device hangs on them any more: they can go, with "
		     "dialtone trust remove.");
}

int ctl_trust_retiring(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o;
	int status = get(ctl, argc, argv, "/v1/trust/retiring", &o);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctl_print_json(o);
	else
		print_retiring(o);
	json_decref(o);
	return CTL_OK;
}
