/*
 * DescribeLimits, DescribeEndpoints: what is so for every table.
 */
#include "store/op/op_internal.h"

enum { ACCOUNT_UNITS = 80000, TABLE_UNITS = 40000, CACHE_MINUTES = 1440 };

/* DynamoDB's own figures; nothing here enforces them. */
void
op_describe_limits(struct op *op, struct store_view *v)
{
	struct reply r;

	(void)v;
	op_open(op, &r);
	reply_integer(&r, "AccountMaxReadCapacityUnits", ACCOUNT_UNITS);
	reply_integer(&r, "AccountMaxWriteCapacityUnits", ACCOUNT_UNITS);
	reply_integer(&r, "TableMaxReadCapacityUnits", TABLE_UNITS);
	reply_integer(&r, "TableMaxWriteCapacityUnits", TABLE_UNITS);
	op_close(op, &r);
}

/*
 * The store knows no address but its socket: who speaks HTTP for it puts the
 * one that was asked in this one's place.
 */
void
op_describe_endpoints(struct op *op, struct store_view *v)
{
	struct reply r;

	(void)v;
	op_open(op, &r);
	reply_list(&r, "Endpoints");
	reply_object(&r, NULL);
	reply_string(&r, "Address", "localhost");
	reply_integer(&r, "CachePeriodInMinutes", CACHE_MINUTES);
	op_close(op, &r);
}
