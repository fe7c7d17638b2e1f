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
		printf("%sOpen until %s: unknown devices that prove their name "
		       "are added%s.\n",
			ctl_would(ctl), ctl_text(o, "until"),
			plain ? ", and so are those that come without TLS"
			      : "");
	else
		printf("%sClosed: unknown devices are not added.\n",
			ctl_would(ctl));
	json_decref(o);
	return CTL_OK;
}

int ctl_auto_open(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o, *window = json_object();
	int status = ctl_read_options(argc, argv, options,
		sizeof(options) / sizeof(options[0]), window);
	if (status == CTL_OK && !json_object_get(window, "until")) {
		status = ctl_misused(ctl);
	}
	if (status == CTL_OK) {
		char *text = json_dumps(window, JSON_COMPACT);
		const struct ctl_body body = {
			"application/json", text, strlen(text)};
		status = ctl_admin_send(ctl, "POST", path, &body, &o);
		free(text);
	}
	json_decref(window);
	return status == CTL_OK ? print(ctl, o) : status;
}

static int ask(const struct ctl *ctl, int argc, char **argv, const char *method)
{
	json_t *o;
	int status = ctl_no_words(ctl, argc, argv);
	if (status == CTL_OK)
		status = ctl_admin(ctl, method, path, &o);
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
