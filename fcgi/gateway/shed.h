/*
 * Load shedding: a 503 with Retry-After, without reading the request.
 *
 * Run by bothy-fcgi.  Answers cost little and are written at low priority, so
 * that those who retry at once don't take the time of those who are served:
 * the first come at once, then SHED_RATE of them a second.
 */
#ifndef GATEWAY_SHED_H
#define GATEWAY_SHED_H

enum {
	SHED_BURST = 256,	/* answers without a pause */
	SHED_RATE = 1000	/* and then a second */
};

struct gateway;

/* Starts the thread that sheds: 0 or -1. */
int shed_start(struct gateway *g);
void shed_stop(void);

/* Has the connection answered and closed; never blocks. */
void shed(struct gateway *g, int fd);

#endif
