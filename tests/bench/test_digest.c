/* SPDX-License-Identifier: Apache-2.0 */
/* A simulated phone's digest, judged by the registrar that asked for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench/digest.h"
#include "registrar/digest.h"

enum { LIFETIME_S = 600 };

static const struct conn_ref ref = {1, 7};
static const struct moment now = {.mono_ms = 1000000};

static enum digest_verdict judged(const struct digest *d,
	enum sip_algorithm algorithm, const char *password)
{
	struct sip_challenge_read challenge = {
		.algorithm = algorithm, .realm = "r", .qop = true};
	const struct digest_answer answer = {
		"ann", password, "REGISTER", "sip:h"};
	struct digest_seen seen = {0};
	char value[DIGEST_SIZE], room[DIGEST_SIZE + 32], *end = room;
	uint8_t ha1[DIGEST_HA1_MAX];
	struct sip_auth auth;
	digest_nonce(d, ref, &now, challenge.nonce);
	digest_ha1(algorithm, "ann", "r", "secret", ha1);
	assert_true(digest_authorization(
		&challenge, &answer, value, sizeof(value)));
	assert_int_equal(sip_auth_read(sip_field_text(value), &auth, &end),
		SIP_AUTH_READ);
	assert_string_equal(auth.username, "ann");
	assert_string_equal(auth.uri, "sip:h");
	assert_int_equal(auth.algorithm, algorithm);
	const struct digest_check check = {
		ref, "r", ha1, "REGISTER", LIFETIME_S};
	return digest_judge(d, &auth, &check, &now, &seen);
}

static void the_registrar_takes_the_right_password_alone(void **state)
{
	struct digest *d = digest_new();
	for (int i = 0; i < SIP_ALGORITHMS; i++) {
		enum sip_algorithm algorithm = (enum sip_algorithm)i;
		assert_int_equal(judged(d, algorithm, "secret"), DIGEST_GOOD);
		assert_int_equal(judged(d, algorithm, "Secret"), DIGEST_WRONG);
	}
	digest_free(d);
}

static void what_does_not_fit_is_not_sent(void **state)
{
	static char long_one[2048];
	struct sip_challenge_read challenge = {.nonce = "n"};
	char value[DIGEST_SIZE];
	memset(long_one, 'x', sizeof(long_one) - 1);
	const struct digest_answer answer = {
		long_one, "p", "REGISTER", "sip:h"};
	assert_false(digest_authorization(
		&challenge, &answer, value, sizeof(value)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_registrar_takes_the_right_password_alone),
		cmocka_unit_test(what_does_not_fit_is_not_sent),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("bench-digest", tests, NULL, NULL);
}
