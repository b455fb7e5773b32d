/*
 * The inotify side of `bothy run` (watch.h).
 */
#include "watch.h"

#include "store/base/io.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
	EVENTS = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
	    IN_CREATE | IN_ONLYDIR
};

int
watch_open(struct watch *w, struct err *e)
{
	w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (w->fd < 0)
		return err_sys(e, "cannot watch files (inotify)");
	return 0;
}

void
watch_close(struct watch *w)
{
	io_close(&w->fd);
}

void
watch_directory(struct watch *w, const char *path)
{
	if (inotify_add_watch(w->fd, path, EVENTS) < 0 && errno == ENOSPC)
		w->full = true;
}

/* The file's directory, and the ones above it within the site. */
static void
watch_above(struct watch *w, const char *site_dir, char *path)
{
	size_t site = strlen(site_dir);
	char *slash;

	while ((slash = strrchr(path, '/'))) {
		*slash = '\0';
		watch_directory(w, *path ? path : "/");
		if (strncmp(path, site_dir, site) != 0 || path[site] != '/')
			break;
	}
}

void
watch_files(struct watch *w, const char *site_dir, const struct map *files)
{
	char path[PATH_MAX];
	size_t i;
	int n;

	for (i = 0; i < files->count; i++) {
		const char *name = files->entries[i].key;

		if (name[0] == '/')
			n = snprintf(path, sizeof path, "%s", name);
		else
			n = snprintf(path, sizeof path, "%s/%s", site_dir,
			    name);
		if (n < 0 || n >= (int)sizeof path)
			continue;
		watch_above(w, site_dir, path);
	}
}

/* True for a name that may be a source's. */
static bool
is_source(const char *name)
{
	static const char *const ends[] = {"~", ".o", ".d", ".a", ".so", ".swp",
	    ".swx", ".tmp", ".gch"};
	size_t n = strlen(name), k, i;

	if (name[0] == '.')
		return strcmp(name, ".env") == 0;
	if (strcmp(name, "4913") == 0)	/* vim tries whether it may write */
		return false;
	for (i = 0; i < sizeof ends / sizeof *ends; i++) {
		k = strlen(ends[i]);
		if (n >= k && strcmp(name + n - k, ends[i]) == 0)
			return false;
	}
	return true;
}

/* A new file matters when it has been written, a new directory at once. */
static bool
matters(const struct inotify_event *event, const char *name)
{
	if (event->mask & IN_Q_OVERFLOW)
		return true;
	if (!event->len || ((event->mask & IN_CREATE) &&
	    !(event->mask & IN_ISDIR)))
		return false;
	return is_source(name);
}

bool
watch_changed(struct watch *w)
{
	union {
		struct inotify_event event;	/* for its alignment */
		char bytes[16384];
	} b;
	struct inotify_event event;
	bool changed = false;
	ssize_t n, at;

	while ((n = io_read(w->fd, b.bytes, sizeof b.bytes)) > 0) {
		for (at = 0; at < n;
		    at += (ssize_t)(sizeof event + event.len)) {
			memcpy(&event, b.bytes + at, sizeof event);
			if (matters(&event, b.bytes + at + sizeof event))
				changed = true;
		}
	}
	return changed;
}
