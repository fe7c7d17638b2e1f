/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone ticket-keys show, rotate, revoke-all. */
#include <stdio.h>

#include "registrar/ctl/ctl.h"

static const struct ctl_column key_columns[] = {
	{"NAME", "name"},
	{"USE", "use"},
};

static const struct ctl_column fields[] = {
	{"kept in", "kept"},
	{"  file", "file"},
	{"rotated", "rotated"},
	{"rotation due", "rotationDue"},
};

static void print(const json_t *o)
{
	const json_t *keys = json_object_get(o, "keys");
	if (json_array_size(keys) == 0) {
		puts("There are no ticket keys: tls.resumption allows session "
		     "ids alone.");
		return;
	}
	ctl_print_table(keys, key_columns,
		sizeof(key_columns) / sizeof(key_columns[0]));
	putchar('\n');
	ctl_print_fields(o, fields, sizeof(fields) / sizeof(fields[0]));
}

/* Gives the order; `done`, if any, is what to tell people first. */
static int order(const struct ctl *ctl, int argc, char **argv,
	const char *method, const char *path, const char *done)
{
	json_t *o;
	int status = ctl_no_words(ctl, argc, argv);
	if (status == CTL_OK)
		status = ctl_admin(ctl, method, path, &o);
	if (status != CTL_OK)
		return status;
	if (ctl->json) {
		ctl_print_json(o);
	} else {
		if (done)
			printf("%s%s\n", ctl_would(ctl), done);
		print(o);
	}
	json_decref(o);
	return CTL_OK;
}

int ctl_ticket_keys_show(const struct ctl *ctl, int argc, char **argv)
{
	return order(ctl, argc, argv, "GET", "/v1/ticket-keys", NULL);
}

int ctl_ticket_keys_rotate(const struct ctl *ctl, int argc, char **argv)
{
	return order(ctl, argc, argv, "POST", "/v1/ticket-keys/rotate",
		"A new key is there; tickets of the one that sealed so far "
		"stay good.");
}

int ctl_ticket_keys_revoke_all(const struct ctl *ctl, int argc, char **argv)
{
	return order(ctl, argc, argv, "POST", "/v1/ticket-keys/revoke-all",
		"No phone resumes before it has made a full handshake.");
}
