/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone-storm: thousands of phones at once, and what they cost. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "bench/fleet.h"
#include "bench/interrupt.h"
#include "bench/process.h"
#include "bench/storm.h"
#include "bench/storm_options.h"
#include "bench/storm_report.h"
#include "bench/tls_client.h"
#include "protocols/sip/message.h"

enum { EXIT_USAGE = 2, MS = 1000, VALUE_MAX = 256 };

struct program {
	struct storm_options options;
	struct target target;
	SSL_CTX *ctx;
	struct credential_source credentials;
	uv_loop_t loop;
	struct interrupt interrupt;
	struct storm storm;
	FILE *json;
	FILE *html;
	int failed; /* to write a report */
};

static int look_up_server(struct program *p, struct diag *d)
{
	const struct storm_options *o = &p->options;
	return target_parse(o->server,
		talk_default_port((enum talk_protocol)o->protocol, !o->plain),
		o->allow_any_address ? TARGET_ANY_ADDRESS
				     : TARGET_LOOPBACK_ONLY,
		&p->target, d);
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
	const struct credential_source_config credentials = {
		.lab = o->lab,
		.leaf = -1,
		.way = CREDENTIAL_ISSUE_ALL,
		.key = storm_options_key(o),
	};
	int error = tls_client_new(&tls, &p->ctx, d);
	if (error)
		return error;
	return credential_source_open(&p->credentials, &credentials, d);
}

static int credential(void *owner, unsigned i, const char *device,
	struct credential *out, struct diag *d)
{
	struct program *p = owner;
	*out = (struct credential){0};
	if (p->options.plain)
		return 0;
	return credential_issue(&p->credentials, device,
		storm_options_is_mic(&p->options, i) ? CERT_LAB_LEAF_MIC
						     : CERT_LAB_LEAF_LSC,
		out, d);
}

static void progress(void *owner)
{
	const struct program *p = owner;
	const struct storm *s = &p->storm;
	const struct tally *t = &s->tally;
	if (s->phase < STORM_PHASE_STORM) {
		fprintf(stderr,
			"\r%s: %" PRIu64 " of %u primed, %" PRIu64
			" failed\033[K",
			storm_phase_name(s->phase), t->primed, s->config.phones,
			t->prime_failed);
		return;
	}
	double values[REQUIRE_METRICS];
	char p99[32];
	tally_values(t, values);
	storm_report_value(REQUIRE_TIME, values[REQUIRE_P99], p99, sizeof(p99));
	fprintf(stderr,
		"\r%s %.0f s: %" PRIu64 " of %" PRIu64 " registered, %u on "
		"their way, %u up, %" PRIu64 " failed, %" PRIu64 " full, "
		"%" PRIu64 " resumed, p99 %s\033[K",
		storm_phase_name(s->phase), storm_seconds(s), t->registered,
		t->planned, s->undecided, s->up, t->failed,
		t->handshakes[TALLY_FULL], t->handshakes[TALLY_RESUMED], p99);
}

static bool shows_progress(const struct program *p)
{
	return !p->options.quiet && isatty(STDERR_FILENO);
}

static void plan(const struct storm_options *o, struct schedule *out)
{
	uint64_t most = o->hold >= 0 ? (uint64_t)o->phones : UINT64_MAX;
	if (o->burst)
		schedule_burst(out, (uint64_t)o->phones);
	else
		schedule_steady(out, (uint32_t)o->rate, (uint32_t)o->ramp,
			(uint32_t)o->seconds, most);
}

static int make_storm(struct program *p, struct diag *d)
{
	const struct storm_options *o = &p->options;
	struct storm_config config = {
		.target = &p->target,
		.ctx = p->ctx,
		.credential = credential,
		.talk =
			{
				.protocol = (enum talk_protocol)o->protocol,
				.mode = TALK_REGISTER,
				.tls = !o->plain,
				.device_type = (uint32_t)o->device_type,
				.sccp_version = (uint8_t)o->sccp_version,
			},
		.device = o->device,
		.line = o->line,
		.phones = (unsigned)o->phones,
		.resume = (enum storm_resume)o->resume,
		.stay = o->hold >= 0 ? STORM_HOLD : STORM_CHURN,
		.pause_ms = (uint32_t)o->pause * MS,
		.hold_ms = (uint32_t)(o->hold > 0 ? o->hold : 0) * MS,
		.patience_ms = (uint32_t)o->patience * MS,
		.retries = (unsigned)o->retry,
		.server = o->server_pid,
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
	credential_source_close(&p->credentials);
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
		fputs("\r\033[K", stderr);
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
	struct diag d = {""};
	if (storm_options_parse(argc, argv, &p.options, &d) < 0)
		return complain(&d, EXIT_USAGE);
	if (p.options.help) {
		storm_options_help(stdout);
		return EXIT_SUCCESS;
	}
	if (look_up_server(&p, &d) < 0)
		return complain(&d, EXIT_USAGE);
	sip_message_setup();
	uv_loop_init(&p.loop);
	interrupt_open(&p.interrupt, &p.loop, stop, &p);
	int code = open_all(&p, &d) < 0 ? complain(&d, EXIT_FAILURE) : run(&p);
	close_all(&p);
	return p.failed ? EXIT_FAILURE : code;
}
