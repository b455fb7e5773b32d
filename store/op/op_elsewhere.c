/*
 * Grants of operations that run elsewhere, where op_read() could not see what
 * is asked for: the keys of tables are those that deploy.yaml declares, and of
 * a table that isn't known here no statement about leading keys allows
 * anything.
 *
 * Grants name tables, of one account; an ARN may be of another, where a table
 * of that name is another one.  So it takes a grant for all tables.
 */
#include "store/op/items/query.h"
#include "store/op/statements/statement.h"

/* As a query of the table here would be allowed; else without its key. */
static int
check_query(struct op *op, struct store_view *v, struct err *e)
{
	const struct read_request *q = &op->request.read;
	const struct access a = {.action = op->request.info->action,
	    .table = q->table, .index = q->index};
	struct page p = {.op = op, .q = q, .query = true,
	    .action = op->request.info->action};
	int rc = op_page_plan(&p, v, e);

	if (rc == 0 || e->code == FAULT_DENIED)
		return rc;
	return op_allow(op, v->catalog, &a, e);
}

static int
check_statement(struct op *op, struct store_view *v,
    const struct statement_request *r, struct err *e)
{
	struct item_request item;
	struct partiql q;
	int rc;

	if (op_statement_read(op, r, &q, e) < 0)
		return -1;
	rc = op_statement_item(op, v->catalog, r, &q, &item, e);
	if (rc > 0 || (rc < 0 && e->code == FAULT_DENIED))
		return rc > 0 ? 0 : -1;
	return op_statement_allow(op, v->catalog, &q, NULL, e);
}

static int
check_statements(struct op *op, struct store_view *v, struct err *e)
{
	size_t i;

	for (i = 0; i < op->request.nstatements; i++)
		if (check_statement(op, v, &op->request.statements[i], e) < 0)
			return -1;
	return 0;
}

/* No table is called so: what allows it allows all. */
static int
check_arns(struct op *op, struct store_view *v, struct err *e)
{
	struct access a;
	size_t i;

	for (i = 0; request_access(&op->request, i, &a); i++) {
		a.table = (struct text){"arn:", 4};
		a.key = NULL;
		if (op_allow(op, v->catalog, &a, e) < 0)
			return err_set(e, FAULT_DENIED, "where resources.store "
			    "has the documents, an ARN may be of another "
			    "account: who may use some tables alone has to "
			    "name them, by TableName");
	}
	return 0;
}

/* What op_read() could not see. */
static int
check_asked(struct op *op, struct store_view *v, struct err *e)
{
	switch (op->request.info->op) {
	case OP_QUERY:
		return check_query(op, v, e);
	case OP_EXECUTE_STATEMENT:
	case OP_BATCH_EXECUTE_STATEMENT:
	case OP_EXECUTE_TRANSACTION:
		return check_statements(op, v, e);
	default:
		return 0;
	}
}

int
op_check_elsewhere(struct op *op, struct store_view *v, struct err *e)
{
	int rc = 0;

	if (!op->token)
		return 0;
	if (store_read_begin(v, e) < 0)
		return -1;
	if (op->request.arns)
		rc = check_arns(op, v, e);
	if (rc == 0)
		rc = check_asked(op, v, e);
	store_read_end(v);
	return rc;
}
