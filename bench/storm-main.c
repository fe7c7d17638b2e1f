/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone-storm: thousands of phones at once, and what they cost. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "bench/fleet.h"
#include "bench/interrupt.h"
#include "bench/process.h"
#include "bench/progress.h"
#include "bench/storm.h"
#include "bench/storm_options.h"
#include "bench/storm_report.h"
#include "bench/tls_client.h"
#include "protocols/sip/message.h"

enum { EXIT_USAGE = 2, MS = 1000, VALUE_MAX = 256 };

static const char default_from[] = "127.1.0.0/16";

struct program {
	struct storm_options options;
	struct target targets[STORM_WAYS]; /* by enum talk_protocol */
	struct sources sources;
	SSL_CTX *ctx;
	struct credential_source credentials[MIX_MAX]; /* by kind of key */
	uv_loop_t loop;
	struct interrupt interrupt;
	struct storm storm;
	FILE *json;
	FILE *html;
	int failed; /* to write a report */
};

static enum target_reach reach(const struct storm_options *o)
{
	return o->allow_any_address ? TARGET_ANY_ADDRESS : TARGET_LOOPBACK_ONLY;
}

/* Where phones of that protocol call: SCCP is looked up first. */
static int look_up(
	struct program *p, enum talk_protocol protocol, struct diag *d)
{
	const struct storm_options *o = &p->options;
	const char *port = talk_default_port(protocol, !o->plain);
	const char *text = o->server;
	if (o->protocols.percent[protocol] == 0)
		return 0;
	if (protocol == TALK_SIP && o->protocols.percent[TALK_SCCP])
		text = o->sip_server ? o->sip_server
				     : p->targets[TALK_SCCP].host;
	return target_parse(text, port, reach(o), &p->targets[protocol], d);
}

static int look_up_addresses(struct program *p, struct diag *d)
{
	const struct storm_options *o = &p->options;
	int error = 0;
	for (unsigned i = 0; i < STORM_WAYS && !error; i++)
		error = look_up(p, (enum talk_protocol)i, d);
	if (!error)
		error = sources_parse(o->from ? o->from : default_from,
			(unsigned)o->sources, reach(o), &p->sources, d);
	for (int i = 0; i < STORM_WAYS && !error; i++)
		if (o->sources && p->targets[i].address.ss_family == AF_INET6)
			error = diag_set(d, -EINVAL,
				"--sources: they are IPv4 addresses, and %s "
				"is none",
				p->targets[i].text);
	return error;
}

/* Now, not after hours, is when to learn that a report cannot be written. */
static int open_file(const char *path, FILE **out, struct diag *d)
{
	if (!path)
		return 0;
	*out = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	if (*out)
		return 0;
	return diag_set(d, -errno, "%s: %s", path, strerror(errno));
}

static int look_at_server(const struct storm_options *o, struct diag *d)
{
	struct process_use use;
	if (o->server_pid == 0 || process_use(o->server_pid, &use) == 0)
		return 0;
	return diag_set(d, -ESRCH,
		"--server-pid: there is no process %d to look at",
		o->server_pid);
}

static int open_credentials(struct program *p, struct diag *d)
{
	const struct storm_options *o = &p->options;
	int error = 0;
	for (unsigned i = 0; i < MIX_MAX && !error; i++) {
		if (!o->keys.percent[i])
			continue;
		const struct credential_source_config config = {
			.lab = o->lab,
			.leaf = -1,
			.way = CREDENTIAL_ISSUE_ALL,
			.key = storm_options_key_name(i),
		};
		error = credential_source_open(&p->credentials[i], &config, d);
	}
	return error;
}

static int open_tls(struct program *p, struct diag *d)
{
	const struct storm_options *o = &p->options;
	if (o->plain)
		return 0;
	const struct tls_client_config tls = {
		.min = TLS1_VERSION + o->tls,
		.max = TLS1_VERSION + o->tls,
		.ciphers = o->ciphers,
		.ca = o->ca,
		.sessions = o->resume == STORM_ID ? TLS_CLIENT_IDS
						  : TLS_CLIENT_TICKETS,
	};
	int error = tls_client_new(&tls, &p->ctx, d);
	return error ? error : open_credentials(p, d);
}

static int role(void *owner, unsigned i, const char *device,
	struct storm_role *out, struct diag *d)
{
	struct program *p = owner;
	const struct storm_options *o = &p->options;
	*out = (struct storm_role){.way = storm_options_protocol(o, i)};
	if (o->plain)
		return 0;
	return credential_issue(&p->credentials[storm_options_key(o, i)],
		device,
		storm_options_is_mic(o, i) ? CERT_LAB_LEAF_MIC
					   : CERT_LAB_LEAF_LSC,
		&out->credential, d);
}

static void progress(void *owner)
{
	const struct program *p = owner;
	progress_show(stderr, &p->storm);
}

static bool shows_progress(const struct program *p)
{
	return !p->options.quiet && isatty(STDERR_FILENO);
}

static void plan(const struct storm_options *o, struct schedule *out)
{
	uint64_t most = o->hold >= 0 ? (uint64_t)o->phones : UINT64_MAX;
	if (o->burst)
		schedule_burst(out, (uint64_t)o->phones, (uint32_t)o->every,
			(uint32_t)o->seconds);
	else
		schedule_steady(out, (uint32_t)o->rate, (uint32_t)o->ramp,
			(uint32_t)o->seconds, most);
}

