/*
 * The table of services that answer, for target.h.
 */
#include "target.h"

#include <stdio.h>
#include <string.h>

struct service {
	const char *prefix;
	enum operation_family family;
};

static const struct service services[] = {
	{"DynamoDB_20120810.", OP_FAMILY_DATA},
	{"DynamoDBStreams_20120810.", OP_FAMILY_STREAMS},
};

const struct operation_info *
aws_target(const struct text *target)
{
	const struct operation_info *op;
	size_t i, n;

	for (i = 0; i < sizeof services / sizeof services[0]; i++) {
		n = strlen(services[i].prefix);
		if (!target->p || target->n <= n ||
		    memcmp(target->p, services[i].prefix, n) != 0)
			continue;
		op = operation_named(target->p + n, target->n - n);
		return op && op->family == services[i].family ? op : NULL;
	}
	return NULL;
}

int
aws_target_name(const struct operation_info *op, char *out, size_t room)
{
	size_t i;

	for (i = 0; i < sizeof services / sizeof services[0]; i++)
		if (services[i].family == op->family)
			return snprintf(out, room, "%s%s", services[i].prefix,
			    op->name) < (int)room ? 0 : -1;
	return -1;
}
