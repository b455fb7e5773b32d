/*
 * What people call a state of the store (storecmd.h).
 */
#include "cmd.h"

#include "store/base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STATE_SIZE = 256, SECOND_MS = 1000 };

/* "5m ago", "2h ago", "90s ago", "3d ago". */
static bool
read_ago(const char *word, int64_t *ms)
{
	static const char units[] = "smhd";
	static const int64_t lengths[] = {1, 60, 3600, 86400};
	const char *unit;
	char *end;
	long long n = strtoll(word, &end, 10);

	if (end == word || n < 0 || n > 1000000 || !*end)
		return false;
	unit = strchr(units, *end);
	if (!unit)
		return false;
	for (end++; *end == ' '; end++)
		continue;
	if (strcmp(end, "ago") != 0)
		return false;
	*ms = clock_wall_ms() - n * lengths[unit - units] * SECOND_MS;
	return true;
}

/* "2026-11-22", with "10:00", "10:00:30" or "10:00:30.5" behind it. */
static bool
read_local(const char *word, int64_t *ms)
{
	static const char *const formats[] = {"%Y-%m-%d %H:%M:%S",
	    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M",
	    "%Y-%m-%d"};
	double fraction = 0;
	char *end = NULL;
	struct tm tm;
	size_t i;

	for (i = 0; i < sizeof formats / sizeof *formats && !end; i++) {
		memset(&tm, 0, sizeof tm);
		end = strptime(word, formats[i], &tm);
		if (end && *end == '.' && isdigit((unsigned char)end[1]))
			fraction = strtod(end, &end);
		if (end && *end)
			end = NULL;
	}
	if (!end)
		return false;
	tm.tm_isdst = -1;
	*ms = (int64_t)mktime(&tm) * SECOND_MS + (int64_t)(fraction * 1000);
	return true;
}

void
storecmd_state(const char *word, char *out)
{
	int64_t ms;

	if (read_ago(word, &ms) || read_local(word, &ms))
		clock_iso(ms, out);
	else
		snprintf(out, STATE_SIZE, "%s", word);
}
