/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone: the admin's command. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registrar/ctl/commands.h"
#include "registrar/ctl/say.h"
#include "registrar/memory.h"
#include "registrar/version.h"

static void usage(FILE *to)
{
	fputs("usage: dialtone [--url URL] [--socket PATH] [--json] "
	      "[--dry-run] COMMAND\n"
	      "  --url      the registrar's status address (" CTL_DEFAULT_URL
	      ", or $DIALTONE_URL)\n"
	      "  --socket   its admin socket, for what changes something "
	      "(asked "
	      "of\n"
	      "             status, or $DIALTONE_SOCKET)\n"
	      "  --json     answer for programs\n"
	      "  --dry-run  only say what a change would come to\n"
	      "commands:\n",
		to);
	ctl_command_list(to, NULL);
	fputs("dialtone help NOUN [VERB] tells more, and so does --help behind "
	      "a command.\n"
	      "exit status: 0 ok, 1 failed, 2 usage, 3 refused by a safety "
	      "gate\n",
		to);
}

static bool is_noun(const char *word)
{
	for (size_t i = 0; i < ctl_commands_n; i++)
		if (strcmp(ctl_commands[i].noun, word) == 0)
			return true;
	return false;
}

/* What was typed is no command; those that it might have been. */
static int unknown(int argc, char **argv)
{
	char *text = NULL;
	size_t n;
	FILE *to = open_memstream(&text, &n);
	if (!to)
		abort(); /* law 2: no memory */
	bool noun = argc && is_noun(argv[0]);
	if (argc == 0)
		usage(to);
	else
		ctl_command_list(to, noun ? argv[0] : NULL);
	fclose(to);
	if (argc)
		say("there is no command %s%s%s; there are:", argv[0],
			noun && argc > 1 ? " " : "",
			noun && argc > 1 ? argv[1] : "");
	if (noun)
		say_next("dialtone help %s", argv[0]);
	say_text(text);
	free(text);
	return CTL_USAGE;
}

/* Of one command, of a noun's, or of all. */
static int help(const struct ctl *ctl, int argc, char **argv)
{
	int taken;
	const struct ctl_command *c = ctl_command_find(argc, argv, &taken);
	json_t *o = ctl->json ? ctl_command_json() : NULL;
	if (o) {
		ctl_print_json(o);
		json_decref(o);
		return CTL_OK;
	}
	if (c && (argc == taken || argc == 1))
		ctl_command_usage(stdout, c);
	if (argc == 1 && is_noun(argv[0]))
		ctl_command_list(stdout, argv[0]);
	else if (argc == 0)
		usage(stdout);
	else if (!c)
		return unknown(argc, argv);
	return CTL_OK;
}

static int dispatch(struct ctl *ctl, int argc, char **argv, bool asks_help)
{
	int taken;
	bool is_help = argc && strcmp(argv[0], "help") == 0;
	if (asks_help || is_help)
		return help(ctl, argc - is_help, argv + is_help);
	ctl->command = ctl_command_find(argc, argv, &taken);
	if (!ctl->command)
		return unknown(argc, argv);
	if (ctl->dry_run && !ctl->command->changes) {
		say("--dry-run: this command changes nothing");
		return ctl_misused(ctl);
	}
	return ctl->command->run(ctl, argc - taken, argv + taken);
}

/* Takes flags out, wherever they stand: people add them at the end. */
static int take_flags(int argc, char **argv, struct ctl *ctl, bool *asks_help)
{
	int kept = 0;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			ctl->json = true;
		else if (strcmp(argv[i], "--dry-run") == 0)
			ctl->dry_run = true;
		else if (strcmp(argv[i], "--help") == 0)
			*asks_help = true;
		else
			argv[kept++] = argv[i];
	}
	return kept;
}

/* Those before the command. The first word behind them; 0: one is none. */
static int take_options(int argc, char **argv, struct ctl *ctl, bool *version)
{
	int i = 1;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--url") == 0 && i + 1 < argc)
			ctl->url = argv[++i];
		else if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc)
			ctl->socket = argv[++i];
		else if (strcmp(argv[i], "--version") == 0)
			*version = true;
		else
			return 0;
	}
	return i;
}

int main(int argc, char **argv)
{
	const char *url = getenv("DIALTONE_URL");
	const char *socket = getenv("DIALTONE_SOCKET");
	struct ctl ctl = {.url = url && *url ? url : CTL_DEFAULT_URL,
		.socket = socket && *socket ? socket : NULL};
	bool asks_help = false, version = false;
	argc = take_flags(argc, argv, &ctl, &asks_help);
	say_begin(ctl.json);
	int i = take_options(argc, argv, &ctl, &version);
	if (i == 0)
		return say_end(&ctl, unknown(0, NULL));
	if (version) {
		puts("dialtone " DIALTONE_VERSION);
		return CTL_OK;
	}
	/* Authentication strings go through JSON. */
	json_set_alloc_funcs(malloc, memory_wipe);
	return say_end(&ctl, dispatch(&ctl, argc - i, argv + i, asks_help));
}
