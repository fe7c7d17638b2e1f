/* SPDX-License-Identifier: Apache-2.0 */
/* The phone engine as an actor for conversation files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/capf/phone.h"
#include "tests/protocols/capf/player.h"

enum { DER_MAX = 512, LINE_MAX = 2048 };

struct player {
	struct capf_phone_config config;
	struct capf_phone phone;
	uint8_t der[CAPF_CERTS_MAX + 1][DER_MAX]; /* of a verb */
};

static bool player_set(void *self, const char *key, const char *value)
{
	struct capf_phone_config *config = &((struct player *)self)->config;
	if (strcmp(key, "version") == 0)
		config->version = (unsigned)atoi(value);
	else if (strcmp(key, "answer_ms") == 0)
		config->answer_ms = (uint32_t)atoi(value);
	else
		return false;
	return true;
}

static void player_init(void *self, const struct moment *now)
{
	struct player *p = self;
	if (!p->config.version)
		p->config.version = CAPF_VERSION;
	capf_phone_init(&p->phone, &p->config, now);
}

static void player_deinit(void *self)
{
	capf_phone_deinit(&((struct player *)self)->phone);
}

static void player_feed(
	void *self, const void *data, size_t n, const struct moment *now)
{
	capf_phone_feed(&((struct player *)self)->phone, data, n, now);
}

static void player_tick(void *self, const struct moment *now)
{
	capf_phone_tick(&((struct player *)self)->phone, now);
}

static void show(const struct capf_phone_event *e, char *text, size_t n)
{
	switch (e->type) {
	case CAPF_PHONE_AUTH:
		player_add(text, n, "auth %08x v%u %d", e->session, e->version,
			e->auth_type);
		break;
	case CAPF_PHONE_GENERATE:
		player_add(text, n, "generate %s %u",
			e->wish.type == CAPF_KEY_EC ? "ec" : "rsa",
			e->wish.bits);
		break;
	case CAPF_PHONE_STORE:
		player_add(text, n, "store");
		player_add_cert(text, n, &e->cert);
		break;
	case CAPF_PHONE_ERASE:
		player_add(text, n, "erase");
		break;
	case CAPF_PHONE_FETCH:
		player_add(text, n, "fetch %u", e->cert.type);
		break;
	case CAPF_PHONE_END:
		player_add(text, n, "end %d%s%s", e->reason, e->text ? " " : "",
			e->text ? e->text : "");
		break;
	case CAPF_PHONE_FAILED:
		player_add(text, n, "failed %s: %s", e->rule, e->text);
		break;
	}
}

static bool player_next(void *self, char *text, size_t n)
{
	struct capf_phone_event e;
	text[0] = '\0';
	if (!capf_phone_next(&((struct player *)self)->phone, &e))
		return false;
	show(&e, text, n);
	return true;
}

static const uint8_t *player_out(void *self, size_t *n)
{
	const uint8_t *data =
		capf_phone_out(&((struct player *)self)->phone, n);
	player_one_message(data, *n);
	return data;
}

static void player_sent(void *self, size_t n)
{
	capf_phone_sent(&((struct player *)self)->phone, n);
}

static uint64_t player_deadline(void *self)
{
	return capf_phone_deadline(&((struct player *)self)->phone);
}

/* `TYPE:HEX` into the player's memory. */
static struct capf_cert cert_of(struct player *p, size_t slot, const char *word)
{
	const char *hex = strchr(word, ':');
	size_t n = hex ? player_hex(hex + 1, p->der[slot], DER_MAX) : 0;
	return (struct capf_cert){(unsigned)atoi(word), {p->der[slot], n}};
}

static void authenticate(struct player *p, char *args, const struct moment *now)
{
	struct capf_phone_auth auth = {.device = strsep(&args, " ")};
	if (args)
		auth.password = strsep(&args, " ");
	if (auth.password && strcmp(auth.password, "\"\"") == 0)
		auth.password = "";
	if (auth.password && strcmp(auth.password, "-") == 0)
		auth.password = NULL;
	if (args) {
		auth.cert = cert_of(p, 0, args);
		auth.signed_data =
			(struct capf_bytes){(const uint8_t *)"sha1", 4};
		auth.sha2_signed_data =
			(struct capf_bytes){(const uint8_t *)"sha2", 4};
		auth.sudi_data =
			(struct capf_bytes){(const uint8_t *)"sudi", 4};
	}
	capf_phone_authenticate(&p->phone, &auth, now);
}

static void fetched(struct player *p, char *args, const struct moment *now)
{
	struct capf_cert certs[CAPF_CERTS_MAX];
	unsigned reason = (unsigned)atoi(strsep(&args, " "));
	size_t n = 0;
	for (; args && n < CAPF_CERTS_MAX; n++)
		certs[n] = cert_of(p, n, strsep(&args, " "));
	capf_phone_fetched(&p->phone, reason, certs, n, now);
}

static bool player_verb(void *self, const char *line, const struct moment *now)
{
	struct player *p = self;
	char verb[16] = "", args[LINE_MAX] = "";
	if (sscanf(line, "%15s %2047[^\n]", verb, args) < 1)
		return false;
	unsigned reason = (unsigned)atoi(args);
	if (strcmp(verb, "auth") == 0)
		authenticate(p, args, now);
	else if (strcmp(verb, "progress") == 0)
		capf_phone_progress(&p->phone);
	else if (strcmp(verb, "key") == 0)
		capf_phone_key(&p->phone, p->der[0],
			player_hex(args, p->der[0], DER_MAX), now);
	else if (strcmp(verb, "nokey") == 0)
		capf_phone_no_key(&p->phone, reason, now);
	else if (strcmp(verb, "stored") == 0)
		capf_phone_stored(&p->phone, reason, now);
	else if (strcmp(verb, "erased") == 0)
		capf_phone_erased(&p->phone, reason, now);
	else if (strcmp(verb, "fetched") == 0)
		fetched(p, args, now);
	else
		return false;
	return true;
}

const struct conversation_engine capf_phone_player = {
	.name = "capf-phone",
	.size = sizeof(struct player),
	.set = player_set,
	.init = player_init,
	.deinit = player_deinit,
	.feed = player_feed,
	.tick = player_tick,
	.next = player_next,
	.out = player_out,
	.sent = player_sent,
	.deadline = player_deadline,
	.verb = player_verb,
};
