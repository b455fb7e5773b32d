/*
 * The model of a file system after a crash, as model.h describes it.
 */
#include "model.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = 512, KEY_MAX = 300, ROOT = 1 };

static void
die(const char *what)
{
	perror(what);
	exit(2);
}

/* An array with room for one more thing. */
static void *
grow(void *array, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return array;
	*room = *room ? 2 * *room : 64;
	array = realloc(array, *room * size);
	if (array == NULL)
		die("realloc");
	return array;
}

uint64_t
model_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1dull;
}

/* --- files and names ---------------------------------------------------- */

static size_t
new_node(struct model *m, uint64_t inode, uint64_t what, uint64_t mode)
{
	void *node;

	m->nodes = grow(m->nodes, m->count, &m->room, sizeof *m->nodes);
	m->nodes[m->count] = (struct node){.inode = inode, .what = what,
	    .mode = mode ? (unsigned)mode : what == RECORD_FILE ? 0600 : 0700};
	node = (void *)(uintptr_t)m->count;
	if (map_set(&m->inodes, (char *)&inode, sizeof inode, node, NULL) < 0)
		die("map_set");
	return m->count++;
}

static size_t
node_of(const struct model *m, uint64_t inode)
{
	struct map_entry *e = map_find(&m->inodes, (char *)&inode,
	    sizeof inode);

	return e ? (size_t)(uintptr_t)e->value : 0;
}

static size_t
entry_key(char key[KEY_MAX], size_t dir, const char *name, size_t len)
{
	memcpy(key, &dir, sizeof dir);
	memcpy(key + sizeof dir, name, len);
	return sizeof dir + len;
}

static void
set_name(struct map *names, const struct entry *e)
{
	char key[KEY_MAX];
	size_t n = entry_key(key, e->dir, e->name, e->len);

	if (map_set(names, key, n, (void *)(uintptr_t)e->node, NULL) < 0)
		die("map_set");
}

void
model_init(struct model *m, enum rules rules)
{
	*m = (struct model){.rules = rules};
	map_init(&m->names);
	map_init(&m->inodes);
	(void)new_node(m, 0, RECORD_FILE, 0);
}

void
model_release(struct model *m)
{
	size_t i;

	for (i = 0; i < m->count; i++)
		free(m->nodes[i].data);
	free(m->nodes);
	free(m->ops);
	map_release(&m->names);
	map_release(&m->inodes);
}

/* --- data of a file ----------------------------------------------------- */

static void
reach(struct node *f, uint64_t bytes)
{
	if (bytes > f->room) {
		f->room = 2 * bytes;
		f->data = realloc(f->data, f->room);
		if (f->data == NULL)
			die("realloc");
	}
	if (bytes > f->used) {
		memset(f->data + f->used, 0, bytes - f->used);
		f->used = bytes;
	}
	if (bytes > f->size)
		f->size = bytes;
}

static void
apply_data(struct node *f, const struct op *op)
{
	switch (op->kind) {
	case RECORD_WRITE:
		reach(f, op->offset + op->len);
		memcpy(f->data + op->offset, op->bytes, op->len);
		break;
	case RECORD_TRUNCATE:
		f->size = op->offset;
		if (f->used > f->size)
			f->used = f->size;
		break;
	case RECORD_MODE:
		f->mode = (unsigned)op->offset;
		break;
	default:
		if (f->size < op->offset)
			f->size = op->offset;
	}
}

/* Bytes of garbage that look like what the file holds. */
static char
junk(uint64_t *random)
{
	static const char LIKELY[] = "0123456789abcdef\",[{}]\n";

	return LIKELY[model_random(random) % (sizeof LIKELY - 1)];
}

/* A write of which some sectors came. */
static void
apply_torn(struct node *f, const struct op *op, enum tear tear,
    uint64_t *random)
{
	uint64_t first = op->offset / SECTOR;
	uint64_t last = (op->offset + op->len - 1) / SECTOR, sector, i;
	uint64_t cut = first + model_random(random) % (last - first + 1);
	bool came;

	if (tear != TEAR_SHORT)
		reach(f, op->offset + op->len);
	for (i = 0; i < op->len; i++) {
		sector = (op->offset + i) / SECTOR;
		came = tear == TEAR_HOLE ? sector != cut
		    : tear == TEAR_LATE ? sector > cut : sector < cut;
		if (came) {
			reach(f, op->offset + i + 1);
			f->data[op->offset + i] = op->bytes[i];
		} else if (tear == TEAR_JUNK) {
			f->data[op->offset + i] = junk(random);
		} else if (tear == TEAR_ZEROS) {
			f->data[op->offset + i] = '\0';
		}
	}
}

/* --- records ------------------------------------------------------------ */

static struct op *
add_op(struct model *m, const struct record *r, uint64_t at)
{
	struct op *op;

	m->ops = grow(m->ops, m->nops, &m->ops_room, sizeof *m->ops);
	op = &m->ops[m->nops++];
	*op = (struct op){.at = at, .kind = r->kind};
	return op;
}

