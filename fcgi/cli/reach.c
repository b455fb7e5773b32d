/*
 * The store of one invoked function (reach.h).  Runs in bothy; it mints what
 * the gateway would mint, and reads no document.
 */
#include "reach.h"

#include "fcgi/conf/snapshot.h"
#include "fcgi/data/data.h"
#include "store/base/clock.h"
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

static int
mint(const struct data_place *at, const char *release,
    const struct conf_function *fn, bool patient, struct buf *out,
    struct err *e)
{
	struct token t = {.function = {fn->name, strlen(fn->name)},
	    .release = {release, strlen(release)}};
	unsigned char secret[TOKEN_SECRET_SIZE];
	struct arena arena;
	int rc;

	if (fn->timeout_ms && !patient)
		t.deadline_ms = clock_wall_ms() + START_MS +
		    (int64_t)fn->timeout_ms;
	arena_init(&arena, GRANTS_MAX);
	rc = grants_read(&arena, fn->grants, strlen(fn->grants), &t.grants,
	    &t.ngrants, e);
	if (rc == 0)
		rc = secret_load(at->key, secret, e);
	if (rc == 0)
		rc = token_mint(out, secret, &t, e);
	explicit_bzero(secret, sizeof secret);
	arena_release(&arena);
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
	struct buf token;
	int rc;

	if (!fn->grants || !*fn->grants)
		return 0;
	if (data_place(&at, p->state, e) < 0 ||
	    place_path(path, e, "%s/snap/%s", p->state, snapshot) < 0)
		return -1;
	s = snapshot_open(path, e);
	if (!s)
		return -1;
	buf_init(&token, TOKEN_MAX);
	rc = start(&at, s, e);
	if (rc == 0)
		rc = mint(&at, snapshot_id(s), fn, patient, &token, e);
	if (rc == 0) {
		envlist_set(env, "BOTHY_STORE", at.socket);
		envlist_set(env, "BOTHY_STORE_TOKEN", buf_str(&token));
	}
	buf_release(&token);
	snapshot_free(s);
	return rc;
}
