/*
 * What is to expire, by time.
 *
 *   due    8 bytes seconds since 1970, the sign bit turned | key of the item
 *          -> nothing
 */
#include "index_internal.h"

#include "store/value/number.h"

#include <errno.h>
#include <string.h>

enum { TIME_SIZE = 8, SECOND_DIGITS = 18 };

static const int64_t five_years_s = INT64_C(5) * 365 * 24 * 3600;

int
index_expiry(const char *attribute, const struct value *item,
    int64_t *expires_s)
{
	const struct value *v = value_member(item, attribute,
	    strlen(attribute));
	struct number n;
	struct err ignored;
	int64_t s = 0;
	int i;

	if (!v || v->type != VALUE_N ||
	    number_read(&n, v->text.p, v->text.n, &ignored) < 0 ||
	    n.exponent >= SECOND_DIGITS)
		return 0;
	for (i = 0; i <= n.exponent; i++)
		s = s * 10 + (i < n.count ? n.digits[i] : 0);
	*expires_s = n.sign < 0 ? -s : s;
	return 1;
}

/* Before the key, the time such that memcmp orders it. */
static int
due_key(struct arena *a, int64_t expires_s, const struct text *key,
    struct text *out)
{
	unsigned char *p = arena_alloc(a, TIME_SIZE + key->n);

	if (!p)
		return ENOMEM;
	index_store64(p, (uint64_t)expires_s ^ UINT64_C(1) << 63);
	if (key->n)
		memcpy(p + TIME_SIZE, key->p, key->n);
	*out = (struct text){(const char *)p, TIME_SIZE + key->n};
	return 0;
}

static int64_t
due_time(const struct text *key)
{
	return (int64_t)(index_load64(key->p) ^ UINT64_C(1) << 63);
}

static int
change(struct index_view *batch, int64_t expires_s, const struct text *key,
    bool put)
{
	struct index_tree due = index_tree_of(batch, DB_DUE);
	unsigned char nothing[1];
	MDB_val value = {0, nothing};
	struct text at;
	int rc = due_key(&batch->index->scratch, expires_s, key, &at);

	if (rc)
		return rc;
	if (put)
		return index_tree_put(&due, &at, &value);
	rc = index_tree_delete(&due, &at);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int
index_due_change(struct index_view *batch, const struct table *t,
    const struct text *key, const struct value *old,
    const struct value *item, struct err *e)
{
	int64_t was_s = 0, is_s = 0;
	int was = old ? index_expiry(t->ttl, old, &was_s) : 0;
	int is = item ? index_expiry(t->ttl, item, &is_s) : 0;
	int rc = 0;

	if (was && is && was_s == is_s)
		return 0;
	if (was)
		rc = change(batch, was_s, key, false);
	if (is && rc == 0)
		rc = change(batch, is_s, key, true);
	return rc ? index_fail(batch->index, rc, "expiry", e) : 0;
}

static int
take(struct arena *a, const struct text *key, struct index_due *out)
{
	size_t n = key->n - TIME_SIZE;
	const char *p = arena_copy(a, key->p + TIME_SIZE, n);

	if (!p)
		return ENOMEM;
	out->expires_s = due_time(key);
	out->key = (struct text){p, n};
	out->table_id = key_table_id(&out->key);
	return 0;
}

int
index_due(struct index_view *v, int64_t now_s, struct arena *a,
    struct index_due *out, size_t max, size_t *count, struct err *e)
{
	const struct text none = {"", 0};
	struct index_tree due = index_tree_of(v, DB_DUE);
	struct index_walk c;
	struct text from, key;
	MDB_val value;
	int rc;

	*count = 0;
	rc = due_key(a, now_s - five_years_s, &none, &from);
	if (rc == 0)
		rc = index_walk_open(&c, &due);
	if (rc)
		return index_fail(v->index, rc, "expiry", e);
	rc = index_walk_seek(&c, &from, &key, &value);
	while (rc == 0 && *count < max && key.n > TIME_SIZE &&
	    due_time(&key) <= now_s) {
		rc = take(a, &key, &out[(*count)++]);
		if (rc == 0)
			rc = index_walk_next(&c, &key, &value);
	}
	index_walk_close(&c);
	return rc && rc != MDB_NOTFOUND ?
	    index_fail(v->index, rc, "expiry", e) : 0;
}

int
index_unexpire(struct index_view *batch, const struct index_due *due,
    struct err *e)
{
	int rc;

	if (index_reserve(batch, 0, e) < 0)
		return -1;
	arena_reset(&batch->index->scratch);
	rc = change(batch, due->expires_s, &due->key, false);
	return rc ? index_fail(batch->index, rc, "expiry", e) : 0;
}
