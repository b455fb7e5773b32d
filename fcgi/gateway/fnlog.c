/*
 * A function's log (fnlog.h): bytes of stderr to clean JSON lines.
 */
#include "fnlog.h"

#include "store/base/clock.h"
#include "store/base/io.h"
#include "store/base/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	/* A line of nothing but bad bytes triples, and the rest of its JSON. */
	BATCH_ROOM = FNLOG_BATCH + 4 * FNLOG_LINE_MAX + 4096,
	FILE_NAME_SIZE = 256
};

static const char *const level_names[8] = {
    "emergency", "alert", "critical", "error", "warning", "notice", "info",
    "debug"};

/* bothy_log's words, and ours for them. */
static const struct {
	const char *word, *name;
} sdk_levels[] = {
    {"debug", "debug"},
    {"info", "info"},
    {"warn", "warning"},
    {"error", "error"},
};

void
fnlog_init(struct fnlog *l, struct logs *logs)
{
	memset(l, 0, sizeof(*l));
	l->logs = logs;
	buf_init(&l->line, FNLOG_LINE_MAX);
	buf_init(&l->batch, BATCH_ROOM);
}

void
fnlog_release(struct fnlog *l)
{
	buf_release(&l->line);
	buf_release(&l->batch);
}

void
fnlog_begin(struct fnlog *l, const char *function, const char *request_id)
{
	l->function = function;
	l->request_id = request_id;
	buf_reset(&l->line);
	buf_reset(&l->batch);
	l->taken = l->dropped = l->cut = 0;
}

void
fnlog_flush(struct fnlog *l)
{
	char name[FILE_NAME_SIZE];
	ssize_t done;
	int fd, n;

	if (l->batch.len == 0)
		return;
	n = snprintf(name, sizeof(name), "%s.jsonl", l->function);
	if (n > 0 && (size_t)n < sizeof(name) && !strchr(name, '/') &&
	    name[0] != '.') {
		fd = logs_append(l->logs, name);
		if (fd >= 0) {
			do
				done = write(fd, l->batch.data, l->batch.len);
			while (done < 0 && errno == EINTR);
			io_close(&fd);
		}
	}
	buf_reset(&l->batch);
}

/* Is the character at `s`, of `step` bytes, one that a terminal obeys? */
static bool
is_control(const char *s, size_t step)
{
	unsigned char c = (unsigned char)s[0];

	if (step == 1)
		return (c < 0x20 && c != '\t') || c == 0x7f;
	/* C1: U+0080 to U+009F. */
	return step == 2 && c == 0xc2 && (unsigned char)s[1] < 0xa0;
}

/* As a JSON string; U+FFFD for what is a control or no UTF-8. */
static void
add_clean(struct buf *b, const char *s, size_t n)
{
	size_t i, step;

	buf_putc(b, '"');
	for (i = 0; i < n; i += step ? step : 1) {
		step = utf8_step(s + i, n - i);
		if (step == 0 || is_control(s + i, step))
			buf_puts(b, "\xef\xbf\xbd");
		else if (s[i] == '"' || s[i] == '\\') {
			buf_putc(b, '\\');
			buf_putc(b, s[i]);
		} else if (s[i] == '\t')
			buf_puts(b, "\\t");
		else
			buf_add(b, s + i, step);
	}
	buf_putc(b, '"');
}

/* What a line says. */
struct message {
	const char *level;	/* NULL: none */
	const char *text;
	size_t len;
	uint64_t cut;		/* bytes that are not in it */
	bool json;		/* text is a JSON string already */
};

static void
add_line(struct fnlog *l, const struct message *m)
{
	char time[CLOCK_ISO_SIZE];
	struct buf *b = &l->batch;

	clock_iso(clock_wall_ms(), time);
	buf_printf(b, "{\"time\":\"%s\",\"id\":\"%s\",\"function\":\"%s\"",
	    time, l->request_id, l->function);
	if (m->level)
		buf_printf(b, ",\"level\":\"%s\"", m->level);
	buf_puts(b, ",\"text\":");
	if (m->json)
		buf_add(b, m->text, m->len);
	else
		add_clean(b, m->text, m->len);
	if (m->cut)
		buf_printf(
		    b, ",\"cut_bytes\":%llu", (unsigned long long)m->cut);
	buf_puts(b, "}\n");
	if (b->len >= FNLOG_BATCH)
		fnlog_flush(l);
}

