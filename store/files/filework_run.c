/*
 * The file threads as filework.h describes them: what each of them does.
 */
#include "filework_internal.h"

#include "store/base/clock.h"
#include "store/base/plant.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	RENDERED_KEEP = 1 << 20,	/* of a thread's buffer between two */
	GROW_TURNS = 32,	/* jobs between two moves while there is work */
	GROW_BUSY = 16, GROW_IDLE = 64,		/* documents moved at a time */
	GROW_RETRY_MS = 1000
};

struct worker {
	struct filework *w;
	unsigned thread;
	unsigned turns;
	int64_t grow_ms;	/* not before: a move failed */
	struct buf rendered;
	struct filework_draft *draft;	/* of the job that runs, or NULL */
};

static void run_job(struct worker *me, struct job *j);
static int apply(struct worker *me, const struct job *j, struct err *e);
static int apply_document(struct worker *me, const struct job *j,
    struct files_table *files, struct filework_done *done, struct err *e);
static int render(const struct filework *w, const char *table, const void *p,
    size_t n, struct buf *out, struct err *e);
static int error_of(const struct err *e);
static int grow(struct worker *me, unsigned max);
static void wait_for_work(struct worker *me);
static void wait_until(struct filework *w, int64_t until_ms);
static void linger(struct filework *w);

/*
 * A file thread that is woken takes no core from one whose client waits
 * (sched(7)): a fifth of a write's time.
 */
static void
work_behind(void)
{
	const struct sched_param none = {0};

	sched_setscheduler(0, SCHED_BATCH, &none);
}

void *
filework_run(void *filework)
{
	struct filework *w = filework;
	struct worker me = {.w = w};

	work_behind();
	buf_init(&me.rendered, FILEWORK_RENDERED_MAX);
	pthread_mutex_lock(&w->lock);
	me.thread = w->started++;
	while (!w->stop) {
		struct job *j = job_take(w, clock_mono_ms());

		if (j)
			run_job(&me, j);
		if (j && ++me.turns % GROW_TURNS == 0)
			grow(&me, GROW_BUSY);
		if (!j && grow(&me, GROW_IDLE) == 0)
			wait_for_work(&me);
	}
	pthread_mutex_unlock(&w->lock);
	buf_release(&me.rendered);
	return NULL;
}

void
filework_do_only(struct filework *w, unsigned thread)
{
	struct worker me = {.w = w, .thread = thread};
	struct job *j = NULL;

	buf_init(&me.rendered, FILEWORK_RENDERED_MAX);
	pthread_mutex_lock(&w->lock);
	if (w->status.documents == 1 && !w->stop)
		j = job_take(w, clock_mono_ms());
	if (j && w->draft.there && w->draft.thread == thread &&
	    w->draft.position == j->position)
		me.draft = &w->draft;
	if (j)
		run_job(&me, j);
	if (!TAILQ_EMPTY(&w->later))	/* it failed: a thread tries it again */
		pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	buf_release(&me.rendered);
}

/* True if the next job that is put is the only one. */
static bool
is_free(struct filework *w)
{
	bool is;

	pthread_mutex_lock(&w->lock);
	is = w->status.documents == 0 && !w->stop;
	pthread_mutex_unlock(&w->lock);
	return is;
}

void
filework_draft(struct filework *w, unsigned thread, const char *table,
    const struct path_key *key, uint64_t position, const void *p, size_t n)
{
	struct filework_draft *d = &w->draft;
	struct files_table *files;
	struct path_name name;
	struct err ignored;

	if (!is_free(w) || path_name(key, &name) == -1)
		return;
	files = files_table(w->files, table, 0, &ignored);
	if (!files || render(w, table, p, n, &d->rendered, &ignored) == -1)
		return;
	d->thread = thread;
	d->position = position;
	d->there = files_draft(files, thread, &name, d->rendered.data,
	    d->rendered.len);
}

void
filework_undraft(struct filework *w)
{
	if (w->draft.there)
		files_undraft(w->files, w->draft.thread);
	w->draft.there = false;
}

/* Called and left under the lock, which is not held meanwhile. */
static void
run_job(struct worker *me, struct job *j)
{
	struct filework *w = me->w;
	struct job_told told;
	struct err e = {.code = 0};
	int error = 0;

	pthread_mutex_unlock(&w->lock);
	if (planted(PLANT_FILES_OUT_OF_ORDER) && random() % 4 == 0)
		usleep(500);
	if (!j->is_void && apply(me, j, &e) == -1)
		error = error_of(&e);
	pthread_mutex_lock(&w->lock);
	if (error)
		snprintf(w->status.text, sizeof w->status.text, "%.*s",
		    (int)sizeof w->status.text - 1, e.text);
	job_done(w, j, error, clock_mono_ms(), &told);
	if (w->watching)
		pthread_cond_broadcast(&w->progress);
	if (told.n == 0 && !told.tickets)
		return;
	pthread_mutex_unlock(&w->lock);
	job_tell(&told);
	pthread_mutex_lock(&w->lock);
}

