/* SPDX-License-Identifier: Apache-2.0 */
/* The record that sessions carry instead of the phone's certificate. */
#include <string.h>

#include "protocols/bytes.h"
#include "registrar/tls/resume.h"

enum { LAYOUT = 2 };

/* The texts that are kept, in their order on the wire. */
static const struct {
	size_t offset, size;
} texts[] = {
#define TEXT(field)                                                \
	{                                                          \
		offsetof(struct cert_identity, field),             \
			sizeof(((struct cert_identity *)0)->field) \
	}
	TEXT(device),
	TEXT(cn),
	TEXT(model),
	TEXT(issuer_cn),
	TEXT(serial),
	TEXT(key),
	TEXT(subject),
	TEXT(issuer),
#undef TEXT
};
enum { TEXTS = sizeof(texts) / sizeof(texts[0]) };

static void put_time(struct bytes_out *out, int64_t t)
{
	uint64_t v = (uint64_t)t;
	bytes_put_le32(out, (uint32_t)v);
	bytes_put_le32(out, (uint32_t)(v >> 32));
}

static int64_t get_time(struct bytes_in *in)
{
	uint64_t low = bytes_le32(in);
	return (int64_t)(low | (uint64_t)bytes_le32(in) << 32);
}

size_t resume_record_write(
	const struct resume_record *record, uint8_t data[RESUME_RECORD_MAX])
{
	const struct cert_identity *id = &record->identity;
	struct bytes_out out = bytes_out(data, RESUME_RECORD_MAX);
	bytes_put_u8(&out, LAYOUT);
	bytes_put_u8(&out, (uint8_t)record->kind);
	bytes_put(&out, record->tag, sizeof(record->tag));
	bytes_put(&out, record->anchor, sizeof(record->anchor));
	bytes_put(&out, id->sha256_raw, sizeof(id->sha256_raw));
	put_time(&out, record->made_ns);
	put_time(&out, id->not_before);
	put_time(&out, id->not_after);
	for (size_t i = 0; i < TEXTS; i++) {
		const char *text = (const char *)id + texts[i].offset;
		size_t n = strlen(text);
		bytes_put_le16(&out, (uint16_t)n);
		bytes_put(&out, text, n);
	}
	return out.bad ? 0 : RESUME_RECORD_MAX - out.left;
}

static void hex(char *out, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
}

bool resume_record_read(
	struct resume_record *record, const uint8_t *data, size_t n)
{
	struct cert_identity *id = &record->identity;
	struct bytes_in in = bytes_in(data, n);
	memset(record, 0, sizeof(*record));
	bool known = bytes_u8(&in) == LAYOUT;
	record->kind = (enum cert_kind)bytes_u8(&in);
	bytes_copy(&in, record->tag, sizeof(record->tag));
	bytes_copy(&in, record->anchor, sizeof(record->anchor));
	bytes_copy(&in, id->sha256_raw, sizeof(id->sha256_raw));
	record->made_ns = get_time(&in);
	id->not_before = get_time(&in);
	id->not_after = get_time(&in);
	id->times_ok = true;
	for (size_t i = 0; i < TEXTS; i++) {
		size_t len = bytes_le16(&in);
		if (len >= texts[i].size)
			return false;
		bytes_copy(&in, (char *)id + texts[i].offset, len);
	}
	hex(id->sha256, id->sha256_raw, sizeof(id->sha256_raw));
	return known && !in.bad && in.left == 0 &&
	       record->kind <= CERT_KIND_MIC;
}
