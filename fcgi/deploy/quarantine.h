/*
 * What pushes that were killed left among the repository's objects: git keeps
 * what comes in in a directory of its own (tmp_objdir-incoming-XXXXXX,
 * githooks(5)) and removes it itself, unless it is ended by a signal.
 */
#ifndef DEPLOY_QUARANTINE_H
#define DEPLOY_QUARANTINE_H

/*
 * Removes them, but not that of the hook that calls; while another push comes
 * in, only those that nobody has written to for a day.
 */
void quarantine_clear(const char *repository);

#endif
