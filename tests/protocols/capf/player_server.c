/* SPDX-License-Identifier: Apache-2.0 */
/* The server engine as an actor for conversation files. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "protocols/capf/server.h"
#include "tests/protocols/capf/player.h"

enum { DER_MAX = 512 };

struct player {
	struct capf_server_config config;
	struct capf_server server;
};

static bool player_set(void *self, const char *key, const char *value)
{
	struct capf_server_config *config = &((struct player *)self)->config;
	uint32_t n = (uint32_t)strtoul(value, NULL, 0);
	if (strcmp(key, "session") == 0)
		config->session = n;
	else if (strcmp(key, "answer_ms") == 0)
		config->answer_ms = n;
	else if (strcmp(key, "keygen_ms") == 0)
		config->keygen_ms = n;
	else if (strcmp(key, "auth_type") == 0)
		config->send_auth_type = n;
	else
		return false;
	return true;
}

static void player_init(void *self, const struct moment *now)
{
	struct player *p = self;
	if (!p->config.session)
		p->config.session = 0x11223344;
	if (!p->config.answer_ms)
		p->config.answer_ms = 60000;
	if (!p->config.keygen_ms)
		p->config.keygen_ms = 1800000;
	capf_server_init(&p->server, &p->config, now);
}

static void player_deinit(void *self)
{
	capf_server_deinit(&((struct player *)self)->server);
}

static void player_feed(
	void *self, const void *data, size_t n, const struct moment *now)
{
	capf_server_feed(&((struct player *)self)->server, data, n, now);
}

static void player_tick(void *self, const struct moment *now)
{
	capf_server_tick(&((struct player *)self)->server, now);
}

static void show_auth(const struct capf_server_event *e, char *text, size_t n)
{
	player_add(text, n, "auth %s v%u", e->device, e->version);
	if (e->password)
		player_add(text, n, " password=\"%s\"", e->password);
	for (size_t i = 0; i < e->n_certs; i++)
		player_add_cert(text, n, &e->certs[i]);
	player_add_bytes(text, n, "signed", &e->signed_data);
	player_add_bytes(text, n, "sha2", &e->sha2_signed_data);
	player_add_bytes(text, n, "sudi", &e->sudi_data);
}

static bool player_next(void *self, char *text, size_t n)
{
	struct capf_server_event e;
	text[0] = '\0';
	if (!capf_server_next(&((struct player *)self)->server, &e))
		return false;
	switch (e.type) {
	case CAPF_SERVER_AUTH:
		show_auth(&e, text, n);
		break;
	case CAPF_SERVER_PROGRESS:
		player_add(text, n, "progress");
		break;
	case CAPF_SERVER_KEY:
		player_add(text, n, "key %d", e.reason);
		player_add_bytes(text, n, "spki", &e.public_key);
		break;
	case CAPF_SERVER_STORED:
		player_add(text, n, "stored %d", e.reason);
		break;
	case CAPF_SERVER_ERASED:
		player_add(text, n, "erased %d", e.reason);
		break;
	case CAPF_SERVER_FETCHED:
		player_add(text, n, "fetched %d", e.reason);
		for (size_t i = 0; i < e.n_certs; i++)
			player_add_cert(text, n, &e.certs[i]);
		break;
	case CAPF_SERVER_FAILED:
		player_add(text, n, "failed %s: %s", e.rule, e.text);
		break;
	}
	return true;
}

static const uint8_t *player_out(void *self, size_t *n)
{
	const uint8_t *data =
		capf_server_out(&((struct player *)self)->server, n);
	player_one_message(data, *n);
	return data;
}

static void player_sent(void *self, size_t n)
{
	capf_server_sent(&((struct player *)self)->server, n);
}

static uint64_t player_deadline(void *self)
{
	return capf_server_deadline(&((struct player *)self)->server);
}

static bool player_verb(void *self, const char *line, const struct moment *now)
{
	struct capf_server *s = &((struct player *)self)->server;
	char verb[16] = "", one[2 * DER_MAX + 1] = "", two[16] = "";
	uint8_t der[DER_MAX];
	if (sscanf(line, "%15s %1024s %15s", verb, one, two) < 1)
		return false;
	struct capf_key_wish wish = {
		strcmp(one, "ec") == 0 ? CAPF_KEY_EC : CAPF_KEY_RSA,
		(unsigned)atoi(two)};
	if (strcmp(verb, "generate") == 0)
		capf_server_generate_key(s, &wish, now);
	else if (strcmp(verb, "store") == 0)
		capf_server_store(s, der, player_hex(one, der, DER_MAX), now);
	else if (strcmp(verb, "erase") == 0)
		capf_server_erase(s, now);
	else if (strcmp(verb, "fetch") == 0)
		capf_server_fetch(s, (unsigned)atoi(one), now);
	else if (strcmp(verb, "end") == 0)
		capf_server_end(s, (enum capf_reason)atoi(one));
	else
		return false;
	return true;
}

const struct conversation_engine capf_server_player = {
	.name = "capf-server",
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