static void
take_data(struct model *m, const struct record *r, uint64_t at)
{
	size_t node = node_of(m, r->a);
	struct op *op;

	if (node == 0)
		return;		/* made before the recording, outside */
	op = add_op(m, r, at);
	op->node = node;
	op->offset = r->b;
	op->bytes = (const char *)(r + 1);
	op->len = r->first;
}

static void
take_name(struct model *m, const struct record *r, uint64_t at)
{
	struct op *op = add_op(m, r, at);
	const char *bytes = (const char *)(r + 1);

	op->nentries = r->c ? 2 : 1;
	op->entries[0] = (struct entry){.dir = node_of(m, r->a),
	    .node = node_of(m, r->b), .name = bytes, .len = r->first};
	op->entries[1] = (struct entry){.dir = node_of(m, r->c),
	    .node = node_of(m, r->d), .name = bytes + r->first,
	    .len = r->second};
}

/* Ops at the front that are durable become part of what is for sure. */
static void
compact(struct model *m)
{
	struct op *op;
	size_t i, kept = 0;
	int k;

	for (i = 0; i < m->nops && m->ops[i].durable; i++) {
		op = &m->ops[i];
		if (op->kind != RECORD_NAME)
			apply_data(&m->nodes[op->node], op);
		for (k = 0; k < op->nentries; k++)
			set_name(&m->names, &op->entries[k]);
	}
	for (; i < m->nops; i++)
		m->ops[kept++] = m->ops[i];
	m->nops = kept;
}

/* The sync of a directory, or of all, as the head of model.h has it. */
static void
settle_name(const struct model *m, struct entry *e, size_t node, bool done,
    bool data_only)
{
	bool carried = m->rules == RULES_EXT4 && !data_only;
	bool covered = node == 0 || e->dir == node;

	if (!done && covered && m->rules == RULES_STRICT)
		e->doubt = m->life;
	if (done && (covered || carried) && e->doubt != m->life)
		e->synced = true;
}

/* A sync of `node` (0: all) has ended, which covers the op if it is of it. */
static void
settle(const struct model *m, struct op *op, size_t node, bool done,
    bool data_only)
{
	bool all = true, covered;
	int k;

	if (op->kind != RECORD_NAME) {
		covered = node == 0 || (op->node == node &&
		    !(data_only && op->kind == RECORD_MODE));
		op->stuck = op->stuck || (covered && !done &&
		    op->kind == RECORD_WRITE);
		op->durable = op->durable || (covered && done && !op->stuck);
		return;
	}
	for (k = 0; k < op->nentries; k++) {
		settle_name(m, &op->entries[k], node, done, data_only);
		all = all && op->entries[k].synced;
	}
	op->durable = op->durable || all;
}

static void
take_sync(struct model *m, const struct record *r, uint64_t at)
{
	size_t i, n = sizeof m->syncs / sizeof *m->syncs;
	uint64_t before = at;

	for (i = 0; i < n; i++) {
		if (r->kind == RECORD_SYNC_BEGIN && m->syncs[i].ticket == 0) {
			m->syncs[i].ticket = r->b;
			m->syncs[i].pid = r->pid;
			m->syncs[i].at = at;
			return;
		}
		if (r->kind == RECORD_SYNC_END &&
		    m->syncs[i].ticket == r->b && m->syncs[i].pid == r->pid) {
			before = m->syncs[i].at;
			m->syncs[i].ticket = 0;
			break;
		}
	}
	if (r->kind == RECORD_SYNC_BEGIN)
		die("too many syncs at once");
	for (i = 0; i < m->nops && m->ops[i].at < before; i++)
		settle(m, &m->ops[i], node_of(m, r->a), r->d != 0, r->c != 0);
	compact(m);
}

static void
take_start(struct model *m, const struct record *r)
{
	if (m->count == ROOT)
		(void)new_node(m, r->a, RECORD_DIRECTORY, 0);
	m->life++;
	if (!r->b)	/* no other runs that began one */
		memset(m->syncs, 0, sizeof m->syncs);
}

static void
take_new(struct model *m, const struct record *r)
{
	size_t node = new_node(m, r->a, r->b, r->c);

	m->nodes[node].target = (const char *)(r + 1);
	m->nodes[node].target_len = r->first;
}

void
model_take(struct model *m, const struct record *r, uint64_t at)
{
	size_t i;

	switch (r->kind) {
	case RECORD_START:
		take_start(m, r);
		break;
	case RECORD_NEW:
		take_new(m, r);
		break;
	case RECORD_WRITE:
	case RECORD_TRUNCATE:
	case RECORD_ALLOCATE:
	case RECORD_MODE:
		take_data(m, r, at);
		break;
	case RECORD_NAME:
		take_name(m, r, at);
		break;
	case RECORD_SYNC_BEGIN:
	case RECORD_SYNC_END:
		take_sync(m, r, at);
		break;
	case RECORD_DURABLE:
		for (i = 0; i < m->nops; i++)
			m->ops[i].durable = true;
		compact(m);
		break;
	default:
		break;
	}
}

/* --- a state ------------------------------------------------------------ */

