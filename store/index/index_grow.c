/*
 * Room for the index: the size of the map, the length of the file, and blocks
 * on the disk.
 *
 * The map is address space, so much of it that it hardly ever grows: growing
 * moves it, which LMDB allows only while nobody reads.
 *
 * Where the file system keeps a promise of blocks, LMDB writes through the map
 * (a fifth of the cost of writing pages by pwrite: tests/bench/programs/
 * indexcost.c).  LMDB makes the file as long as the map then, and whoever
 * copies a store without knowing of holes would pay for it; so it is cut back
 * at once.  Behind the file's end a touch is SIGBUS, and so it is in a hole
 * when the disk is full: before a batch touches anything, the file is longer
 * than all that it may touch, and there are blocks for it.  Elsewhere LMDB
 * writes by pwrite, and a full disk is an error of the commit.
 *
 * The map is told to be read at random, so that no page comes with others: what
 * the kernel reads ahead it keeps in blocks of up to 2 MB, of which a touch
 * through the map makes all dirty.  At 1,000,000 documents a thousand puts a
 * second were 65 MB a second to write, at last the whole index, and whoever
 * synced anything meanwhile waited for 200 ms.  index_warm() reads ahead in
 * pages.
 */
#include "index_internal.h"

#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <unistd.h>

static const size_t map_default = (size_t)1 << (sizeof(size_t) > 4 ? 38 : 28);
static const size_t map_step = (size_t)16 << 20;
static const size_t hole = (size_t)64 << 20;	/* behind what may be touched */
static const size_t slack = (size_t)4 << 20;	/* for one change, and commit */

static size_t
round_up(size_t n, size_t step)
{
	return (n + step - 1) / step * step;
}

/*
 * As much of what is wanted as this process may have: of address space, and
 * (a signal would tell it) of a file's length.
 */
size_t
index_map_first(size_t wanted)
{
	size_t n = round_up(wanted ? wanted : map_default, map_step);
	struct rlimit file;
	void *p;

	if (getrlimit(RLIMIT_FSIZE, &file) == 0)
		while (n > map_step && n > file.rlim_cur)
			n = round_up(n / 2, map_step);
	while (n > map_step) {
		p = mmap(NULL, n, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p != MAP_FAILED) {
			munmap(p, n);
			break;
		}
		n = round_up(n / 2, map_step);
	}
	return n;
}

/*
 * True if blocks that were promised can't be lacking: so on ext4 and XFS, but
 * not where every write goes to a new place.
 */
bool
index_can_promise(const char *path)
{
	static const unsigned long ext4 = 0xef53, xfs = 0x58465342;
	char file[PATH_MAX];
	struct statfs fs;
	bool can = false;
	int fd;

	snprintf(file, sizeof file, "%s/data.mdb", path);
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	if (fstatfs(fd, &fs) == 0 && ((unsigned long)fs.f_type == ext4 ||
	    (unsigned long)fs.f_type == xfs))
		can = fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4096) == 0;
	io_close(&fd);
	return can;
}

/*
 * The file reaches beyond `need` bytes, and not beyond the map.  With `cut` it
 * is made shorter, too.
 */
static int
lengthen(struct index *ix, size_t need, bool cut, struct err *e)
{
	size_t length = round_up(need + hole, map_step);
	MDB_envinfo info;
	int fd, rc;

	if (!ix->writes_map || (!cut && need + hole / 2 <= ix->length))
		return 0;
	mdb_env_info(ix->env, &info);
	if (length > info.me_mapsize)
		length = info.me_mapsize;
	if (length <= ix->length && !cut)
		return 0;
	rc = mdb_env_get_fd(ix->env, &fd);
	while (rc == 0 && ftruncate(fd, (off_t)length) < 0)
		if (errno != EINTR)
			rc = errno;
	if (rc)
		return index_fail(ix, rc, "make room", e);
	ix->length = length;
	if (ix->promised > length)
		ix->promised = length;
	return 0;
}

static size_t
used_bytes(struct index *ix)
{
	MDB_envinfo info;
	MDB_stat stat;

	mdb_env_info(ix->env, &info);
	mdb_env_stat(ix->env, &stat);
	return (info.me_last_pgno + 1) * stat.ms_psize;
}

int
index_cut_back(struct index *ix, struct err *e)
{
	return lengthen(ix, used_bytes(ix), true, e);
}

