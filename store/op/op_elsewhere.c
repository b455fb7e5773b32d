/*
 * Grants of operations that run elsewhere, where op_read() could not see what
 * is asked for: the keys of tables are those that deploy.yaml declares, and of
 * a table that isn't known here no statement about leading keys allows
 * anything.
 */
#include "op_query.h"
#include "op_statement.h"

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

int
op_check_elsewhere(struct op *op, struct store_view *v, struct err *e)
{
	int rc = 0;

	if (!op->token)
		return 0;
	if (store_read_begin(v, e) < 0)
		return -1;
	switch (op->request.info->op) {
	case OP_QUERY:
		rc = check_query(op, v, e);
		break;
	case OP_EXECUTE_STATEMENT:
	case OP_BATCH_EXECUTE_STATEMENT:
	case OP_EXECUTE_TRANSACTION:
		rc = check_statements(op, v, e);
		break;
	default:
		break;
	}
	store_read_end(v);
	return rc;
}
