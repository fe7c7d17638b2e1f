/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone trust list: the anchors in force, one a line. */
#include <stdio.h>

#include "registrar/ctl/say.h"
#include "registrar/ctl/trust.h"

static const struct ctl_column columns[] = {
	{"FILE", "file"},
	{"ISSUES", "issues"},
	{"LINE", "line"},
	{"KEY", "key"},
	{"ENDS", "notAfter"},
	{"DEVICES", "devices"},
	{"FLAGS", "flags"},
	{"SUBJECT", "subject"},
};

static void flag(json_t *flags, bool set, const char *text)
{
	if (set)
		json_array_append_new(flags, json_string(text));
}

/* What is particular about it, as words in a list. */
static json_t *flags_of(const json_t *a)
{
	json_t *flags = json_array();
	char text[192];
	flag(flags, json_is_true(json_object_get(a, "retiring")), "retiring");
	flag(flags, json_is_true(json_object_get(a, "enrolOnly")),
		"enrol_only");
	flag(flags, json_is_true(json_object_get(a, "allowNotCritical")),
		"allow_not_critical");
	snprintf(text, sizeof(text), "expired_grace_days=%lld",
		ctl_number(a, "expiredGraceDays"));
	flag(flags, ctl_number(a, "expiredGraceDays") != 0, text);
	flag(flags, *ctl_text(a, "allows"), ctl_text(a, "allows"));
	snprintf(
		text, sizeof(text), "unusable: %s", ctl_text(a, "unusableWhy"));
	flag(flags, !json_is_true(json_object_get(a, "usable")), text);
	return flags;
}

static void print_list(const json_t *list)
{
	size_t i;
	json_t *a;
	json_array_foreach((json_t *)list, i, a)
		json_object_set_new(a, "flags", flags_of(a));
	ctl_print_table(list, columns, sizeof(columns) / sizeof(columns[0]));
}

int ctl_trust_list(const struct ctl *ctl, int argc, char **argv)
{
	const char *store = NULL;
	struct ctl_trust t;
	int status = ctl_trust_words(ctl, argc, argv, &store, NULL);
	if (status != CTL_OK)
		return status;
	status = ctl_trust_open(ctl, store, &t);
	if (status == CTL_OK && !t.store) {
		say("%s is no store of the registrar's: look at "
		    "it with dialtone trust lint",
			t.folder);
		say_next("dialtone trust lint '%s'", t.folder);
		status = CTL_FAILED;
	}
	if (status == CTL_OK && ctl->json)
		ctl_print_json(store ? t.store : t.said);
	else if (status == CTL_OK)
		print_list(json_object_get(t.store, "list"));
	ctl_trust_close(&t);
	return status;
}
