/*
 * Keeps what is shown of a function that failed (cgikeep.h).
 */
#include "cgikeep.h"

#include <stdio.h>
#include <string.h>

void
cgikeep_body(struct cgikeep *k, const char *p, size_t n)
{
	size_t room = sizeof k->body - k->body_bytes;

	memcpy(k->body + k->body_bytes, p, n < room ? n : room);
	k->body_bytes += n < room ? n : room;
	k->seen_bytes += n;
}

void
cgikeep_line(struct cgikeep *k, const char *line)
{
	snprintf(k->lines[k->nlines % CGIKEEP_LINES], CGIKEEP_LINE, "%s", line);
	k->nlines++;
}

const char *
cgikeep_at(const struct cgikeep *k, size_t i)
{
	size_t first =
	    k->nlines > CGIKEEP_LINES ? k->nlines - CGIKEEP_LINES : 0;

	return first + i < k->nlines ? k->lines[(first + i) % CGIKEEP_LINES]
				     : NULL;
}
