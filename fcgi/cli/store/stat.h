/*
 * The store's figures for who doesn't ask it for anything else.
 */
#ifndef CLI_STORESTAT_H
#define CLI_STORESTAT_H

#include "fcgi/cli/cli.h"

#include "store/base/buf.h"

struct json_node;

enum { STORESTAT_REACH = 128 };

/*
 * The JSON of Stat, of the site's store if its daemon runs; it is not started.
 * 1; 0 if it doesn't run; -1 with the error set.
 */
int storestat_ask(const struct cli *c, struct buf *out, struct err *e);

/*
 * How far the History of it reaches back, as a sentence about it; "" if there
 * is none yet.
 */
void storestat_reach(const struct json_node *history,
    char out[STORESTAT_REACH]);

/* Prints such JSON, each line behind a head of `width` columns. */
void storestat_print(const char *json, size_t n, size_t width);

#endif
