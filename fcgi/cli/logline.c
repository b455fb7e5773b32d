/*
 * Formats log lines for a terminal (logline.h).  All text comes from outside
 * and is printed without control bytes.
 */
#include "logline.h"

#include "fcgi/build/process.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define RED "\033[31m"
#define YELLOW "\033[33m"
#define FAINT "\033[2m"
#define PLAIN "\033[0m"

enum { ID_SHOWN = 8 };

static const char *const levels[] = {"emergency", "alert", "critical", "error",
    "warning", "notice", "info", "debug"};

/* Prints text that may hold anything. */
static void
put_clean(FILE *out, const char *s)
{
	for (; *s; s++) {
		if (((unsigned char)*s < 0x20 && *s != '\t') || *s == 0x7f)
			fprintf(out, "\\x%02x", (unsigned char)*s);
		else
			putc(*s, out);
	}
}

/* The offset in "bothy:   at +0x1234", or NULL. */
static const char *
crash_offset(const char *line)
{
	static const char mark[] = "bothy:   at +0x";
	const char *hex;

	if (strncmp(line, mark, sizeof mark - 1) != 0)
		return NULL;
	hex = line + sizeof mark - 3;
	return hex[2 + strspn(hex + 2, "0123456789abcdef")] ? NULL : hex;
}

/*
 * Prints " function at file:line" of an address, and of the functions that it
 * was inlined in, if they can be told.
 */
static void
put_symbol(FILE *out, const char *binary, const char *offset)
{
	const char *argv[] = {"addr2line", "-f", "-s", "-i", "-p", "-e",
	    binary, offset, NULL};
	char *line, *rest;
	struct buf text;
	struct err ignored;

	buf_init(&text, 4096);
	if (process_run(argv, "/", &text, &ignored) == 0 && text.data &&
	    text.data[0] != '?') {
		rest = text.data;
		while ((line = strsep(&rest, "\n"))) {
			if (*line && *line != ' ')
				putc(' ', out);
			put_clean(out, line);
		}
	}
	buf_release(&text);
}

static void
put_text(FILE *out, const char *text, const char *binary)
{
	const char *offset = binary ? crash_offset(text) : NULL;

	put_clean(out, text);
	if (offset)
		put_symbol(out, binary, offset);
}

/* A line of the SDK's: {"level": ..., "message": ...}. */
static bool
put_sdk_line(const char *function, const char *line)
{
	const char *level, *message;
	json_t *o;

	o = line[0] == '{' ? json_loads(line, 0, NULL) : NULL;
	level = json_string_value(json_object_get(o, "level"));
	message = json_string_value(json_object_get(o, "message"));
	if (level && message) {
		fprintf(stderr, "%s: %s: ", function, level);
		put_clean(stderr, message);
		fputc('\n', stderr);
	}
	json_decref(o);
	return level && message;
}

void
logline_stderr(const char *function, const char *binary, const char *line)
{
	if (put_sdk_line(function, line))
		return;
	if (line[0] == '<' && line[1] >= '0' && line[1] <= '7' &&
	    line[2] == '>') {
		fprintf(stderr, "%s: %s: ", function, levels[line[1] - '0']);
		line += 3;
	}
	put_text(stderr, line, binary);
	fputc('\n', stderr);
}

static const char *
text_at(const json_t *o, const char *key)
{
	return json_string_value(json_object_get(o, key));
}

/* "2026-11-22T10:20:30.123Z" as local "10:20:30.123", with the date if old. */
static void
put_time(FILE *out, const char *iso)
{
	struct tm utc = {0}, local, today;
	char day[16] = "";
	time_t t, now = time(NULL);
	const char *rest;

	rest = iso ? strptime(iso, "%Y-%m-%dT%H:%M:%S", &utc) : NULL;
	if (!rest) {
		fprintf(out, "%-12s ", iso ? iso : "-");
		return;
	}
	t = timegm(&utc);
	localtime_r(&t, &local);
	localtime_r(&now, &today);
	if (local.tm_yday != today.tm_yday || local.tm_year != today.tm_year)
		strftime(day, sizeof day, "%Y-%m-%d ", &local);
	fprintf(out, "%s%02d:%02d:%02d%.4s ", day, local.tm_hour,
	    local.tm_min, local.tm_sec, *rest == '.' ? rest : "");
}

static const char *
status_color(int color, json_int_t status)
{
	return !color ? "" : status >= 500 ? RED : status >= 400 ? YELLOW :
	    "";
}

/* The end of a request id, which tells requests apart, ends a line. */
static void
put_id(FILE *out, const char *id, int color)
{
	size_t n = id ? strlen(id) : 0;

	if (n)
		fprintf(out, " %s%s%s", color ? FAINT : "",
		    id + (n > ID_SHOWN ? n - ID_SHOWN : 0),
		    color ? PLAIN : "");
	putc('\n', out);
}

static void
print_access(FILE *out, const json_t *line, int color)
{
	json_int_t status = json_integer_value(json_object_get(line,
	    "status"));
	const char *paint = status_color(color, status);
	const char *function = text_at(line, "function");
	const char *outcome = text_at(line, "outcome");
	const char *detail = text_at(line, "detail");
	const char *path = text_at(line, "path"), *id = text_at(line, "id");
	const json_t *peak = json_object_get(line, "peak_kb");

	fprintf(out, "%s%3lld%s %-4s ", paint, (long long)status,
	    *paint ? PLAIN : "", text_at(line, "method") ?
	    text_at(line, "method") : "-");
	put_clean(out, path ? path : "-");
	fprintf(out, " %s %.1f ms", function ? function : "-",
	    json_number_value(json_object_get(line, "duration_ms")));
	if (peak)
		fprintf(out, " %.1f MB",
		    (double)json_integer_value(peak) / 1024);
	if (outcome && strcmp(outcome, "ok") != 0) {
		fprintf(out, " %s", outcome);
		if (detail) {
			fprintf(out, ": ");
			put_clean(out, detail);
		}
	}
	put_id(out, id, color);
}

static void
print_text(FILE *out, const char *source, const json_t *line,
    const char *binary, int color)
{
	const char *level = text_at(line, "level"), *id = text_at(line, "id");
	const char *text = text_at(line, "text"), *paint = "";

	if (!text)
		text = text_at(line, "message");
	if (level && color)
		paint = strcmp(level, "error") == 0 ? RED :
		    strcmp(level, "warning") == 0 ? YELLOW : "";
	fprintf(out, "    %s: %s%s%s", source, paint, level ? level : "",
	    level ? ": " : "");
	put_text(out, text ? text : "", binary);
	fputs(*paint ? PLAIN : "", out);
	put_id(out, id, color);
}

void
logline_print(FILE *out, const char *source, const json_t *line,
    const char *binary, int color)
{
	put_time(out, text_at(line, "time"));
	if (strcmp(source, "access") == 0)
		print_access(out, line, color);
	else
		print_text(out, source, line, binary, color);
}
