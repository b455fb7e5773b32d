/*
 * UpdateTable: what it changes in a table, for table.h; in DynamoDB's words.
 */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INVALID "One or more parameter values were invalid: "

enum { DAY_MS = 24 * 60 * 60 * 1000, WARM_READS = 12000, WARM_WRITES = 4000 };

static struct table_index *
global_named(struct table *t, const struct text *name)
{
	size_t i;

	for (i = 0; i < t->nindexes; i++)
		if (t->indexes[i].global &&
		    strlen(t->indexes[i].name) == name->n &&
		    memcmp(t->indexes[i].name, name->p, name->n) == 0)
			return &t->indexes[i];
	return NULL;
}

/* --- throughput ---------------------------------------------------------- */

/* `index` NULL: the table's own. */
static int
set_units(struct table_units *u, const struct throughput *q,
    const char *index, struct err *e)
{
	char of[TABLE_NAME_MAX + 8] = "the table", about[sizeof of] = "table";

	if (u->reads != q->reads || u->writes != q->writes) {
		*u = (struct table_units){q->reads, q->writes};
		return 0;
	}
	if (index) {
		snprintf(of, sizeof of, "index %s", index);
		snprintf(about, sizeof about, "index %s", index);
	}
	return err_set(e, FAULT_VALIDATION, "The provisioned throughput for "
	    "the %s will not change. The requested value equals the current "
	    "value. Current ReadCapacityUnits provisioned for %s: %llu. "
	    "Requested ReadCapacityUnits: %llu. Current WriteCapacityUnits "
	    "provisioned for %s: %llu. Requested WriteCapacityUnits: %llu. "
	    "Refer to the Amazon DynamoDB Developer Guide for current limits "
	    "and how to request higher limits.", about, of,
	    (unsigned long long)u->reads, (unsigned long long)q->reads, of,
	    (unsigned long long)u->writes, (unsigned long long)q->writes);
}

static void
note_change(struct table_terms *t, const struct table_units *was,
    int64_t now_ms)
{
	if (t->units.reads > was->reads || t->units.writes > was->writes)
		t->increased_ms = now_ms;
	if (t->units.reads >= was->reads && t->units.writes >= was->writes)
		return;
	if (t->decreased_ms / DAY_MS != now_ms / DAY_MS)
		t->decreases = 0;
	t->decreases++;
	t->decreased_ms = now_ms;
}

static void
go_on_demand(struct table *t, int64_t now_ms)
{
	size_t i;

	if (t->terms.provisioned)
		t->terms.on_demand_ms = now_ms;
	t->terms.provisioned = false;
	t->terms.units = (struct table_units){0, 0};
	for (i = 0; i < t->nindexes; i++)
		t->indexes[i].units = (struct table_units){0, 0};
}

static int
change_units(const struct table_request *q, struct table *t, int64_t now_ms,
    struct err *e)
{
	struct table_units was = t->terms.units;

	if (op_table_on_demand(&q->billing)) {
		go_on_demand(t, now_ms);
		return 0;
	}
	if (!q->throughput.reads)
		return 0;
	if (!q->billing.p && !t->terms.provisioned)
		return err_set(e, FAULT_VALIDATION, INVALID "Neither "
		    "ReadCapacityUnits nor WriteCapacityUnits can be "
		    "specified when BillingMode is PAY_PER_REQUEST");
	if (set_units(&t->terms.units, &q->throughput, NULL, e) < 0)
		return -1;
	note_change(&t->terms, &was, now_ms);
	t->terms.provisioned = true;
	t->terms.most = (struct table_units){0, 0};
	return 0;
}

static bool
says_most(const struct throughput *q)
{
	return q->reads || q->writes || q->no_reads || q->no_writes;
}

/* OnDemandThroughput; -1 takes a limit away. */
static int
change_most(const struct throughput *q, const struct table *t,
    struct table_units *most, struct err *e)
{
	if (!says_most(q))
		return 0;
	if (t->terms.provisioned)
		return err_set(e, FAULT_VALIDATION, INVALID
		    "MaxReadRequestUnits for OnDemandThroughput cannot be "
		    "specified when the table BillingMode is PROVISIONED");
	if (q->reads || q->no_reads)
		most->reads = q->reads;
	if (q->writes || q->no_writes)
		most->writes = q->writes;
	return 0;
}

