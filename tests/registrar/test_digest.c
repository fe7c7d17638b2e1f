/* SPDX-License-Identifier: Apache-2.0 */
/* Facts about digest authentication: answers, nonces, replays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "registrar/digest.h"

enum { LIFETIME_S = 600, START_MS = 5000000 };

static const struct conn_ref here = {1, 7};
static const char *const answers[] = {
	/* RFC 7616 3.9.1 */
	[SIP_ALGORITHM_SHA256] = "753927fa0e85d155564e2e272a28d1802ca10daf4496"
				 "794697cf8db5856cb6c1",
	[SIP_ALGORITHM_MD5] = "8ca523f5e9506fed4657c9700eebdbec",
};

static struct moment at(uint64_t ms)
{
	return (struct moment){.mono_ms = START_MS + ms};
}

static void answers_are_those_of_the_rfc(void **state)
{
	struct digest *d = digest_new();
	struct moment now = at(0);
	for (int i = 0; i < SIP_ALGORITHMS; i++) {
		enum sip_algorithm algorithm = (enum sip_algorithm)i;
		uint8_t ha1[DIGEST_HA1_MAX];
		char wrong[80];
		struct digest_seen seen = {0};
		struct sip_auth auth = {
			.algorithm = algorithm,
			.username = "Mufasa",
			.realm = "http-auth@example.org",
			.nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
			.uri = "/dir/index.html",
			.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/"
				  "H5QzzpXusqGemxURZJ",
			.nc = "00000001",
			.count = 1,
			.qop = true,
			.response = answers[i],
		};
		struct digest_check check = {
			here, auth.realm, ha1, "GET", LIFETIME_S};
		digest_ha1(
			algorithm, "Mufasa", auth.realm, "Circle of Life", ha1);
		/* Right, but the nonce is not ours. */
		assert_int_equal(digest_judge(d, &auth, &check, &now, &seen),
			DIGEST_STALE);
		snprintf(wrong, sizeof(wrong), "%s", answers[i]);
		wrong[5] ^= 1;
		auth.response = wrong;
		assert_int_equal(digest_judge(d, &auth, &check, &now, &seen),
			DIGEST_WRONG);
	}
	digest_free(d);
}

/* A phone that knows the password, and what it last said. */
struct caller {
	struct digest *d;
	struct digest_seen seen;
	char nonce[DIGEST_NONCE_SIZE];
	struct conn_ref ref;
	const char *realm;
	bool qop;
};

enum { HEX_SIZE = 2 * DIGEST_HA1_MAX + 1 };

static void hex(char out[HEX_SIZE], const uint8_t md[DIGEST_HA1_MAX])
{
	for (size_t i = 0; i < DIGEST_HA1_MAX; i++)
		snprintf(out + 2 * i, 3, "%02x", md[i]);
}

/* H(a:b:c) */
static void hex_of(
	const char *a, const char *b, const char *c, char out[HEX_SIZE])
{
	uint8_t md[DIGEST_HA1_MAX];
	digest_ha1(SIP_ALGORITHM_SHA256, a, b, c, md);
	hex(out, md);
}

static enum digest_verdict say(struct caller *c, uint32_t count, uint64_t ms)
{
	uint8_t secret[DIGEST_HA1_MAX];
	char ha1[HEX_SIZE], ha2[HEX_SIZE], response[HEX_SIZE];
	char middle[200], nc[9];
	struct moment now = at(ms);
	digest_ha1(SIP_ALGORITHM_SHA256, "u", "r", "p", secret);
	hex(ha1, secret);
	hex_of("REGISTER", "sip", "x", ha2);
	snprintf(nc, sizeof(nc), "%08x", count);
	if (c->qop)
		snprintf(middle, sizeof(middle), "%s:%s:cn:auth", c->nonce, nc);
	else
		snprintf(middle, sizeof(middle), "%s", c->nonce);
	hex_of(ha1, middle, ha2, response);
	struct sip_auth auth = {
		.algorithm = SIP_ALGORITHM_SHA256,
		.username = "u",
		.realm = c->realm,
		.nonce = c->nonce,
		.uri = "sip:x",
		.response = response,
		.cnonce = c->qop ? "cn" : "",
		.nc = c->qop ? nc : "",
		.count = c->qop ? count : 0,
		.qop = c->qop,
	};
	struct digest_check check = {
		c->ref, "r", secret, "REGISTER", LIFETIME_S};
	return digest_judge(c->d, &auth, &check, &now, &c->seen);
}

static int setup(void **state)
{
	static struct caller c;
	struct moment now = at(0);
	c = (struct caller){
		.d = digest_new(), .ref = here, .realm = "r", .qop = true};
	digest_nonce(c.d, here, &now, c.nonce);
	*state = &c;
	return 0;
}

