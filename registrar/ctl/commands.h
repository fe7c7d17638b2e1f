/* SPDX-License-Identifier: Apache-2.0 */
/* Every command: its words, its function, what it changes, its help. */
#ifndef REGISTRAR_CTL_COMMANDS_H
#define REGISTRAR_CTL_COMMANDS_H

#include <stddef.h>
#include <stdio.h>

#include "registrar/ctl/ctl.h"

struct ctl_command {
	const char *noun;
	const char *verb; /* NULL: the noun alone */
	int (*run)(const struct ctl *ctl, int argc, char **argv);
	bool changes;	   /* something: then it has a --dry-run */
	const char *words; /* what is typed behind it; "" */
	const char *help;  /* one line */
	const char *more;  /* lines about its words, or NULL */
};

extern const struct ctl_command ctl_commands[];
extern const size_t ctl_commands_n;

/* The command that these words begin with, and how many of them it takes;
 * NULL: there is none. */
const struct ctl_command *ctl_command_find(int argc, char **argv, int *taken);

/* All about one. */
void ctl_command_usage(FILE *to, const struct ctl_command *command);
/* A line for each command; noun not NULL: of that noun alone. */
void ctl_command_list(FILE *to, const char *noun);
/* The same table for programs: a list of objects, the caller's. */
json_t *ctl_command_json(void);

#endif
