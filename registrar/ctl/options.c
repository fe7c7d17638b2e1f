/* SPDX-License-Identifier: Apache-2.0 */
/* Options of a command, which become members of a JSON object. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certs/identity.h"
#include "registrar/ctl/commands.h"
#include "registrar/ctl/say.h"
#include "registrar/memory.h"

bool ctl_take_text(json_t *into, const char *key, const char *value)
{
	/* False when it is no UTF-8. */
	return json_object_set_new(into, key, json_string(value)) == 0;
}

bool ctl_take_number(json_t *into, const char *key, const char *value)
{
	char *end;
	long long n = strtoll(value, &end, 10);
	json_object_set_new(into, key, json_integer(n));
	return *value && !*end;
}

bool ctl_take_flag(json_t *into, const char *key, const char *value)
{
	bool yes = strcmp(value, "yes") == 0;
	json_object_set_new(into, key, json_boolean(yes));
	return yes || strcmp(value, "no") == 0;
}

bool ctl_take_true(json_t *into, const char *key, const char *value)
{
	return json_object_set_new(into, key, json_true()) == 0;
}

bool ctl_take_null(json_t *into, const char *key, const char *value)
{
	return json_object_set_new(into, key, json_null()) == 0;
}

bool ctl_take_false(json_t *into, const char *key, const char *value)
{
	return json_object_set_new(into, key, json_false()) == 0;
}

bool ctl_take_span(json_t *into, const char *key, const char *value)
{
	static const struct {
		char unit;
		int seconds;
	} units[] = {{'m', 60}, {'h', 3600}, {'d', 86400}};
	char *end, until[21];
	long n = strtol(value, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (*end == units[i].unit && !end[1] && n > 0 && n < 100000) {
			cert_time_text(
				time(NULL) + n * units[i].seconds, until);
			return ctl_take_text(into, key, until);
		}
	return false;
}

bool ctl_take_until(json_t *into, const char *key, const char *value)
{
	return ctl_take_span(into, key, value) ||
	       ctl_take_text(into, key, value);
}

int ctl_misused(const struct ctl *ctl)
{
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);
	if (!to)
		abort(); /* law 2: no memory */
	ctl_command_usage(to, ctl->command);
	fclose(to);
	say_text(text);
	free(text);
	return CTL_USAGE;
}

int ctl_no_words(const struct ctl *ctl, int argc, char **argv)
{
	if (argc == 0)
		return CTL_OK;
	say("unexpected word %s", argv[0]);
	return ctl_misused(ctl);
}

const char *ctl_would(const struct ctl *ctl)
{
	return ctl->dry_run ? "Nothing was done; it would be: " : "";
}

static const struct ctl_option *find(
	const struct ctl_option *options, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(options[i].name, word) == 0)
			return &options[i];
	return NULL;
}

static int unknown(const struct ctl_option *options, size_t n, const char *word)
{
	char *all = memory_dup("");
	for (size_t i = 0; i < n; i++) {
		char *more = memory_format("%s %s", all, options[i].name);
		free(all);
		all = more;
	}
	say("unexpected word %s; there are%s", word, all);
	free(all);
	return CTL_USAGE;
}

int ctl_read_options(int argc, char **argv, const struct ctl_option *options,
	size_t n, json_t *into)
{
	for (int i = 0; i < argc; i++) {
		const char *value = "";
		const struct ctl_option *o = find(options, n, argv[i]);
		if (!o)
			return unknown(options, n, argv[i]);
		if (!o->alone && i + 1 == argc) {
			say("%s needs a value", o->name);
			return CTL_USAGE;
		}
		if (!o->alone)
			value = argv[++i];
		if (!o->take(into, o->key, value)) {
			say("%s: '%s' is no value of "
			    "it",
				o->name, value);
			return CTL_USAGE;
		}
	}
	return CTL_OK;
}