static int teardown(void **state)
{
	struct caller *c = *state;
	digest_free(c->d);
	return 0;
}

static void a_count_is_good_once_and_only_rises(void **state)
{
	struct caller *c = *state;
	assert_int_equal(say(c, 1, 0), DIGEST_GOOD);
	assert_int_equal(say(c, 1, 1), DIGEST_STALE);
	assert_int_equal(say(c, 5, 1), DIGEST_GOOD);
	assert_int_equal(say(c, 4, 2), DIGEST_STALE);
	assert_int_equal(say(c, 0, 2), DIGEST_STALE);
	assert_int_equal(say(c, 6, 2), DIGEST_GOOD);
}

static void a_nonce_lives_as_long_as_the_profile_says(void **state)
{
	struct caller *c = *state;
	assert_int_equal(say(c, 1, LIFETIME_S * 1000), DIGEST_GOOD);
	assert_int_equal(say(c, 2, LIFETIME_S * 1000 + 1), DIGEST_STALE);
}

static void a_newer_nonce_ends_the_one_before(void **state)
{
	struct caller *c = *state;
	char first[DIGEST_NONCE_SIZE];
	struct moment later = at(1000);
	memcpy(first, c->nonce, sizeof(first));
	digest_nonce(c->d, here, &later, c->nonce);
	assert_int_equal(say(c, 1, 1000), DIGEST_GOOD);
	memcpy(c->nonce, first, sizeof(first));
	assert_int_equal(say(c, 9, 1001), DIGEST_STALE);
}

static void a_nonce_is_of_its_connection_alone(void **state)
{
	struct caller *c = *state;
	c->ref = (struct conn_ref){1, 8};
	assert_int_equal(say(c, 1, 0), DIGEST_STALE);
	c->ref = (struct conn_ref){2, 7};
	assert_int_equal(say(c, 1, 0), DIGEST_STALE);
	c->ref = here;
	assert_int_equal(say(c, 1, 0), DIGEST_GOOD);
}

static void a_bent_nonce_is_none(void **state)
{
	struct caller *c = *state;
	for (size_t i = 0; i < DIGEST_NONCE_SIZE - 1; i++) {
		char before = c->nonce[i];
		c->nonce[i] = before == '0' ? '1' : '0';
		assert_int_equal(say(c, 1, 10), DIGEST_STALE);
		c->nonce[i] = before;
	}
	assert_int_equal(say(c, 1, 10), DIGEST_GOOD);
	memset(c->nonce, 'z', DIGEST_NONCE_SIZE - 1);
	assert_int_equal(say(c, 2, 10), DIGEST_STALE);
	c->nonce[3] = '\0';
	assert_int_equal(say(c, 2, 10), DIGEST_STALE);
}

static void without_a_count_a_nonce_is_good_once(void **state)
{
	struct caller *c = *state;
	c->qop = false;
	assert_int_equal(say(c, 0, 0), DIGEST_GOOD);
	assert_int_equal(say(c, 0, 1), DIGEST_STALE);
}

static void another_realm_is_told_so(void **state)
{
	struct caller *c = *state;
	c->realm = "q";
	assert_int_equal(say(c, 1, 0), DIGEST_REALM);
}

static void who_has_no_password_is_wrong(void **state)
{
	struct caller *c = *state;
	struct moment now = at(0);
	struct sip_auth auth = {.algorithm = SIP_ALGORITHM_MD5,
		.realm = "r",
		.username = "u",
		.nonce = c->nonce,
		.uri = "sip:x",
		.cnonce = "",
		.nc = "",
		.response = answers[SIP_ALGORITHM_MD5]};
	struct digest_check check = {here, "r", NULL, "REGISTER", LIFETIME_S};
	assert_int_equal(digest_judge(c->d, &auth, &check, &now, &c->seen),
		DIGEST_WRONG);
}

static void every_verdict_has_its_words(void **state)
{
#define X(symbol, rule, text)                                            \
	assert_string_equal(digest_verdict_rule(DIGEST_##symbol), rule); \
	assert_string_equal(digest_verdict_text(DIGEST_##symbol), text);
	DIGEST_LIST(X)
#undef X
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_those_of_the_rfc),
		FACT(a_count_is_good_once_and_only_rises),
		FACT(a_nonce_lives_as_long_as_the_profile_says),
		FACT(a_newer_nonce_ends_the_one_before),
		FACT(a_nonce_is_of_its_connection_alone),
		FACT(a_bent_nonce_is_none),
		FACT(without_a_count_a_nonce_is_good_once),
		FACT(another_realm_is_told_so),
		FACT(who_has_no_password_is_wrong),
		cmocka_unit_test(every_verdict_has_its_words),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
