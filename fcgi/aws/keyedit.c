/*
 * Changing the file of access keys, for keyedit.h.  Runs in bothy alone.
 */
#include "keyedit.h"

#include "store/base/base64.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 8 << 20, DAY_S = 24 * 3600 };

/* --- fresh ones ----------------------------------------------------------- */

static int
take_random(void *out, size_t n, struct err *e)
{
	if (getrandom(out, n, 0) == (ssize_t)n)
		return 0;
	return err_sys(e, "cannot get random bytes");
}

int
keyedit_make_id(char id[KEYEDIT_ID_SIZE], bool session, struct err *e)
{
	static const char ALPHABET[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned char random[KEYEDIT_ID_SIZE - 5];
	size_t i;

	if (take_random(random, sizeof random, e) < 0)
		return -1;
	memcpy(id, session ? "ASIA" : "AKIA", 4);
	for (i = 0; i < sizeof random; i++)
		id[4 + i] = ALPHABET[random[i] & 31];
	id[4 + i] = '\0';
	return 0;
}

int
keyedit_make_secret(char secret[KEYEDIT_SECRET_SIZE], struct err *e)
{
	unsigned char random[30];

	if (take_random(random, sizeof random, e) < 0)
		return -1;
	base64_encode(random, sizeof random, secret);
	explicit_bzero(random, sizeof random);
	return 0;
}

int
keyedit_make_token(char token[KEYEDIT_TOKEN_SIZE], struct err *e)
{
	unsigned char random[256];

	if (take_random(random, sizeof random, e) < 0)
		return -1;
	base64_encode(random, sizeof random, token);
	return 0;
}

/* --- the file ------------------------------------------------------------- */

static void
write_key(struct buf *b, const struct aws_key *k)
{
	buf_puts(b, "  {\"Id\": ");
	buf_json(b, k->id, strlen(k->id));
	buf_puts(b, ", \"Secret\": ");
	buf_json(b, k->secret, strlen(k->secret));
	buf_printf(b, ", \"Created\": %lld", (long long)k->created_ms);
	if (k->expires_ms)
		buf_printf(b, ", \"Expires\": %lld",
		    (long long)k->expires_ms);
	if (k->token) {
		buf_puts(b, ", \"Token\": ");
		buf_json(b, k->token, strlen(k->token));
	}
	buf_puts(b, ",\n   \"Grants\": ");
	buf_add(b, k->grants.p, k->grants.n);
	buf_putc(b, '}');
}

/* All but `without` (NULL for none), and `more` behind them (NULL: none). */
static int
write_file(const char *state_dir, const struct aws_keys *keys,
    const struct aws_key *without, const struct aws_key *more, struct err *e)
{
	const char *between = "\n";
	char path[KEYS_PATH_MAX];
	struct buf b;
	size_t i;
	int rc;

	buf_init(&b, FILE_MAX);
	buf_puts(&b, "{\"Keys\": [");
	for (i = 0; i < keys->count; i++) {
		if (&keys->list[i] == without)
			continue;
		buf_puts(&b, between);
		write_key(&b, &keys->list[i]);
		between = ",\n";
	}
	if (more) {
		buf_puts(&b, between);
		write_key(&b, more);
	}
	buf_puts(&b, "\n]}\n");
	rc = aws_keys_path(path, state_dir, "keys.json", e);
	if (rc == 0)
		rc = buf_ok(&b) ? io_replace_file(path, b.data, b.len, 0600,
		    e) : err_set(e, ENOSPC, "the keys are too many");
	if (b.data)
		explicit_bzero(b.data, b.room);
	buf_release(&b);
	return rc;
}

/* Makes the directories and takes the lock: its descriptor, or -1. */
static int
take_lock(const char *state_dir, struct err *e)
{
	char path[KEYS_PATH_MAX];
	int fd;

	if (aws_keys_path(path, state_dir, "used", e) < 0 ||
	    io_mkdirs(path, 0700, e) < 0 ||
	    aws_keys_path(path, state_dir, "lock", e) < 0)
		return -1;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_sys(e, "cannot open %s", path);
	if (flock(fd, LOCK_EX) == 0)
		return fd;
	err_sys(e, "cannot lock %s", path);
	close(fd);
	return -1;
}

int
keyedit_add(const char *state_dir, const struct aws_key *k, struct err *e)
{
	const struct text id = {k->id, strlen(k->id)};
	struct aws_keys *keys;
	int fd = take_lock(state_dir, e), rc;

	if (fd < 0)
		return -1;
	rc = aws_keys_load(state_dir, &keys, e);
	if (rc == 0) {
		if (aws_keys_find(keys, &id))
			rc = err_set(e, EEXIST, "there is a key %s already; "
			    "`bothy key rm %s` removes it", k->id, k->id);
		else if (keys->count == KEYS_MAX)
			rc = err_set(e, ENOSPC, "there are %d keys, which is "
			    "the most", KEYS_MAX);
		else
			rc = write_file(state_dir, keys, NULL, k, e);
		aws_keys_release(keys);
	}
	close(fd);
	return rc;
}

/* The note of its last use goes with it. */
static void
forget_use(const char *state_dir, const char *id)
{
	char path[KEYS_PATH_MAX], name[KEY_ID_MAX + 8];
	struct err ignored;

	snprintf(name, sizeof name, "used/%s", id);
	if (aws_keys_path(path, state_dir, name, &ignored) == 0)
		unlink(path);
}

int
keyedit_remove(const char *state_dir, const char *id, struct err *e)
{
	const struct text name = {id, strlen(id)};
	const struct aws_key *k;
	struct aws_keys *keys;
	int fd = take_lock(state_dir, e), rc;

	if (fd < 0)
		return -1;
	rc = aws_keys_load(state_dir, &keys, e);
	if (rc == 0) {
		k = aws_keys_find(keys, &name);
		rc = k ? write_file(state_dir, keys, k, NULL, e) :
		    err_set(e, ENOENT, "there is no key %.*s; `bothy key ls` "
		        "lists them", KEY_ID_MAX, id);
		if (k && rc == 0)
			forget_use(state_dir, k->id);
		aws_keys_release(keys);
	}
	close(fd);
	return rc;
}

int64_t
keyedit_used_s(const char *state_dir, const char *id)
{
	char path[KEYS_PATH_MAX], name[KEY_ID_MAX + 8];
	struct err ignored;
	struct stat st;

	snprintf(name, sizeof name, "used/%.*s", KEY_ID_MAX, id);
	if (aws_keys_path(path, state_dir, name, &ignored) < 0 ||
	    stat(path, &st) < 0)
		return 0;
	return st.st_mtim.tv_sec / DAY_S * DAY_S;
}
