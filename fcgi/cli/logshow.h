/*
 * Prints entries of the logs to stdout, for `bothy logs` and `bothy run`.
 */
#ifndef CLI_LOGSHOW_H
#define CLI_LOGSHOW_H

#include "logtail.h"

#include <stdbool.h>
#include <stddef.h>

struct logshow {
	const char *state_dir;
	bool json, color;
	bool quiet;		/* leave out what gateway and launcher tell
				 * when nothing is wrong */
	size_t shown;
};

/* Colours if stdout is a terminal and $NO_COLOR is not set. */
void logshow_init(struct logshow *s, const char *state_dir, bool json);

/* For logtail_read(); `arg` is a struct logshow. */
void logshow_entry(void *arg, const struct logentry *entry);

#endif
