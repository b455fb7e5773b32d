/*
 * Keeps a release from being removed while something of it runs.
 *
 * Used by gateway and launcher for each configuration that they hold.
 */
#ifndef RELEASE_HOLD_H
#define RELEASE_HOLD_H

/*
 * Holds a release by its tree (of another directory nothing comes): a
 * descriptor to close when nothing of it runs any more, or -1.
 */
int release_hold(const char *tree);

#endif
