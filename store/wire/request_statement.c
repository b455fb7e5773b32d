/*
 * ExecuteStatement, BatchExecuteStatement and ExecuteTransaction, for
 * request.h.  What stands in a statement is for store/partiql.
 */
#include "request_internal.h"

#define ONE(field) offsetof(struct statement_request, field)
#define STATEMENT {.name = "Statement", .kind = PARAM_TEXT, \
	.flags = PARAM_REQUIRED, .at = ONE(statement), .min = 1, \
	.max = REQUEST_STATEMENT_MAX}
#define PARAMETERS {.name = "Parameters", .kind = PARAM_VALUES, \
	.at = ONE(parameters), .min = 1}
#define CONSISTENT {.name = "ConsistentRead", .kind = PARAM_CHOICE, \
	.at = ONE(consistent)}
#define ON_FAILURE {.name = "ReturnValuesOnConditionCheckFailure", \
	.kind = PARAM_WORD, .at = ONE(on_failure), \
	.words = request_failure_words}

/* --- one ------------------------------------------------------------------- */

struct execute {
	struct statement_request statement;	/* first: ONE() is its place */
	struct text next;
	uint32_t limit;
	enum return_capacity capacity;
};

static const struct param execute_params[] = {
	STATEMENT, PARAMETERS, CONSISTENT, ON_FAILURE,
	{.name = "NextToken", .kind = PARAM_TEXT,
	    .at = offsetof(struct execute, next), .min = 1, .max = 32768},
	{.name = "Limit", .kind = PARAM_INTEGER,
	    .at = offsetof(struct execute, limit), .min = 1},
	{.name = "ReturnConsumedCapacity", .kind = PARAM_WORD,
	    .at = offsetof(struct execute, capacity),
	    .words = request_capacity_words},
};

static int
finish_execute(struct decoder *d, struct request *r, void *raw)
{
	struct execute *x = raw;

	(void)d;
	r->capacity = x->capacity;
	r->statements = &x->statement;
	r->nstatements = 1;
	r->next = x->next;
	r->limit = x->limit;
	return 0;
}

/* --- several --------------------------------------------------------------- */

struct several {
	struct statement_request *statements;
	size_t count;
	enum return_capacity capacity;
	struct text token;
};

static const struct param batch_part_params[] = {
	STATEMENT, PARAMETERS, CONSISTENT, ON_FAILURE,
};

static const struct param transact_part_params[] = {
	STATEMENT, PARAMETERS, ON_FAILURE,
};

static const struct schema batch_part_schema = SCHEMA(
    "BatchStatementRequest", struct statement_request, batch_part_params);
static const struct schema transact_part_schema = SCHEMA(
    "ParameterizedStatement", struct statement_request,
    transact_part_params);

#define SEVERAL(field) offsetof(struct several, field)
#define SEVERAL_CAPACITY {.name = "ReturnConsumedCapacity", \
	.kind = PARAM_WORD, .at = SEVERAL(capacity), \
	.words = request_capacity_words}

static const struct param batch_params[] = {
	{.name = "Statements", .kind = PARAM_STRUCTS, .flags = PARAM_REQUIRED,
	    .at = SEVERAL(statements), .min = 1,
	    .max = REQUEST_STATEMENTS_MAX, .of = &batch_part_schema},
	SEVERAL_CAPACITY,
};

static const struct param transact_params[] = {
	{.name = "TransactStatements", .kind = PARAM_STRUCTS,
	    .flags = PARAM_REQUIRED, .at = SEVERAL(statements), .min = 1,
	    .max = REQUEST_TRANSACT_MAX, .of = &transact_part_schema},
	SEVERAL_CAPACITY,
	{.name = "ClientRequestToken", .kind = PARAM_TEXT,
	    .at = SEVERAL(token), .min = 1, .max = 36},
};

static int
finish_several(struct decoder *d, struct request *r, void *raw)
{
	const struct several *s = raw;

	(void)d;
	r->capacity = s->capacity;
	r->token = s->token;
	r->statements = s->statements;
	r->nstatements = s->count;
	return 0;
}

static const struct schema execute_schema = SCHEMA("ExecuteStatementInput",
    struct execute, execute_params);
static const struct schema batch_schema = SCHEMA(
    "BatchExecuteStatementInput", struct several, batch_params);
static const struct schema transact_schema = SCHEMA(
    "ExecuteTransactionInput", struct several, transact_params);

const struct form request_statement_form = {&execute_schema, true,
    finish_execute};
const struct form request_batch_statement_form = {&batch_schema, true,
    finish_several};
const struct form request_transact_statement_form = {&transact_schema, true,
    finish_several};
