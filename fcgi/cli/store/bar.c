/*
 * A line on the terminal that says how far it is (storebar.h).
 */
#include "bar.h"

#include "store/base/clock.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR_WIDTH = 30, WHAT_WIDTH = 24, NARROW = 70, SOON_MS = 2000 };

void
storebar_init(struct storebar *b)
{
	*b = (struct storebar){.terminal = isatty(STDERR_FILENO)};
}

/* "1,234,567" */
static void
grouped(uint64_t n, char out[32])
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%" PRIu64, n), i;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*out++ = ',';
		*out++ = digits[i];
	}
	*out = '\0';
}

static int
columns(void)
{
	struct winsize w;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ?
	    w.ws_col : 80;
}

static void
draw(uint64_t done, uint64_t all)
{
	char bar[BAR_WIDTH + 1];
	int full = (int)((double)done / (double)all * BAR_WIDTH);

	memset(bar, ' ', BAR_WIDTH);
	memset(bar, '#', (size_t)full);
	bar[BAR_WIDTH] = '\0';
	fprintf(stderr, " [%s]", bar);
}

/* "12 s left", once it can be told. */
static void
put_rest(const struct storebar *b, uint64_t done, uint64_t all)
{
	int64_t ran_ms = clock_mono_ms() - b->since_ms;

	if (ran_ms > SOON_MS && done)
		fprintf(stderr, ", %.0f s left", (double)ran_ms / 1000 *
		    (double)(all - done) / (double)done);
}

void
storebar_show(struct storebar *b, const char *what, uint64_t done,
    uint64_t all)
{
	char some[32], total[32];

	if (!b->terminal)
		return;
	if (!b->shown)
		b->since_ms = clock_mono_ms();
	b->shown = true;
	fprintf(stderr, "\r\033[K%.*s", WHAT_WIDTH, what);
	grouped(done, some);
	if (all) {
		if (done > all)
			done = all;
		if (columns() >= NARROW)
			draw(done, all);
		grouped(all, total);
		fprintf(stderr, " %.0f%%  %s of %s",
		    (double)done * 100 / (double)all, some, total);
		put_rest(b, done, all);
	} else
		fprintf(stderr, " %s", some);
	fflush(stderr);
}

void
storebar_progress(void *ctx, const char *json, size_t n)
{
	struct storebar *b = ctx;
	json_t *o;
	const char *what;

	if (!b->terminal)
		return;
	o = json_loadb(json, n, 0, NULL);
	what = json_string_value(json_object_get(o, "what"));
	storebar_show(b, what ? what : "working", (uint64_t)json_integer_value(
	    json_object_get(o, "done")), (uint64_t)json_integer_value(
	    json_object_get(o, "all")));
	json_decref(o);
}

void
storebar_end(struct storebar *b)
{
	if (b->shown)
		fputs("\r\033[K", stderr);
	b->shown = false;
}
