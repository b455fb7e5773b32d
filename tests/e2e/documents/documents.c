/*
 * Does what the body says, step by step, with the SDK's calls on documents:
 * [{"do": "put", "table": "notes", "doc": {...}}, ...].  Replies with an array
 * of what each step gave: a value, or {"failed": name, "status": n, ...}.
 */
#include <bothy.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct step {
	struct bothy_req *req;
	const json_t *json;
	const char *table, *condition, *update;
	const json_t *key, *doc, *values;
};

static const json_t *
part(const struct step *s, const char *name)
{
	return json_object_get(s->json, name);
}

static const char *
text(const struct step *s, const char *name)
{
	return json_string_value(part(s, name));
}

static json_t *
done(int rc)
{
	return rc < 0 ? NULL : json_true();
}

static json_t *
do_get(const struct step *s)
{
	json_t *doc = bothy_get(s->req, s->table, s->key);

	return doc || bothy_store_error(s->req) ? json_incref(doc) :
	    json_null();
}

static json_t *
do_put(const struct step *s)
{
	return done(s->condition ? bothy_put_if(s->req, s->table, s->doc,
	    s->condition, s->values) : bothy_put(s->req, s->table, s->doc));
}

static json_t *
do_update(const struct step *s)
{
	return json_incref(bothy_update_if(s->req, s->table, s->key,
	    s->update, s->condition, s->values));
}

static json_t *
do_delete(const struct step *s)
{
	return done(s->condition ? bothy_delete_if(s->req, s->table, s->key,
	    s->condition, s->values) : bothy_delete(s->req, s->table, s->key));
}

static json_t *
do_rows(const struct step *s)
{
	const struct bothy_how how = {.index = text(s, "index"),
	    .filter = text(s, "filter"), .attributes = text(s, "attributes"),
	    .after = text(s, "after"),
	    .limit = (size_t)json_integer_value(part(s, "limit")),
	    .descending = json_is_true(part(s, "descending"))};
	struct bothy_rows *rows = s->condition ? bothy_find(s->req, s->table,
	    s->condition, s->values, &how) : bothy_scan(s->req, s->table,
	    s->values, &how);
	json_t *list = json_array(), *doc;

	while ((doc = bothy_next(rows)))
		json_array_append(list, doc);
	if (bothy_store_error(s->req)) {
		json_decref(list);
		return NULL;
	}
	return json_pack("{s:o, s:s?}", "rows", list, "after",
	    bothy_cursor(rows));
}

static json_t *
do_batch_get(const struct step *s)
{
	return json_incref(bothy_batch_get(s->req, s->table,
	    part(s, "keys")));
}

static json_t *
do_batch_write(const struct step *s)
{
	return done(bothy_batch_write(s->req, s->table, part(s, "puts"),
	    part(s, "deletes")));
}

/* "writes" is a list of steps: put, update, delete, check. */
static json_t *
do_transact(const struct step *s)
{
	struct bothy_tx *tx = bothy_transact(s->req);
	const json_t *writes = part(s, "writes");
	size_t i;

	for (i = 0; i < json_array_size(writes); i++) {
		const json_t *w = json_array_get(writes, i);
		const char *what = json_string_value(json_object_get(w, "do"));
		const char *table = json_string_value(
		    json_object_get(w, "table"));
		const char *condition = json_string_value(
		    json_object_get(w, "condition"));
		const json_t *key = json_object_get(w, "key");
		const json_t *values = json_object_get(w, "values");

		if (strcmp(what, "put") == 0)
			bothy_tx_put(tx, table, json_object_get(w, "doc"),
			    condition, values);
		else if (strcmp(what, "update") == 0)
			bothy_tx_update(tx, table, key, json_string_value(
			    json_object_get(w, "update")), condition, values);
		else if (strcmp(what, "delete") == 0)
			bothy_tx_delete(tx, table, key, condition, values);
		else
			bothy_tx_check(tx, table, key, condition, values);
	}
	return done(bothy_tx_commit(tx));
}

static json_t *
do_transact_get(const struct step *s)
{
	return json_incref(bothy_transact_get(s->req, part(s, "wanted")));
}

static json_t *
do_store(const struct step *s)
{
	return json_incref(bothy_store(s->req, text(s, "operation"),
	    part(s, "body")));
}

/* Says by a file beside it that it waits, and does until the file is gone. */
static json_t *
do_wait(const struct step *s)
{
	const char *path = text(s, "file");
	char said[4096];

	snprintf(said, sizeof said, "%s.waits", path);
	close(open(said, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	while (access(path, F_OK) == 0)
		usleep(10000);
	return json_true();
}

static json_t *
do_no_wait_file(const struct step *s)
{
	bothy_wait_file(s->req, false);
	return json_true();
}

static const struct {
	const char *name;
	json_t *(*run)(const struct step *s);
} calls[] = {
	{"get", do_get}, {"put", do_put}, {"update", do_update},
	{"delete", do_delete}, {"rows", do_rows},
	{"batch_get", do_batch_get}, {"batch_write", do_batch_write},
	{"transact", do_transact}, {"transact_get", do_transact_get},
	{"store", do_store}, {"wait", do_wait},
	{"no_wait_file", do_no_wait_file},
};

static json_t *
failure(struct bothy_req *req)
{
	const struct bothy_store_error *e = bothy_store_error(req);

	return json_pack("{s:s, s:i, s:s, s:b, s:O?}", "failed",
	    e ? e->name : bothy_error_text(req), "status",
	    bothy_failed(req), "message", e ? e->message : "", "unknown",
	    e && e->unknown, "body", e ? e->body : NULL);
}

static json_t *
run(struct bothy_req *req, const json_t *json)
{
	struct step s = {.req = req, .json = json};
	const char *what = text(&s, "do");
	json_t *result = NULL;
	size_t i;

	s.table = text(&s, "table");
	s.condition = text(&s, "condition");
	s.update = text(&s, "update");
	s.key = part(&s, "key");
	s.doc = part(&s, "doc");
	s.values = part(&s, "values");
	for (i = 0; i < sizeof calls / sizeof calls[0]; i++)
		if (strcmp(calls[i].name, what) == 0)
			result = calls[i].run(&s);
	return result ? result : failure(req);
}

int
bothy_handle(struct bothy_req *req)
{
	const json_t *steps;
	json_t *results = json_array();
	size_t i;

	bothy_limit(req, BOTHY_MAX_BODY, 64 << 20);
	steps = bothy_json_body(req);
	for (i = 0; i < json_array_size(steps); i++)
		json_array_append_new(results, run(req,
		    json_array_get(steps, i)));
	return steps ? bothy_json_new(req, 200, results) : bothy_refuse(req);
}
