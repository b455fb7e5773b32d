/*
 * Ends a site's launcher: what runs on it finishes, in the time that it gives.
 */
#ifndef CLI_QUIT_H
#define CLI_QUIT_H

#include "fcgi/invoke/link.h"

/* Waits for its end, but no longer than `wait_ms` for the next it says. */
void quit_launcher(const struct link_options *o, int wait_ms);

#endif
