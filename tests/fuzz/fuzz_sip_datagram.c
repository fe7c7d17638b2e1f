/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzzes the way of a datagram: read, keyed, fed to an engine, answered. */
#include <stdlib.h>
#include <string.h>

#include "protocols/sip/datagram.h"
#include "protocols/sip/message.h"
#include "protocols/sip/server.h"
#include "protocols/sip/transactions.h"

/* The input: one byte, odd when the datagram was cut; then the datagram. */

static const struct sip_limits limits = {
	.message_max = 11000,
	.head_max = 8192,
	.lines_max = 100,
	.params_max = 64,
	.contacts_max = 16,
};

static const struct moment now = {
	.mono_ms = 1000000, .unix_ms = INT64_C(1795406400000)};
static const struct sip_datagram_source source = {"192.0.2.7", 40000};

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* A copy of the exact size, so that a step past its end is seen. */
static void read_it(
	struct sip_datagram *d, const uint8_t *data, size_t n, bool cut)
{
	uint8_t *copy = malloc(n ? n : 1);
	memcpy(copy, data, n);
	sip_datagram_read(d, copy, n, cut, &source, &limits);
	free(copy);
}

static void answer(struct sip_server *s, const struct sip_server_event *event)
{
	check(event->type != SIP_SERVER_CLOSE);
	if (event->type == SIP_SERVER_REGISTER)
		sip_server_reject(s, &(struct sip_refusal){.status = 403});
	if (event->type == SIP_SERVER_TOKEN)
		sip_server_grant_token(s);
}

/* One message in, one answer out, and the flow lives on. */
static void feed(const struct sip_datagram *d, struct bytes_queue *out)
{
	struct sip_server_config config = sip_server_defaults;
	struct sip_server server;
	struct sip_server_event event;
	config.message_max = limits.message_max + SIP_DATAGRAM_GROWTH;
	config.head_max = limits.head_max + SIP_DATAGRAM_GROWTH;
	sip_server_init(&server, &config, &now);
	sip_server_feed(&server, d->message, d->n, &now);
	while (sip_server_next(&server, &event))
		answer(&server, &event);
	size_t n;
	const uint8_t *p = sip_server_out(&server, &n);
	if (p)
		bytes_queue_put(out, p, n);
	sip_server_deinit(&server);
}

/* Asked again, the same is answered. */
static void check_transaction(
	const struct sip_datagram *d, const void *said, size_t n)
{
	struct sip_transactions t = {0};
	struct sip_transactions_budget budget = {0, 1 << 20};
	size_t again;
	sip_transactions_keep(&t, &budget, d->key, said, n, &now);
	const void *p = sip_transactions_find(&t, d->key, &now, &again);
	check(p && again == n && memcmp(p, said, n) == 0);
	sip_transactions_deinit(&t, &budget);
	check(budget.used == 0);
}

static void check_request(const struct sip_datagram *d)
{
	struct bytes_queue out;
	size_t n, first;
	bool request;
	bytes_queue_init(&out, 1 << 20);
	if (d->rule == SIP_RULE_OK)
		feed(d, &out);
	else
		sip_datagram_refuse(d, &out, "node", &now);
	const void *said = bytes_queue_peek(&out, &n);
	first = sip_datagram_first(said, n, &request);
	check(n == first && (n == 0 || !request));
	if (n)
		check_transaction(d, said, n);
	bytes_queue_deinit(&out);
}

static void check_stamp(const uint8_t *data, size_t size)
{
	static char stamped[SIP_DATAGRAM_MAX + 64];
	uint64_t key;
	size_t n = sip_datagram_stamp(
		data, size, "192.0.2.1:5060", stamped, sizeof(stamped), &key);
	check(n <= sizeof(stamped));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sip_datagram d, again;
	static bool ready;
	if (!ready)
		sip_message_setup();
	ready = true;
	if (size < 1 || size - 1 > limits.message_max)
		return 0;
	read_it(&d, data + 1, size - 1, data[0] & 1);
	read_it(&again, data + 1, size - 1, data[0] & 1);
	check(d.kind == again.kind && d.n == again.n);
	check(d.n <= size - 1 + SIP_DATAGRAM_GROWTH);
	check_stamp(data + 1, size - 1);
	if (d.kind != SIP_DATAGRAM_REQUEST)
		return 0;
	check(d.port != 0 && d.key == again.key && d.rule == again.rule);
	check_request(&d);
	return 0;
}
