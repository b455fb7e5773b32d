/*
 * Progress of what takes long, on the terminal that stderr is; elsewhere
 * nothing is shown.
 */
#ifndef CLI_STOREBAR_H
#define CLI_STOREBAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct storebar {
	bool terminal;
	bool shown;		/* a line stands there that is not ended */
	int64_t since_ms;
};

void storebar_init(struct storebar *b);

/* For client_options.progress; `ctx` is a struct storebar. */
void storebar_progress(void *ctx, const char *json, size_t n);

/* Shows `done` of `all` (0: nobody knows) things. */
void storebar_show(struct storebar *b, const char *what, uint64_t done,
    uint64_t all);

/* Takes the line away. */
void storebar_end(struct storebar *b);

#endif
