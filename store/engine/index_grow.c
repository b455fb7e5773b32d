/*
 * The size of the map.  It is address space, not memory, so it is made large
 * at once; growing it moves it, which LMDB allows only while nobody reads.
 */
#include "index_internal.h"

#include <stdint.h>
#include <sys/mman.h>

static const size_t map_default = (size_t)64 << 30;
static const size_t map_least = (size_t)16 << 20;
static const size_t slack = (size_t)64 << 20;	/* of any batch, for pages */

/* As much of what is wanted as this process may have. */
size_t
index_map_first(size_t wanted)
{
	size_t n = wanted ? wanted : map_default;
	void *p;

	n = (n + map_least - 1) / map_least * map_least;
	while (n > map_least) {
		p = mmap(NULL, n, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p != MAP_FAILED) {
			munmap(p, n);
			break;
		}
		n = n / 2 / map_least * map_least;
	}
	return n;
}

/* Keeps new snapshots out, and waits until all others are ended. */
static void
close_gate(struct index *ix)
{
	struct index_view *v;

	pthread_mutex_lock(&ix->lock);
	ix->growing = true;
	for (v = ix->views; v; v = v->next)
		while (v->active)
			pthread_cond_wait(&ix->moved, &ix->lock);
}

static void
open_gate(struct index *ix)
{
	ix->growing = false;
	pthread_cond_broadcast(&ix->moved);
	pthread_mutex_unlock(&ix->lock);
}

/* Every page that a batch touches is a new one until it is committed. */
int
index_make_room(struct index *ix, size_t room, struct err *e)
{
	size_t used, need, size;
	MDB_envinfo info;
	MDB_stat stat;
	int rc;

	mdb_env_info(ix->env, &info);
	mdb_env_stat(ix->env, &stat);
	used = (info.me_last_pgno + 1) * stat.ms_psize;
	need = used + 4 * room + slack;
	if (need <= info.me_mapsize && !ix->was_full)
		return 0;
	size = need > info.me_mapsize ? 2 * need : 2 * info.me_mapsize;
	size = (size + map_least - 1) / map_least * map_least;
	close_gate(ix);
	rc = mdb_env_set_mapsize(ix->env, size);
	open_gate(ix);
	if (rc)
		return index_fail(ix, rc, "grow the map", e);
	ix->was_full = false;
	return 0;
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