static int
apply(struct worker *me, const struct job *j, struct err *e)
{
	struct filework *w = me->w;
	struct job_table *t = j->table;
	struct filework_done done = {
	    .table = t->name,
	    .key = j->kind == JOB_DOCUMENT ? &j->key : NULL,
	    .position = j->position,
	    .removed = !j->image,
	};
	struct files_table *files = files_table(w->files, t->name, 0, e);
	int r;

	if (!files)
		return -1;
	if (j->kind == JOB_DROP)
		return files_drop(files, e);
	if (j->kind == JOB_TABLE_FILE)
		r = files_write(files, me->thread, NULL, j->image, j->n,
		    j->flags, &done.st, e);
	else
		r = apply_document(me, j, files, &done, e);
	if (r == 0 && w->options.written)
		w->options.written(w->options.arg, &done);
	return r;
}

static int
apply_document(struct worker *me, const struct job *j,
    struct files_table *files, struct filework_done *done, struct err *e)
{
	struct buf *b = me->draft ? &me->draft->rendered : &me->rendered;
	int flags = j->flags | (me->draft ? FILES_DRAFTED : 0);
	struct path_name name;

	if (path_name(&j->key, &name) == -1)
		return err_sys(e, "can't name a document of table %s",
		    j->table->name);
	if (!j->image)
		return files_remove(files, me->thread, &name, j->flags, e) ==
		    -1 ? -1 : 0;
	if (!me->draft && render(me->w, j->table->name, j->image, j->n, b,
	    e) == -1)
		return -1;
	if (me->draft)
		me->draft->there = false;
	if (files_write(files, me->thread, &name, b->data, b->len, flags,
	    &done->st, e) == -1)
		return -1;
	if (b->room > RENDERED_KEEP)
		buf_release(b);
	return 0;
}

/* What the file will hold. */
static int
render(const struct filework *w, const char *table, const void *p, size_t n,
    struct buf *out, struct err *e)
{
	buf_reset(out);
	if (w->options.render)
		return w->options.render(w->options.arg, table, p, n, out, e);
	return buf_add(out, p, n) == -1 ?
	    err_set(e, ENOMEM, "no memory for a document of table %s", table) :
	    0;
}

static int
error_of(const struct err *e)
{
	return e->code ? e->code : EIO;
}

/* As run_job; how many were moved. */
static int
grow(struct worker *me, unsigned max)
{
	struct filework *w = me->w;
	struct err e;
	int moved;

	if (me->grow_ms > clock_mono_ms())
		return 0;
	pthread_mutex_unlock(&w->lock);
	moved = files_grow(w->files, me->thread, max, &e);
	pthread_mutex_lock(&w->lock);
	if (moved != -1)
		return moved;
	me->grow_ms = clock_mono_ms() + GROW_RETRY_MS;
	w->status.failures++;
	snprintf(w->status.text, sizeof w->status.text, "%.*s",
	    (int)sizeof w->status.text - 1, e.text);
	w->status.error = error_of(&e);
	return 0;
}

/* Until there may be a job that waits for nothing but its time. */
static void
wait_for_work(struct worker *me)
{
	struct filework *w = me->w;
	const struct job *later = TAILQ_FIRST(&w->later);
	int64_t until_ms = later ? later->retry_ms : INT64_MAX;

	if (w->stop || !TAILQ_EMPTY(&w->urgent) || !TAILQ_EMPTY(&w->ready))
		return;
	if (me->grow_ms > clock_mono_ms() && me->grow_ms < until_ms)
		until_ms = me->grow_ms;
	wait_until(w, until_ms);
	linger(w);
}

static void
wait_until(struct filework *w, int64_t until_ms)
{
	struct timespec until;

	w->idle++;
	if (until_ms == INT64_MAX) {
		pthread_cond_wait(&w->work, &w->lock);
	} else {
		until = (struct timespec){until_ms / 1000,
		    until_ms % 1000 * 1000000};
		pthread_cond_timedwait(&w->work, &w->lock, &until);
	}
	w->idle--;
}

bool
filework_has_time(const struct filework *w)
{
	return !w->stop && w->watching == 0 && TAILQ_EMPTY(&w->urgent) &&
	    w->status.documents < FILEWORK_LITTLE &&
	    !planted(PLANT_FILES_OUT_OF_ORDER);
}

/* One thread does: the others sleep on. */
static void
linger(struct filework *w)
{
	int64_t until_ms = clock_mono_ms() + FILEWORK_LINGER_MS;

	if (w->lingers || TAILQ_EMPTY(&w->ready))
		return;
	w->lingers = true;
	while (filework_has_time(w) && clock_mono_ms() < until_ms)
		wait_until(w, until_ms);
	w->lingers = false;
}
