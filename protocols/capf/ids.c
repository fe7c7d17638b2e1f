/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up CAPF commands and elements. */
#include "protocols/capf/ids.h"

#include <stddef.h>

static const struct {
	const char *name;
	enum capf_side side;
} commands[] = {
#define X(symbol, number, name, side) [number] = {name, CAPF_FROM_##side},
	CAPF_COMMAND_LIST(X)
#undef X
};

static const struct {
	const char *name;
	enum capf_form form;
} elements[CAPF_EL_MAX] = {
#define X(symbol, tag, name, form) [tag] = {name, CAPF_##form},
	CAPF_ELEMENT_LIST(X)
#undef X
};

const char *capf_command_name(unsigned command)
{
	return command < sizeof(commands) / sizeof(*commands)
		       ? commands[command].name
		       : NULL;
}

enum capf_side capf_command_side(unsigned command)
{
	return capf_command_name(command) ? commands[command].side
					  : CAPF_FROM_NOBODY;
}

const char *capf_element_name(unsigned tag)
{
	return tag < CAPF_EL_MAX ? elements[tag].name : NULL;
}

enum capf_form capf_element_form(unsigned tag)
{
	return capf_element_name(tag) ? elements[tag].form : CAPF_BYTES;
}

unsigned capf_curve_bits(unsigned curve)
{
	static const unsigned bits[] = {256, 384, 521};
	return curve < sizeof(bits) / sizeof(*bits) ? bits[curve] : 0;
}
