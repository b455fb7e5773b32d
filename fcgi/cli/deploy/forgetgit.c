/*
 * Forgets git's environment (forgetgit.h).  Runs in pre-receive.
 */
#include "forgetgit.h"

#include <string.h>
#include <unistd.h>

void
forget_git(void)
{
	char **from, **to;

	for (from = to = environ; *from; from++)
		if (strncmp(*from, "GIT_", 4) != 0)
			*to++ = *from;
	*to = NULL;
}
