/*
 * Every moment of a store's life, against a model: random writes, drops,
 * checkpoints and restarts; then each state that was is restored, in place and
 * into another table, and has to be what the model remembers.
 */
#include "rig.h"

#define TABLE \
	"{\"TableName\":\"notes\",\"AttributeDefinitions\":[" \
	"{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}," \
	"{\"AttributeName\":\"at\",\"AttributeType\":\"N\"}]," \
	"\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}," \
	"{\"AttributeName\":\"at\",\"KeyType\":\"RANGE\"}]," \
	"\"BillingMode\":\"PAY_PER_REQUEST\"}"

enum { KEYS = 24, STEPS = 600, MOMENTS = 16, LONG_KEY = 700 };

struct moment {
	unsigned long long position;
	bool there;			/* the table */
	int version[KEYS];		/* 0: none */
};

struct life {
	struct rig rig;
	unsigned seed;
	struct moment now, moments[MOMENTS];
	int count, versions;
	char names[KEYS][LONG_KEY + 1];
};

static unsigned
dice(struct life *l, unsigned n)
{
	l->seed = l->seed * 1103515245 + 12345;
	return (l->seed >> 16) % n;
}

/* Short names, names to be encoded, and such as are cut. */
static void
name_keys(struct life *l)
{
	int i;

	for (i = 0; i < KEYS; i++) {
		if (i % 4 == 3) {
			memset(l->names[i], 'a' + i % 26, LONG_KEY);
			snprintf(l->names[i] + 250, 32, "%d", i);
		} else
			snprintf(l->names[i], LONG_KEY, "%s%d",
			    i % 4 == 2 ? "a/b c." : "k", i);
	}
}

static void
put(struct life *l, int key)
{
	l->now.version[key] = ++l->versions;
	rig_ok(&l->rig, "PutItem", "{\"TableName\":\"notes\",\"Item\":"
	    "{\"id\":\"%s\",\"at\":%d.5,\"v\":%d}}", l->names[key], key,
	    l->versions);
}

static void
drop(struct life *l, int key)
{
	l->now.version[key] = 0;
	rig_ok(&l->rig, "DeleteItem", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"%s\",\"at\":%d.5}}", l->names[key], key);
}

static void
drop_table(struct life *l)
{
	memset(l->now.version, 0, sizeof l->now.version);
	l->now.there = !l->now.there;
	if (l->now.there)
		rig_ok(&l->rig, "CreateTable", TABLE);
	else
		rig_ok(&l->rig, "DeleteTable", "{\"TableName\":\"notes\"}");
}

static void
step(struct life *l)
{
	unsigned what = dice(l, 100);
	int key = (int)dice(l, KEYS);

	if (what < 2 || !l->now.there)
		drop_table(l);
	else if (what < 60)
		put(l, key);
	else if (what < 90)
		drop(l, key);
	else if (what < 98)
		rig_ok(&l->rig, "Checkpoint", "{}");
	else {
		rig_close(&l->rig);
		rig_open(&l->rig);
	}
}

static void
remember(struct life *l)
{
	const char *end = strstr(rig_ok(&l->rig, "Stat", "{}"), "\"End\":");

	assert_non_null(end);
	l->now.position = strtoull(end + 6, NULL, 10);
	l->moments[l->count++] = l->now;
}

static void
expect(struct life *l, const char *table, const struct moment *m)
{
	char want[32];
	int i, n = 0;

	for (i = 0; i < KEYS; i++) {
		const char *reply = rig_ok(&l->rig, "GetItem",
		    "{\"TableName\":\"%s\",\"Key\":{\"id\":\"%s\","
		    "\"at\":%d.5}}", table, l->names[i], i);

		snprintf(want, sizeof want, "\"v\":%d}", m->version[i]);
		n += m->version[i] != 0;
		if (m->version[i])
			rig_has(reply, want);
		else
			rig_lacks(reply, "Item");
	}
	snprintf(want, sizeof want, "\"Count\":%d,", n);
	rig_has(rig_ok(&l->rig, "Scan", "{\"TableName\":\"%s\","
	    "\"Select\":\"COUNT\"}", table), want);
}

/* Of one moment: shown, compared with now, restored. */
static void
check(struct life *l, int i)
{
	const struct moment *m = &l->moments[i];
	int k, changed = 0;
	char want[96];

	if (!m->there) {
		rig_call(&l->rig, "Restore", "{\"TableName\":\"notes\","
		    "\"From\":\"@%llu\"}", m->position);
		assert_int_equal(l->rig.status, FAULT_NOT_FOUND);
		return;
	}
	for (k = 0; k < KEYS; k++)
		changed += m->version[k] && l->now.version[k] &&
		    m->version[k] != l->now.version[k];
	snprintf(want, sizeof want, "\"Changed\":%d}", changed);
	rig_has(rig_ok(&l->rig, "Diff", "{\"TableName\":\"notes\","
	    "\"From\":\"@%llu\",\"Limit\":1}", m->position), want);
	rig_ok(&l->rig, "Restore", "{\"TableName\":\"notes\","
	    "\"From\":\"@%llu\",\"Into\":\"copy%d\"}", m->position, i);
	snprintf(want, sizeof want, "copy%d", i);
	expect(l, want, m);
	rig_ok(&l->rig, "Restore", "{\"TableName\":\"notes\","
	    "\"From\":\"@%llu\"}", m->position);
	expect(l, "notes", m);
	memcpy(l->now.version, m->version, sizeof m->version);
	l->now.there = true;
	if (i % 4 == 0)
		rig_ok(&l->rig, "Checkpoint", "{}");
}

static void
live(unsigned seed)
{
	struct life *l = calloc(1, sizeof *l);
	int i;

	assert_non_null(l);
	print_message("seed %u\n", seed);
	l->seed = seed;
	name_keys(l);
	rig_init(&l->rig);
	drop_table(l);
	for (i = 1; i <= STEPS; i++) {
		step(l);
		if (i % (STEPS / MOMENTS) == 0 && l->count < MOMENTS)
			remember(l);
	}
	for (i = 0; i < l->count; i++)
		check(l, (i * 7) % l->count);
	rig_has(rig_ok(&l->rig, "Check", "{\"Deep\":true}"), "\"Count\":0");
	rig_release(&l->rig);
	free(l);
}

static void
one(void **state)
{
	(void)state;
	live(4711);
}

static void
another(void **state)
{
	(void)state;
	live(815);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one),
		cmocka_unit_test(another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