struct making {
	const struct model *m;
	struct map names;	/* with the chosen ops */
	size_t torn;
	enum tear tear;
	uint64_t *random;
	uint64_t hash;
	struct node scratch;	/* the file being made */
};

static void
mix(uint64_t *hash, const void *p, size_t n)
{
	const unsigned char *s = p;

	while (n--)
		*hash = (*hash ^ *s++) * 0x100000001b3ull;
}

static void
make_file(struct making *k, int dir_fd, const char *name, size_t node)
{
	const struct model *m = k->m;
	const struct node *f = &m->nodes[node];
	struct node *s = &k->scratch;
	const struct op *op;
	size_t i;
	int fd;

	s->used = s->size = 0;
	s->mode = f->mode;
	if (f->used) {
		reach(s, f->used);
		memcpy(s->data, f->data, f->used);
	}
	s->size = f->size;
	for (i = 0; i < m->nops; i++) {
		op = &m->ops[i];
		if (op->kind == RECORD_NAME || op->node != node ||
		    (!op->durable && !op->chosen))
			continue;
		if (i == k->torn && op->kind == RECORD_WRITE && op->len)
			apply_torn(s, op, k->tear, k->random);
		else
			apply_data(s, op);
	}
	mix(&k->hash, name, strlen(name) + 1);
	mix(&k->hash, &s->size, sizeof s->size);
	mix(&k->hash, s->data, s->used);
	mix(&k->hash, &s->mode, sizeof s->mode);
	fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600);
	if (fd < 0 || io_write_all(fd, s->data, s->used) < 0 ||
	    ftruncate(fd, (off_t)s->size) < 0 || fchmod(fd, s->mode) < 0)
		die(name);
	(void)close(fd);
}

/* It comes whole, with its name. */
static void
make_link(struct making *k, int dir_fd, const char *name, const struct node *l)
{
	char target[PATH_MAX];

	(void)snprintf(target, sizeof target, "%.*s", (int)l->target_len,
	    l->target);
	mix(&k->hash, name, strlen(name) + 1);
	mix(&k->hash, target, strlen(target));
	if (symlinkat(target, dir_fd, name) < 0)
		die(name);
}

/* The mode of a directory, which no sync of what is in it tells of. */
static unsigned
mode_of(const struct making *k, size_t node)
{
	const struct model *m = k->m;
	unsigned mode = m->nodes[node].mode;
	size_t i;

	for (i = 0; i < m->nops; i++)
		if (m->ops[i].kind == RECORD_MODE && m->ops[i].node == node &&
		    (m->ops[i].durable || m->ops[i].chosen))
			mode = (unsigned)m->ops[i].offset;
	return mode;
}

static void make_directory(struct making *k, int fd, size_t dir);

static void
make_entry(struct making *k, int dir_fd, const char *name, size_t node)
{
	const struct node *is = &k->m->nodes[node];
	int fd;

	if (is->what != RECORD_DIRECTORY) {
		if (is->what == RECORD_LINK)
			make_link(k, dir_fd, name, is);
		else
			make_file(k, dir_fd, name, node);
		return;
	}
	mix(&k->hash, name, strlen(name) + 1);
	if (mkdirat(dir_fd, name, 0700) < 0)
		die(name);
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die(name);
	make_directory(k, fd, node);
	if (fchmod(fd, mode_of(k, node)) < 0)
		die(name);
	(void)close(fd);
}

static void
make_directory(struct making *k, int fd, size_t dir)
{
	const struct map_entry *e;
	char name[KEY_MAX];
	size_t i, owner;

	for (i = 0; i < k->names.count; i++) {
		e = &k->names.entries[i];
		memcpy(&owner, e->key, sizeof owner);
		if (owner != dir || e->value == NULL)
			continue;
		(void)snprintf(name, sizeof name, "%.*s",
		    (int)(e->len - sizeof owner), e->key + sizeof owner);
		make_entry(k, fd, name, (size_t)(uintptr_t)e->value);
	}
}

uint64_t
model_make(const struct model *m, const char *path, size_t torn,
    enum tear tear, uint64_t *random)
{
	struct making k = {.m = m, .torn = torn, .tear = tear,
	    .random = random, .hash = 0xcbf29ce484222325ull};
	size_t i;
	int fd, n;

	map_init(&k.names);
	for (i = 0; i < m->names.count; i++)
		if (map_set(&k.names, m->names.entries[i].key,
			m->names.entries[i].len, m->names.entries[i].value,
			NULL) < 0)
			die("map_set");
	for (i = 0; i < m->nops; i++)
		for (n = 0; n < m->ops[i].nentries; n++)
			if (m->ops[i].durable || m->ops[i].chosen)
				set_name(&k.names, &m->ops[i].entries[n]);
	if (io_remove_tree(AT_FDCWD, path) < 0 || mkdir(path, 0700) < 0)
		die(path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		die(path);
	make_directory(&k, fd, ROOT);
	(void)close(fd);
	free(k.scratch.data);
	map_release(&k.names);
	return k.hash;
}
