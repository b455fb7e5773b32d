/*
 * What DynamoDB answers, by tables of cases: each file of tests/cases/op is a
 * conversation with a store of its own.  A line is an operation, its body and
 * the reply, with tabs between; documents are plain JSON.
 *
 *	a reply		the body of one that succeeds, or the exception and its
 *			text
 *	~a part		the reply holds it
 *	$123$		in a body: so many x
 */
#include "rig.h"

static const char *const files[] = {
	"batches", "capacity", "names", "pages", "projected", "transactions",
	"updates",
};

/* `body` with what it repeats; the caller frees it. */
static char *
expand(const char *body)
{
	const char *mark;
	struct buf b;
	char *end;
	unsigned long n;

	buf_init(&b, 64 << 20);
	while ((mark = strchr(body, '$')) != NULL) {
		n = strtoul(mark + 1, &end, 10);
		if (*end != '$' || end == mark + 1)
			fail_msg("%s: not $123$", body);
		buf_add(&b, body, (size_t)(mark - body));
		while (n-- > 0)
			buf_putc(&b, 'x');
		body = end + 1;
	}
	buf_puts(&b, body);
	return buf_take(&b);
}

/* A reply as the cases have it. */
static void
tell(struct rig *r, const char *reply, struct buf *out)
{
	static const char BEGIN[] = "{\"message\":\"";

	buf_reset(out);
	if (!r->status) {
		buf_puts(out, reply);
		return;
	}
	buf_puts(out, fault_name(r->status));
	buf_putc(out, ' ');
	if (strncmp(reply, BEGIN, sizeof BEGIN - 1) == 0)
		reply += sizeof BEGIN - 1;
	buf_puts(out, reply);
	if (out->len > 2 && strcmp(buf_str(out) + out->len - 2, "\"}") == 0) {
		out->len -= 2;
		out->data[out->len] = '\0';
	}
}

static void
one_case(struct rig *r, const char *file, int number, char *line)
{
	char *name = strsep(&line, "\t"), *body = strsep(&line, "\t");
	const char *reply;
	struct buf got;
	char *full;

	if (!line)
		fail_msg("%s:%d: not three columns", file, number);
	full = expand(body);
	assert_non_null(full);
	reply = rig_call_with(r, name, full, true, false);
	free(full);
	buf_init(&got, 64 << 20);
	tell(r, reply, &got);
	if (*line == '~' ? strstr(buf_str(&got), line + 1) == NULL :
	    strcmp(buf_str(&got), line) != 0)
		fail_msg("%s:%d: %s %.300s\n  is  %.2000s\n  not %s", file,
		    number, name, body, buf_str(&got), line);
	buf_release(&got);
}

static void
conversation(const char *file)
{
	char path[64], *rest, *line;
	struct rig r;
	struct buf b;
	struct err e;
	int number = 0, count = 0;

	snprintf(path, sizeof path, "tests/cases/op/%s.txt", file);
	buf_init(&b, 16 << 20);
	if (io_read_file(AT_FDCWD, path, &b, &e) < 0)
		fail_msg("%s", e.text);
	rig_init(&r);
	rest = b.data;
	while ((line = strsep(&rest, "\n")) != NULL) {
		number++;
		if (!*line || *line == '#')
			continue;
		one_case(&r, file, number, line);
		count++;
	}
	assert_true(count > 5);
	rig_release(&r);
	buf_release(&b);
}

static void
conversations(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof files / sizeof *files; i++)
		conversation(files[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conversations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
