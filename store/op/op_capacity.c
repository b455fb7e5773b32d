/*
 * Capacity units, as DynamoDB counts them: a reading unit is 4 KB read
 * consistently or 8 KB otherwise, a writing unit 1 KB.
 */
#include "op_internal.h"

#include <string.h>

enum { READ_UNIT = 4096, WRITE_UNIT = 1024 };

static size_t
units(size_t bytes, size_t unit)
{
	return bytes ? (bytes + unit - 1) / unit : 1;
}

double
op_read_units(size_t bytes, bool consistent)
{
	double n = (double)units(bytes, READ_UNIT);

	return consistent ? n : n / 2;
}

double
op_write_units(size_t bytes)
{
	return (double)units(bytes, WRITE_UNIT);
}

void
op_capacity(struct op *op, struct reply *r, const struct table *t,
    const struct table_index *ix, double read, double write)
{
	const struct text name = {t->name, strlen(t->name)};
	struct capacity_index used;
	struct capacity c = {.read = read, .write = write};

	if (op->request.capacity == CAPACITY_NONE)
		return;
	if (ix) {
		used = (struct capacity_index){ix->name, ix->global,
		    read + write};
		c.indexes = &used;
		c.nindexes = 1;
	} else
		c.table = read + write;
	reply_capacity(r, "ConsumedCapacity", &name, &c,
	    op->request.capacity == CAPACITY_INDEXES, false);
}
