/* SPDX-License-Identifier: Apache-2.0 */
/* Foreign names made fit for files, trustpoints and comments. */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "certs/must.h"
#include "trust/export_inside.h"

enum { CN_MAX = 64, TRUSTPOINT_CN_MAX = 20, TRUSTPOINT_HEX = 16 };

/* What a file on any system, and a trustpoint, may be called. */
static void safe(const char *cn, const char *also, char *out, size_t size)
{
	size_t n = 0;
	for (; cn[n] && n + 1 < size; n++) {
		bool fine =
			isascii(cn[n]) && (isalnum((unsigned char)cn[n]) ||
						  (n && strchr(also, cn[n])));
		out[n] = fine ? cn[n] : '_';
	}
	out[n] = '\0';
	if (!n)
		snprintf(out, size, "CA");
}

/* As CUCM names the files of its trust stores: CN_serial. */
static void name_one(struct trust_export_ca *ca)
{
	char cn[CN_MAX + 1];
	safe(ca->id.cn, ".-", cn, sizeof(cn));
	snprintf(ca->name, sizeof(ca->name), "%s_%s", cn, ca->id.serial);
	safe(ca->id.cn, "-", cn, TRUSTPOINT_CN_MAX + 1);
	snprintf(ca->trustpoint, sizeof(ca->trustpoint), "%.*s-%.*s",
		TRUSTPOINT_CN_MAX, cn, TRUSTPOINT_HEX, ca->id.sha256);
}

void trust_export_name_all(struct trust_export_ca *ca, size_t n)
{
	bool *twin = cert_must(calloc(n, sizeof(*twin)));
	for (size_t i = 0; i < n; i++)
		name_one(&ca[i]);
	/* Without case: the files may go to a system that knows none. */
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (strcasecmp(ca[i].name, ca[j].name) == 0)
				twin[i] = twin[j] = true;
	for (size_t i = 0; i < n; i++) {
		size_t used = strlen(ca[i].name);
		if (twin[i])
			snprintf(ca[i].name + used, sizeof(ca[i].name) - used,
				"_%s", ca[i].id.sha256);
	}
	free(twin);
}

void trust_export_plain(const char *text, char *out, size_t size)
{
	size_t n = 0;
	for (; text[n] && n + 1 < size; n++) {
		bool fine = isascii(text[n]) &&
			    isprint((unsigned char)text[n]) && text[n] != '?' &&
			    !(n && text[n] == '-' && text[n - 1] == '-');
		out[n] = fine ? text[n] : '_';
	}
	out[n] = '\0';
}
