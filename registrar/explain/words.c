/* SPDX-License-Identifier: Apache-2.0 */
/* Sentences being put together, and text of strangers made fit for JSON. */
#include "registrar/explain/words.h"

#include <stdarg.h>
#include <stdio.h>

#include "certs/text.h"

void words_add(struct words *w, const char *format, ...)
{
	va_list args;
	size_t room = sizeof(w->text) - w->n;
	va_start(args, format);
	int n = vsnprintf(w->text + w->n, room, format, args);
	va_end(args);
	if (n > 0)
		w->n += (size_t)n < room ? (size_t)n : room - 1;
}

json_t *words_json(const char *text, size_t n)
{
	char clean[WORDS_MAX];
	while (n && text[n - 1] == ' ')
		n--;
	cert_text_clean(text, n, clean, sizeof(clean));
	return json_string(clean);
}

const char *words_service(int port)
{
	static const struct {
		int port;
		const char *name;
	} services[] = {
		{2000, "SCCP"},
		{2443, "SCCP over TLS"},
		{5060, "SIP"},
		{5061, "SIP over TLS"},
		{3804, "CAPF"},
		{2445, "TVS"},
		{443, "HTTPS"},
		{8443, "HTTPS"},
		{6971, "configuration over HTTPS"},
		{6972, "configuration over HTTPS"},
	};
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (services[i].port == port)
			return services[i].name;
	return "a service";
}
