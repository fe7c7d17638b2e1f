/* SPDX-License-Identifier: Apache-2.0 */
/* Members of status's JSON objects: what is absent is left out. */
#include "registrar/status/member.h"

#include "certs/identity.h"

void member_text(json_t *object, const char *key, const char *text)
{
	if (text && *text)
		json_object_set_new(object, key, json_string(text));
}

void member_number(json_t *object, const char *key, uint64_t n)
{
	json_object_set_new(object, key, json_integer((json_int_t)n));
}

void member_time(json_t *object, const char *key, int64_t ms)
{
	char at[21];
	if (ms <= 0)
		return;
	cert_time_text((time_t)(ms / 1000), at);
	json_object_set_new(object, key, json_string(at));
}