static int
change_warm(const struct throughput *q, const struct table *t,
    const struct table_units *units, struct table_units *warm, struct err *e)
{
	uint64_t reads = t->terms.provisioned ? units->reads : WARM_READS;
	uint64_t writes = t->terms.provisioned ? units->writes : WARM_WRITES;

	if (warm->reads > reads)
		reads = warm->reads;
	if (warm->writes > writes)
		writes = warm->writes;
	if ((q->reads && q->reads < reads) ||
	    (q->writes && q->writes < writes))
		return err_set(e, FAULT_VALIDATION, INVALID "Requested "
		    "%sUnitsPerSecond for WarmThroughput for table is lower "
		    "than current WarmThroughput, decreasing WarmThroughput "
		    "is not supported",
		    q->reads && q->reads < reads ? "Read" : "Write");
	if (q->reads)
		warm->reads = q->reads;
	if (q->writes)
		warm->writes = q->writes;
	return 0;
}

/* --- indexes ------------------------------------------------------------- */

static int
remove_index(struct table *t, const struct text *name, struct err *e)
{
	struct table_index *ix = global_named(t, name);

	if (!ix)
		return err_set(e, FAULT_NOT_FOUND, "Requested resource not "
		    "found");
	free(ix->nonkey);
	t->nindexes--;
	memmove(ix, ix + 1,
	    (size_t)(t->indexes + t->nindexes - ix) * sizeof *ix);
	return 0;
}

static int
check_new(const struct table *t, const struct index_request *r,
    struct err *e)
{
	size_t i, globals = 0;

	if (table_index_named(t, r->name.p, r->name.n))
		return err_set(e, FAULT_VALIDATION, "Attempting to create an "
		    "index which already exists");
	for (i = 0; i < t->nindexes; i++)
		globals += t->indexes[i].global;
	if (globals >= TABLE_GLOBAL_MAX)
		return err_set(e, FAULT_LIMIT, "Subscriber limit exceeded: "
		    "Number of global secondary indexes exceeds per-table "
		    "limit of %d", TABLE_GLOBAL_MAX);
	if (t->terms.provisioned && !r->throughput.reads)
		return err_set(e, FAULT_VALIDATION, INVALID
		    "ProvisionedThroughput is not specified for index: %.*s",
		    (int)r->name.n, r->name.p);
	if (!t->terms.provisioned && r->throughput.reads)
		return err_set(e, FAULT_VALIDATION, INVALID
		    "ProvisionedThroughput should not be specified for index: "
		    "%.*s when BillingMode is PAY_PER_REQUEST",
		    (int)r->name.n, r->name.p);
	return 0;
}

static int
add_index(const struct table_request *q, const struct table *old,
    struct table *t, const struct index_request *r, struct err *e)
{
	struct table_index *more;

	if (check_new(t, r, e) < 0)
		return -1;
	more = realloc(t->indexes, (t->nindexes + 1) * sizeof *more);
	if (!more)
		return op_no_memory(e);
	t->indexes = more;
	more = &t->indexes[t->nindexes];
	*more = (struct table_index){.global = true, .filling = true};
	more->id = t->next_index++;
	t->nindexes++;
	return op_table_make_index(q, old, r, more, e);
}

static int
change_index(struct table *t, const struct index_request *r, struct err *e)
{
	struct table_index *ix = global_named(t, &r->name);

	if (!ix)
		return err_set(e, FAULT_NOT_FOUND, "Requested resource not "
		    "found");
	if (!r->throughput.reads && !says_most(&r->most) && !r->warm.reads &&
	    !r->warm.writes)
		return err_set(e, FAULT_VALIDATION, INVALID "The only Updates "
		    "for index: %s when TableThroughputMode is %s can be to "
		    "%sWarmThroughput", ix->name, t->terms.provisioned
		        ? "PROVISIONED" : "PAY_PER_REQUEST",
		    t->terms.provisioned ? "ProvisionedThroughput, "
		                         : "OnDemandThroughput, ");
	if (r->throughput.reads && !t->terms.provisioned)
		return err_set(e, FAULT_VALIDATION, INVALID
		    "ProvisionedThroughput should not be specified for index: "
		    "%s when BillingMode is PAY_PER_REQUEST", ix->name);
	if (r->throughput.reads &&
	    set_units(&ix->units, &r->throughput, ix->name, e) < 0)
		return -1;
	return change_most(&r->most, t, &ix->most, e) < 0 ||
	        change_warm(&r->warm, t, &ix->units, &ix->warm, e) < 0
	    ? -1
	    : 0;
}

