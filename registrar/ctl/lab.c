/* SPDX-License-Identifier: Apache-2.0 */
/* dialtone lab init, lab phone, lab revoke: a PKI to try things with. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certs/identity.h"
#include "certs/lab.h"
#include "registrar/ctl/ctl.h"
#include "registrar/ctl/rehearsal.h"
#include "registrar/ctl/say.h"
#include "registrar/memory.h"

/* What is made in a lab, and how it is told. */
struct job {
	const char *dir;
	int (*act)(struct job *job, const char *dir, struct diag *d);
	const char *key;	      /* of the path, for programs */
	char path[CERT_LAB_PATH_MAX]; /* below the folder */
	/* Of init: */
	const char *host;
	bool free_ports;
	/* Of phone and revoke: */
	struct cert_lab_phone phone;
};

static int complain(const struct job *job, const struct diag *d)
{
	say("%s", d->text);
	say_next("ls -ld '%s'", job->dir);
	return CTL_FAILED;
}

static json_t *path_json(const struct job *job)
{
	char *path = memory_format("%s/%s", job->dir, job->path);
	json_t *o = json_object();
	ctl_set_text(o, job->key, path);
	free(path);
	return o;
}

/* In a copy of the lab. */
static int rehearse(const struct ctl *ctl, struct job *job)
{
	struct rehearsal r;
	struct diag d;
	int status = CTL_FAILED;
	int error = rehearsal_begin(&r, job->dir, &d);
	if (!error)
		error = job->act(job, r.dir, &d);
	if (error) {
		rehearsal_translate(&r, &d);
		complain(job, &d);
	} else {
		json_t *files = rehearsal_files(&r), *o = path_json(job);
		status = rehearsal_print(ctl, files, o);
		json_decref(files);
		json_decref(o);
	}
	rehearsal_end(&r);
	return status;
}

static int run(const struct ctl *ctl, struct job *job)
{
	struct diag d;
	if (ctl->dry_run)
		return rehearse(ctl, job);
	if (job->act(job, job->dir, &d))
		return complain(job, &d);
	json_t *o = path_json(job);
	const char *path = ctl_text(o, job->key);
	if (ctl->json)
		ctl_print_json(o);
	else if (job->host)
		printf("lab made in %s; serve it: dialtoned --config %s\n",
			job->dir, path);
	else
		puts(path);
	json_decref(o);
	return CTL_OK;
}

static int write_json(const char *path, const json_t *root, struct diag *d)
{
	char *temporary = memory_format("%s.new", path);
	int error = json_dump_file(root, temporary, JSON_INDENT(2)) < 0 ||
		    rename(temporary, path) < 0;
	if (error)
		error = diag_set(d, -errno, "%s: %s", path, strerror(errno));
	free(temporary);
	return error;
}

static json_t *listeners(bool free_ports)
{
	static const struct {
		const char *service, *transport, *profile;
	} all[] = {{"sccp", "tls", NULL}, {"sccp", "tcp", NULL},
		{"sip", "tls", NULL}, {"sip", "tcp", NULL},
		{"capf", "tls", "legacy"}};
	json_t *list = json_array();
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		json_t *o = json_pack("{ss ss ss ss*}", "service",
			all[i].service, "transport", all[i].transport,
			"address", "127.0.0.1", "profile", all[i].profile);
		if (free_ports)
			json_object_set_new(o, "port", json_integer(0));
		json_array_append_new(list, o);
	}
	return list;
}

static int write_config(const char *path, bool free_ports, struct diag *d)
{
	json_t *root = json_pack("{s{ss ss} so s{ss} s{ss} s{ss}}", "trust",
		"callmanager", "CallManager-trust", "capf", "CAPF-trust",
		"listeners", listeners(free_ports), "admin", "socket",
		"admin.sock", "state", "folder", "state", "capf", "folder",
		"capf");
	if (free_ports)
		json_object_set_new(
			root, "status", json_pack("{si}", "port", 0));
	int error = write_json(path, root, d);
	json_decref(root);
	return error;
}

