/*
 * Counters in shared memory (stats.h); in bothy-fcgi to add, in bothy to
 * read.  The file is made whole under a lock, and after that only atomics
 * touch it.
 */
#include "stats.h"

#include "store/base/clock.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	STATS_MAGIC = 0x53685442,	/* "BThS" */
	STATS_VERSION = 1,
	SLOTS = STATS_FUNCTIONS + 2,
	SUB_BITS = 3,			/* 8 buckets for each power of two */
	SUBS = 1 << SUB_BITS
};

/* A copy of the gateway; free if pid is 0. */
struct process {
	atomic_int pid;
	int zero;
	atomic_uint_fast64_t started;	/* clock ticks, as in /proc/PID/stat */
	atomic_int_fast64_t in_flight;
};

struct slot {
	char name[STATS_NAME_SIZE];
	atomic_uint_fast64_t requests;
	atomic_uint_fast64_t outcomes[STATS_OUTCOMES];
	atomic_uint_fast64_t classes[STATS_CLASSES];
	atomic_uint_fast64_t duration_us, wait_us, cpu_us;
	atomic_uint_fast64_t bytes_in, bytes_out, peak_kb;
	atomic_uint_fast64_t buckets[STATS_BUCKETS];
};

/*
 * The file, version 1:
 *
 *   0 u32 magic     4 u32 version    8 u64 size of the file
 *  16 i64 since_ms                  24 u32 used, slots in use but "other"
 *  28 u32 zero     32 processes, 24 bytes each, then slots
 *
 * `magic` is written last.  A name stands before `used` counts it, and never
 * changes.
 */
struct layout {
	atomic_uint magic;
	uint32_t version;
	uint64_t size;
	int64_t since_ms;
	atomic_uint used;
	uint32_t zero;
	struct process processes[STATS_PROCESSES];
	struct slot slots[SLOTS];
};

struct stats {
	struct layout *map;
	int fd;			/* for the lock; -1 in readers */
	struct process *process;	/* ours, or NULL if all are taken */
	pthread_mutex_t claim;	/* flock doesn't part threads */
};

