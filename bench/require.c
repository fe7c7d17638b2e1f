/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds that a storm must meet: "p99<200ms", "resumed>95%", "failed=0". */
#include "bench/require.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	enum require_unit unit;
	const char *meaning;
} metrics[] = {
#define X(symbol, name, unit, meaning) {name, REQUIRE_##unit, meaning},
	REQUIRE_METRIC_LIST(X)
#undef X
};

static const struct {
	const char *text;
	enum require_unit unit;
	double factor;
} suffixes[] = {
	{"", REQUIRE_COUNT, 1},
	{"us", REQUIRE_TIME, 1e-6},
	{"ms", REQUIRE_TIME, 1e-3},
	{"s", REQUIRE_TIME, 1},
	{"%", REQUIRE_SHARE, 1},
	{"B", REQUIRE_SIZE, 1},
	{"KB", REQUIRE_SIZE, 1024},
	{"MB", REQUIRE_SIZE, 1024.0 * 1024},
	{"GB", REQUIRE_SIZE, 1024.0 * 1024 * 1024},
};

static const char *const units[] = {
	[REQUIRE_COUNT] = "a plain number",
	[REQUIRE_TIME] = "a number with us, ms or s",
	[REQUIRE_SHARE] = "a number with %",
	[REQUIRE_SIZE] = "a number with B, KB, MB or GB",
};

/* Longest first: "<=" begins with "<". */
static const struct {
	const char *text;
	enum require_sign sign;
} signs[] = {
	{"<=", REQUIRE_AT_MOST},
	{">=", REQUIRE_AT_LEAST},
	{"<", REQUIRE_BELOW},
	{">", REQUIRE_ABOVE},
	{"=", REQUIRE_EQUAL},
};

const char *require_metric_name(enum require_metric metric)
{
	return metrics[metric].name;
}

const char *require_metric_meaning(enum require_metric metric)
{
	return metrics[metric].meaning;
}

enum require_unit require_metric_unit(enum require_metric metric)
{
	return metrics[metric].unit;
}

static int find_metric(const char *text, size_t n)
{
	for (int i = 0; i < REQUIRE_METRICS; i++)
		if (strlen(metrics[i].name) == n &&
			memcmp(metrics[i].name, text, n) == 0)
			return i;
	return -1;
}

/* Bytes of the sign at `text`; 0: there is none. */
static size_t take_sign(const char *text, enum require_sign *out)
{
	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++) {
		size_t n = strlen(signs[i].text);
		if (strncmp(text, signs[i].text, n) == 0) {
			*out = signs[i].sign;
			return n;
		}
	}
	return 0;
}

/* The number and its suffix. 0, or -EINVAL. */
static int take_limit(const char *text, enum require_unit unit, double *out)
{
	char *end;
	/* strtod also takes "nan", "inf", blanks and hexadecimal. */
	size_t digits = strspn(text, "0123456789.");
	double number = strtod(text, &end);
	if (digits == 0 || end != text + digits)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		if (suffixes[i].unit != unit ||
			strcmp(suffixes[i].text, end) != 0)
			continue;
		*out = number * suffixes[i].factor;
		return isfinite(*out) ? 0 : -EINVAL;
	}
	return -EINVAL;
}

int require_parse(const char *text, struct require *out, struct diag *d)
{
	size_t name = strcspn(text, "<>=");
	int metric = find_metric(text, name);
	if (metric < 0)
		return diag_set(d, -EINVAL,
			"--require: '%.80s' does not begin with a known "
			"figure and <, <=, >, >= or =; --help lists them",
			text);
	out->metric = (enum require_metric)metric;
	size_t sign = take_sign(text + name, &out->sign);
	if (sign == 0)
		return diag_set(d, -EINVAL,
			"--require: '%.80s' has no <, <=, >, >= or =", text);
	enum require_unit unit = metrics[metric].unit;
	if (take_limit(text + name + sign, unit, &out->limit) < 0)
		return diag_set(d, -EINVAL, "--require: '%.80s': %s takes %s",
			text, metrics[metric].name, units[unit]);
	return 0;
}

bool require_met(const struct require *r, const double values[REQUIRE_METRICS])
{
	double value = values[r->metric];
	switch (r->sign) {
	case REQUIRE_BELOW:
		return value < r->limit;
	case REQUIRE_AT_MOST:
		return value <= r->limit;
	case REQUIRE_ABOVE:
		return value > r->limit;
	case REQUIRE_AT_LEAST:
		return value >= r->limit;
	case REQUIRE_EQUAL:
		return value >= r->limit && value <= r->limit;
	}
	return false;
}
