/* SPDX-License-Identifier: Apache-2.0 */
/* The record that sessions carry instead of the phone's certificate. */
#include <string.h>

#include "protocols/bytes.h"
#include "registrar/tls/resume.h"

enum { LAYOUT = 5 };

static const size_t text_max[] = {
#define X(field, most) most,
	PEER_CERT_TEXT_LIST(X)
#undef X
};

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

static void put_text(struct bytes_out *out, const char *text)
{
	size_t n = strlen(text);
	bytes_put_le16(out, (uint16_t)n);
	bytes_put(out, text, n);
}

size_t resume_record_write(
	const struct resume_record *record, uint8_t data[RESUME_RECORD_MAX])
{
	const struct peer_cert *cert = record->cert;
	struct bytes_out out = bytes_out(data, RESUME_RECORD_MAX);
	bytes_put_u8(&out, LAYOUT);
	bytes_put_u8(&out, (uint8_t)record->kind);
	bytes_put_u8(&out, cert->level);
	bytes_put_u8(&out, cert->waived);
	bytes_put(&out, record->tag, sizeof(record->tag));
	bytes_put(&out, record->anchor, sizeof(record->anchor));
	bytes_put(&out, cert->sha256, sizeof(cert->sha256));
	put_time(&out, record->made_ns);
	put_time(&out, cert->not_before);
	put_time(&out, cert->not_after);
#define X(field, most) put_text(&out, cert->field);
	PEER_CERT_TEXT_LIST(X)
#undef X
	return out.bad ? 0 : RESUME_RECORD_MAX - out.left;
}

/* The next n bytes, where they lie. */
static const uint8_t *pass(struct bytes_in *in, size_t n)
{
	const uint8_t *p = in->p;
	bytes_skip(in, n);
	return p;
}

bool resume_view_read(struct resume_view *view, const uint8_t *data, size_t n)
{
	struct bytes_in in = bytes_in(data, n);
	bool known = bytes_u8(&in) == LAYOUT;
	view->kind = (enum cert_kind)bytes_u8(&in);
	view->facts = (struct peer_cert){.times_ok = true};
	view->facts.level = bytes_u8(&in);
	view->facts.waived = bytes_u8(&in);
	view->tag = pass(&in, RESUME_TAG);
	view->anchor = pass(&in, sizeof(((struct resume_record *)0)->anchor));
	bytes_copy(&in, view->facts.sha256, sizeof(view->facts.sha256));
	view->made_ns = get_time(&in);
	view->facts.not_before = get_time(&in);
	view->facts.not_after = get_time(&in);
	for (size_t i = 0; i < PEER_CERT_TEXTS; i++) {
		size_t len = bytes_le16(&in);
		if (len > text_max[i])
			return false;
		view->texts[i] =
			(struct peer_text){(const char *)pass(&in, len), len};
	}
	return known && !in.bad && in.left == 0 && view->kind <= CERT_KIND_MIC;
}
