/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone auto-registration open, close, show. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/ctl/ctl.h"

static const char path[] = "/v1/auto-registration";

static const struct ctl_option options[] = {
	{"--until", "until", ctl_take_text, false},
	{"--for", "until", ctl_take_span, false},
	{"--allow-plain", "allowPlain", ctl_take_true, true},
};

static int print(const struct ctl *ctl, json_t *o)
{
	bool plain = json_is_true(json_object_get(o, "allowPlain"));
	if (ctl->json)
		ctl_print_json(o);
	else if (json_is_true(json_object_get(o, "open")))
		printf("Open until %s: unknown devices that prove their name "
		       "are added%s.\n",
			ctl_text(o, "until"),
			plain ? ", and so are those that come without TLS"
			      : "");
	else
		puts("Closed: unknown devices are not added.");
	json_decref(o);
	return CTL_OK;
}

int ctl_auto_open(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o, *window = json_object();
	int status = ctl_read_options(argc, argv, options,
		sizeof(options) / sizeof(options[0]), window);
	if (status == CTL_OK && !json_object_get(window, "until")) {
		fputs("usage: dialtone auto-registration open --until "
		      "2026-11-26T18:00:00Z | --for 2h\n  [--allow-plain]\n",
			stderr);
		status = CTL_USAGE;
	}
	if (status == CTL_OK) {
		char *text = json_dumps(window, JSON_COMPACT);
		const struct ctl_body body = {
			"application/json", text, strlen(text), false};
		status = ctl_admin_send(ctl, "POST", path, &body, &o);
		free(text);
	}
	json_decref(window);
	return status == CTL_OK ? print(ctl, o) : status;
}

static int ask(const struct ctl *ctl, int argc, char **argv, const char *method)
{
	json_t *o;
	if (argc > 0) {
		fprintf(stderr, "dialtone: unexpected word %s\n", argv[0]);
		return CTL_USAGE;
	}
	int status = ctl_admin(ctl, method, path, &o);
	return status == CTL_OK ? print(ctl, o) : status;
}

int ctl_auto_close(const struct ctl *ctl, int argc, char **argv)
{
	return ask(ctl, argc, argv, "DELETE");
}

int ctl_auto_show(const struct ctl *ctl, int argc, char **argv)
{
	return ask(ctl, argc, argv, "GET");
}
