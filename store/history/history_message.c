/*
 * The messages of history_message.h.  Runs in the checkpoint's thread.
 */
#include "history_message.h"

#include "history.h"

#include "store/value/fault.h"

#include <string.h>

enum {
	SUBJECT_BYTES = 100,		/* tables beyond are only counted */
	LINES_BYTES = 16 * 1024		/* likewise */
};

void
message_init(struct message *m)
{
	memset(m, 0, sizeof *m);
	buf_init(&m->subject, 2 * SUBJECT_BYTES + 512);
	buf_init(&m->lines, LINES_BYTES);
}

void
message_release(struct message *m)
{
	buf_release(&m->subject);
	buf_release(&m->lines);
}

static void
add_table(struct buf *b, const char *table, size_t n,
    const struct message_counts *c)
{
	buf_add(b, table, n);
	buf_puts(b, ":");
	if (c->cleared)
		buf_puts(b, " cleared");
	if (c->written)
		buf_printf(b, "%s %llu written", c->cleared ? "," : "",
		    (unsigned long long)c->written);
	if (c->gone)
		buf_printf(b, "%s %llu gone",
		    c->cleared || c->written ? "," : "",
		    (unsigned long long)c->gone);
	if (c->settings && !c->cleared && !c->written && !c->gone)
		buf_puts(b, " settings");
}

/* Lines beyond the limit are left out whole. */
static void
add_line(struct message *m, const char *table, size_t n,
    const struct message_counts *c)
{
	if (m->lines.len + n + 80 > m->lines.max)
		return;
	add_table(&m->lines, table, n, c);
	buf_putc(&m->lines, '\n');
}

void
message_table(struct message *m, const char *table, size_t n,
    const struct message_counts *c)
{
	m->tables++;
	add_line(m, table, n, c);
	if (m->subject.len && m->subject.len + n > SUBJECT_BYTES) {
		m->unnamed++;
		return;
	}
	if (m->subject.len)
		buf_puts(&m->subject, "; ");
	add_table(&m->subject, table, n, c);
}

static void
add_note(struct buf *out, const char *note)
{
	size_t i, n = strnlen(note, HISTORY_NOTE_MAX);

	for (i = 0; i < n; i++)
		buf_putc(out, (unsigned char)note[i] < ' ' ? ' ' : note[i]);
}

int
message_finish(const struct message *m, const char *note, uint64_t position,
    struct buf *out, struct err *e)
{
	if (note)
		add_note(out, note);
	else if (!m->tables)
		buf_puts(out, "no change");
	else
		buf_add(out, m->subject.data, m->subject.len);
	if (!note && m->unnamed)
		buf_printf(out, "; %llu more tables",
		    (unsigned long long)m->unnamed);
	buf_puts(out, "\n\n");
	if ((note || m->unnamed) && m->lines.len) {
		buf_add(out, m->lines.data, m->lines.len);
		buf_putc(out, '\n');
	}
	buf_printf(out, "Bothy-Position: %llu\n",
	    (unsigned long long)position);
	if (note) {
		buf_puts(out, "Bothy-Note: ");
		add_note(out, note);
		buf_putc(out, '\n');
	}
	return buf_ok(out) && !m->subject.failed ? 0 :
	    err_set(e, FAULT_LIMIT, "a commit's message is too long");
}
