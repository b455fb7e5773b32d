/*
 * The list of envlist.h, an array of strings as execve() takes it.
 */
#include "envlist.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
envlist_init(struct envlist *l)
{
	*l = (struct envlist){.items = NULL};
}

void
envlist_release(struct envlist *l)
{
	size_t i;

	for (i = 0; i < l->count; i++)
		free(l->items[i]);
	free(l->items);
	envlist_init(l);
}

/* Where the variable is, or `count`. */
static size_t
find(const struct envlist *l, const char *name)
{
	size_t n = strlen(name), i;

	for (i = 0; i < l->count; i++) {
		if (strncmp(l->items[i], name, n) == 0 &&
		    l->items[i][n] == '=')
			break;
	}
	return i;
}

static int
make_room(struct envlist *l)
{
	size_t room = l->room ? l->room * 2 : 64;
	char **items;

	if (l->count + 1 < l->room)
		return 0;
	items = realloc(l->items, room * sizeof *items);
	if (!items)
		return -1;
	l->items = items;
	l->room = room;
	return 0;
}

void
envlist_set(struct envlist *l, const char *name, const char *value)
{
	size_t i = find(l, name);
	char *item;

	if (make_room(l) < 0 || asprintf(&item, "%s=%s", name, value) < 0) {
		l->failed = true;
		return;
	}
	if (i < l->count)
		free(l->items[i]);
	else
		l->items[++l->count] = NULL;
	l->items[i] = item;
}
