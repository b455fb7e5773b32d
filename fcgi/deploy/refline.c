/*
 * Lines of git's about refs (refline.h).  Runs in git's hooks.
 */
#include "refline.h"

#include <stddef.h>
#include <string.h>

enum { HEX = 40 };

static const char HEADS[] = "refs/heads/";

int
refline_split(char *line, char **words)
{
	char *rest = line;
	int i;

	line[strcspn(line, "\n")] = '\0';
	for (i = 0; i < 3; i++)
		words[i] = strsep(&rest, " ");
	return words[2] && !rest && strlen(words[0]) == HEX &&
		       strlen(words[1]) == HEX
		   ? 0
		   : -1;
}

bool
refline_none(const char *commit)
{
	return strspn(commit, "0") == HEX;
}

const char *
refline_branch(const char *ref)
{
	const size_t n = sizeof HEADS - 1;

	return strncmp(ref, HEADS, n) == 0 ? ref + n : NULL;
}