/* Start of a process in clock ticks, 0 if that can't be told. */
static uint64_t
process_started(pid_t pid)
{
	char path[64], text[1024];
	const char *s;
	uint64_t ticks = 0;
	ssize_t n;
	int fd, field;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = io_read(fd, text, sizeof(text) - 1);
	io_close(&fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	/* The name, field 2, may hold anything: count from its last ')'. */
	s = strrchr(text, ')');
	for (field = 2; s && field < 22; field++) {
		s = strchr(s, ' ');
		s = s ? s + 1 : NULL;
	}
	if (s)
		ticks = strtoull(s, NULL, 10);
	return ticks;
}

static bool
alive(const struct process *p)
{
	pid_t pid = (pid_t)atomic_load(&p->pid);
	uint64_t started = atomic_load(&p->started), now;

	if (pid <= 0 || (kill(pid, 0) < 0 && errno == ESRCH))
		return false;
	now = process_started(pid);
	return now == 0 || started == 0 || now == started;
}

/* The file below `state_dir`, locked; a file that was unlinked is not it. */
static int
open_locked(const char *path, struct err *e)
{
	struct stat by_fd, by_name;
	int fd;

	for (;;) {
		fd = open(path,
		    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (fd < 0)
			return err_sys(e, "%s", path);
		while (flock(fd, LOCK_EX) < 0)
			if (errno != EINTR)
				goto fail;
		if (fstat(fd, &by_fd) < 0)
			goto fail;
		if (stat(path, &by_name) == 0 &&
		    by_name.st_ino == by_fd.st_ino &&
		    by_name.st_dev == by_fd.st_dev)
			return fd;
		io_close(&fd);
	}
fail:
	err_sys(e, "%s", path);
	io_close(&fd);
	return -1;
}

static struct layout *
map_file(int fd, int protection)
{
	void *p = mmap(NULL, sizeof(struct layout), protection, MAP_SHARED,
	    fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static bool
is_ours(const struct layout *map)
{
	return atomic_load(&map->magic) == STATS_MAGIC &&
	    map->version == STATS_VERSION && map->size == sizeof(*map);
}

/* Size of the file behind `fd`, or -1. */
static int64_t
file_size(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? -1 : (int64_t)st.st_size;
}

static void
write_header(struct layout *map)
{
	map->version = STATS_VERSION;
	map->size = sizeof(*map);
	map->since_ms = clock_wall_ms();
	memcpy(map->slots[STATS_OTHER].name, "other", sizeof("other"));
	atomic_store(&map->used, 1);
	atomic_store(&map->magic, STATS_MAGIC);
}

/*
 * Maps what is there, or makes it; under the lock.  *again is set if the file
 * is of another kind: it was unlinked, so that copies which have it mapped go
 * on with it undisturbed.
 */
static struct layout *
map_or_make(int fd, const char *path, bool *again, struct err *e)
{
	int64_t size = file_size(fd);
	struct layout *map;

	*again = false;
	/* With its blocks: a hole on a full disk is a SIGBUS later. */
	if (size == 0) {
		errno = posix_fallocate(fd, 0, sizeof(*map));
		if (errno)
			goto fail;
		size = sizeof(*map);
	}
	if (size == (int64_t)sizeof(*map)) {
		map = map_file(fd, PROT_READ | PROT_WRITE);
		if (!map)
			goto fail;
		if (atomic_load(&map->magic) == 0)
			write_header(map);
		if (is_ours(map))
			return map;
		munmap(map, sizeof(*map));
	}
	*again = unlink(path) == 0 || errno == ENOENT;
fail:
	err_sys(e, "%s", path);
	return NULL;
}

/* Takes a free process slot, those of the dead included; under the lock. */
static struct process *
claim_process(struct layout *map)
{
	struct process *p, *mine = NULL;
	size_t i;

	for (i = 0; i < STATS_PROCESSES; i++) {
		p = &map->processes[i];
		if (atomic_load(&p->pid) != 0 && !alive(p)) {
			atomic_store(&p->in_flight, 0);
			atomic_store(&p->pid, 0);
		}
		if (!mine && atomic_load(&p->pid) == 0)
			mine = p;
	}
	if (mine) {
		atomic_store(&mine->in_flight, 0);
		atomic_store(&mine->started, process_started(getpid()));
		atomic_store(&mine->pid, (int)getpid());
	}
	return mine;
}

static int
stats_path(char *path, size_t size, const char *state_dir, struct err *e)
{
	int n = snprintf(path, size, "%s/run/stats", state_dir);

	if (n < 0 || (size_t)n >= size)
		return err_set(e, ENAMETOOLONG, "%s: too long", state_dir);
	return 0;
}

struct stats *
stats_open(const char *state_dir, struct err *e)
{
	struct stats *s;
	char path[PATH_MAX];
	bool again;

	if (stats_path(path, sizeof(path), state_dir, e) < 0)
		return NULL;
	s = calloc(1, sizeof(*s));
	if (!s) {
		err_set(e, ENOMEM, "no memory for statistics");
		return NULL;
	}
	do {
		s->fd = open_locked(path, e);
		if (s->fd < 0)
			goto fail;
		s->map = map_or_make(s->fd, path, &again, e);
		if (!s->map)
			io_close(&s->fd);
	} while (!s->map && again);
	if (!s->map)
		goto fail;
	s->process = claim_process(s->map);
	flock(s->fd, LOCK_UN);
	pthread_mutex_init(&s->claim, NULL);
	return s;
fail:
	free(s);
	return NULL;
}

struct stats *
stats_open_read(const char *state_dir, struct err *e)
{
	struct stats *s;
	char path[PATH_MAX];
	int fd;

	if (stats_path(path, sizeof(path), state_dir, e) < 0)
		return NULL;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		err_sys(e, "%s", path);
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (!s) {
		err_set(e, ENOMEM, "no memory for statistics");
		goto fail;
	}
	s->fd = -1;
	if (file_size(fd) == (int64_t)sizeof(*s->map))
		s->map = map_file(fd, PROT_READ);
	if (!s->map || !is_ours(s->map)) {
		err_set(e, EINVAL, "%s: not of this version; the gateway "
		                   "makes it anew when it starts", path);
		goto fail;
	}
	io_close(&fd);
	pthread_mutex_init(&s->claim, NULL);
	return s;
fail:
	io_close(&fd);
	if (s && s->map)
		munmap(s->map, sizeof(*s->map));
	free(s);
	return NULL;
}

void
stats_close(struct stats *s)
{
	if (!s)
		return;
	if (s->process) {
		atomic_store(&s->process->in_flight, 0);
		atomic_store(&s->process->pid, 0);
	}
	munmap(s->map, sizeof(*s->map));
	io_close(&s->fd);
	pthread_mutex_destroy(&s->claim);
	free(s);
}

unsigned
stats_slot(struct stats *s, const char *function)
{
	size_t size = strlen(function) + 1;
	unsigned used, i;

	if (!s || size > STATS_NAME_SIZE)
		return STATS_OTHER;
	pthread_mutex_lock(&s->claim);
	while (flock(s->fd, LOCK_EX) < 0 && errno == EINTR)
		;
	used = stats_used(s);
	for (i = 1; i < used; i++)
		if (strcmp(s->map->slots[i].name, function) == 0)
			break;
	if (i == used && used < STATS_OTHER) {
		memcpy(s->map->slots[i].name, function, size);
		atomic_store(&s->map->used, used + 1);
	}
	flock(s->fd, LOCK_UN);
	pthread_mutex_unlock(&s->claim);
	return i;	/* STATS_OTHER if there was no room */
}

void
stats_begin(struct stats *s)
{
	if (s && s->process)
		atomic_fetch_add_explicit(
		    &s->process->in_flight, 1, memory_order_relaxed);
}

void
stats_move(struct stats *from, struct stats *to)
{
	if (from && from->process)
		atomic_fetch_sub_explicit(
		    &from->process->in_flight, 1, memory_order_relaxed);
	stats_begin(to);
}

static void
add(atomic_uint_fast64_t *counter, uint64_t n)
{
	if (n)
		atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static void
raise_to(atomic_uint_fast64_t *largest, uint64_t n)
{
	uint64_t old = atomic_load_explicit(largest, memory_order_relaxed);

	while (old < n && !atomic_compare_exchange_weak_explicit(largest, &old,
	                      n, memory_order_relaxed, memory_order_relaxed))
		;
}

static void
count(struct slot *slot, const struct stats_sample *x)
{
	unsigned outcome = x->outcome, class = 0;

	if (outcome >= STATS_OUTCOMES)
		outcome = STATS_OUTCOMES - 1;
	if (x->status >= 100 && x->status < 100 * STATS_CLASSES)
		class = (unsigned)x->status / 100;
	add(&slot->requests, 1);
	add(&slot->outcomes[outcome], 1);
	add(&slot->classes[class], 1);
	add(&slot->buckets[stats_bucket(x->duration_us)], 1);
	add(&slot->duration_us, x->duration_us);
	add(&slot->wait_us, x->wait_us);
	add(&slot->cpu_us, x->cpu_us);
	add(&slot->bytes_in, x->bytes_in);
	add(&slot->bytes_out, x->bytes_out);
	raise_to(&slot->peak_kb, x->peak_kb);
}

void
stats_end(struct stats *s, unsigned slot, const struct stats_sample *x)
{
	if (!s)
		return;
	if (s->process)
		atomic_fetch_sub_explicit(
		    &s->process->in_flight, 1, memory_order_relaxed);
	count(&s->map->slots[STATS_TOTAL], x);
	if (slot != STATS_TOTAL && slot < SLOTS)
		count(&s->map->slots[slot], x);
}

unsigned
stats_used(const struct stats *s)
{
	unsigned used = atomic_load(&s->map->used);

	return used < 1 ? 1 : used < STATS_OTHER ? used : STATS_OTHER;
}

static uint64_t
get(const atomic_uint_fast64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

int
stats_read(const struct stats *s, unsigned i, struct stats_view *v)
{
	const struct slot *slot;
	size_t k;

	if (i != STATS_OTHER && i >= stats_used(s))
		return -1;
	slot = &s->map->slots[i];
	memcpy(v->name, slot->name, sizeof(v->name));
	v->name[sizeof(v->name) - 1] = '\0';
	v->requests = get(&slot->requests);
	for (k = 0; k < STATS_OUTCOMES; k++)
		v->outcomes[k] = get(&slot->outcomes[k]);
	for (k = 0; k < STATS_CLASSES; k++)
		v->classes[k] = get(&slot->classes[k]);
	v->duration_us = get(&slot->duration_us);
	v->wait_us = get(&slot->wait_us);
	v->cpu_us = get(&slot->cpu_us);
	v->bytes_in = get(&slot->bytes_in);
	v->bytes_out = get(&slot->bytes_out);
	v->peak_kb = get(&slot->peak_kb);
	for (k = 0; k < STATS_BUCKETS; k++)
		v->buckets[k] = get(&slot->buckets[k]);
	return 0;
}

uint64_t
stats_in_flight(const struct stats *s, unsigned *copies)
{
	const struct process *p;
	uint64_t sum = 0;
	int64_t n;
	size_t i;

	*copies = 0;
	for (i = 0; i < STATS_PROCESSES; i++) {
		p = &s->map->processes[i];
		if (atomic_load(&p->pid) == 0 || !alive(p))
			continue;
		++*copies;
		n = atomic_load(&p->in_flight);
		sum += n > 0 ? (uint64_t)n : 0;
	}
	return sum;
}

int64_t
stats_since_ms(const struct stats *s)
{
	return s->map->since_ms;
}

unsigned
stats_bucket(uint64_t us)
{
	unsigned top, bucket;

	if (us < SUBS)
		return (unsigned)us;
	top = 63 - (unsigned)__builtin_clzll(us);
	bucket = (top - SUB_BITS + 1) * SUBS +
	    (unsigned)(us >> (top - SUB_BITS) & (SUBS - 1));
	return bucket < STATS_BUCKETS ? bucket : STATS_BUCKETS - 1;
}

uint64_t
stats_bucket_top_us(unsigned bucket)
{
	unsigned shift;

	if (bucket < SUBS)
		return bucket;
	shift = bucket / SUBS - 1;
	return ((uint64_t)(SUBS + bucket % SUBS) << shift) +
	    ((uint64_t)1 << shift) - 1;
}

uint64_t
stats_percentile_us(const struct stats_view *v, double percent)
{
	uint64_t sum = 0, wanted, seen = 0;
	unsigned i;

	for (i = 0; i < STATS_BUCKETS; i++)
		sum += v->buckets[i];
	if (sum == 0)
		return 0;
	/* The smallest number of requests that is at least percent of all. */
	wanted = (uint64_t)((double)sum * percent / 100.0);
	if ((double)wanted < (double)sum * percent / 100.0)
		wanted++;
	if (wanted == 0)
		wanted = 1;
	for (i = 0; i < STATS_BUCKETS - 1; i++) {
		seen += v->buckets[i];
		if (seen >= wanted)
			break;
	}
	return stats_bucket_top_us(i);
}
