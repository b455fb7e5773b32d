/*
 * The launcher's state, shared by the files of this folder alone.
 *
 * One process a site, single-threaded, under a lock.  It is the only parent
 * of zygotes, hands their children to clients, counts concurrency for all of
 * them, and ends what passes its limits.  It reads no request and no reply.
 *
 * Invariants:
 *  1. A pool exists for each distinct function (same binary, limits,
 *     environment); two snapshots that agree on it share the pool.
 *  2. A child is in stock (owner NULL, ctl_fd >= 0) or leased (owner set,
 *     ctl_fd -1); its pidfd is open until its zygote has reported its end.
 *  3. A pool has at most one zygote that gets new children; others drain.
 *  4. forking counts the children asked of that zygote and not yet come.
 */
#ifndef LAUNCH_LAUNCHER_H
#define LAUNCH_LAUNCHER_H

#include "key.h"

#include "fcgi/conf/snapshot.h"
#include "fcgi/launch/proto.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	POOL_ALIVE_MAX = 200,	/* children of one function */
	STOCK_MAX = 16,		/* idle children kept here, beside `warm` */
	IDLE_CHILD_MS = 10000,	/* an unused pool has only `warm` after this */
	IDLE_ZYGOTE_MS = 300000,
	WARM_KEPT_MS = 60000,	/* after the last gateway that wants `warm` */
	INIT_MS = 30000,	/* for an init */
	FORK_MS = 10000,	/* for an answer to FORK */
	LEASE_IDLE_MS = 30000,		/* gateways keep none unused so long */
	LEAVE_AFTER_MS = 60000,	/* without clients and children */
	DRAIN_MS = 30000,
	SAMPLE_EVERY_MS = 50,
	KILL_AGAIN_MS = 200,
	YIELD_AFTER_MS = 20,	/* of CPU in one request: others go first */
	YIELD_ON_MS = 5,	/* of more CPU: they still do */
	YIELD_FUNCTION_MS = 3000,	/* since one of its requests did */
	TICK_MS = 1000,
	CLIENTS_MAX = 1024,
	BACKENDS_MAX = 16	/* of git's at once */
};

struct launcher;

/* Anything with a descriptor in the epoll set. */
struct source {
	int fd;
	void (*ready)(struct launcher *l, struct source *s, uint32_t events);
};

struct client {
	struct source source;		/* first: a source is its client */
	struct client *next, *prev;
	bool gone;			/* freed at the end of the round */
	bool proven;			/* it knows the key */
	bool prompt;			/* as we made it (yield.c) */
	struct child *children;		/* that it has leased */
};

/* A client that waits for children of a pool, oldest first. */
struct want {
	struct client *client;
	uint32_t tag, count;
	struct want *next;
};

/* A held unit of reservedConcurrency. */
struct slot {
	uint64_t id;
	struct client *owner;
	struct slot *next;
};

struct release {
	struct snapshot *snapshot;
	struct pool **pools;		/* by function index, made on use */
	int64_t used_ms;
	int held_fd;			/* so that no push removes it, or -1 */
	struct release *next;
};

struct zygote_host;

struct child {
	uint64_t id;
	uint32_t serial;
	int ctl_fd, pidfd;
	struct zygote_host *zygote;
	struct client *owner;
	bool watched, report;
	bool yields;			/* its request has computed long */
	uint32_t ended_by;		/* enum launch_end */
	int64_t killed_ms;		/* last; 0: was not */
	int64_t deadline_mono_ms;
	uint64_t peak_kb, cpu_us;	/* by sampling */
	uint64_t cpu_before_us;		/* when its function yielded last;
					 * else spent on earlier requests */
	int64_t leased_ms;		/* when it was handed out */
	int cgroup_slot;		/* -1: none */
	struct child *next;		/* in stock, or in the free list */
	struct child *owned_next, *owned_prev;	/* of the same owner's */
};

struct zygote_host {
	struct source source;		/* its socket */
	struct source log;		/* what it writes to 1 and 2 */
	struct pool *pool;
	pid_t pid;
	uid_t uid;			/* the function's own; 0: ours */
	bool ready, draining;
	bool reaped, gone;		/* ended; freed at the end of the round */
	unsigned alive;			/* children not reported ended */
	int64_t started_ms;
	int64_t asked_ms;		/* when FORK was sent last */
	bool yields;			/* as its pool did (yield.c) */
	bool least;			/* its session's share (schedule.h) */
	char line[1024];		/* of its log, so far */
	size_t line_len, logged;	/* bytes */
	char failure[512];
	char *scratch;			/* its directory */
	struct child *children[256];	/* by low byte of their serial */
	struct zygote_host *next;
};

struct pool {
	uint64_t key;			/* hash of the specification */
	struct release *release;	/* that it was made from */
	const struct snap_function *fn;
	struct zygote_host *zygote;	/* gets new children, or NULL */
	struct child *stock;
	unsigned nstock, forking, alive;
	struct want *wants, **wants_end;
	struct slot *slots;
	unsigned nslots;
	unsigned misses, misses_before;	/* leases not served at once, by 10 s */
	int64_t window_ms, used_ms;
	int64_t wanted_ms;	/* when a gateway asked last, if for none */
	unsigned warm;		/* kept while a gateway serves the release */
	int64_t not_before_ms, backoff_ms;
	int64_t yields_until_ms;	/* 0: it doesn't */
	char failure[512];
	struct pool *next;
};

