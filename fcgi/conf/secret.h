/*
 * Secrets: one file each, outside the site's tree.
 *
 * They are <root>/<service>/<stage>/<NAME>, mode 0600 in directories of mode
 * 0700; the root is $BOTHY_SECRETS, else $XDG_CONFIG_HOME/bothy, else
 * $HOME/.config/bothy (absolute paths only).  They are expanded into a
 * function's environment when it is started; the CLI sets and removes them.  A
 * value is never part of an error text.
 *
 * Names are [A-Za-z_][A-Za-z0-9_]*, at most SECRET_MAX_NAME bytes; values are
 * any bytes but NUL, at most SECRET_MAX_VALUE.
 */
#ifndef CONF_SECRET_H
#define CONF_SECRET_H

#include "store/base/buf.h"
#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { SECRET_MAX_NAME = 128, SECRET_MAX_VALUE = 32 * 1024 };

/* Their root: an absolute path of at most PATH_MAX bytes.  0 or -1. */
int secret_root(char *root, struct err *e);

/* True if the template holds a ${secret:NAME}. */
bool secret_used(const char *template);

/*
 * Appends the template to `out` with every ${secret:NAME} replaced.  0; or -1
 * with the error set (ENOENT: not set, said with the command that sets it;
 * EPERM: a file that others can read), and nothing of value in `out`.
 */
int secret_expand(const char *template, const char *service,
    const char *stage, struct buf *out, struct err *e);

/* Read, write (whole, in one step), remove one.  0, or -1 with the error. */
int secret_get(const char *service, const char *stage, const char *name,
    struct buf *out, struct err *e);
int secret_set(const char *service, const char *stage, const char *name,
    const char *value, size_t len, struct err *e);
int secret_remove(const char *service, const char *stage, const char *name,
    struct err *e);

/*
 * The names, sorted: *names is malloc'ed and ends in NULL; free it with
 * secret_list_free().  0 (also when there are none), or -1 with the error.
 */
int secret_list(const char *service, const char *stage, char ***names,
    struct err *e);
void secret_list_free(char **names);

#endif
