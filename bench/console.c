/* SPDX-License-Identifier: Apache-2.0 */
/* The console of a phone: the lines that a Cisco phone's own log shows. */
#include "bench/console.h"

#include <stdarg.h>
#include <time.h>

#include <openssl/ssl.h>

void console_say(struct console *c, const char *level, const char *task,
	const char *tag, const char *format, ...)
{
	if (!c->to)
		return;
	struct timespec now;
	struct tm day;
	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &day);
	fprintf(c->to, "%u: %s %02d:%02d:%02d.%06ld %s: -%s: ", ++c->seq, level,
		day.tm_hour, day.tm_min, day.tm_sec, now.tv_nsec / 1000, task,
		tag);
	va_list arguments;
	va_start(arguments, format);
	vfprintf(c->to, format, arguments);
	va_end(arguments);
	fputc('\n', c->to);
	fflush(c->to);
}

void console_no_lsc(struct console *c)
{
	console_say(c, "WRN", "SECD", "PXY_NO_LSC",
		"No LSC for [%s], will try MIC", c->user);
}

void console_cert_cipher(struct console *c, const char *version,
	const char *cert, const char *ciphers)
{
	console_say(c, "NOT", "SECD", "PXY_CERT_CIPHER",
		"[%s], [%s], cert [%s], cipher [%s]", c->user, version, cert,
		ciphers);
}

const char *console_alert_side_name(enum console_alert_side side)
{
	return side == CONSOLE_ALERT_READ ? "read" : "write";
}

const char *console_alert_text(int description)
{
	if (description == TLS13_AD_CERTIFICATE_REQUIRED)
		return "certificate required";
	if (description == TLS13_AD_MISSING_EXTENSION)
		return "missing extension";
	return SSL_alert_desc_string_long(description);
}

void console_alert(struct console *c, enum console_alert_side side, int level,
	int description)
{
	console_say(c, level == SSL3_AL_FATAL ? "ERR" : "NOT", "SECD",
		"STATE_SSL3_ALERT", "SSL3 alert [%s]:[%s]:[%s]",
		console_alert_side_name(side),
		SSL_alert_type_string_long(level << 8),
		console_alert_text(description));
}
