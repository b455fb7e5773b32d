/*
 * The access log (accesslog.h): a line is put together without printf, for
 * there is one for each request.
 */
#include "accesslog.h"

#include "store/base/clock.h"

#include <string.h>

enum { LINE_MAX_BYTES = 128 * 1024 };

void
accesslog_init(struct accesslog *a)
{
	memset(a, 0, sizeof(*a));
	buf_init(&a->line, LINE_MAX_BYTES);
	a->second = -1;
}

void
accesslog_release(struct accesslog *a)
{
	buf_release(&a->line);
}

/* `key` comes with its comma and quotes: ",\"status\":". */
static void
add_number(struct buf *b, const char *key, uint64_t v)
{
	char digits[24];
	size_t i = sizeof(digits);

	do
		digits[--i] = (char)('0' + v % 10);
	while (v /= 10);
	buf_puts(b, key);
	buf_add(b, digits + i, sizeof(digits) - i);
}

/* Microseconds as milliseconds with three places: 1234 is 1.234. */
static void
add_ms(struct buf *b, const char *key, int64_t us)
{
	uint64_t v = us < 0 ? 0 : (uint64_t)us;
	char places[4] = {'.', (char)('0' + v / 100 % 10),
	    (char)('0' + v / 10 % 10), (char)('0' + v % 10)};

	add_number(b, key, v / 1000);
	buf_add(b, places, sizeof(places));
}

static void
add_string(struct buf *b, const char *key, const char *s)
{
	if (!s)
		return;
	buf_puts(b, key);
	buf_json(b, s, strlen(s));
}

/* The date and time to the second are formatted once a second. */
static void
add_time(struct accesslog *a, int64_t wall_ms)
{
	int64_t second = wall_ms / 1000;
	unsigned ms = (unsigned)(wall_ms % 1000);

	if (second != a->second) {
		clock_iso(wall_ms, a->stamp);
		a->second = second;
	}
	a->stamp[20] = (char)('0' + ms / 100);
	a->stamp[21] = (char)('0' + ms / 10 % 10);
	a->stamp[22] = (char)('0' + ms % 10);
	buf_puts(&a->line, "{\"time\":\"");
	buf_add(&a->line, a->stamp, CLOCK_ISO_SIZE - 1);
	buf_putc(&a->line, '"');
}

void
accesslog_write(struct accesslog *a, struct logfile *f,
    const struct accesslog_entry *e)
{
	struct buf *b = &a->line;

	buf_reset(b);
	add_time(a, e->time_ms);
	add_string(b, ",\"id\":", e->request_id);
	add_string(b, ",\"method\":", e->method);
	buf_puts(b, ",\"path\":");
	buf_json(b, e->path ? e->path : "", e->path ? e->path_len : 0);
	if (e->query_len)
		add_number(b, ",\"query_bytes\":", e->query_len);
	add_number(b, ",\"status\":", e->status < 0 ? 0 : (uint64_t)e->status);
	add_string(b, ",\"outcome\":", outcome_name(e->outcome));
	add_number(b, ",\"bytes_out\":", e->bytes_out);
	if (e->bytes_in)
		add_number(b, ",\"bytes_in\":", e->bytes_in);
	add_string(b, ",\"function\":", e->function);
	add_string(b, ",\"route\":", e->route);
	add_string(b, ",\"operation\":", e->operation);
	if (e->table) {
		buf_puts(b, ",\"table\":");
		buf_json(b, e->table, e->table_len);
	}
	add_ms(b, ",\"duration_ms\":", e->duration_us);
	add_ms(b, ",\"wait_ms\":", e->wait_us);
	if (e->cpu_us >= 0)
		add_ms(b, ",\"cpu_ms\":", e->cpu_us);
	if (e->peak_kb >= 0)
		add_number(b, ",\"peak_kb\":", (uint64_t)e->peak_kb);
	if (e->signal > 0)
		add_number(b, ",\"signal\":", (uint64_t)e->signal);
	if (e->exit_status > 0)
		add_number(b, ",\"exit\":", (uint64_t)e->exit_status);
	add_string(b, ",\"client\":", e->client);
	add_string(b, ",\"detail\":", e->detail);
	buf_puts(b, "}\n");
	if (buf_ok(b))
		logfile_write(f, b->data, b->len);
	else
		atomic_fetch_add(&f->lost, 1);
}