/* A git http-backend that runs (backend.c). */
struct backend {
	pid_t pid;
	uint32_t tag;
	struct client *client;		/* NULL: gone */
	struct backend *next;
};

struct ended {
	uint64_t id;
	struct launch_msg msg;
};

enum { ENDED_KEPT = 256, CHILD_TABLE = 4096 };

struct launcher {
	const char *site_dir, *state_dir;
	int state_fd, epoll_fd, log_fd;
	struct source listener, signals;
	char key[KEY_SIZE];
	unsigned last_zygote;		/* numbers scratch directories */
	bool private_client;		/* serves one client, then leaves */
	bool leaving, accept_paused;
	int64_t leave_by_ms, busy_ms;
	struct client *clients;
	size_t nclients;
	struct release *releases;
	struct pool *pools;
	struct zygote_host *zygotes;
	struct backend *backends;
	size_t nbackends;
	struct child children[CHILD_TABLE];	/* id's low bits = index */
	struct child *free_children;
	size_t children_used;		/* entries ever taken */
	size_t nchildren, nwatched;
	bool hasty;			/* somebody gives way to all others */
	bool prompt;			/* as we are scheduled */
	uint64_t first_id, last_id;	/* no two launchers share one */
	struct ended ended[ENDED_KEPT];	/* a ring of reports */
	size_t ended_at;
	struct containment *containment;
};

/* loop.c */
int loop_add(struct launcher *l, struct source *s);
void loop_remove(struct launcher *l, struct source *s);	/* and closes */
void loop_mute(struct launcher *l, struct source *s, bool mute);
int loop_run(struct launcher *l);
void loop_leave(struct launcher *l);

/* client.c */
void client_accept(struct launcher *l, struct source *s, uint32_t events);
struct client *client_add(struct launcher *l, int fd);
void client_drop(struct launcher *l, struct client *c);
int client_say(struct launcher *l, struct client *c, struct launch_msg *m,
    const char *text, const int *fds, size_t nfds);
void client_refuse(struct launcher *l, struct client *c, uint32_t tag,
    uint32_t code, const char *text);

/* release.c */
struct pool *release_pool(struct launcher *l, const char *snapshot_id,
    uint32_t function, struct err *e);
void release_forget_old(struct launcher *l, int64_t now_ms);

/* pool.c */
void pool_lease(struct launcher *l, struct pool *p, struct client *c,
    uint32_t tag, uint32_t count);
void pool_serve(struct launcher *l, struct pool *p);
void pool_refuse_all(struct launcher *l, struct pool *p, uint32_t code,
    const char *text);
void pool_forget_client(struct launcher *l, struct client *c);
void pool_add_stock(struct pool *p, struct child *c);
void pool_acquire(struct launcher *l, struct pool *p, struct client *c,
    uint32_t tag);
void pool_release_slot(struct launcher *l, struct client *c, uint64_t id);
void pool_tick(struct launcher *l, struct pool *p, int64_t now_ms);

/* zygotes.c */
int zygote_start(struct launcher *l, struct pool *p);
void zygote_fork(struct launcher *l, struct zygote_host *z, uint32_t count);
void zygote_poke(struct launcher *l, struct zygote_host *z);
void zygote_retire(struct launcher *l, struct zygote_host *z);
void zygote_reaped(struct launcher *l, pid_t pid, int status);
void zygote_end_stuck(struct launcher *l, int64_t now_ms);
void zygote_free_gone(struct launcher *l);

/* children.c */
struct child *child_new(struct launcher *l, struct zygote_host *z,
    uint32_t serial, int ctl_fd, int pidfd);
struct child *child_find(struct launcher *l, uint64_t id);
void child_own(struct child *c, struct client *owner);	/* NULL: nobody */
void child_kill(struct launcher *l, struct child *c);
void child_signal(struct launcher *l, struct child *c, uint32_t sig);
void child_ended(struct launcher *l, struct child *c, int wait_status,
    uint64_t max_rss_kb, uint64_t cpu_us);
void child_watch(struct launcher *l, struct child *c, int64_t deadline);
void child_rest(struct launcher *l, struct child *c);
void child_report(struct launcher *l, struct client *c, uint64_t id);
void child_sample_all(struct launcher *l, int64_t now_ms);
void child_end_overdue(struct launcher *l, int64_t now_ms);

/*
 * backend.c: starts git with `env`, m->bytes of "NAME=value\0" that are written
 * to, and LAUNCH_GIT_FDS descriptors; -1 if that is no environment.  Then, true
 * if that pid was one; ends what a client asked for.
 */
int backend_start(struct launcher *l, struct client *c,
    const struct launch_msg *m, char *env, const int *fds);
bool backend_reaped(struct launcher *l, pid_t pid, int status);
void backend_client_goes(struct launcher *l, const struct client *c);

/* yield.c: to be called ... */
void yield_self(struct launcher *l);	/* when nwatched has changed */
void yield_client_came(struct launcher *l, struct client *c);
void yield_client_goes(struct client *c);
void yield_zygote_came(struct launcher *l, struct zygote_host *z);
void yield_function(struct launcher *l, struct pool *p);	/* it overdoes */
void yield_look(struct launcher *l, int64_t now_ms);	/* now and then */

/* status.c */
void status_send(struct launcher *l, struct client *c);

/* launchlog.c: one JSON line each into log/launch.jsonl, or a function's. */
void launchlog(struct launcher *l, const char *level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void launchlog_function(struct launcher *l, const char *function,
    const char *level, const char *text, size_t len);

#endif
