/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone phone reset, restart, apply. */
#include <stdio.h>
#include <stdlib.h>

#include "registrar/ctl/ctl.h"
#include "registrar/memory.h"

static int order(const struct ctl *ctl, int argc, char **argv, const char *verb)
{
	json_t *o;
	if (argc != 1)
		return ctl_misused(ctl);
	char *phone = ctl_path("/v1/phones/", argv[0]);
	char *path = memory_format("%s/%s", phone, verb);
	free(phone);
	int status = ctl_admin(ctl, "POST", path, &o);
	free(path);
	if (status != CTL_OK)
		return status;
	if (ctl->json)
		ctl_print_json(o);
	else
		printf("%s%s was told to %s; dialtone phone %s shows what it "
		       "does.\n",
			ctl_would(ctl), ctl_text(o, "device"), verb,
			ctl_text(o, "device"));
	json_decref(o);
	return CTL_OK;
}

int ctl_phone_reset(const struct ctl *ctl, int argc, char **argv)
{
	return order(ctl, argc, argv, "reset");
}

int ctl_phone_restart(const struct ctl *ctl, int argc, char **argv)
{
	return order(ctl, argc, argv, "restart");
}

int ctl_phone_apply(const struct ctl *ctl, int argc, char **argv)
{
	return order(ctl, argc, argv, "apply");
}
