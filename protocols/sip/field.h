/* SPDX-License-Identifier: Apache-2.0 */
/* Slices of header text and the scanners that take values apart. */
#ifndef PROTOCOLS_SIP_FIELD_H
#define PROTOCOLS_SIP_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocols/sip/chars.h"

/*
 * Text inside a received message: not terminated, owned by whoever holds the
 * message. A folded value still has its CR LF in it; every scanner here
 * takes them for space.
 */
struct sip_slice {
	const char *p;
	size_t n;
};

static inline struct sip_slice sip_field_text(const char *text)
{
	return (struct sip_slice){text, strlen(text)};
}

static inline char sip_field_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline bool sip_field_space(char c)
{
	return sip_chars_in(c, SIP_CHARS_SPACE);
}

/* How many characters at the start are of these classes. */
size_t sip_field_span(struct sip_slice s, unsigned classes);
/* Something, and all of it of these classes. */
bool sip_field_all(struct sip_slice s, unsigned classes);
/* All of it is printable ASCII, spaces included; nothing is, too. */
bool sip_field_printable(struct sip_slice s);
struct sip_slice sip_field_trim(struct sip_slice s);
/* Beginning like text, without regard to case; equal to it, with or without.
 * Case is ASCII's, whatever the locale. */
bool sip_field_starts(struct sip_slice s, const char *text);

static inline bool sip_field_is(struct sip_slice s, const char *text)
{
	return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

static inline bool sip_field_is_nocase(struct sip_slice s, const char *text)
{
	return s.n == strlen(text) && sip_field_starts(s, text);
}

bool sip_field_has(struct sip_slice s, const char *text);
/* 1*DIGIT and nothing else; a value above 2^32 - 1 becomes 2^32 - 1. */
bool sip_field_number(struct sip_slice s, uint32_t *value);
/*
 * Copies for people to read: cut at size - 1, everything that is not
 * printable ASCII becomes '?', folds become spaces.
 */
void sip_field_show(struct sip_slice s, char *dst, size_t size);
/*
 * Takes quotes and backslashes off a quoted string; a token is copied as it
 * is. False when it does not fit or the quotes do not close.
 */
bool sip_field_unquote(struct sip_slice s, char *dst, size_t size);

/*
 * Cuts the next element off a comma separated list, trimmed; commas between
 * quotes or angle brackets do not count. False when the list is used up.
 */
bool sip_field_list(struct sip_slice *rest, struct sip_slice *element);

struct sip_param {
	struct sip_slice whole; /* from the ';' on */
	struct sip_slice name;
	struct sip_slice value; /* with its quotes; p NULL: has none */
};

/*
 * Cuts the next `;name[=value]` off. False at the end; false with something
 * left in rest at what is not a parameter.
 */
bool sip_field_param(struct sip_slice *rest, struct sip_param *param);
/* The first parameter of that name; false: none. */
bool sip_field_find(
	struct sip_slice params, const char *name, struct sip_param *param);

/* name-addr or addr-spec, and what follows it */
struct sip_address {
	struct sip_slice uri;
	struct sip_slice params; /* of the header, from the first ';' on */
	bool bracketed;
};

/* False when it cannot be one; all its parameters have been walked. */
bool sip_field_address(struct sip_slice value, struct sip_address *address);

#endif
