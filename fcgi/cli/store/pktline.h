/*
 * The lines that git speaks with its hooks in (gitprotocol-common(5),
 * pkt-line): four hex digits, which count themselves, and the text; 0000 ends
 * a list.
 */
#ifndef CLI_PKTLINE_H
#define CLI_PKTLINE_H

#include "store/base/buf.h"

enum { PKTLINE_MAX = 65516 };		/* bytes of a text */

/*
 * Reads one into `text`, without the newline at its end: 1; 0: the list ends;
 * -1: the input ends, or is none.
 */
int pktline_read(int fd, struct buf *text);

/* Appends one, or the end of a list. 0 or -1. */
int pktline_add(struct buf *out, const char *text, size_t n);
int pktline_end(struct buf *out);

#endif
