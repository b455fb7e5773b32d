/*
 * An environment that is put together for a program to be started.
 */
#ifndef CLI_ENVLIST_H
#define CLI_ENVLIST_H

#include <stdbool.h>
#include <stddef.h>

struct envlist {
	char **items;		/* "NAME=value", ended by NULL */
	size_t count, room;
	bool failed;		/* no memory: something is missing */
};

/* An empty list; items is never NULL after the first set. */
void envlist_init(struct envlist *l);
void envlist_release(struct envlist *l);

/* Sets a variable, replacing one of that name; tested once by `failed`. */
void envlist_set(struct envlist *l, const char *name, const char *value);

#endif
