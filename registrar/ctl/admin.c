/* SPDX-License-Identifier: Apache-2.0 */
/* Gives orders to the admin plane, and says why it does not listen. */
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "registrar/ctl/ctl.h"
#include "registrar/ctl/say.h"
#include "registrar/memory.h"

static void refused_by_mode(const char *path)
{
	struct stat st;
	if (stat(path, &st) < 0) {
		say("%s: permission denied: a folder on the way "
		    "is closed to you. Ask as root, or as the user that "
		    "dialtoned runs as.",
			path);
		say_next("sudo dialtone status");
		return;
	}
	const struct group *group = getgrgid(st.st_gid);
	char number[32];
	snprintf(number, sizeof(number), "%u", (unsigned)st.st_gid);
	const char *name = group ? group->gr_name : number;
	bool root = st.st_gid == 0; /* nobody is told to join that */
	say("%s: permission denied: only its owner and group %s may give "
	    "orders. %s%s%s",
		path, name,
		root ? "Ask as root." : "Join the group (usermod -aG ",
		root ? "" : name, root ? "" : " USER), or ask as root.");
	if (root)
		say_next("sudo dialtone status");
	else
		say_next("sudo usermod -aG %s \"$USER\"", name);
}

static int cannot_connect(const char *path, int error, const char *why)
{
	if (error == EACCES || error == EPERM)
		refused_by_mode(path);
	else if (error == ENOENT)
		say("%s: there is no such socket. Is dialtoned "
		    "running with this admin.socket? Name another with "
		    "--socket.",
			path);
	else if (error == ECONNREFUSED)
		say("%s: nobody serves this socket any more. "
		    "Start dialtoned.",
			path);
	else
		say("%s: cannot ask: %s. Is dialtoned running? "
		    "Name its admin socket with --socket.",
			path, error ? strerror(error) : why);
	say_next("systemctl status dialtone");
	return CTL_FAILED;
}

/* The socket named, else the one that the registrar says it serves. */
static int find_socket(const struct ctl *ctl, char **path)
{
	json_t *o;
	if (ctl->socket) {
		*path = memory_dup(ctl->socket);
		return CTL_OK;
	}
	int status = ctl_get(ctl, "/v1/status", &o, NULL);
	if (status != CTL_OK) {
		say("or name its admin socket with --socket.");
		return status;
	}
	const char *found = ctl_text(o, "adminSocket");
	if (*found) {
		*path = memory_dup(found);
	} else {
		say("the registrar at %s takes no orders: its "
		    "configuration names no admin.socket. Name one, and "
		    "start it anew.",
			ctl->url);
		status = CTL_FAILED;
	}
	json_decref(o);
	return status;
}

int ctl_admin_ask(const struct ctl *ctl, const char *method, const char *path,
	const struct ctl_body *body, struct ctl_answer *out, char **who)
{
	*who = NULL;
	int status = find_socket(ctl, who);
	if (status != CTL_OK)
		return status;
	bool dry = ctl->dry_run && strcmp(method, "GET") != 0;
	char *url = memory_format("http://localhost%s%s", path,
		!dry		    ? ""
		: strchr(path, '?') ? "&dryRun=true"
				    : "?dryRun=true");
	*out = ctl_ask(url, method, *who, body);
	free(url);
	if (!out->error)
		return CTL_OK;
	status = cannot_connect(*who, out->system_error, out->error);
	ctl_answer_deinit(out);
	free(*who);
	*who = NULL;
	return status;
}

int ctl_admin_send(const struct ctl *ctl, const char *method, const char *path,
	const struct ctl_body *body, json_t **out)
{
	struct ctl_answer a;
	char *who;
	int status = ctl_admin_ask(ctl, method, path, body, &a, &who);
	if (status != CTL_OK)
		return status;
	status = ctl_take_json(&a, who, out);
	if (status == CTL_OK && ctl->dry_run && json_is_object(*out))
		json_object_set_new(*out, "dryRun", json_true());
	ctl_answer_deinit(&a);
	free(who);
	return status;
}

int ctl_admin(const struct ctl *ctl, const char *method, const char *path,
	json_t **out)
{
	return ctl_admin_send(ctl, method, path, NULL, out);
}

/* A name, or the number of a row; malloc'ed, "" when there is no more. */
static char *next_of(const json_t *page)
{
	const json_t *next = json_object_get(page, "next");
	if (json_is_integer(next))
		return memory_format(
			"%lld", (long long)json_integer_value(next));
	return memory_dup(ctl_text(page, "next"));
}

int ctl_pages(const struct ctl *ctl, const char *path, const char *key,
	const char *behind, json_t **out)
{
	json_t *page, *all = json_array();
	char *next = memory_dup("");
	*out = json_pack("{so}", key, all);
	do {
		char *head = memory_format("%s%s%s%s", path, *next ? "&" : "",
			*next ? behind : "", *next ? "=" : "");
		char *whole = ctl_path(head, next);
		int status = ctl_admin(ctl, "GET", whole, &page);
		free(head);
		free(whole);
		free(next);
		if (status != CTL_OK) {
			json_decref(*out);
			*out = NULL;
			return status;
		}
		json_array_extend(all, json_object_get(page, key));
		next = next_of(page);
		json_decref(page);
	} while (*next);
	free(next);
	return CTL_OK;
}
