/*
 * Reads smoke requests (smoke.h).  Runs where a configuration is loaded, and
 * in a push; sends nothing.
 */
#include "smoke.h"

#include "snapshot.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_STATUS = 200, MOST_STATUS = 599 };

static bool
is_method(const char *s)
{
	uint32_t m;

	for (m = 0; m < SNAP_ANY; m++)
		if (strcmp(snapshot_method_name(m), s) == 0)
			return true;
	return false;
}

/* The bytes that a request line carries in a path. */
static bool
is_path(const char *s)
{
	const unsigned char *p;

	for (p = (const unsigned char *)s; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '#' || *p == '\\')
			return false;
	return s[0] == '/';
}

static int
read_status(const char *s)
{
	int n = strlen(s) == 3 && strspn(s, "0123456789") == 3 ? atoi(s) : 0;

	return n >= LEAST_STATUS && n <= MOST_STATUS ? n : 0;
}

/* The word at *s, with one space behind it if `more`: 0 or -1. */
static int
take_word(const char **s, char *out, size_t room, bool more)
{
	size_t n = strcspn(*s, " ");

	if (n == 0 || n >= room || ((*s)[n] == ' ') != more)
		return -1;
	memcpy(out, *s, n);
	out[n] = '\0';
	*s += n + more;
	return 0;
}

int
smoke_read(const char *text, struct smoke_request *out)
{
	char status[4];

	if (take_word(&text, out->method, sizeof out->method, true) < 0 ||
	    take_word(&text, out->path, sizeof out->path, true) < 0 ||
	    take_word(&text, status, sizeof status, false) < 0)
		return -1;
	out->status = read_status(status);
	return is_method(out->method) && is_path(out->path) && out->status ? 0
									   : -1;
}
