/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands about CAPF share. */
#ifndef REGISTRAR_CTL_CAPF_H
#define REGISTRAR_CTL_CAPF_H

#include <jansson.h>

/* Makes of the names on the command line, of options.csv and of what options
 * filter by the "devices" or "filter" of `body`. CTL_OK; else why, on stderr,
 * and an exit status. */
int ctl_capf_who(int argc, char **argv, const json_t *options, json_t *body);

#endif
