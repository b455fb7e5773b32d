/*
 * Rules of stages, by which a branch gets its address (stages.h).  Opens
 * nothing.
 */
#include "stages.h"

#include "store/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SMALL "abcdefghijklmnopqrstuvwxyz0123456789"
#define LETTERS SMALL "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static const char LOCK[] = ".lock";

/* --- names ---------------------------------------------------------------- */

/*
 * Parts of these bytes between separators, of which each begins with one of
 * `first`; '*' counts among them.  At most `stars` of it in all.
 */
static bool
has_parts(const char *s, char separator, const char *first, const char *rest,
    int stars)
{
	bool begins = true;

	for (; *s; s++) {
		if (*s == '*' && stars-- <= 0)
			return false;
		if (*s == separator && begins)
			return false;
		if (*s != separator && *s != '*' &&
		    !strchr(begins ? first : rest, *s))
			return false;
		begins = *s == separator;
	}
	return !begins;
}

/* What git takes for a branch, of bytes that are harmless anywhere. */
static bool
is_branch(const char *s, int stars)
{
	size_t n = strlen(s), m = sizeof LOCK - 1;

	return n < STAGES_BRANCH_SIZE &&
	       has_parts(s, '/', LETTERS, LETTERS "._-", stars) &&
	       !strstr(s, "..") && !strstr(s, "./") && !strstr(s, ".lock/") &&
	       s[n - 1] != '.' && (n < m || strcmp(s + n - m, LOCK) != 0);
}

const char *
stages_branch_wrong(const char *branch)
{
	return is_branch(branch, 0)
		   ? NULL
		   : "must be at most 100 letters, digits, '.', '_' and '-', "
		     "between slashes, and begin with a letter or a digit "
		     "behind each";
}

const char *
stages_pattern_wrong(const char *pattern)
{
	return is_branch(pattern, 1)
		   ? NULL
		   : "must be a branch of at most 100 letters, digits, '.', "
		     "'_', '-' and '/', with one * at most";
}

static bool
is_path(const char *s, int stars)
{
	return *s == '/' && strlen(s) < STAGES_ADDRESS_SIZE &&
	       has_parts(s + 1, '/', LETTERS, LETTERS "._-", stars);
}

static bool
is_host(const char *s, int stars)
{
	return strlen(s) < STAGES_ADDRESS_SIZE &&
	       has_parts(s, '.', SMALL, SMALL "-", stars);
}

const char *
stages_path_wrong(const char *path)
{
	return is_path(path, 1) ? NULL
				: "must be a path as /feature: letters, "
				  "digits, '.', '_' and '-', with one * at "
				  "most and no slash at the end";
}

const char *
stages_host_wrong(const char *host)
{
	return is_host(host, 1) ? NULL
				: "must be a host as feature.example.org: "
				  "small letters, digits, '-' and '.', with "
				  "one * at most";
}

/* --- rules ---------------------------------------------------------------- */

/* What the star stands for: true, and where it is; nothing without one. */
static bool
fits(const char *pattern, const char *branch, const char **star, size_t *n)
{
	const char *at = strchr(pattern, '*');
	size_t before, behind, all = strlen(branch);

	*star = "";
	*n = 0;
	if (!at)
		return strcmp(pattern, branch) == 0;
	before = (size_t)(at - pattern);
	behind = strlen(at + 1);
	if (all <= before + behind || strncmp(pattern, branch, before) != 0 ||
	    strcmp(at + 1, branch + all - behind) != 0)
		return false;
	*star = branch + before;
	*n = all - before - behind;
	return !memchr(*star, '/', *n);
}

bool
stages_fits_any(const char *patterns, const char *branch)
{
	char pattern[STAGES_BRANCH_SIZE];
	const char *star;
	size_t n, length;

	for (; *patterns; patterns += n + (patterns[n] == ' ')) {
		n = strcspn(patterns, " ");
		if (n < sizeof pattern) {
			memcpy(pattern, patterns, n);
			pattern[n] = '\0';
			if (fits(pattern, branch, &star, &length))
				return true;
		}
	}
	return false;
}

int
stages_fit(const char *pattern, const char *address, const char *branch,
    char out[STAGES_ADDRESS_SIZE], struct err *e)
{
	const char *star, *at = strchr(address, '*');
	size_t n;
	int all;

	if (!fits(pattern, branch, &star, &n))
		return 0;
	all = at ? snprintf(out, STAGES_ADDRESS_SIZE, "%.*s%.*s%s",
		       (int)(at - address), address, (int)n, star, at + 1)
		 : snprintf(out, STAGES_ADDRESS_SIZE, "%s", address);
	if (all < STAGES_ADDRESS_SIZE &&
	    (*out == '/' ? is_path(out, 0) : is_host(out, 0)))
		return 1;
	return err_set(e, EINVAL,
	    "%.*s can't stand for * in %s (deploy.stages of main)", (int)n,
	    star, address);
}

int
stages_find(const struct conf *c, const char *branch,
    char out[STAGES_ADDRESS_SIZE], struct err *e)
{
	const struct conf_pair *p;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < c->stages.count; i++) {
		p = &c->stages.items[i];
		rc = stages_fit(p->name, p->value, branch, out, e);
	}
	return rc;
}

int
stages_find_in(const struct snapshot *s, const char *branch,
    char out[STAGES_ADDRESS_SIZE], struct err *e)
{
	struct snap_list l = snapshot_site(s)->stages;
	const struct snap_pair *p;
	size_t i;
	int rc = 0;

	for (i = 0; rc == 0 && i < l.count; i++) {
		p = snapshot_pair(s, l, i);
		if (p)
			rc = stages_fit(snapshot_str(s, p->name),
			    snapshot_str(s, p->value), branch, out, e);
	}
	return rc;
}
