/*
 * Long operations that are to end before they are done, at any of the moments
 * at which they look: each says so, leaves nothing half made, and does all of
 * it when it is asked again.
 */
#include "rig.h"

#include <sys/stat.h>

enum { DOCUMENTS = 650 };

/* How often it may look before it is to end, and how. */
static long left;
static enum op_stop how;
static bool over_now;

static enum op_stop
count_down(struct op *op)
{
	(void)op;
	return left > 0 && left-- ? OP_GO_ON : how;
}

/* The status of a call that is stopped after `looks`. */
static int
call(struct rig *r, long looks, const char *name, const char *body)
{
	const struct operation_info *info =
	    operation_named(name, strlen(name));
	struct op op;

	left = looks;
	buf_reset(&r->out);
	op_init(&op, r->store, &r->out, rig_done, r);
	op.stop = count_down;
	r->over = false;
	assert_int_equal(op_read(&op, (int)info->op, true, body, strlen(body),
	    NULL), 0);
	op_run(&op, &r->view);
	pthread_mutex_lock(&r->lock);
	while (!r->over)
		pthread_cond_wait(&r->wake, &r->lock);
	pthread_mutex_unlock(&r->lock);
	over_now = op.status == 0;
	if (op.status && op.status != FAULT_ENDED)
		fail_msg("%s after %ld looks: %s: %s", name, looks,
		    fault_name(op.status), buf_str(&r->out));
	r->status = op.status;
	op_release(&op);
	return r->status;
}

#define TABLE(name) \
	"{\"TableName\":\"" name "\",\"AttributeDefinitions\":[" \
	"{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}]," \
	"\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]," \
	"\"BillingMode\":\"PAY_PER_REQUEST\"}"

/* Documents n<from> to n<to - 1>, `v` being their number or "other". */
static void
put(struct rig *r, int from, int to, bool other)
{
	struct buf body;
	int i, n;

	buf_init(&body, 64 * 1024);
	for (i = from; i < to; i += n) {
		buf_reset(&body);
		buf_puts(&body, "{\"RequestItems\":{\"notes\":[");
		for (n = 0; n < 25 && i + n < to; n++) {
			buf_printf(&body, "%s{\"PutRequest\":{\"Item\":"
			    "{\"id\":\"n%d\",\"v\":", n ? "," : "", i + n);
			if (other)
				buf_puts(&body, "\"other\"}}}");
			else
				buf_printf(&body, "%d}}}", i + n);
		}
		buf_puts(&body, "]}}");
		rig_ok_at(__FILE__, __LINE__, r, rig_call_with(r,
		    "BatchWriteItem", buf_str(&body), true, false));
	}
	buf_release(&body);
}

static int
begin(void **state)
{
	struct rig *r = malloc(sizeof *r);

	rig_init(r);
	rig_ok(r, "CreateTable", TABLE("notes"));
	put(r, 0, DOCUMENTS, false);
	rig_ok(r, "Checkpoint", "{}");
	how = OP_UNWANTED;
	*state = r;
	return 0;
}

static int
end(void **state)
{
	rig_release(*state);
	free(*state);
	return 0;
}

/* Stops at the first look, the second, ...; `check` sees what is left. */
static unsigned
at_every_look(struct rig *r, const char *name, const char *body,
    void (*check)(struct rig *r))
{
	unsigned ended = 0;
	long looks = 0;

	do {
		ended += call(r, looks, name, body) != 0;
		if (check)
			check(r);
		looks += 1 + looks / 3;
	} while (!over_now);
	assert_true(ended > 0);
	return ended;
}

/* --- tests --------------------------------------------------------------- */

static char path[64];

static void
nothing_half_written(struct rig *r)
{
	char part[96];

	(void)r;
	snprintf(part, sizeof part, "/tmp/.%s.part", path + 5);
	assert_int_not_equal(access(part, F_OK), 0);
	assert_int_equal(access(path, F_OK) == 0, over_now);
}

static void
export(void **state)
{
	static const char *const FORMATS[] = {"lines", "files", "dynamodb"};
	struct rig *r = *state;
	char body[256];
	size_t i;

	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "/tmp/bothy-stop-%d", (int)getpid());
		snprintf(body, sizeof body, "{\"TableName\":\"notes\","
		    "\"Path\":\"%s\",\"Format\":\"%s\"}", path, FORMATS[i]);
		at_every_look(r, "Export", body, nothing_half_written);
		io_remove_tree(AT_FDCWD, path);
	}
}

