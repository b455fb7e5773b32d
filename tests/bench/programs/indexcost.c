/*
 * What the index costs alone: items of about 450 bytes put in batches of 64 at
 * random, then read at random, then put over; microseconds each.
 *
 *   indexcost DIRECTORY ITEMS [ROUNDS]
 */
#include "store/base/clock.h"
#include "store/index/index.h"
#include "store/value/typed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { BATCH = 64 };

static const char table_json[] = "{\"name\":\"bench\",\"id\":1,"
    "\"hash\":[{\"name\":\"id\",\"type\":\"S\"}]}";

static struct bench {
	struct index *index;
	struct index_view *view;
	struct table *table;
	struct arena arena;
	struct err e;
	char pad[401];
} b;

static void
must(int r)
{
	if (r >= 0)
		return;
	err_print(&b.e, "indexcost");
	exit(1);
}

static unsigned
draw(unsigned below)
{
	static uint64_t seed = 0x9e3779b97f4a7c15u;

	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)((seed * 0x2545f4914f6cdd1du >> 33) % below);
}

static struct text
key_of(unsigned n, struct value *item, char *json, size_t room)
{
	struct text key;
	int len;

	arena_reset(&b.arena);
	len = snprintf(json, room, "{\"at\":{\"N\":\"%u\"},\"id\":{\"S\":"
	    "\"user-%08u\"},\"text\":{\"S\":\"%s\"}}", n, n, b.pad);
	must(typed_read_item(&b.arena, json, (size_t)len, item, &b.e));
	must(key_item(&b.arena, b.table, item, &key, &b.e));
	return key;
}

static void
put(struct index_view *batch, unsigned n)
{
	struct value item;
	char json[600];
	struct text key = key_of(n, &item, json, sizeof json);
	struct text bytes = {json, strlen(json)};

	must(index_put(batch, b.table, &key, NULL, &item, &bytes, 1, &b.e));
}

/* Puts `count` items, in the order of creation or at random. */
static double
put_all(unsigned items, unsigned count, unsigned size, int random)
{
	int64_t start_us = clock_mono_us();
	struct index_view *batch;
	unsigned i, k;

	for (i = 0; i < count; i += size) {
		batch = index_begin(b.index, size * 4096, &b.e);
		must(batch ? 0 : -1);
		for (k = 0; k < size; k++)
			put(batch, random ? draw(items) : i + k);
		must(index_commit(batch, i, &b.e));
	}
	return (double)(clock_mono_us() - start_us) / count;
}

static double
get_all(unsigned items, unsigned count, int really)
{
	int64_t start_us = clock_mono_us();
	struct index_record record;
	struct value item;
	struct text key;
	char json[600];
	unsigned i;

	for (i = 0; i < count; i++) {
		key = key_of(draw(items), &item, json, sizeof json);
		if (!really)
			continue;
		must(index_read_begin(b.view, &b.e));
		must(index_get(b.view, &key, &record, &b.e) - 1);
		index_read_end(b.view);
	}
	return (double)(clock_mono_us() - start_us) / count;
}

static double
scan(unsigned *count)
{
	int64_t start_us = clock_mono_us();
	struct index_cursor *c;
	struct index_entry entry;
	struct key_range r;
	int got;

	*count = 0;
	must(key_range_scan(&b.arena, b.table, NULL, 0, 1, &r, &b.e));
	must(index_read_begin(b.view, &b.e));
	c = index_cursor_open(b.view, NULL, &r, false, &b.e);
	must(c ? 0 : -1);
	while ((got = index_cursor_next(c, &entry, &b.e)) > 0)
		++*count;
	must(got);
	index_cursor_close(c);
	index_read_end(b.view);
	return (double)(clock_mono_us() - start_us) / *count;
}

int
main(int argc, char **argv)
{
	unsigned items = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	unsigned rounds = argc > 3 ? (unsigned)atoi(argv[3]) : 100000, n;
	struct index_room room;
	double bare;

	if (items == 0) {
		fprintf(stderr, "usage: indexcost DIRECTORY ITEMS [ROUNDS]\n");
		return 2;
	}
	mkdir(argv[1], 0700);
	memset(b.pad, 'x', sizeof b.pad - 1);
	arena_init(&b.arena, 1 << 20);
	b.table = table_read(table_json, sizeof table_json - 1, &b.e);
	b.index = b.table ? index_open(argv[1], NULL, &b.e) : NULL;
	b.view = b.index ? index_view_new(b.index, &b.e) : NULL;
	must(b.view ? 0 : -1);
	printf("fill, batches of 4096   %7.2f us\n",
	    put_all(items, items, 4096, 0));
	bare = get_all(items, rounds, 0);
	printf("make a key (in each)    %7.2f us\n", bare);
	printf("get                     %7.2f us\n",
	    get_all(items, rounds, 1) - bare);
	printf("put over, batches of 64 %7.2f us\n",
	    put_all(items, rounds, BATCH, 1) - bare);
	printf("put over, alone         %7.2f us\n",
	    put_all(items, rounds / 10, 1, 1) - bare);
	printf("scan                    %7.2f us\n", scan(&n));
	must(index_room(b.index, &room, &b.e));
	printf("%u items, %zu MB\n", n, room.used_bytes >> 20);
	index_view_free(b.view);
	index_close(b.index);
	table_free(b.table);
	arena_release(&b.arena);
	return 0;
}