static struct storm_way way(const struct program *p, unsigned protocol)
{
	const struct storm_options *o = &p->options;
	return (struct storm_way){
		.target = &p->targets[protocol],
		.talk =
			{
				.protocol = (enum talk_protocol)protocol,
				.mode = TALK_REGISTER,
				.token = o->token,
				.tls = !o->plain,
				.device_type = storm_options_model(o, protocol),
				.sccp_version = (uint8_t)o->sccp_version,
			},
	};
}

static int make_storm(struct program *p, struct diag *d)
{
	const struct storm_options *o = &p->options;
	struct storm_config config = {
		.ways = {way(p, TALK_SCCP), way(p, TALK_SIP),
			way(p, TALK_HTTP)},
		.ctx = p->ctx,
		.role = role,
		.sources = p->sources,
		.device = o->device,
		.line = o->line,
		.phones = (unsigned)o->phones,
		.resume = (enum storm_resume)o->resume,
		.stay = o->hold >= 0 ? STORM_HOLD : STORM_CHURN,
		.pause_ms = (uint32_t)o->pause * MS,
		.hold_ms = (uint64_t)(o->hold > 0 ? o->hold : 0) * MS,
		.patience_ms = (uint32_t)o->patience * MS,
		.retries = (unsigned)o->retry,
		.until_ms = (uint64_t)o->until * MS,
		.think_min_ms = o->think_min_ms,
		.think_max_ms = o->think_max_ms,
		.restart_ms =
			(uint64_t)(o->restart_at > 0 ? o->restart_at : 0) * MS,
		.restart_command = o->restart_command,
		.server = o->server_pid,
		.server_file = o->server_pid_file,
		.on_progress = shows_progress(p) ? progress : NULL,
		.owner = p,
	};
	plan(o, &config.schedule);
	return storm_init(&p->storm, &p->loop, &config, d);
}

static int open_all(struct program *p, struct diag *d)
{
	const struct storm_options *o = &p->options;
	int error = fleet_raise_limit((unsigned)o->phones, d);
	if (!error)
		error = look_at_server(o, d);
	if (!error)
		error = open_file(o->json, &p->json, d);
	if (!error)
		error = open_file(o->html, &p->html, d);
	if (!error)
		error = open_tls(p, d);
	if (!error)
		error = make_storm(p, d);
	return error;
}

static void close_file(struct program *p, FILE *f, const char *path)
{
	if (!f)
		return;
	int bad = ferror(f) | fflush(f);
	if (f != stdout)
		bad |= fclose(f);
	if (!bad)
		return;
	fprintf(stderr, "dialtone-storm: %s: not written completely\n", path);
	p->failed = 1;
}

static void stop(void *owner)
{
	struct program *p = owner;
	storm_stop(&p->storm);
}

static void close_all(struct program *p)
{
	interrupt_close(&p->interrupt);
	storm_deinit(&p->storm);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	uv_loop_close(&p->loop);
	for (int i = 0; i < MIX_MAX; i++)
		credential_source_close(&p->credentials[i]);
	SSL_CTX_free(p->ctx);
	close_file(p, p->json, p->options.json);
	close_file(p, p->html, p->options.html);
}

static void write_json(const struct storm_report *r, FILE *to)
{
	json_t *root = storm_report_json(r);
	json_dumpf(root, to, JSON_INDENT(2) | JSON_REAL_PRECISION(9));
	fputc('\n', to);
	json_decref(root);
}

static void tell(struct program *p, const struct storm_report *r)
{
	if (shows_progress(p))
		progress_clear(stderr);
	if (!p->options.quiet)
		storm_report_text(r, p->json == stdout ? stderr : stdout);
	if (p->json)
		write_json(r, p->json);
	if (p->html)
		storm_report_html(r, p->html);
}

/* Everything is open: the storm, and what is to be said of it. */
static int run(struct program *p)
{
	static char values[OPTION_TABLE_MAX][VALUE_MAX];
	struct storm_report_fact facts[OPTION_TABLE_MAX];
	const struct option_table *table = &storm_options_table;
	for (size_t i = 0; i < table->n; i++) {
		option_table_value(table, i, &p->options, values[i], VALUE_MAX);
		facts[i] = (struct storm_report_fact){
			table->rows[i].name, values[i]};
	}
	storm_start(&p->storm);
	uv_run(&p->loop, UV_RUN_DEFAULT);
	const struct storm_report report = {
		.tally = &p->storm.tally,
		.facts = facts,
		.n_facts = table->n - 1, /* but for --help, the last */
		.require = p->options.requires,
		.require_text = p->options.require.text,
		.n_require = p->options.require.n,
		.cut = p->storm.cut,
		.restart = p->options.restart_command != NULL,
	};
	tell(p, &report);
	bool good = !report.cut && report.tally->registered > 0 &&
		    storm_report_met(&report);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int complain(const struct diag *d, int code)
{
	fprintf(stderr, "dialtone-storm: %s\n", d->text);
	return code;
}

int main(int argc, char **argv)
{
	static struct program p;
	struct diag d = {.text = ""};
	if (storm_options_parse(argc, argv, &p.options, &d) < 0)
		return complain(&d, EXIT_USAGE);
	if (p.options.help) {
		storm_options_help(stdout);
		return EXIT_SUCCESS;
	}
	if (look_up_addresses(&p, &d) < 0)
		return complain(&d, EXIT_USAGE);
	sip_message_setup();
	uv_loop_init(&p.loop);
	interrupt_open(&p.interrupt, &p.loop, stop, &p);
	int code = open_all(&p, &d) < 0 ? complain(&d, EXIT_FAILURE) : run(&p);
	close_all(&p);
	return p.failed ? EXIT_FAILURE : code;
}
