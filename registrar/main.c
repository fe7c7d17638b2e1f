/* SPDX-License-Identifier: Apache-2.0 */
/* dialtoned: reads its configuration, serves phones until told to stop. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>
#include <jansson.h>
#include <uv.h>

#include "certs/lab.h"
#include "protocols/sip/message.h"
#include "registrar/admin/admin.h"
#include "registrar/config.h"
#include "registrar/log.h"
#include "registrar/log_writer.h"
#include "registrar/memory.h"
#include "registrar/notify.h"
#include "registrar/server.h"
#include "registrar/status/http.h"
#include "registrar/supervise.h"
#include "registrar/tls/pool.h"
#include "registrar/version.h"

enum { TEND_MS = 10000 };

static const char lab_folder[] = "dialtone-lab";
static const char lab_config[] = "dialtone-lab/dialtoned.json";

static const char usage[] =
	"usage: dialtoned [--config FILE] [--check]\n"
	"  -c, --config FILE  read this configuration; without one, serve the\n"
	"                     laboratory in ./dialtone-lab on loopback (made "
	"if\n"
	"                     it is not there; its dialtoned.json is read)\n"
	"      --check        print the effective configuration and exit\n"
	"      --schema       print the JSON Schema of the file and exit\n"
	"      --version, --help\n";

enum action { ACTION_SERVE, ACTION_CHECK };

struct arguments {
	const char *config;
	enum action action;
};

/* Answers -1 to go on, else the exit status. */
static int parse_arguments(int argc, char **argv, struct arguments *out)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'k'},
		{"schema", no_argument, NULL, 's'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) >= 0)
		switch (option) {
		case 'c':
			out->config = optarg;
			break;
		case 'k':
			out->action = ACTION_CHECK;
			break;
		case 's': {
			char *schema = config_schema();
			puts(schema);
			free(schema);
			return 0;
		}
		case 'v':
			puts("dialtoned " DIALTONE_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	if (optind == argc)
		return -1;
	fprintf(stderr, "dialtoned: unexpected argument %s\n%s", argv[optind],
		usage);
	return 2;
}

static int fatal(const char *why)
{
	struct log_line line;
	log_begin(&line, LOG_EV_FATAL);
	log_str(&line, "why", why);
	log_end(&line);
	return 1;
}

/* Without a configuration we serve a laboratory, and make one if need be. */
static int make_lab(struct diag *d)
{
	struct stat st;
	struct log_line line;
	if (stat(lab_folder, &st) < 0) {
		int error =
			cert_lab_init(lab_folder, "localhost", time(NULL), d);
		if (error < 0)
			return error;
	}
	log_begin(&line, LOG_EV_LAB);
	log_str(&line, "folder", lab_folder);
	log_str(&line, "why", "no configuration was given (--config)");
	log_end(&line);
	return 0;
}

/* Keys must not end up in a core file. */
static void forbid_core_dumps(void)
{
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0);
}

static void on_stop(uv_signal_t *handle, int number)
{
	uv_stop(handle->loop);
}

/* It is read elsewhere: no disk keeps the next signal waiting. */
static void on_reload(uv_signal_t *handle, int number)
{
	notify_reloading();
	server_ask_reload(handle->data);
}

static void on_tend(uv_timer_t *timer)
{
	server_tend(timer->data);
}

static const struct {
	int number;
	uv_signal_cb act;
} signals[] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_reload}};

/* The main loop: signals, and a timer, are all it knows. */
struct listening {
	uv_loop_t loop;
	uv_signal_t handles[3];
	uv_timer_t tend;
	struct supervise supervise;
};

/* From here on a signal waits for run(): none kills us while we start. */
static void listen_to_signals(struct listening *l)
{
	uv_loop_init(&l->loop);
	uv_timer_init(&l->loop, &l->tend);
	for (size_t i = 0; i < 3; i++) {
		uv_signal_init(&l->loop, &l->handles[i]);
		uv_signal_start(
			&l->handles[i], signals[i].act, signals[i].number);
	}
}

static void forget_signals(struct listening *l)
{
	uv_close((uv_handle_t *)&l->tend, NULL);
	for (size_t i = 0; i < 3; i++)
		uv_close((uv_handle_t *)&l->handles[i], NULL);
	uv_run(&l->loop, UV_RUN_DEFAULT);
	uv_loop_close(&l->loop);
}

static void run(struct listening *l, struct server *server)
{
	struct log_line line;
	for (size_t i = 0; i < 3; i++)
		l->handles[i].data = server;
	log_begin(&line, LOG_EV_STARTED);
	log_str(&line, "version", DIALTONE_VERSION);
	log_num(&line, "workers", (int64_t)server_workers(server));
	log_end(&line);
	l->tend.data = server;
	uv_timer_start(&l->tend, on_tend, TEND_MS, TEND_MS);
	supervise_start(&l->supervise, &l->loop, server);
	uv_run(&l->loop, UV_RUN_DEFAULT);
	supervise_stop(&l->supervise);
}

static int serve_phones(const struct config *config, struct listening *l)
{
	struct server *server;
	struct http *http = NULL;
	struct admin *admin = NULL;
	struct diag d;
	struct log_line line;
	int error = 0;
	if (!config->file && make_lab(&d) < 0)
		return fatal(d.text);
	sip_message_setup();
	if (server_new(config, &server, &d) < 0)
		return fatal(d.text);
	if (*config->admin_socket)
		error = admin_new(server, &admin, &d);
	if (error == 0 && *config->status_address)
		error = http_new(server, &http, &d);
	if (error == 0)
		run(l, server);
	http_free(http);
	admin_free(admin);
	server_free(server);
	if (error < 0)
		return fatal(d.text);
	log_begin(&line, LOG_EV_STOPPED);
	log_end(&line);
	return 0;
}

static int serve(const struct config *config)
{
	struct listening l;
	if (!config->core_dumps)
		forbid_core_dumps();
	signal(SIGPIPE, SIG_IGN);
	/* Before the first thread, as it wants to be alone. */
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return fatal("libcurl cannot start");
	listen_to_signals(&l);
	log_writer_start();
	int status = serve_phones(config, &l);
	log_writer_stop();
	curl_global_cleanup();
	forget_signals(&l);
	return status;
}

/* Before OpenSSL is asked for anything, which other constructors do. */
__attribute__((constructor(200))) static void set_up(void)
{
	pool_start();
}

int main(int argc, char **argv)
{
	struct arguments arguments = {0};
	struct config *config;
	struct diag d;
	int status = parse_arguments(argc, argv, &arguments);
	if (status >= 0)
		return status;
	/* Authentication strings and passwords go through JSON. */
	json_set_alloc_funcs(malloc, memory_wipe);
	if (!arguments.config && access(lab_config, F_OK) == 0)
		arguments.config =
			lab_config; /* `dialtone lab init` was here */
	if (config_load(arguments.config, lab_folder, &config, &d) < 0) {
		config_free(config);
		return fatal(d.text);
	}
	if (!config->file) /* a laboratory: whoever its own CAPF vouches for */
		config->unknown_devices = CONFIG_UNKNOWN_LSC;
	log_setup((enum log_format)config->log_format,
		(enum log_level)config->log_level);
	if (arguments.action == ACTION_CHECK) {
		char *text = config_dump(config);
		puts(text);
		free(text);
		status = 0;
	} else {
		status = serve(config);
	}
	config_free(config);
	return status;
}