static void
import(void **state)
{
	struct rig *r = *state;
	char body[256];

	snprintf(path, sizeof path, "/tmp/bothy-stop-%d", (int)getpid());
	rig_ok(r, "CreateTable", TABLE("copy"));
	rig_ok(r, "Export", "{\"TableName\":\"notes\",\"Path\":\"%s\"}", path);
	snprintf(body, sizeof body, "{\"TableName\":\"copy\",\"Path\":\"%s\"}",
	    path);
	at_every_look(r, "Import", body, NULL);
	unlink(path);
	rig_has(rig_ok(r, "Scan", "{\"TableName\":\"copy\",\"Select\":"
	    "\"COUNT\"}"), "\"Count\":650");
}

static void
check(void **state)
{
	struct rig *r = *state;

	at_every_look(r, "Check", "{}", NULL);
	at_every_look(r, "Check", "{\"Deep\":true}", NULL);
	rig_has(buf_str(&r->out), "\"Count\":0");
}

static void
restored_or_as_it_was(struct rig *r)
{
	const char *reply = rig_ok(r, "Scan", "{\"TableName\":\"notes\","
	    "\"Select\":\"COUNT\"}");

	rig_has(reply, strstr(reply, "\"Count\":649") ? "649" : "\"Count\":650");
}

static void
restore(void **state)
{
	struct rig *r = *state;
	char body[256], commit[64];

	rig_text(rig_ok(r, "Checkpoint", "{}"), "Commit", commit,
	    sizeof commit);
	put(r, 1, 640, true);
	rig_ok(r, "DeleteItem", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"n0\"}}");
	rig_ok(r, "Checkpoint", "{}");
	snprintf(body, sizeof body, "{\"TableName\":\"notes\",\"From\":\"%s\"}",
	    commit);
	at_every_look(r, "Restore", body, restored_or_as_it_was);
	rig_has(rig_ok(r, "GetItem", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"n3\"}}"), "\"v\":3");
	rig_has(rig_ok(r, "Scan", "{\"TableName\":\"notes\",\"Select\":"
	    "\"COUNT\"}"), "\"Count\":650");
}

static void
forget(void **state)
{
	struct rig *r = *state;

	at_every_look(r, "Forget", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"n7\"}}", NULL);
	rig_has(rig_ok(r, "Log", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"n7\"}}"), "\"Versions\":[]");
	rig_has(rig_ok(r, "Scan", "{\"TableName\":\"notes\",\"Select\":"
	    "\"COUNT\"}"), "\"Count\":649");
}

/* A store that is about to close takes nothing up that is long. */
static void
hurried(void **state)
{
	static const char *const CALLS[][2] = {
		{"Diff", "{\"From\":\"@1\"}"},
		{"Log", "{}"},
		{"Log", "{\"TableName\":\"notes\",\"Key\":{\"id\":\"n1\"}}"},
		{"Check", "{\"Deep\":true}"},
		{"Forget", "{\"TableName\":\"notes\",\"Key\":{\"id\":\"n1\"}}"},
		{"Restore", "{\"From\":\"@1\"}"},
	};
	struct rig *r = *state;
	size_t i;

	how = OP_GO_ON;
	store_hurry(r->store);
	for (i = 0; i < sizeof CALLS / sizeof *CALLS; i++)
		assert_int_equal(call(r, 1000000, CALLS[i][0], CALLS[i][1]),
		    FAULT_ENDED);
	rig_ok(r, "PutItem", "{\"TableName\":\"notes\",\"Item\":"
	    "{\"id\":\"late\"}}");
	rig_close(r);
	rig_open(r);
	rig_ok(r, "GetItem", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"late\"}}");
	rig_has(rig_ok(r, "Log", "{\"TableName\":\"notes\",\"Key\":"
	    "{\"id\":\"late\"}}"), "\"Commit\"");
}

static bool
stop_at_once(void *arg)
{
	unsigned *asked = arg;

	return ++*asked > 1;
}

/* A start that makes the index anew ends, and the next one makes it. */
static void
a_start(void **state)
{
	struct rig *r = *state;
	struct err e = {0};
	char index[96];
	unsigned asked = 0;

	rig_close(r);
	snprintf(index, sizeof index, "%s/index", r->dir);
	assert_int_equal(io_remove_tree(AT_FDCWD, index), 0);
	r->options.stopped = stop_at_once;
	r->options.arg = &asked;
	assert_null(store_open(r->dir, &r->options, &e));
	assert_int_equal(e.code, FAULT_ENDED);
	r->options.stopped = NULL;
	rig_open(r);
	rig_has(rig_ok(r, "Scan", "{\"TableName\":\"notes\",\"Select\":"
	    "\"COUNT\"}"), "\"Count\":650");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(export, begin, end),
		cmocka_unit_test_setup_teardown(import, begin, end),
		cmocka_unit_test_setup_teardown(check, begin, end),
		cmocka_unit_test_setup_teardown(restore, begin, end),
		cmocka_unit_test_setup_teardown(forget, begin, end),
		cmocka_unit_test_setup_teardown(hurried, begin, end),
		cmocka_unit_test_setup_teardown(a_start, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
