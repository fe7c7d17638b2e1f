/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone-phone: one simulated handset, or a fleet of them. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/ssl.h>

#include "bench/fleet.h"
#include "bench/interrupt.h"
#include "bench/options.h"
#include "bench/report.h"
#include "bench/tls_client.h"
#include "certs/identity.h"
#include "protocols/sip/message.h"

enum { EXIT_USAGE = 2, MS = 1000, CONNECT_S = 8 };

struct phones {
	struct options options;
	struct target target;
	struct target capf_target;
	SSL_CTX *ctx;
	SSL_CTX *capf_ctx;
	struct keys *keys;
	struct enrol_tally tally;
	struct fleet_capf capf;
	struct credential_source credentials;
	struct report report;
	uv_loop_t loop;
	struct interrupt interrupt;
	uv_signal_t power[2]; /* off, on */
	struct fleet fleet;
};

static int look_up_server(struct phones *p, struct diag *d)
{
	const struct options *o = &p->options;
	return target_parse(o->server,
		talk_default_port((enum talk_protocol)o->protocol, !o->plain),
		o->allow_any_address ? TARGET_ANY_ADDRESS
				     : TARGET_LOOPBACK_ONLY,
		&p->target, d);
}

static int look_up_capf(struct phones *p, struct diag *d)
{
	const struct options *o = &p->options;
	if (!o->capf)
		return 0;
	return target_parse(o->capf, "3804",
		o->allow_any_address ? TARGET_ANY_ADDRESS
				     : TARGET_LOOPBACK_ONLY,
		&p->capf_target, d);
}

static int open_tls(struct phones *p, struct diag *d)
{
	const struct options *o = &p->options;
	struct tls_client_config config = {
		.min = TLS1_VERSION + o->tls_min,
		.max = TLS1_VERSION + o->tls_max,
		.ciphers = o->ciphers,
		.ca = o->ca,
	};
	int error = o->plain ? 0 : tls_client_new(&config, &p->ctx, d);
	if (error || !o->capf)
		return error;
	config.ca = o->pinned_capf;
	return tls_client_new(&config, &p->capf_ctx, d);
}

static int open_credentials(struct phones *p, struct diag *d)
{
	const struct options *o = &p->options;
	const struct credential_source_config config = {
		.lsc = o->lsc,
		.mic = o->mic,
		.lab = o->lab,
		.leaf = o->leaf,
		.way = o->count > 1 ? CREDENTIAL_ISSUE_ALL
				    : CREDENTIAL_FILES_FIRST,
	};
	return credential_source_open(&p->credentials, &config, d);
}

static void on_result(void *owner, const struct life *l)
{
	char serial[CERT_SERIAL_MAX + 1];
	struct handset_result result = l->handset.result;
	const struct report_line line = {
		.device = l->handset.device,
		.result = &result,
		.capf = l->setup->enrol ? &l->enrolment : NULL,
		.mode = l->flash.mode,
		.lsc = l->flash.lsc.cert ? serial : NULL,
		.good = life_good(l),
	};
	result.returns += l->comings;
	if (line.lsc)
		cert_serial_text(l->flash.lsc.cert, serial);
	report_phone(owner, &line);
}

/* The console belongs to a phone: of a fleet nobody could read it. */
static FILE *console(const struct options *o)
{
	if (o->quiet || o->count > 1)
		return NULL;
	return o->json ? stderr : stdout;
}

static enum report_form form(const struct options *o)
{
	if (o->json)
		return REPORT_JSON;
	return o->count > 1 && !o->quiet ? REPORT_TEXT : REPORT_NONE;
}

static uint32_t connect_ms(const struct options *o)
{
	return (uint32_t)(o->timeout ? o->timeout : CONNECT_S) * MS;
}

static void set_up_capf(struct phones *p)
{
	const struct options *o = &p->options;
	enrol_tally_init(&p->tally);
	p->keys = keys_new(&p->loop, (unsigned)o->shared_keys);
	p->report.capf = &p->tally;
	p->capf = (struct fleet_capf){
		.enrol =
			{
				.target = &p->capf_target,
				.ctx = p->capf_ctx,
				.keys = p->keys,
				.version = (unsigned)o->capf_version,
				.like = (enum enrol_like)o->capf_like,
				.progress =
					(enum enrol_progress)o->capf_progress,
				.string = o->string,
				.connect_ms = connect_ms(o),
				.answer_ms = (uint32_t)o->timeout * MS,
				.keygen_min_ms = (uint32_t)o->keygen_min_ms,
				.keygen_max_ms = (uint32_t)o->keygen_max_ms,
				.fault = o->fail_at < 0
						 ? ENROL_FAULTS
						 : (enum enrol_fault)o->fail_at,
			},
		.when = (enum life_when)o->capf_when,
		.until = o->until == OPTIONS_UNTIL_ENROLLED ? LIFE_ENROLLED
							    : LIFE_REGISTERED,
		.retry_ms = (uint32_t)o->capf_retry_ms,
		.die_after = o->die_after < 0 ? ENROL_STEPS
					      : (enum enrol_step)o->die_after,
		.mode = (enum flash_mode)(o->auth + 1),
		.flash = o->flash,
		.tally = &p->tally,
	};
}

