/*
 * The printing side of the logs (logshow.h).
 */
#include "logshow.h"

#include "logline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

void
logshow_init(struct logshow *s, const char *state_dir, bool json)
{
	*s = (struct logshow){.state_dir = state_dir, .json = json,
	    .color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR")};
}

/*
 * The binary whose addresses a function's line may hold: the one that is
 * linked now, if it was when the line was written.  "" if there is none.
 */
static void
find_binary(const struct logshow *s, const struct logentry *entry, char *out)
{
	const char *iso;
	char link[PATH_MAX];
	struct tm utc = {0};
	struct stat st;

	out[0] = '\0';
	iso = json_string_value(json_object_get(entry->line, "time"));
	if (!iso || !strptime(iso, "%Y-%m-%dT%H:%M:%S", &utc) ||
	    snprintf(link, sizeof link, "%s/build/%s", s->state_dir,
	    entry->source) >= (int)sizeof link || lstat(link, &st) < 0 ||
	    !S_ISLNK(st.st_mode) || st.st_mtim.tv_sec > timegm(&utc))
		return;
	if (!realpath(link, out))
		out[0] = '\0';
}

static bool
is_chatter(const struct logentry *entry)
{
	const char *level = json_string_value(json_object_get(entry->line,
	    "level"));

	return (strcmp(entry->source, "gateway") == 0 ||
	    strcmp(entry->source, "launch") == 0) && level &&
	    strcmp(level, "info") == 0;
}

void
logshow_entry(void *arg, const struct logentry *entry)
{
	struct logshow *s = arg;
	char binary[PATH_MAX];

	if (s->quiet && is_chatter(entry))
		return;
	s->shown++;
	if (s->json || !json_is_object(entry->line)) {
		puts(entry->raw);
		return;
	}
	find_binary(s, entry, binary);
	logline_print(stdout, entry->source, entry->line,
	    *binary ? binary : NULL, s->color);
}
