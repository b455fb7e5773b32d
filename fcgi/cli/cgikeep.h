/*
 * The begin of a function's reply and the last lines of its log, kept for who
 * shows them only if something is wrong.
 */
#ifndef CLI_CGIKEEP_H
#define CLI_CGIKEEP_H

#include <stddef.h>

enum {
	CGIKEEP_BODY = 512, /* bytes */
	CGIKEEP_LINES = 10,
	CGIKEEP_LINE = 512 /* bytes of a line, cut to fit */
};

/* Begins as all zero bytes; owns nothing. */
struct cgikeep {
	char body[CGIKEEP_BODY];
	size_t body_bytes; /* of those that are kept */
	size_t seen_bytes; /* of all that came */
	char lines[CGIKEEP_LINES][CGIKEEP_LINE];
	size_t nlines; /* that came: the last of them are kept */
};

void cgikeep_body(struct cgikeep *k, const char *p, size_t n);
void cgikeep_line(struct cgikeep *k, const char *line);

/* The kept line of that number, from 0, the oldest; NULL behind the last. */
const char *cgikeep_at(const struct cgikeep *k, size_t i);

#endif
