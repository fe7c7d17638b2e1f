/* SPDX-License-Identifier: Apache-2.0 */
/* What a ClientHello offers to resume, read before OpenSSL sees it. */
#include "protocols/tls/hello.h"

#include <string.h>

#include "protocols/bytes.h"

enum {
	RECORD_HANDSHAKE = 22,
	MAJOR = 3, /* SSL 3.0 to TLS 1.3 all say 3.x */
	RECORD_MAX = 16384,
	CLIENT_HELLO = 1,
	RANDOM = 32,
	SESSION_ID_MAX = 32,
	EXT_TICKET = 35,
	EXT_PSK = 41,
	EXTENSIONS_MAX = 64, /* phones send about ten */
};

static struct tls_hello_slice slice(const struct bytes_in *part)
{
	return (struct tls_hello_slice){part->p, part->left};
}

/* PreSharedKeyExtension: identities, then binders that OpenSSL will check. */
static bool read_psk(struct bytes_in *body, struct tls_hello_slice *first)
{
	struct bytes_in list = bytes_part(body, bytes_be16(body));
	struct bytes_in identity = bytes_part(&list, bytes_be16(&list));
	bytes_be32(&list); /* its age */
	*first = slice(&identity);
	return !body->bad && !list.bad && !identity.bad && identity.left;
}

static bool read_extensions(struct bytes_in *in, struct tls_hello *out)
{
	struct bytes_in all = bytes_part(in, bytes_be16(in));
	for (int i = 0; all.left && i < EXTENSIONS_MAX; i++) {
		size_t type = bytes_be16(&all);
		struct bytes_in body = bytes_part(&all, bytes_be16(&all));
		if (all.bad)
			return false;
		if (type == EXT_TICKET)
			out->ticket = slice(&body);
		if (type == EXT_PSK && !read_psk(&body, &out->psk))
			return false;
	}
	return !in->bad && !all.bad && !all.left && !in->left;
}

static bool read_body(struct bytes_in *in, struct tls_hello *out)
{
	bytes_skip(in, 2 + RANDOM); /* version, random */
	size_t n_id = bytes_u8(in);
	if (n_id > SESSION_ID_MAX)
		return false;
	struct bytes_in id = bytes_part(in, n_id);
	out->session_id = slice(&id);
	bytes_skip(in, bytes_be16(in)); /* cipher suites */
	bytes_skip(in, bytes_u8(in));	/* compression methods */
	if (in->bad)
		return false;
	return in->left == 0 || read_extensions(in, out);
}

bool tls_hello_read(const void *data, size_t n, struct tls_hello *out)
{
	struct bytes_in in = bytes_in(data, n);
	*out = (struct tls_hello){0};
	bool record = bytes_u8(&in) == RECORD_HANDSHAKE;
	record = bytes_u8(&in) == MAJOR && record;
	bytes_u8(&in); /* minor */
	size_t length = bytes_be16(&in);
	struct bytes_in fragment = bytes_part(&in, length);
	bool hello = bytes_u8(&fragment) == CLIENT_HELLO;
	struct bytes_in body = bytes_part(&fragment, bytes_be24(&fragment));
	if (record && hello && length <= RECORD_MAX && !body.bad &&
		read_body(&body, out))
		return true;
	*out = (struct tls_hello){0};
	return false;
}
