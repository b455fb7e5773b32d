/*
 * Bothy's own operations, for request.h: who speaks them is the command line,
 * so a parameter that isn't known is refused.
 */
#include "request_internal.h"

#define STORE(field) (AT(store) + offsetof(struct store_request, field))
#define TABLE(flag) {.name = "TableName", .kind = PARAM_TEXT, \
	.flags = PARAM_PATTERN | (flag), .at = STORE(table), .min = 3, \
	.max = 255}
#define KEY(flag) {.name = "Key", .kind = PARAM_ITEM, .flags = (flag), \
	.at = STORE(key)}
#define NAME(flag) {.name = "Name", .kind = PARAM_TEXT, .flags = (flag), \
	.at = STORE(name), .min = 1, .max = 255}
#define FROM(flag) {.name = "From", .kind = PARAM_TEXT, .flags = (flag), \
	.at = STORE(from), .min = 1, .max = 255}
#define TO {.name = "To", .kind = PARAM_TEXT, .at = STORE(to), .min = 1, \
	.max = 255}
#define LIMIT {.name = "Limit", .kind = PARAM_INTEGER, .at = STORE(limit), \
	.min = 1, .max = 100000}
#define PATH(flag) {.name = "Path", .kind = PARAM_TEXT, .flags = (flag), \
	.at = STORE(path), .min = 1, .max = 4095}
#define FORMAT {.name = "Format", .kind = PARAM_TEXT, .at = STORE(format), \
	.words = format_words}

static const struct word format_words[] = {
	{"files", 1}, {"lines", 2}, {"dynamodb", 3}, {NULL, 0},
};

static const struct param document_params[] = {
	TABLE(PARAM_REQUIRED), KEY(PARAM_REQUIRED),
};

static const struct param log_params[] = {
	TABLE(0), KEY(0), FROM(0), LIMIT,
};

static const struct param diff_params[] = {
	TABLE(0), KEY(0), FROM(PARAM_REQUIRED), TO, LIMIT,
};

static const struct param show_params[] = {
	TABLE(PARAM_REQUIRED), KEY(PARAM_REQUIRED), FROM(PARAM_REQUIRED),
};

static const struct param backup_params[] = {
	NAME(PARAM_REQUIRED),
};

static const struct param limit_params[] = {
	LIMIT,
};

static const struct param restore_params[] = {
	TABLE(0), KEY(0), FROM(PARAM_REQUIRED), LIMIT,
	{.name = "Into", .kind = PARAM_TEXT, .flags = PARAM_PATTERN,
	    .at = STORE(into), .min = 3, .max = 255},
	{.name = "DryRun", .kind = PARAM_FLAG, .at = STORE(dry)},
	{.name = "Preview", .kind = PARAM_TEXT, .at = STORE(preview),
	    .min = 1, .max = 255},
};

static const struct param adopt_params[] = {
	TABLE(0), KEY(0), PATH(0),
};

static const struct param check_params[] = {
	TABLE(0), LIMIT,
	{.name = "Deep", .kind = PARAM_FLAG, .at = STORE(deep)},
};

static const struct param export_params[] = {
	TABLE(PARAM_REQUIRED), PATH(PARAM_REQUIRED), FORMAT,
	{.name = "DryRun", .kind = PARAM_FLAG, .at = STORE(dry)},
};

/* Of Import: Name is what the Path is called in what is said of it. */
static const struct param import_params[] = {
	TABLE(PARAM_REQUIRED), PATH(PARAM_REQUIRED), FORMAT, NAME(0),
	{.name = "DryRun", .kind = PARAM_FLAG, .at = STORE(dry)},
};

/*
 * Of Mirror: without a Name, which mirrors there are.  "name=url" adds one or
 * gives it another URL, "name=" removes it, "name" pushes to it and waits.
 */
static const struct param mirror_params[] = {
	{.name = "Name", .kind = PARAM_TEXT, .at = STORE(name), .min = 1,
	    .max = 4096},
};

/* Of Merge: From is the whole id of a commit that was pushed. */
static const struct param merge_params[] = {
	FROM(PARAM_REQUIRED),
	{.name = "Whole", .kind = PARAM_FLAG, .at = STORE(whole)},
	{.name = "DryRun", .kind = PARAM_FLAG, .at = STORE(dry)},
};

/*
 * A definition is JSON in a text: what deploy.yaml says of a table; so are the
 * settings, of the store.
 */
static const struct param declare_params[] = {
	{.name = "Tables", .kind = PARAM_TEXTS, .flags = PARAM_REQUIRED,
	    .at = STORE(definitions), .max = 2500},
	{.name = "Settings", .kind = PARAM_TEXT, .at = STORE(settings),
	    .min = 2, .max = 128 * 1024},
};

static int
finish(struct decoder *d, struct request *r, void *raw)
{
	const struct store_request *s = &r->store;

	(void)raw;
	if (schema_value(d, "Key") < 0)
		return -1;
	if (s->key && !s->table.p)
		return schema_fail(d, "a Key needs the TableName it is of");
	if (s->into.p && (!s->table.p || s->key))
		return schema_fail(d, "Into is for the restore of one table");
	return 0;
}

#define OWN(params) SCHEMA("Request", struct request, params)

static const struct schema nothing = {"Request", sizeof(struct request),
    NULL, 0};
static const struct schema document_schema = OWN(document_params);
static const struct schema log_schema = OWN(log_params);
static const struct schema diff_schema = OWN(diff_params);
static const struct schema show_schema = OWN(show_params);
static const struct schema backup_schema = OWN(backup_params);
static const struct schema limit_schema = OWN(limit_params);
static const struct schema restore_schema = OWN(restore_params);
static const struct schema adopt_schema = OWN(adopt_params);
static const struct schema check_schema = OWN(check_params);
static const struct schema export_schema = OWN(export_params);
static const struct schema import_schema = OWN(import_params);
static const struct schema mirror_schema = OWN(mirror_params);
static const struct schema declare_schema = OWN(declare_params);
static const struct schema merge_schema = OWN(merge_params);

#define FORM(op) [(op) - OP_STAT]

const struct form request_store_forms[OP_END - OP_STAT] = {
	FORM(OP_STAT) = {&nothing, false, NULL},
	FORM(OP_PATH) = {&document_schema, false, finish},
	FORM(OP_LOG) = {&log_schema, false, finish},
	FORM(OP_DIFF) = {&diff_schema, false, finish},
	FORM(OP_BLAME) = {&document_schema, false, finish},
	FORM(OP_SHOW) = {&show_schema, false, finish},
	FORM(OP_CHECKPOINT) = {&nothing, false, NULL},
	FORM(OP_BACKUP) = {&backup_schema, false, NULL},
	FORM(OP_BACKUPS) = {&limit_schema, false, NULL},
	FORM(OP_RESTORE) = {&restore_schema, false, finish},
	FORM(OP_FORGET) = {&document_schema, false, finish},
	FORM(OP_ADOPT) = {&adopt_schema, false, finish},
	FORM(OP_CHECK) = {&check_schema, false, NULL},
	FORM(OP_REINDEX) = {&nothing, false, NULL},
	FORM(OP_IMPORT) = {&import_schema, false, NULL},
	FORM(OP_EXPORT) = {&export_schema, false, NULL},
	FORM(OP_MIRROR) = {&mirror_schema, false, NULL},
	FORM(OP_STOP) = {&nothing, false, NULL},
	FORM(OP_DECLARE) = {&declare_schema, false, NULL},
	FORM(OP_MERGE) = {&merge_schema, false, NULL},
};