static int init(struct job *job, const char *dir, struct diag *d)
{
	int error = cert_lab_init(dir, job->host, time(NULL), d);
	if (error < 0)
		return error;
	char *path = memory_format("%s/%s", dir, job->path);
	error = write_config(path, job->free_ports, d);
	free(path);
	return error;
}

int ctl_lab_init(const struct ctl *ctl, int argc, char **argv)
{
	struct job job = {.act = init,
		.key = "config",
		.path = "dialtoned.json",
		.host = "localhost"};
	bool wrong = argc == 0;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--host") == 0 && i + 1 < argc)
			job.host = argv[++i];
		else if (strcmp(argv[i], "--free-ports") == 0)
			job.free_ports = true;
		else if (!job.dir && argv[i][0] != '-')
			job.dir = argv[i];
		else
			wrong = true;
	}
	return wrong || !job.dir ? ctl_misused(ctl) : run(ctl, &job);
}

/* Reads "--option VALUE" pairs; false on anything else. */
static bool parse_phone(int argc, char **argv, struct cert_lab_phone *phone)
{
	for (int i = 0; i + 1 < argc; i += 2) {
		const char *value = argv[i + 1];
		int leaf = cert_lab_leaf_find(value);
		char *end = NULL;
		if (strcmp(argv[i], "--leaf") == 0 && leaf >= 0)
			phone->leaf = (enum cert_lab_leaf)leaf;
		else if (strcmp(argv[i], "--key") == 0)
			phone->key = value;
		else if (strcmp(argv[i], "--model") == 0)
			phone->model = value;
		else if (strcmp(argv[i], "--days") == 0)
			phone->days = (uint32_t)strtoul(value, &end, 10);
		else
			return false;
		if (end && (*end || phone->days == 0))
			return false;
	}
	return argc % 2 == 0;
}

/* The CRL's path is told as it stands below the folder. */
static int revoke(struct job *job, const char *dir, struct diag *d)
{
	char path[CERT_LAB_PATH_MAX];
	struct cert_lab *lab;
	int error = cert_lab_open(dir, &lab, d);
	if (error < 0)
		return error;
	error = cert_lab_revoke(
		lab, job->phone.device, job->phone.leaf, time(NULL), path, d);
	cert_lab_close(lab);
	if (error == 0)
		snprintf(job->path, sizeof(job->path), "%s",
			path + strlen(dir) + 1);
	return error;
}

int ctl_lab_revoke(const struct ctl *ctl, int argc, char **argv)
{
	struct job job = {.act = revoke,
		.key = "crl",
		.phone = {.leaf = CERT_LAB_LEAF_LSC}};
	if (argc < 2 || argv[0][0] == '-' || argv[1][0] == '-' ||
		(argc != 2 && (argc != 4 || strcmp(argv[2], "--leaf") != 0 ||
				      !parse_phone(2, argv + 2, &job.phone))))
		return ctl_misused(ctl);
	job.dir = argv[0];
	job.phone.device = argv[1];
	return run(ctl, &job);
}

static int make_phone(struct job *job, const char *dir, struct diag *d)
{
	struct cert_lab *lab;
	int error = cert_lab_open(dir, &lab, d);
	if (error < 0)
		return error;
	error = cert_lab_phone(lab, &job->phone, d);
	cert_lab_close(lab);
	snprintf(job->path, sizeof(job->path), "phones/%s/%s.pem",
		job->phone.device, cert_lab_leaf_name(job->phone.leaf));
	return error;
}

int ctl_lab_phone(const struct ctl *ctl, int argc, char **argv)
{
	struct job job = {.act = make_phone,
		.key = "certificate",
		.phone = {.leaf = CERT_LAB_LEAF_LSC, .now = time(NULL)}};
	if (argc < 2 || argv[0][0] == '-' || argv[1][0] == '-' ||
		!parse_phone(argc - 2, argv + 2, &job.phone))
		return ctl_misused(ctl);
	job.dir = argv[0];
	job.phone.device = argv[1];
	return run(ctl, &job);
}
