/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone profile list, show, add, set, remove. */
#include <stdio.h>

#include "registrar/ctl/ctl.h"

static const char folder[] = "/v1/profiles/";

static const struct ctl_option options[] = {
	{"--description", "description", ctl_take_text, false},
	{"--mode", "mode", ctl_take_text, false},
	{"--transport", "transport", ctl_take_text, false},
	{"--sip-phone-port", "sipPhonePort", ctl_take_number, false},
	{"--nonce-seconds", "nonceSeconds", ctl_take_number, false},
	{"--digest", "digest", ctl_take_flag, false},
	{"--exclude-digest-credentials", "excludeDigestCredentials",
		ctl_take_flag, false},
	{"--encrypted-config", "encryptedConfig", ctl_take_flag, false},
	{"--oauth", "oauth", ctl_take_flag, false},
	{"--authentication-mode", "authenticationMode", ctl_take_text, false},
	{"--key-order", "keyOrder", ctl_take_text, false},
	{"--rsa-bits", "rsaBits", ctl_take_number, false},
	{"--ec-bits", "ecBits", ctl_take_number, false},
};

static const struct ctl_column columns[] = {
	{"NAME", "name"},
	{"MODE", "mode"},
	{"TRANSPORT", "transport"},
	{"DIGEST", "digest"},
	{"PREDEFINED", "predefined"},
	{"DESCRIPTION", "description"},
};

static const struct ctl_column fields[] = {
	{"name", "name"},
	{"description", "description"},
	{"predefined", "predefined"},
	{"device security mode", "mode"},
	{"transport", "transport"},
	{"SIP phone port", "sipPhonePort"},
	{"nonce seconds", "nonceSeconds"},
	{"digest authentication", "digest"},
	{"exclude digest credentials", "excludeDigestCredentials"},
	{"encrypted configuration", "encryptedConfig"},
	{"OAuth", "oauth"},
	{"CAPF authentication", "authenticationMode"},
	{"CAPF key order", "keyOrder"},
	{"CAPF RSA bits", "rsaBits"},
	{"CAPF EC bits", "ecBits"},
};

/* Prints one profile, and lets go of it. */
static int print(const struct ctl *ctl, json_t *o)
{
	if (ctl->json) {
		ctl_print_json(o);
	} else {
		fputs(ctl_would(ctl), stdout);
		ctl_print_fields(o, fields, sizeof(fields) / sizeof(fields[0]));
	}
	json_decref(o);
	return CTL_OK;
}

int ctl_profile_list(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o;
	if (argc > 0)
		return ctl_misused(ctl);
	int status = ctl_admin(ctl, "GET", "/v1/profiles", &o);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctl_print_json(o);
	else
		ctl_print_table(json_object_get(o, "profiles"), columns,
			sizeof(columns) / sizeof(columns[0]));
	json_decref(o);
	return CTL_OK;
}

int ctl_profile_show(const struct ctl *ctl, int argc, char **argv)
{
	json_t *o;
	if (argc != 1)
		return ctl_misused(ctl);
	int status = ctl_named_get(ctl, folder, argv[0], &o);
	return status == CTL_OK ? print(ctl, o) : status;
}

static int send(const struct ctl *ctl, int argc, char **argv, const char *query)
{
	json_t *o;
	const struct ctl_named profile = {folder, argc, argv, options,
		sizeof(options) / sizeof(options[0])};
	int status = ctl_named_send(ctl, &profile, query, &o);
	return status == CTL_OK ? print(ctl, o) : status;
}

int ctl_profile_add(const struct ctl *ctl, int argc, char **argv)
{
	if (argc < 1 || *argv[0] == '-')
		return ctl_misused(ctl);
	return send(ctl, argc, argv, CTL_NEW);
}

int ctl_profile_set(const struct ctl *ctl, int argc, char **argv)
{
	if (argc < 2 || *argv[0] == '-')
		return ctl_misused(ctl);
	return send(ctl, argc, argv, CTL_CHANGE);
}

int ctl_profile_remove(const struct ctl *ctl, int argc, char **argv)
{
	return argc == 1 ? ctl_named_remove(ctl, folder, argv[0])
			 : ctl_misused(ctl);
}
