/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about what a session remembers of its phone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/tls/resume.h"
#include "tests/certs/made.h"
#include "trust/waiver.h"

static void a_record_reads_back_the_same(void **state)
{
	struct resume_record a = {.kind = CERT_KIND_MIC, .made_ns = -2};
	enum { LEVEL = 2 };
	struct resume_view b;
	struct cert_identity id;
	uint8_t data[RESUME_RECORD_MAX];
	memset(a.tag, 7, sizeof(a.tag));
	memset(a.anchor, 9, sizeof(a.anchor));
	X509 *cert = made_ca("CP-8861-SEP020000000001", 0);
	cert_identity_read(cert, &id);
	X509_free(cert);
	a.cert = peer_cert_new(&id, "6a69");
	a.cert->level = LEVEL;
	a.cert->waived = TRUST_WAIVER_RSA1024;
	size_t n = resume_record_write(&a, data);
	assert_in_range(n, 120, RESUME_RECORD_MAX);
	assert_true(resume_view_read(&b, data, n));
	assert_memory_equal(a.tag, b.tag, sizeof(a.tag));
	assert_memory_equal(a.anchor, b.anchor, sizeof(a.anchor));
	assert_int_equal(a.kind, b.kind);
	struct peer_cert *back = peer_cert_pack(&b.facts, b.texts);
	assert_true(b.made_ns == a.made_ns);
	assert_string_equal(back->device, id.device);
	assert_string_equal(back->cn, id.cn);
	assert_string_equal(back->issuer_cn, id.issuer_cn);
	assert_string_equal(back->ca_serial, "6a69");
	assert_memory_equal(back->sha256, id.sha256_raw, 32);
	assert_int_equal(back->not_after, id.not_after);
	assert_int_equal(back->level, LEVEL);
	assert_int_equal(back->waived, TRUST_WAIVER_RSA1024);
	peer_cert_unref(back);
	peer_cert_unref(a.cert);
	/* Every cut and every extra byte is refused. */
	for (size_t i = 0; i < n; i++)
		assert_false(resume_view_read(&b, data, i));
	data[n] = 0;
	assert_false(resume_view_read(&b, data, n + 1));
	data[0]++;
	assert_false(resume_view_read(&b, data, n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_reads_back_the_same),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("resume_record", tests, NULL, NULL);
}
