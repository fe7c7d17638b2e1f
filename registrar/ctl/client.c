/* SPDX-License-Identifier: Apache-2.0 */
/* Asks over HTTP, with libcurl: status over TCP, admin over a Unix socket. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#include "registrar/ctl/ctl.h"
#include "registrar/ctl/progress.h"
#include "registrar/ctl/say.h"
#include "registrar/memory.h"

enum {
	ANSWER_MAX = 256 << 20,
	CONNECT_MS = 3000,
	ANSWER_MS = 30000,
	ORDER_MS = 600000, /* what is sent may be long, and take long */
};

/* No piece of an answer is left behind: it may be a secret. */
static bool grow(struct ctl_answer *a, size_t n)
{
	size_t room = 2 * (a->n + n + 1);
	char *grown = malloc(room);
	if (!grown)
		return false;
	if (a->n)
		memcpy(grown, a->text, a->n);
	memory_wipe(a->text);
	a->text = grown;
	a->room = room;
	return true;
}

static size_t on_data(char *data, size_t size, size_t count, void *self)
{
	struct ctl_answer *a = self;
	size_t n = size * count;
	if (a->n + n > ANSWER_MAX)
		return 0;
	if (a->n + n + 1 > a->room && !grow(a, n))
		return 0;
	memcpy(a->text + a->n, data, n);
	a->n += n;
	a->text[a->n] = '\0';
	return n;
}

struct watch;
static struct ctl_answer perform(const char *url, const char *method,
	const char *socket, const struct ctl_body *body, struct watch *w);

/* Somebody looks at it. */
struct watch {
	struct progress progress;
	const char *socket, *path; /* says how far it is; or NULL */
	time_t asked;
	double done, all;
};

static void ask_how_far(struct watch *w)
{
	time_t now = time(NULL);
	if (!w->path || w->asked == now)
		return;
	w->asked = now;
	char *url = memory_format("http://localhost%s", w->path);
	struct ctl_answer a = perform(url, "GET", w->socket, NULL, NULL);
	json_t *o =
		a.error ? NULL : json_loadb(a.text ? a.text : "", a.n, 0, NULL);
	w->done = (double)ctl_number(o, "done");
	w->all = (double)ctl_number(o, "of");
	json_decref(o);
	ctl_answer_deinit(&a);
	free(url);
}

/* What is sent, then the wait, then what comes. */
static int on_progress(void *self, curl_off_t down_all, curl_off_t down,
	curl_off_t up_all, curl_off_t up)
{
	struct watch *w = self;
	struct progress *p = &w->progress;
	if (up < up_all) {
		progress_show(p, "sent", (double)up, (double)up_all);
	} else if (down) {
		progress_show(p, "received", (double)down, (double)down_all);
	} else {
		ask_how_far(w);
		progress_show(p, "the registrar works", w->done, w->all);
	}
	return 0;
}

static void watch(CURL *curl, struct watch *w)
{
	progress_begin(&w->progress);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, w);
}

/* The list of headers must live until the request is done. */
static struct curl_slist *send_body(CURL *curl, const struct ctl_body *body)
{
	char type[128];
	snprintf(type, sizeof(type), "Content-Type: %s", body->type);
	struct curl_slist *headers = curl_slist_append(NULL, type);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data);
	curl_easy_setopt(
		curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->n);
	return headers;
}

/* w NULL: nobody looks. */
static struct ctl_answer perform(const char *url, const char *method,
	const char *socket, const struct ctl_body *body, struct watch *w)
{
	struct ctl_answer a = {0};
	struct curl_slist *headers = NULL;
	CURL *curl = curl_easy_init();
	if (!curl)
		abort(); /* law 2: no memory */
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
		strcmp(method, "GET") == 0 ? (long)ANSWER_MS : (long)ORDER_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &a);
	if (body)
		headers = send_body(curl, body);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
	if (w)
		watch(curl, w);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &a.status);
	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &a.system_error);
	a.error = code == CURLE_OK ? NULL : curl_easy_strerror(code);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	return a;
}

struct ctl_answer ctl_ask(const char *url, const char *method,
	const char *socket, const struct ctl_body *body)
{
	struct watch w = {
		.socket = socket, .path = body ? body->progress : NULL};
	if (!progress_is_watched())
		return perform(url, method, socket, body, NULL);
	struct ctl_answer a = perform(url, method, socket, body, &w);
	progress_end(&w.progress);
	return a;
}

char *ctl_path(const char *folder, const char *name)
{
	char *escaped = curl_easy_escape(NULL, name, 0);
	char *path = memory_format("%s%s", folder, escaped ? escaped : "");
	curl_free(escaped);
	return path;
}

void ctl_answer_deinit(struct ctl_answer *a)
{
	memory_wipe(a->text);
}

static int take(const struct ctl_answer *a, const char *who, json_t **out)
{
	json_error_t error;
	*out = json_loadb(a->text ? a->text : "", a->n, 0, &error);
	if (*out)
		return CTL_OK;
	say("%s did not answer JSON: %s", who, error.text);
	return CTL_FAILED;
}

int ctl_take_json(const struct ctl_answer *a, const char *who, json_t **out)
{
	int status = take(a, who, out);
	if (status != CTL_OK || a->status == 200)
		return status;
	say_problem(who, *out);
	json_decref(*out);
	*out = NULL;
	return CTL_FAILED;
}

int ctl_get(const struct ctl *ctl, const char *path, json_t **out,
	long *http_status)
{
	int result = CTL_FAILED;
	char *url = memory_format("%s%s", ctl->url, path);
	struct ctl_answer a = ctl_ask(url, "GET", NULL, NULL);
	*out = NULL;
	if (a.error) {
		say("cannot ask %s: %s. Is dialtoned running? "
		    "Name its status address with --url.",
			url, a.error);
		say_next("systemctl status dialtone");
	} else
		result = http_status ? take(&a, url, out)
				     : ctl_take_json(&a, url, out);
	if (http_status)
		*http_status = a.status;
	ctl_answer_deinit(&a);
	free(url);
	return result;
}

json_t *ctl_look(const struct ctl *ctl, const char *path)
{
	char *url = memory_format("%s%s", ctl->url, path);
	struct ctl_answer a = ctl_ask(url, "GET", NULL, NULL);
	json_t *o = !a.error && a.status == 200
			    ? json_loadb(a.text ? a.text : "", a.n, 0, NULL)
			    : NULL;
	ctl_answer_deinit(&a);
	free(url);
	return o;
}
