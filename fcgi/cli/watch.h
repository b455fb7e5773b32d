/*
 * Watches directories for changed sources, for `bothy run` (inotify).
 */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "store/base/err.h"
#include "store/base/map.h"

#include <stdbool.h>

struct watch {
	int fd;			/* readable when something may have changed */
	bool full;		/* the system watches no more directories */
};

/* 0, or -1 with the error set. */
int watch_open(struct watch *w, struct err *e);
void watch_close(struct watch *w);

/* Watches a directory; one that is watched already or is not there is fine. */
void watch_directory(struct watch *w, const char *path);

/*
 * Watches the directories of files (relative ones are below `site_dir`) and
 * those above them within the site, which may be replaced.
 */
void watch_files(struct watch *w, const char *site_dir,
    const struct map *files);

/*
 * Takes what has happened: true if a file came, went or was written whose
 * name is that of a source (hidden files but .env, editors' backups and
 * compilers' output are none).
 */
bool watch_changed(struct watch *w);

#endif
