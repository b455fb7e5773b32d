/*
 * Catalogues as catalog.h describes them: small sorted arrays, copied at each
 * change, with a count of holders for the array and for each table.
 */
#include "catalog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int
catalog_init(struct catalog_place *p, struct err *e)
{
	pthread_mutex_init(&p->lock, NULL);
	atomic_init(&p->limited, false);
	p->newest = calloc(1, sizeof *p->newest);
	if (!p->newest)
		return err_set(e, ENOMEM, "out of memory");
	p->newest->refs = 1;
	return 0;
}

/* With the lock held. */
static void
drop(struct catalog *c)
{
	size_t i;

	if (--c->refs)
		return;
	for (i = 0; i < c->count; i++)
		if (--*c->entries[i].refs == 0) {
			table_free(c->entries[i].table);
			free(c->entries[i].refs);
		}
	free(c->entries);
	free(c);
}

void
catalog_destroy(struct catalog_place *p)
{
	if (!p->newest)
		return;
	drop(p->newest);
	p->newest = NULL;
	pthread_mutex_destroy(&p->lock);
}

struct catalog *
catalog_hold(struct catalog_place *p)
{
	struct catalog *c;

	pthread_mutex_lock(&p->lock);
	c = p->newest;
	c->refs++;
	pthread_mutex_unlock(&p->lock);
	return c;
}

void
catalog_release(struct catalog_place *p, struct catalog *c)
{
	pthread_mutex_lock(&p->lock);
	drop(c);
	pthread_mutex_unlock(&p->lock);
}

size_t
catalog_from(const struct catalog *c, const char *name, size_t n)
{
	const struct text wanted = {name, n};
	size_t low = 0, high = c->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *here = c->entries[middle].table->name;
		const struct text t = {here, strlen(here)};

		if (text_compare(&t, &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct table *
catalog_named(const struct catalog *c, const char *name, size_t n)
{
	size_t i = catalog_from(c, name, n);
	const struct table *t = i < c->count ? c->entries[i].table : NULL;

	return t && strlen(t->name) == n && memcmp(t->name, name, n) == 0
	    ? t
	    : NULL;
}

const struct table *
catalog_id(const struct catalog *c, uint64_t id)
{
	size_t i;

	for (i = 0; i < c->count; i++)
		if (c->entries[i].table->id == id)
			return c->entries[i].table;
	return NULL;
}

/* A copy without the table `id`, with room for one more; with the lock held. */
static struct catalog *
copy_without(const struct catalog *old, uint64_t id)
{
	struct catalog *c = calloc(1, sizeof *c);
	size_t i;

	if (!c)
		return NULL;
	c->entries = calloc(old->count + 1, sizeof *c->entries);
	if (!c->entries) {
		free(c);
		return NULL;
	}
	c->refs = 1;
	for (i = 0; i < old->count; i++)
		if (old->entries[i].table->id != id) {
			c->entries[c->count++] = old->entries[i];
			++*old->entries[i].refs;
		}
	return c;
}

static void
swap(struct catalog_place *p, struct catalog *fresh)
{
	struct catalog *old = p->newest;
	bool limited = false;
	size_t i;

	for (i = 0; i < fresh->count && !limited; i++)
		limited = table_is_limited(fresh->entries[i].table);
	atomic_store(&p->limited, limited);

	p->newest = fresh;
	drop(old);
}

int
catalog_put(struct catalog_place *p, struct table *t, struct err *e)
{
	unsigned *refs = malloc(sizeof *refs);
	struct catalog *c = NULL;
	size_t at;

	pthread_mutex_lock(&p->lock);
	if (refs)
		c = copy_without(p->newest, t->id);
	if (c) {
		at = catalog_from(c, t->name, strlen(t->name));
		memmove(&c->entries[at + 1], &c->entries[at],
		    (c->count - at) * sizeof *c->entries);
		*refs = 1;
		c->entries[at] = (struct catalog_entry){refs, t};
		c->count++;
		swap(p, c);
	}
	pthread_mutex_unlock(&p->lock);
	if (c)
		return 0;
	free(refs);
	table_free(t);
	return err_set(e, ENOMEM, "out of memory");
}

int
catalog_remove(struct catalog_place *p, uint64_t id, struct err *e)
{
	struct catalog *c;

	pthread_mutex_lock(&p->lock);
	c = copy_without(p->newest, id);
	if (c)
		swap(p, c);
	pthread_mutex_unlock(&p->lock);
	return c ? 0 : err_set(e, ENOMEM, "out of memory");
}
