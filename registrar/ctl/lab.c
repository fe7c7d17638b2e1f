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
#include "registrar/memory.h"

static int complain(const struct diag *d)
{
	fprintf(stderr, "dialtone: %s\n", d->text);
	return CTL_FAILED;
}

static int say_json(const char *key, const char *path)
{
	json_t *o = json_object();
	ctl_set_text(o, key, path);
	ctl_print_json(o);
	json_decref(o);
	return CTL_OK;
}

static int write_json(const char *path, const json_t *root)
{
	char *temporary = memory_format("%s.new", path);
	int error = json_dump_file(root, temporary, JSON_INDENT(2)) < 0 ||
		    rename(temporary, path) < 0;
	if (error)
		fprintf(stderr, "dialtone: %s: %s\n", path, strerror(errno));
	free(temporary);
	return error ? CTL_FAILED : CTL_OK;
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

static int write_config(const char *path, bool free_ports)
{
	json_t *root = json_pack("{s{ss ss} so s{ss} s{ss} s{ss}}", "trust",
		"callmanager", "CallManager-trust", "capf", "CAPF-trust",
		"listeners", listeners(free_ports), "admin", "socket",
		"admin.sock", "state", "folder", "state", "capf", "folder",
		"capf");
	if (free_ports)
		json_object_set_new(
			root, "status", json_pack("{si}", "port", 0));
	int status = write_json(path, root);
	json_decref(root);
	return status;
}

int ctl_lab_init(const struct ctl *ctl, int argc, char **argv)
{
	const char *dir = NULL, *host = "localhost";
	char path[CERT_LAB_PATH_MAX];
	bool free_ports = false, wrong = argc == 0;
	struct diag d;
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--host") == 0 && i + 1 < argc)
			host = argv[++i];
		else if (strcmp(argv[i], "--free-ports") == 0)
			free_ports = true;
		else if (!dir && argv[i][0] != '-')
			dir = argv[i];
		else
			wrong = true;
	}
	if (wrong || !dir)
		return ctl_misused(ctl);
	if (cert_lab_init(dir, host, time(NULL), &d) < 0)
		return complain(&d);
	snprintf(path, sizeof(path), "%s/dialtoned.json", dir);
	if (write_config(path, free_ports) != CTL_OK)
		return CTL_FAILED;
	if (ctl->json)
		return say_json("config", path);
	printf("lab made in %s; serve it: dialtoned --config %s\n", dir, path);
	return CTL_OK;
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

int ctl_lab_revoke(const struct ctl *ctl, int argc, char **argv)
{
	char path[CERT_LAB_PATH_MAX];
	struct cert_lab_phone phone = {.leaf = CERT_LAB_LEAF_LSC};
	struct cert_lab *lab;
	struct diag d;
	if (argc < 2 || argv[0][0] == '-' || argv[1][0] == '-' ||
		(argc != 2 && (argc != 4 || strcmp(argv[2], "--leaf") != 0 ||
				      !parse_phone(2, argv + 2, &phone))))
		return ctl_misused(ctl);
	if (cert_lab_open(argv[0], &lab, &d) < 0)
		return complain(&d);
	int error =
		cert_lab_revoke(lab, argv[1], phone.leaf, time(NULL), path, &d);
	cert_lab_close(lab);
	if (error < 0)
		return complain(&d);
	if (ctl->json)
		return say_json("crl", path);
	puts(path);
	return CTL_OK;
}

int ctl_lab_phone(const struct ctl *ctl, int argc, char **argv)
{
	struct cert_lab_phone phone = {
		.leaf = CERT_LAB_LEAF_LSC, .now = time(NULL)};
	struct cert_lab *lab;
	char path[CERT_LAB_PATH_MAX];
	struct diag d;
	if (argc < 2 || argv[0][0] == '-' || argv[1][0] == '-' ||
		!parse_phone(argc - 2, argv + 2, &phone))
		return ctl_misused(ctl);
	phone.device = argv[1];
	if (cert_lab_open(argv[0], &lab, &d) < 0)
		return complain(&d);
	int error = cert_lab_phone(lab, &phone, &d);
	cert_lab_close(lab);
	if (error < 0)
		return complain(&d);
	snprintf(path, sizeof(path), "%s/phones/%s/%s.pem", argv[0],
		phone.device, cert_lab_leaf_name(phone.leaf));
	if (ctl->json)
		return say_json("certificate", path);
	puts(path);
	return CTL_OK;
}
