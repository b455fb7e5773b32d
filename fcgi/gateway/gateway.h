/*
 * The gateway's context and its workers, shared by the files of this folder.
 *
 * Worker threads take a connection from one epoll set (accept.c) and walk its
 * request from top to bottom in blocking code (worker.c, exchange.c,
 * respond.c); one thread does what happens by time (main.c).  No thread but
 * that of a request touches its struct worker.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "accesslog.h"
#include "cgienv.h"
#include "deadline.h"
#include "fnlog.h"
#include "logfile.h"
#include "params.h"
#include "path.h"
#include "peer.h"
#include "reply.h"
#include "reqid.h"
#include "site.h"
#include "spool.h"
#include "storage.h"
#include "turns.h"

#include "fcgi/aws/endpoint.h"
#include "fcgi/invoke/invoke.h"
#include "fcgi/invoke/run.h"
#include "fcgi/invoke/stats.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>

struct stages;

/*
 * A gateway for one site.  A stage of the site (stages.h) has one, too, but
 * for sockets and workers: those of the site's serve it.
 */
struct gateway {
	const char *site_dir, *state_dir;
	const char *stage;		/* that is asked for; NULL: none is */
	const char *base_path;		/* of a stage; NULL: deploy.yaml's */
	bool is_stage;
	const char *launcher;		/* NULL: beside us */
	bool private_launcher;
	struct stages *stages;		/* of a site; NULL of a stage */
	uint64_t max_body;		/* bytes; more is a 413 */
	atomic_size_t pushes;		/* over HTTP, that are under way */
	bool dev;			/* bothy run: compile errors as pages */
	bool cgi;			/* plain CGI: one request */
	int64_t idle_ms;		/* of a resident; 0: this is none */
	_Atomic int64_t used_ms;	/* when its last request was over */
	int state_fd, scratch_fd;
	struct logs logs;
	struct logfile access, events;	/* access.jsonl, gateway.jsonl */
	struct stats *stats;
	struct invoke *invoke;
	pthread_mutex_t reload_lock;	/* one looks for a new one at a time */
	struct storage storage;		/* the site's store */
	struct endpoint aws;		/* DynamoDB's protocol, by it */
	unsigned aws_slot;		/* where its requests are counted */
	pthread_rwlock_t site_lock;	/* for swapping `site` */
	struct site *site;
	char refused[1024];		/* why the last reload was, or "" */
	struct turns turns;
	atomic_size_t busy;		/* workers with a request */
	atomic_size_t started;		/* workers so far, of nworkers */
	atomic_bool no_more;		/* the last could not be started */
	pthread_mutex_t workers_lock;	/* for starting one more */
	size_t told_workers;		/* when no more could be started */
	_Atomic int64_t accept_failed_ms;	/* when that was logged last */
	struct worker *workers;
	size_t nworkers;
	int epoll_fd, listen_fd, wake_fd;
	atomic_bool stopping;		/* SIGTERM: finish, then leave */
};

struct worker {
	struct gateway *front;	/* whose worker it is */
	struct gateway *g;	/* of the request: a stage's, or the same */
	struct stage *stage;	/* that it is for, held; or NULL */
	pthread_t thread;
	_Atomic int64_t turn;		/* TURN_NONE, TURN_KEPT, or since */
	struct deadline deadline;
	struct peer *peer;
	struct params params;
	struct path path;
	struct cgienv env;
	struct reply reply;
	struct spool spool;
	struct fnlog fnlog;
	struct accesslog access;
	struct run *run;
	struct reqid ids;
	struct buf head;	/* header block, or a whole answer of ours */
	struct buf body;	/* of a reply that is not committed */
	struct buf token;	/* for the store */
	struct session aws;	/* of a request of DynamoDB's protocol */
};

/* open.c: what it has for its site, with site_dir and state_dir set.  0, or
 * -1 with the error, and nothing to close. */
int gateway_open(
    struct gateway *g, const struct invoke_options *o, struct err *e);
void gateway_close(struct gateway *g);

/* worker.c */
int worker_init(struct worker *w, struct gateway *g);	/* w is all zero */
void worker_release(struct worker *w);
int workers_start(struct gateway *g, size_t n);
void workers_more(struct gateway *g);	/* all that were started are busy */
void workers_join(struct gateway *g);

/* exchange.c: one request, whose parameters are read, to its log line. */
void exchange(struct worker *w, int64_t wait_us);

/* events.c: the gateway's own log. */
void gateway_log(struct gateway *g, const char *level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The site in use, held: site_release() it. */
struct site *gateway_site(struct gateway *g);

/* reload.c: 1 swapped, 0 nothing new, -1 refused (and logged). */
int gateway_reload(struct gateway *g, bool force);

#endif
