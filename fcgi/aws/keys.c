/*
 * Reading the file of access keys, for keys.h.
 */
#include "keys.h"

#include "store/base/io.h"
#include "store/value/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 8 << 20, ARENA_MAX = 64 << 20, LEVELS = 3 };

int
aws_keys_path(char *out, const char *state_dir, const char *name,
    struct err *e)
{
	if (snprintf(out, KEYS_PATH_MAX, "%s/keys%s%s", state_dir,
	    *name ? "/" : "", name) >= KEYS_PATH_MAX)
		return err_set(e, ENAMETOOLONG, "%s: too long", state_dir);
	return 0;
}

bool
aws_key_id_valid(const char *id)
{
	size_t n = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return id[n] == '\0' && n >= 3 && n <= KEY_ID_MAX;
}

/* --- the file ------------------------------------------------------------- */

/* Ours (or root's), a file, and closed to others. */
static int
check_file(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "cannot look at %s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, EPERM, "%s is no regular file", path);
	if (st.st_uid != geteuid() && st.st_uid != 0 && geteuid() != 0)
		return err_set(e, EPERM, "%s belongs to uid %u, not to this "
		    "process's", path, (unsigned)st.st_uid);
	if (st.st_mode & 077)
		return err_set(e, EPERM, "%s is open to others (mode %03o); "
		    "make it 600", path, (unsigned)st.st_mode & 0777);
	return 0;
}

/* Its text in the arena: 1; 0 if there is no file; or -1. */
static int
read_file(const char *path, struct arena *a, struct text *text,
    struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc;
	struct buf b;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(e, "cannot open %s", path);
	buf_init(&b, FILE_MAX);
	rc = check_file(fd, path, e);
	if (rc == 0)
		rc = io_read_fd(fd, path, &b, e);
	close(fd);
	if (rc == 0) {
		text->n = b.len;
		text->p = arena_copy(a, buf_str(&b), b.len);
		rc = text->p ? 1 : err_set(e, ENOMEM, "out of memory");
	}
	if (b.data)
		explicit_bzero(b.data, b.room);
	buf_release(&b);
	return rc;
}

/* --- what it says --------------------------------------------------------- */

/* A member's string, or NULL. */
static const char *
string(struct arena *a, const struct json_node *object, const char *name)
{
	const struct json_node *n = json_member(object, name);

	return n && n->type == JSON_STRING ? arena_copy(a, n->text.p,
	    n->text.n) : NULL;
}

static int64_t
number(const struct json_node *object, const char *name)
{
	const struct json_node *n = json_member(object, name);

	return n && n->type == JSON_NUMBER ? strtoll(n->text.p, NULL, 10) : 0;
}

static int
read_key(struct arena *a, const struct json_node *n, struct aws_key *k,
    struct err *e)
{
	const struct json_node *grants = json_member(n, "Grants");

	k->id = string(a, n, "Id");
	k->secret = string(a, n, "Secret");
	k->token = string(a, n, "Token");
	k->created_ms = number(n, "Created");
	k->expires_ms = number(n, "Expires");
	if (!k->id || !k->secret || !grants || !aws_key_id_valid(k->id) ||
	    strlen(k->secret) > KEY_SECRET_MAX)
		return err_set(e, EINVAL, "a key without a valid Id, Secret "
		    "or Grants");
	k->grants = grants->raw;
	return grants_read(a, grants->raw.p, grants->raw.n, &k->statements,
	    &k->nstatements, e);
}

static int
read_keys(struct aws_keys *k, const struct text *text, struct err *e)
{
	const struct json_node *root, *list, *n;
	struct aws_key *key;

	root = json_read(&k->arena, text->p, text->n, LEVELS, e);
	if (!root)
		return -1;
	list = json_member(root, "Keys");
	if (!list || list->type != JSON_LIST || list->count > KEYS_MAX)
		return err_set(e, EINVAL, "there is no list Keys of at most "
		    "%d", KEYS_MAX);
	k->list = arena_array(&k->arena, list->count + 1, sizeof *k->list);
	if (!k->list)
		return err_set(e, ENOMEM, "out of memory");
	for (n = list->first; n; n = n->next) {
		key = &k->list[k->count];
		if (read_key(&k->arena, n, key, e) < 0)
			return -1;
		if (map_set(&k->by_id, key->id, strlen(key->id), key,
		    NULL) < 0)
			return err_set(e, ENOMEM, "out of memory");
		k->count++;
	}
	return 0;
}

/* A number that no other had in this process. */
static uint64_t
next_generation(void)
{
	static atomic_uint_fast64_t last;

	return atomic_fetch_add(&last, 1) + 1;
}

int
aws_keys_load(const char *state_dir, struct aws_keys **out, struct err *e)
{
	struct aws_keys *k = calloc(1, sizeof *k);
	char path[KEYS_PATH_MAX];
	struct err why = {0};
	struct text text = {NULL, 0};
	int rc;

	*out = NULL;
	if (!k)
		return err_set(e, ENOMEM, "out of memory");
	atomic_init(&k->refs, 1);
	k->generation = next_generation();
	arena_init(&k->arena, ARENA_MAX);
	map_init(&k->by_id);
	rc = aws_keys_path(path, state_dir, "keys.json", e);
	if (rc == 0)
		rc = read_file(path, &k->arena, &text, e);
	if (rc > 0) {
		rc = read_keys(k, &text, &why);
		if (rc < 0)
			err_set(e, EINVAL, "%s is damaged: %.300s", path,
			    why.text);
	}
	if (rc < 0) {
		aws_keys_release(k);
		return -1;
	}
	*out = k;
	return 0;
}

struct aws_keys *
aws_keys_hold(struct aws_keys *k)
{
	atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
	return k;
}

void
aws_keys_release(struct aws_keys *k)
{
	if (!k || atomic_fetch_sub(&k->refs, 1) != 1)
		return;
	map_release(&k->by_id);
	arena_release(&k->arena);
	free(k);
}

struct aws_key *
aws_keys_find(const struct aws_keys *k, const struct text *id)
{
	struct map_entry *found = map_find(&k->by_id, id->p, id->n);

	return found ? found->value : NULL;
}
