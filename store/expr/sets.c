/*
 * Sums of sets, lists and numbers.  Runs in the daemon's writer.
 */
#include "sets.h"

#include "scope.h"
#include "store/value/fault.h"
#include "store/value/number.h"

#include <string.h>

/* --- sets, in order as value.h promises ----------------------------------- */

static int
compare(enum value_type set, const struct text *x, const struct text *y)
{
	struct value a = {.type = VALUE_N, .text = *x};
	struct value b = {.type = VALUE_N, .text = *y};

	return set == VALUE_NS ? value_compare(&a, &b) : text_compare(x, y);
}

int
sets_union(struct arena *a, const struct value *x, const struct value *y,
    struct value *out, struct err *e)
{
	struct text *t = arena_array(a, x->count + y->count, sizeof *t);
	size_t i = 0, j = 0, n = 0;
	int order;

	if (!t)
		return scope_no_memory(e);
	while (i < x->count && j < y->count) {
		order = compare(x->type, &x->texts[i], &y->texts[j]);
		t[n++] = order <= 0 ? x->texts[i] : y->texts[j];
		i += order <= 0;
		j += order >= 0;
	}
	while (i < x->count)
		t[n++] = x->texts[i++];
	while (j < y->count)
		t[n++] = y->texts[j++];
	*out = (struct value){.type = x->type, .count = n, .texts = t};
	return 0;
}

int
sets_minus(struct arena *a, const struct value *x, const struct value *y,
    struct value *out, struct err *e)
{
	struct text *t = arena_array(a, x->count, sizeof *t);
	size_t i = 0, j = 0, n = 0;
	int order;

	if (!t)
		return scope_no_memory(e);
	while (i < x->count) {
		order = j < y->count ?
		    compare(x->type, &x->texts[i], &y->texts[j]) : -1;
		if (order < 0)
			t[n++] = x->texts[i];
		i += order <= 0;
		j += order >= 0;
	}
	*out = (struct value){.type = x->type, .count = n, .texts = t};
	return 0;
}

/* --- lists and numbers ---------------------------------------------------- */

int
sets_append(struct arena *a, const struct value *x, const struct value *y,
    struct value *out, struct err *e)
{
	size_t n = x->count + y->count;
	struct value *items = arena_array(a, n, sizeof *items);

	if (!items)
		return scope_no_memory(e);
	if (x->count)
		memcpy(items, x->items, x->count * sizeof *items);
	if (y->count)
		memcpy(items + x->count, y->items, y->count * sizeof *items);
	*out = (struct value){.type = VALUE_L, .count = n, .items = items};
	return 0;
}

int
sets_sum(struct arena *a, const struct value *x, const struct value *y,
    bool minus, struct value *out, struct err *e)
{
	struct number m, n;
	int rc;

	if (number_read(&m, x->text.p, x->text.n, e) < 0 ||
	    number_read(&n, y->text.p, y->text.n, e) < 0)
		return -1;
	rc = minus ? number_subtract(&m, &m, &n, e) :
	    number_add(&m, &m, &n, e);
	/* Of a sum that needs more digits DynamoDB says just that. */
	if (rc < 0 && strstr(e->text, "significant digits"))
		return err_set(e, FAULT_VALIDATION, "Number overflow. "
		    "Attempting to store a number with magnitude larger than "
		    "supported range");
	if (rc < 0)
		return -1;
	return number_value(&m, a, out) < 0 ? scope_no_memory(e) : 0;
}
