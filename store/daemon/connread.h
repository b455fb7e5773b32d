/*
 * What a connection reads: bytes to frames, frames to calls.
 */
#ifndef DAEMON_CONNREAD_H
#define DAEMON_CONNREAD_H

#include <stdbool.h>
#include <stddef.h>

struct conn;

/* Reads the socket once, and begins what came. */
void connread_socket(struct conn *c);

/* Begins what had to wait. */
void connread_rest(struct conn *c);

/* A whole frame waits; there is room behind what waits. */
bool connread_is_whole(const struct conn *c);
bool connread_has_room(const struct conn *c);

/*
 * conn.c: whether it may begin another request, whether it may take more
 * memory, and what it holds.
 */
bool conn_may_begin(struct conn *c);
bool conn_has_memory(struct conn *c);
void conn_hold(struct conn *c, size_t n);
void conn_let_go(struct conn *c, size_t n);

#endif
