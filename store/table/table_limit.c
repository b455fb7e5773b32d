/*
 * Which tables have a limit of throughput that is kept to, for table.h.
 *
 * OnDemandThroughput is one wherever it is given.  ProvisionedThroughput has to
 * be given, and tools give five units where nobody has thought of any (or more
 * than a store of one's own would ever ask for), so it limits only where it is
 * smaller than that; or where the table's tag says so, which counts before all.
 */
#include "table.h"

#include <string.h>

enum { UNTHOUGHT = 5 };

static const char TAG[] = "bothy:throughput";

static uint64_t
provisioned(const struct table *t, uint64_t units)
{
	const struct table_tag *tag = table_tag_named(t, TAG, sizeof TAG - 1);

	if (tag && strcmp(tag->value, "enforced") == 0)
		return units;
	if (tag && strcmp(tag->value, "off") == 0)
		return 0;
	return units < UNTHOUGHT ? units : 0;
}

uint64_t
table_limit(const struct table *t, const struct table_index *ix, bool write)
{
	bool own = ix && ix->global;
	const struct table_units *units = own ? &ix->units : &t->terms.units;
	const struct table_units *most = own ? &ix->most : &t->terms.most;

	if (t->terms.provisioned)
		return provisioned(t, write ? units->writes : units->reads);
	return write ? most->writes : most->reads;
}

bool
table_is_limited(const struct table *t)
{
	size_t i;

	if (table_limit(t, NULL, false) || table_limit(t, NULL, true))
		return true;
	for (i = 0; i < t->nindexes; i++)
		if (table_limit(t, &t->indexes[i], false) ||
		    table_limit(t, &t->indexes[i], true))
			return true;
	return false;
}
