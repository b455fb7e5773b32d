/*
 * Where zygotes keep the scratch directories of their children:
 * scratch/<function>/<launcher's pid>.<number>, one for each zygote, so that
 * an old and a new one, or two launchers, never empty each other's.
 *
 * A zygote empties its own as it goes and when it ends; what one that was
 * killed has left is removed here, by a process of its own, since a function
 * can leave a great many files.
 */
#ifndef LAUNCH_SCRATCHDIR_H
#define LAUNCH_SCRATCHDIR_H

#include "store/base/err.h"

#include <stddef.h>

/* The path of a new zygote's directory, made. 0 or -1. */
int scratchdir_make(const char *state_dir, const char *function,
    unsigned number, char *path, size_t size, struct err *e);

/* Removes the directory of a zygote that has ended. */
void scratchdir_remove(const char *path);

/* At a launcher's start: removes what launchers that are gone have left. */
void scratchdir_clean(const char *state_dir);

#endif
