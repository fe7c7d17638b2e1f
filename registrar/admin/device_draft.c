/* SPDX-License-Identifier: Apache-2.0 */
/* A device while an admin writes it: every part can still be changed. */
#include "registrar/admin/device_draft.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "registrar/memory.h"

void device_draft_init(struct device_draft *draft, const struct device *from)
{
	static const struct device fresh = {
		.name = "",
		.description = "",
		.model = "",
		.profile = SECURITY_PROFILE_DEFAULT,
		.digest_user = "",
		.softkeys = "",
	};
	/* All but the count, which others change meanwhile. */
	const size_t at = offsetof(struct device, fixed);
	from = from ? from : &fresh;
	draft->device.refs = 0;
	memcpy((char *)&draft->device + at, (const char *)from + at,
		sizeof(*from) - at);
	draft->device.lines = draft->lines;
	draft->device.dials = draft->dials;
	for (size_t i = 0; i < from->n_lines; i++)
		draft->lines[i] = from->lines[i];
	for (size_t i = 0; i < from->n_dials; i++)
		draft->dials[i] = from->dials[i];
}

static void hash(const EVP_MD *md, const char *text, uint8_t *out)
{
	if (EVP_Digest(text, strlen(text), out, NULL, md, NULL) != 1)
		abort(); /* law 2: OpenSSL without MD5 or SHA-256 is broken */
}

void device_draft_password(struct device_draft *draft, const char *user,
	const char *realm, const char *password)
{
	char *text = memory_format("%s:%s:%s", user, realm, password);
	draft->device.digest_user = user;
	hash(EVP_md5(), text, draft->device.ha1_md5);
	hash(EVP_sha256(), text, draft->device.ha1_sha256);
	OPENSSL_cleanse(text, strlen(text));
	free(text);
}

void device_draft_user(struct device_draft *draft, const char *user)
{
	struct device *d = &draft->device;
	if (strcmp(d->digest_user, user) != 0) {
		memset(d->ha1_md5, 0, sizeof(d->ha1_md5));
		memset(d->ha1_sha256, 0, sizeof(d->ha1_sha256));
	}
	d->digest_user = user;
}

void device_draft_softkeys(struct device_draft *draft, const char *names)
{
	bool standard = strcmp(names, DEVICE_SOFTKEYS_STANDARD) == 0;
	draft->device.softkeys = standard ? "" : names;
}