/* Takes `prefix` off the message: true if it was there. */
static bool
skip(struct message *m, const char *prefix)
{
	size_t n = strlen(prefix);

	if (m->len < n || memcmp(m->text, prefix, n) != 0)
		return false;
	m->text += n;
	m->len -= n;
	return true;
}

/* Exactly one JSON string (RFC 8259 7) of clean UTF-8. */
static bool
is_json_string(const char *s, size_t n)
{
	static const char escapes[] = "\"\\/bfnrtu";
	static const char hex[] = "0123456789abcdefABCDEF";
	size_t i, k, step;

	if (n < 2 || s[0] != '"' || s[n - 1] != '"')
		return false;
	for (i = 1; i < n - 1; i += step) {
		step = utf8_step(s + i, n - 1 - i);
		if (step == 0 || s[i] == '"' || s[i] == '\t' ||
		    is_control(s + i, step))
			return false;
		if (s[i] != '\\')
			continue;
		step = s[i + 1] == 'u' ? 6 : 2;
		if (i + step > n - 1 || !memchr(escapes, s[i + 1], strlen(escapes)))
			return false;
		for (k = 2; k < step; k++)
			if (!memchr(hex, s[i + k], strlen(hex)))
				return false;
	}
	return true;
}

/* {"level":"...","message":"..."}, as bothy_log() writes it. */
static bool
parse_sdk(struct message *m)
{
	struct message rest = *m;
	size_t i;

	if (!skip(&rest, "{\"level\":\""))
		return false;
	for (i = 0; i < sizeof(sdk_levels) / sizeof(sdk_levels[0]); i++)
		if (skip(&rest, sdk_levels[i].word))
			break;
	if (i == sizeof(sdk_levels) / sizeof(sdk_levels[0]) ||
	    !skip(&rest, "\",\"message\":") || rest.len == 0 ||
	    rest.text[--rest.len] != '}' ||
	    !is_json_string(rest.text, rest.len))
		return false;
	*m = rest;
	m->level = sdk_levels[i].name;
	m->json = true;
	return true;
}

/* "<N>", a priority as syslog's. */
static void
parse_priority(struct message *m)
{
	const char *s = m->text;

	if (m->len < 3 || s[0] != '<' || s[1] < '0' || s[1] > '7' ||
	    s[2] != '>')
		return;
	m->level = level_names[s[1] - '0'];
	m->text += 3;
	m->len -= 3;
}

/* The line is whole. */
static void
end_line(struct fnlog *l)
{
	struct message m = {
	    .text = buf_str(&l->line), .len = l->line.len, .cut = l->cut};

	if (m.len && m.text[m.len - 1] == '\r')
		m.len--;
	if (m.cut || !parse_sdk(&m))
		parse_priority(&m);
	if (m.len || m.cut)
		add_line(l, &m);
	buf_reset(&l->line);
	l->cut = 0;
}

void
fnlog_feed(struct fnlog *l, const void *p, size_t n)
{
	const char *s = p, *end, *newline;
	size_t len, fits;

	if (n > FNLOG_REQUEST_MAX - l->taken) {
		l->dropped += n - (FNLOG_REQUEST_MAX - l->taken);
		n = (size_t)(FNLOG_REQUEST_MAX - l->taken);
	}
	l->taken += n;
	for (end = s + n; s < end; s += len) {
		newline = memchr(s, '\n', (size_t)(end - s));
		len = (size_t)((newline ? newline : end) - s);
		fits = FNLOG_LINE_MAX - l->line.len;
		if (fits > len)
			fits = len;
		buf_add(&l->line, s, fits);
		l->cut += len - fits;
		if (newline) {
			end_line(l);
			len++;
		}
	}
}

void
fnlog_note(struct fnlog *l, const char *level, const char *text)
{
	struct message m = {
	    .level = level, .text = text, .len = strlen(text)};

	if (m.len > FNLOG_LINE_MAX) {
		m.cut = m.len - FNLOG_LINE_MAX;
		m.len = FNLOG_LINE_MAX;
	}
	add_line(l, &m);
}

void
fnlog_end(struct fnlog *l)
{
	char text[96];

	end_line(l);
	if (l->dropped) {
		snprintf(text, sizeof(text),
		    "%llu bytes dropped: more than %d KB from one request",
		    (unsigned long long)l->dropped, FNLOG_REQUEST_MAX / 1024);
		fnlog_note(l, "warning", text);
	}
	fnlog_flush(l);
}
