/*
 * The parts of a store, for operations that are about one of them: its
 * history, its journal, its files.  Part of bothy-store.
 */
#ifndef ENGINE_PARTS_H
#define ENGINE_PARTS_H

#include "store.h"

#include "store/files/files.h"
#include "store/history/history.h"
#include "store/journal/journal.h"

/* Borrowed from the store. */
struct history *store_history(struct store *s);
struct journal *store_journal(struct store *s);
struct files *store_files(struct store *s);
const char *store_dir(const struct store *s);
bool store_is_read_only(const struct store *s);

/* True, with *e as the reason, once store_hurry was called. */
bool store_hurried(struct store *s, struct err *e);

/* True if some table's throughput is limited; what they all have left. */
struct meters;
bool store_is_limited(struct store *s);
struct meters *store_meters(struct store *s);

/* Waits until all that can be read lies in files: true; false in time. */
bool store_files_wait(struct store *s, int timeout_ms);

/* The next start makes the index again, whatever becomes of this run. */
int store_distrust_index(struct store *s, struct err *e);

/* Around what history.h leaves to one thread at a time. */
void store_history_lock(struct store *s);
void store_history_unlock(struct store *s);

#endif
