/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the status plane, with libcurl. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "registrar/ctl/ctl.h"
#include "registrar/memory.h"

enum { ANSWER_MAX = 256 << 20, CONNECT_MS = 3000, ANSWER_MS = 30000 };

struct answer {
	char *text;
	size_t n;
};

static size_t on_data(char *data, size_t size, size_t count, void *self)
{
	struct answer *a = self;
	size_t n = size * count;
	if (a->n + n > ANSWER_MAX)
		return 0;
	char *grown = realloc(a->text, a->n + n + 1);
	if (!grown)
		return 0;
	memcpy(grown + a->n, data, n);
	a->text = grown;
	a->n += n;
	a->text[a->n] = '\0';
	return n;
}

static CURLcode fetch(const char *url, struct answer *a, long *status)
{
	CURL *curl = curl_easy_init();
	if (!curl)
		return CURLE_FAILED_INIT;
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, a);
	CURLcode code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, status);
	curl_easy_cleanup(curl);
	return code;
}

int ctl_get(const struct ctl *ctl, const char *path, json_t **out,
	long *http_status)
{
	struct answer a = {0};
	json_error_t error;
	long status = 0;
	int result = CTL_FAILED;
	char *url = memory_format("%s%s", ctl->url, path);
	CURLcode code = fetch(url, &a, &status);
	*out = NULL;
	if (code != CURLE_OK) {
		fprintf(stderr,
			"dialtone: cannot ask %s: %s. Is dialtoned running? "
			"Name its status address with --url.\n",
			url, curl_easy_strerror(code));
		goto out;
	}
	*out = json_loadb(a.text ? a.text : "", a.n, 0, &error);
	if (!*out) {
		fprintf(stderr, "dialtone: %s did not answer JSON: %s\n", url,
			error.text);
		goto out;
	}
	if (status != 200 && !http_status) {
		fprintf(stderr, "dialtone: %s: %s\n", url,
			ctl_text(*out, "detail"));
		json_decref(*out);
		*out = NULL;
		goto out;
	}
	result = CTL_OK;
out:
	if (http_status)
		*http_status = status;
	free(a.text);
	free(url);
	return result;
}
