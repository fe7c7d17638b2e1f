/* SPDX-License-Identifier: Apache-2.0 */
/* One line of progress on a terminal, written over and over. */
#include "bench/progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include <sys/ioctl.h>

#include "bench/storm_report.h"

enum { LINE_MAX_CHARACTERS = 240, COLUMNS = 80, COLUMNS_MIN = 20 };

struct line {
	char *at;
	size_t left;	  /* of the memory, its NUL included */
	unsigned columns; /* of the terminal */
	bool full;
};

/* One more figure, if all of it still fits: half a number misleads. */
static void __attribute__((format(printf, 2, 3)))
add(struct line *line, const char *format, ...)
{
	char text[LINE_MAX_CHARACTERS];
	va_list arguments;
	va_start(arguments, format);
	int n = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	line->full |=
		n < 0 || (unsigned)n > line->columns || (size_t)n >= line->left;
	if (line->full)
		return;
	memcpy(line->at, text, (size_t)n + 1);
	line->at += n;
	line->left -= (size_t)n;
	line->columns -= (unsigned)n;
}

static void priming(struct line *line, const struct storm *s)
{
	const struct tally *t = &s->tally;
	add(line, "%s: %" PRIu64 " of %u", storm_phase_name(s->phase),
		t->primed, s->config.phones);
	if (t->prime_failed)
		add(line, ", %" PRIu64 " failed", t->prime_failed);
}

static void storm(struct line *line, const struct storm *s)
{
	const struct tally *t = &s->tally;
	char p99[32];
	struct histogram all;
	tally_latency(t, &all);
	storm_report_value(REQUIRE_TIME,
		(double)histogram_percentile(&all, 99) / 1e6, p99, sizeof(p99));
	add(line, "%s %.0f s", storm_phase_name(s->phase), storm_seconds(s));
	add(line, ": %" PRIu64 "/%" PRIu64 " in", t->registered, t->planned);
	if (t->failed)
		add(line, ", %" PRIu64 " failed", t->failed);
	if (all.count)
		add(line, ", p99 %s", p99);
	if (s->undecided)
		add(line, ", %u coming", s->undecided);
	if (s->config.stay == STORM_HOLD || s->config.think_max_ms)
		add(line, ", %u up", s->up);
	if (s->away)
		add(line, ", %u lost", s->away);
	if (t->waits.count)
		add(line, ", %" PRIu64 " told to wait", t->waits.count);
	add(line, ", %" PRIu64 " full", t->handshakes[TALLY_FULL]);
	add(line, ", %" PRIu64 " resumed", t->handshakes[TALLY_RESUMED]);
	if (t->late)
		add(line, ", %" PRIu64 " late", t->late);
}

void progress_text(
	const struct storm *s, unsigned columns, char *dst, size_t size)
{
	struct line line = {dst, size, columns, false};
	dst[0] = '\0';
	if (s->phase < STORM_PHASE_STORM)
		priming(&line, s);
	else
		storm(&line, s);
}

static unsigned columns_of(FILE *to)
{
	struct winsize size;
	if (ioctl(fileno(to), TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return COLUMNS;
	return size.ws_col < COLUMNS_MIN ? COLUMNS_MIN : size.ws_col;
}

void progress_show(FILE *to, const struct storm *s)
{
	char text[LINE_MAX_CHARACTERS];
	/* A full last column makes some terminals begin the next line. */
	progress_text(s, columns_of(to) - 1, text, sizeof(text));
	fprintf(to, "\r%s\033[K", text);
	fflush(to);
}

void progress_clear(FILE *to)
{
	fputs("\r\033[K", to);
	fflush(to);
}
