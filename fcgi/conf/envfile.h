/*
 * The site's env file: NAME=value lines for ${env:NAME}.
 *
 * Blank lines and lines that begin with # are passed over; `export ` before a
 * name is too.  A value is what stands behind the '=': bare up to " #" or the
 * end of the line, without spaces around it; in single quotes as it is; in
 * double quotes with \n, \t, \", \\ and \$.  Nothing in it is expanded.
 */
#ifndef CONF_ENVFILE_H
#define CONF_ENVFILE_H

#include "errlist.h"
#include "zone.h"

#include "store/base/map.h"

#include <stddef.h>

/*
 * Reads `n` bytes, named `file` in errors, into `values` (name -> C string in
 * the zone).  0, or -1 with an error for every bad line.
 */
int envfile_read(struct zone *a, const char *file, const char *bytes,
    size_t n, struct map *values, struct errlist *errors);

#endif
