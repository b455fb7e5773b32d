/*
 * Jobs of the file threads, each by itself: what it is made of, which document
 * it is for, and whom it has to tell.
 */
#include "filework_internal.h"

#include "store/base/siphash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int copy_image(const struct job_order *o, void **out);

struct job *
job_new(const struct job_order *o, uint64_t hash)
{
	const struct path_key *k = o->key;
	size_t nhash = k ? k->hash.text.n : 0;
	size_t nrange = k && k->ranged ? k->range.text.n : 0;
	struct job *j = calloc(1, sizeof *j + nhash + nrange);

	if (!j || copy_image(o, &j->image) == -1) {
		free(j);
		return NULL;
	}
	j->hash = hash;
	j->kind = o->kind;
	j->table = o->table;
	j->since = j->position = o->position;
	j->n = o->n;
	j->flags = o->flags;
	j->nbytes = nhash + nrange;
	if (k) {
		j->key = *k;
		memcpy(j->bytes, k->hash.text.p, nhash);
		j->key.hash.text.p = j->bytes;
	}
	if (nrange) {
		memcpy(j->bytes + nhash, k->range.text.p, nrange);
		j->key.range.text.p = j->bytes + nhash;
	}
	if (o->ticket)
		job_add_ticket(j, o->ticket);
	return j;
}

void
job_free(struct job *j)
{
	free(j->image);
	free(j->tickets);
	free(j);
}

int
job_replace(struct job *j, const struct job_order *o)
{
	void *image;

	if (copy_image(o, &image) == -1)
		return -1;
	free(j->image);
	j->image = image;
	j->n = o->n;
	j->position = o->position;
	j->flags |= o->flags;
	if (o->ticket)
		job_add_ticket(j, o->ticket);
	return 0;
}

static int
copy_image(const struct job_order *o, void **out)
{
	*out = NULL;
	if (!o->p)
		return 0;
	*out = malloc(o->n + 1);
	if (!*out)
		return -1;
	memcpy(*out, o->p, o->n);
	return 0;
}

size_t
job_weight(const struct job *j)
{
	return sizeof *j + j->nbytes + j->n;
}

uint64_t
job_hash(const struct filework *w, const struct job_order *o)
{
	uint64_t out[2];

	siphash128(w->seed ^ (uint64_t)(uintptr_t)o->table, &o->kind,
	    sizeof o->kind, out);
	if (o->kind != JOB_DOCUMENT)
		return out[0];
	siphash128(out[0], o->key->hash.text.p, o->key->hash.text.n, out);
	if (o->key->ranged)
		siphash128(out[0], o->key->range.text.p, o->key->range.text.n,
		    out);
	return out[0];
}

bool
job_is_for(const struct job *j, const struct job_order *o)
{
	const struct path_key *a = &j->key, *b = o->key;

	if (j->table != o->table || j->kind != o->kind)
		return false;
	if (j->kind != JOB_DOCUMENT)
		return true;
	if (a->hash.type != b->hash.type || a->ranged != b->ranged ||
	    text_compare(&a->hash.text, &b->hash.text) != 0)
		return false;
	return !a->ranged || (a->range.type == b->range.type &&
	    text_compare(&a->range.text, &b->range.text) == 0);
}

/* Without memory the ticket is told so when it is closed. */
void
job_add_ticket(struct job *j, struct filework_ticket *t)
{
	if (j->ntickets == j->tickets_room) {
		size_t room = j->tickets_room ? 2 * j->tickets_room : 2;
		struct filework_ticket **more = realloc(j->tickets,
		    room * sizeof *more);

		if (!more) {
			t->error = ENOMEM;
			return;
		}
		j->tickets = more;
		j->tickets_room = room;
	}
	j->tickets[j->ntickets++] = t;
	t->left++;
}

/* The job owes nothing to its tickets any more. */
void
job_settle(struct job *j, int error, struct job_told *told)
{
	size_t i;

	*told = (struct job_told){.tickets = j->tickets};
	for (i = 0; i < j->ntickets; i++) {
		struct filework_ticket *t = j->tickets[i];

		if (error && !t->error)
			t->error = error;
		if (--t->left == 0 && t->closed)
			told->tickets[told->n++] = t;
	}
	j->tickets = NULL;
	j->ntickets = j->tickets_room = 0;
}

/* Without the lock: who is told may hand over more. */
void
job_tell(struct job_told *told)
{
	size_t i;

	for (i = 0; i < told->n; i++)
		told->tickets[i]->done(told->tickets[i],
		    told->tickets[i]->error);
	free(told->tickets);
	*told = (struct job_told){.n = 0};
}