/* One comes or goes at a time; that one may be given up, though. */
static int
check_online(const struct table *t, const struct index_request *r,
    struct err *e)
{
	size_t i;

	for (i = 0; r->change != INDEX_UPDATE && i < t->nindexes; i++)
		if (t->indexes[i].filling && (r->change == INDEX_CREATE ||
		        strlen(t->indexes[i].name) != r->name.n ||
		        memcmp(t->indexes[i].name, r->name.p, r->name.n) != 0))
			return err_set(e, FAULT_LIMIT, "Subscriber limit "
			    "exceeded: Only 1 online index can be created or "
			    "deleted simultaneously per table");
	return 0;
}

static int
change_indexes(const struct table_request *q, const struct table *old,
    struct table *t, struct err *e)
{
	const struct index_request *r;
	int rc = 0;
	size_t i;

	for (i = 0; rc == 0 && i < q->nglobals; i++) {
		r = &q->globals[i];
		rc = check_online(old, r, e);
		if (rc == 0 && r->change == INDEX_CREATE)
			rc = add_index(q, old, t, r, e);
		else if (rc == 0 && r->change == INDEX_DELETE)
			rc = remove_index(t, &r->name, e);
		else if (rc == 0)
			rc = change_index(t, r, e);
	}
	for (i = 0; rc == 0 && t->terms.provisioned && i < t->nindexes; i++)
		if (t->indexes[i].global && !t->indexes[i].units.reads)
			rc = err_set(e, FAULT_VALIDATION, INVALID
			    "ProvisionedThroughput must be specified for "
			    "index: %s", t->indexes[i].name);
	return rc;
}

/* --- the rest ------------------------------------------------------------ */

void
op_table_stream(struct table *t, enum stream_view view, int64_t now_ms)
{
	if (t->stream != STREAM_OFF) {
		t->stream_was = t->stream;
		t->stream_was_since_ms = t->stream_since_ms;
		t->stream_was_from = t->stream_from;
		t->stream_until_ms = now_ms;
	}
	t->stream = view;
	if (view != STREAM_OFF)
		t->stream_since_ms = now_ms;
}

static int
change_stream(const struct table_request *q, struct table *t, int64_t now_ms,
    struct err *e)
{
	if (q->stream == CHOICE_YES && t->stream != STREAM_OFF)
		return err_set(e, FAULT_VALIDATION, "Table already has an "
		    "enabled stream: TableName: %s", t->name);
	if (q->stream == CHOICE_NO && t->stream == STREAM_OFF)
		return err_set(e, FAULT_VALIDATION, "Table has no stream to "
		    "disable: TableName: %s", t->name);
	if (q->stream == CHOICE_NO)
		op_table_stream(t, STREAM_OFF, now_ms);
	if (q->stream == CHOICE_YES)
		op_table_stream(t, op_table_view(&q->stream_view), now_ms);
	return 0;
}

static void
change_class(const struct table_request *q, struct table_terms *t,
    int64_t now_ms)
{
	enum table_class class = q->class.n > 8 ? TABLE_CLASS_INFREQUENT
	                                        : TABLE_CLASS_STANDARD;

	if (!q->class.p)
		return;
	if (t->class != class)
		t->class_ms = now_ms;
	t->class = class;
}

int
op_table_change(const struct table_request *q, const struct table *old,
    struct table *t, int64_t now_ms, struct err *e)
{
	if (q->protected != CHOICE_ABSENT)
		t->protected = q->protected == CHOICE_YES;
	if (q->history != CHOICE_ABSENT)
		t->history = q->history == CHOICE_YES;
	if (!t->history)
		t->terms.pitr_ms = 0;
	change_class(q, &t->terms, now_ms);
	return change_units(q, t, now_ms, e) < 0 ||
	        change_most(&q->most, t, &t->terms.most, e) < 0 ||
	        change_warm(&q->warm, t, &t->terms.units, &t->terms.warm, e) <
	            0 ||
	        change_indexes(q, old, t, e) < 0 ||
	        change_stream(q, t, now_ms, e) < 0
	    ? -1
	    : 0;
}

bool
op_table_changes_slowly(const struct table_request *q)
{
	return q->billing.p || q->throughput.reads || q->nglobals ||
	    q->stream != CHOICE_ABSENT || q->class.p;
}
