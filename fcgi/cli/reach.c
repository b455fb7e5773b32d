/*
 * The store of one invoked function (reach.h).  Runs in bothy; it mints what
 * the gateway would mint, and reads no document.
 */
#include "reach.h"

#include "fcgi/conf/snapshot.h"
#include "fcgi/data/data.h"
#include "store/base/clock.h"
#include "store/wire/operation.h"
#include "store/wire/secret.h"
#include "store/wire/token.h"

#include <errno.h>
#include <string.h>

enum {
	GRANTS_MAX = 1 << 20,
	TOKEN_MAX = 64 << 10,
	CALL_MS = 30000,
	START_MS = 60000	/* until the function has begun */
};

/* What changes a document, a table or the store. */
static size_t
list_writes(struct text *out)
{
	static const char *const statements[] = {"dynamodb:PartiQLInsert",
	    "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete"};
	const struct operation_info *info;
	size_t n = 0;
	int op;

	for (op = OP_NONE + 1; op < OP_END; op++) {
		info = operation_info(op);
		if (info && info->class != OP_READ &&
		    !strchr(info->action, '*'))
			out[n++] = (struct text){info->action,
			    strlen(info->action)};
	}
	for (op = 0; op < 3; op++)
		out[n++] = (struct text){statements[op],
		    strlen(statements[op])};
	return n;
}

/* Denies it to a token that is to be minted. */
static int
deny_writes(struct token *t, struct arena *a, struct err *e)
{
	static const struct text everything = {"*", 1};
	struct text *actions = arena_array(a, OP_END + 3, sizeof *actions);
	struct grant *all = arena_array(a, t->ngrants + 1, sizeof *all);

	if (!actions || !all)
		return err_set(e, ENOMEM, "no memory");
	if (t->ngrants == GRANT_STATEMENTS_MAX)
		return err_set(e, E2BIG, "%.*s has %d statements in iam, which "
		    "leaves none to keep a smoke request from writing: join "
		    "two of them", (int)t->function.n, t->function.p,
		    GRANT_STATEMENTS_MAX);
	memcpy(all, t->grants, t->ngrants * sizeof *all);
	all[t->ngrants++] = (struct grant){.deny = true, .actions = actions,
	    .nactions = list_writes(actions), .resources = &everything,
	    .nresources = 1};
	t->grants = all;
	return 0;
}

enum reach { REACH_USUAL, REACH_PATIENT, REACH_READING };

static int
mint(const struct data_place *at, const char *release,
    const struct conf_function *fn, enum reach how, struct buf *out,
    struct err *e)
{
	struct token t = {.function = {fn->name, strlen(fn->name)},
	    .release = {release, strlen(release)}};
	unsigned char secret[TOKEN_SECRET_SIZE];
	struct arena arena;
	int rc;

	if (fn->timeout_ms && how != REACH_PATIENT)
		t.deadline_ms = clock_wall_ms() + START_MS +
		    (int64_t)fn->timeout_ms;
	arena_init(&arena, GRANTS_MAX);
	rc = grants_read(&arena, fn->grants, strlen(fn->grants), &t.grants,
	    &t.ngrants, e);
	if (rc == 0 && how == REACH_READING)
		rc = deny_writes(&t, &arena, e);
	if (rc == 0)
		rc = secret_load(at->key, secret, e);
	if (rc == 0)
		rc = token_mint(out, secret, &t, e);
	explicit_bzero(secret, sizeof secret);
	arena_release(&arena);
	return rc;
}

/* The token of one request, and where to show it. */
static int
put_token(const struct data_place *at, const char *release,
    const struct conf_function *fn, enum reach how, struct envlist *env,
    struct err *e)
{
	struct buf token;
	int rc;

	buf_init(&token, TOKEN_MAX);
	rc = mint(at, release, fn, how, &token, e);
	if (rc == 0) {
		envlist_set(env, "BOTHY_STORE", at->socket);
		envlist_set(env, "BOTHY_STORE_TOKEN", buf_str(&token));
	}
	buf_release(&token);
	return rc;
}

/* The daemon, with the tables of now. */
static int
start(const struct data_place *at, const struct snapshot *s, struct err *e)
{
	struct client *c;
	int rc;

	if (data_start(at, s, e) < 0)
		return -1;
	c = data_client(at, CALL_MS);
	if (!c)
		return err_set(e, ENOMEM, "no memory");
	rc = data_declare(c, s, e);
	client_free(c);
	return rc;
}

int
reach_store(const struct place *p, const char *snapshot,
    const struct conf_function *fn, bool patient, struct envlist *env,
    struct err *e)
{
	char path[PATH_MAX];
	struct data_place at;
	struct snapshot *s;
	int rc;

	if (!fn->grants || !*fn->grants)
		return 0;
	if (data_place(&at, p->state, e) < 0 ||
	    place_path(path, e, "%s/snap/%s", p->state, snapshot) < 0)
		return -1;
	s = snapshot_open(path, e);
	if (!s)
		return -1;
	rc = start(&at, s, e);
	if (rc == 0)
		rc = put_token(&at, snapshot_id(s), fn,
		    patient ? REACH_PATIENT : REACH_USUAL, env, e);
	snapshot_free(s);
	return rc;
}

int
reach_reading(const char *state, const char *release,
    const struct conf_function *fn, struct envlist *env, struct err *e)
{
	struct data_place at;

	if (!fn->grants || !*fn->grants)
		return 0;
	if (data_place(&at, state, e) < 0)
		return -1;
	return put_token(&at, release, fn, REACH_READING, env, e);
}