static int make_fleet(struct phones *p, struct diag *d)
{
	const struct options *o = &p->options;
	if (o->capf)
		set_up_capf(p);
	const struct fleet_config config = {
		.target = &p->target,
		.ctx = p->ctx,
		.credentials = &p->credentials,
		.capf = o->capf ? &p->capf : NULL,
		.talk =
			{
				.protocol = (enum talk_protocol)o->protocol,
				.mode = o->standby ? TALK_STANDBY
						   : TALK_REGISTER,
				.tls = !o->plain,
				.brief = o->lost_state,
				.username = o->username,
				.password = o->password,
				.token = o->token,
				.generation = o->speaks,
				.udp = o->transport == OPTIONS_UDP,
				.device_type = (uint32_t)o->device_type,
				.sccp_version = (uint8_t)o->sccp_version,
				.answer_ms = (uint32_t)o->timeout * MS,
			},
		.device = o->device,
		.line = o->line,
		.count = (unsigned)o->count,
		.rate = (unsigned)o->rate,
		.connect_ms = connect_ms(o),
		.comes_back = o->come_back,
		.end = o->until == OPTIONS_UNTIL_FOREVER ? FLEET_FOREVER
							 : FLEET_HOLD,
		.hold_ms = (uint64_t)o->hold * MS,
		.goodbye = o->no_unregister ? FLEET_HANG_UP : FLEET_UNREGISTER,
		.console = console(o),
		.on_result = on_result,
		.owner = &p->report,
	};
	return fleet_init(&p->fleet, &p->loop, &config, d);
}

static void stop(void *owner)
{
	struct phones *p = owner;
	fleet_stop(&p->fleet);
}

static void on_power(uv_signal_t *handle, int number)
{
	struct phones *p = handle->data;
	fleet_power(&p->fleet, number == SIGUSR2);
}

/* The loop lives as long as its phones. */
static void watch_power(struct phones *p)
{
	for (int i = 0; i < 2; i++) {
		uv_signal_init(&p->loop, &p->power[i]);
		p->power[i].data = p;
		uv_signal_start(&p->power[i], on_power, i ? SIGUSR2 : SIGUSR1);
		uv_unref((uv_handle_t *)&p->power[i]);
	}
}

static int open_all(struct phones *p, struct diag *d)
{
	int error = fleet_raise_limit((unsigned)p->options.count, d);
	if (!error)
		error = open_tls(p, d);
	if (!error)
		error = open_credentials(p, d);
	if (!error)
		error = make_fleet(p, d);
	return error;
}

static void close_all(struct phones *p)
{
	interrupt_close(&p->interrupt);
	for (int i = 0; i < 2; i++)
		uv_close((uv_handle_t *)&p->power[i], NULL);
	fleet_deinit(&p->fleet);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	uv_loop_close(&p->loop);
	report_deinit(&p->report);
	keys_free(p->keys);
	enrol_tally_deinit(&p->tally);
	credential_source_close(&p->credentials);
	SSL_CTX_free(p->ctx);
	SSL_CTX_free(p->capf_ctx);
}

/* Everything is open: phones come, stay and go. The exit code. */
static int run(struct phones *p)
{
	fleet_start(&p->fleet);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	report_summary(&p->report);
	return report_all_good(&p->report) ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int complain(const struct diag *d, int code)
{
	fprintf(stderr, "dialtone-phone: %s\n", d->text);
	return code;
}

int main(int argc, char **argv)
{
	static struct phones p;
	struct diag d = {.text = ""};
	if (options_parse(argc, argv, &p.options, &d) < 0)
		return complain(&d, EXIT_USAGE);
	if (p.options.help) {
		options_help(stdout);
		return EXIT_SUCCESS;
	}
	if (look_up_server(&p, &d) < 0 || look_up_capf(&p, &d) < 0)
		return complain(&d, EXIT_USAGE);
	sip_message_setup();
	uv_loop_init(&p.loop);
	interrupt_open(&p.interrupt, &p.loop, stop, &p);
	watch_power(&p);
	report_init(
		&p.report, stdout, form(&p.options), (unsigned)p.options.count);
	int code = open_all(&p, &d) < 0 ? complain(&d, EXIT_FAILURE) : run(&p);
	close_all(&p);
	return code;
}