/* What lies behind the last page is no part of the index. */
void
index_cut_off(struct index *ix)
{
	int fd;

	if (ix->length == 0)
		return;		/* it was never opened, or has no map */
	if (mdb_env_get_fd(ix->env, &fd) == 0 &&
	    ftruncate(fd, (off_t)used_bytes(ix)) == 0)
		ix->length = 0;
}

/* Blocks for the first `need` bytes of the file, and some more if there are. */
static int
promise(struct index *ix, size_t need, struct err *e)
{
	size_t more = round_up(need + need / 16, slack), size = more;
	int fd, rc;

	if (!ix->writes_map || need <= ix->promised)
		return 0;
	rc = mdb_env_get_fd(ix->env, &fd);
	while (rc == 0 && fallocate(fd, FALLOC_FL_KEEP_SIZE,
	    (off_t)ix->promised, (off_t)(size - ix->promised)) < 0) {
		if (errno == EINTR)
			continue;
		if (size == need)
			rc = errno;
		size = need;
	}
	if (rc)
		return index_fail(ix, rc, "make room", e);
	ix->promised = size;
	return 0;
}

void
index_close_gate(struct index *ix)
{
	struct index_view *v;

	pthread_mutex_lock(&ix->lock);
	ix->growing = true;
	for (v = ix->views; v; v = v->next)
		while (v->active)
			pthread_cond_wait(&ix->moved, &ix->lock);
}

void
index_open_gate(struct index *ix)
{
	ix->growing = false;
	pthread_cond_broadcast(&ix->moved);
	pthread_mutex_unlock(&ix->lock);
}

static int
grow(struct index *ix, size_t size, struct err *e)
{
	int rc;

	index_close_gate(ix);
	rc = mdb_env_set_mapsize(ix->env, size);
	index_open_gate(ix);
	if (rc)
		return index_fail(ix, rc, "grow the map", e);
	ix->was_full = false;
	return index_cut_back(ix, e);
}

/* Every page that a batch touches is a new one until it is committed. */
static size_t
needed_bytes(struct index *ix, size_t room)
{
	return used_bytes(ix) + 4 * room + slack;
}

bool
index_is_at_hand(struct index *ix, size_t room)
{
	MDB_envinfo info;
	bool renews;

	pthread_mutex_lock(&ix->lock);
	renews = ix->renewal == INDEX_RENEWAL_ASKED;
	pthread_mutex_unlock(&ix->lock);
	if (renews || ix->was_full || ix->read_only)
		return false;
	mdb_env_info(ix->env, &info);
	return needed_bytes(ix, room) <= info.me_mapsize;
}

int
index_make_room(struct index *ix, size_t room, struct err *e)
{
	size_t need, size;
	MDB_envinfo info;

	mdb_env_info(ix->env, &info);
	ix->used = used_bytes(ix);
	ix->spent = 0;
	need = needed_bytes(ix, room);
	size = need > info.me_mapsize ? need : info.me_mapsize;
	if ((need > info.me_mapsize || ix->was_full) &&
	    grow(ix, round_up(2 * size, map_step), e) < 0)
		return -1;
	if (lengthen(ix, need, false, e) < 0)
		return -1;
	return promise(ix, ix->used + slack, e);
}

int
index_reserve(struct index_view *batch, size_t bytes, struct err *e)
{
	struct index *ix = batch->index;
	size_t spent = ix->spent + bytes;

	/* Twice, as far as only the length counts: that costs nothing. */
	if (lengthen(ix, ix->used + 2 * spent + slack, false, e) < 0)
		return -1;
	return promise(ix, ix->used + spent + slack, e);
}

void
index_enter(struct index_view *v)
{
	struct index *ix = v->index;

	for (;;) {
		v->active = true;
		if (!ix->growing)
			return;
		pthread_mutex_lock(&ix->lock);
		v->active = false;
		pthread_cond_broadcast(&ix->moved);
		while (ix->growing)
			pthread_cond_wait(&ix->moved, &ix->lock);
		pthread_mutex_unlock(&ix->lock);
	}
}

void
index_leave(struct index_view *v)
{
	struct index *ix = v->index;

	v->active = false;
	if (!ix->growing)
		return;
	pthread_mutex_lock(&ix->lock);
	pthread_cond_broadcast(&ix->moved);
	pthread_mutex_unlock(&ix->lock);
}
