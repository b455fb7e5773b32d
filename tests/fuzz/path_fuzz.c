/*
 * Fuzz target: fcgi/gateway/path.c on any address and any web server.
 *
 * Input: REQUEST_URI, SCRIPT_NAME, PATH_INFO and basePath, a NUL between; one
 * that is missing was not sent.
 */
#include "fcgi/gateway/path.h"

#include "fuzz.h"

#include "store/base/utf8.h"

#include <string.h>

/* What may be routed and opened: whatever came in, it is one of these. */
static void
check_text(const struct path *p)
{
	const char *s = p->text;
	size_t i, n;

	require(s[0] == '/' && strlen(s) == p->len && p->len <= PATH_URI_MAX);
	require(utf8_valid(s, p->len));
	for (i = 0; i < p->len; i++)
		require((unsigned char)s[i] >= 0x20 && s[i] != 0x7f &&
		    s[i] != '\\');
	while (*s) {
		s++;
		n = strcspn(s, "/");
		require(!(n == 1 && s[0] == '.'));
		require(!(n == 2 && s[0] == '.' && s[1] == '.'));
		s += n;
	}
	require(strlen(p->query) == p->query_len);
	require(!strpbrk(p->query, " \t\r\n"));
}

static void
check_site(const struct path *p, const char *base)
{
	require(p->mount_len <= p->len);
	require(p->site[0] == '/' && strlen(p->site) == p->site_len);
	if (p->mount_len < p->len)
		require(p->site == p->text + p->mount_len);
	else
		require(strcmp(p->site, "/") == 0);
	if (*base)
		require(strncmp(p->text, base, strlen(base)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1), *parts[4] = {NULL}, *s, *end;
	struct path p;
	size_t i;

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	copy[size] = '\0';
	end = copy + size;
	for (i = 0, s = copy; i < 4 && s <= end; s += strlen(s) + 1)
		parts[i++] = s;
	path_init(&p);
	if (path_parse(&p, parts[0]) == 0 && !p.asterisk) {
		check_text(&p);
		/* Whoever says what we say agrees, and nobody else. */
		require(path_agree(&p, p.text, NULL, "") == 0);
		check_site(&p, "");
		require(path_agree(&p, "", "/another path", "") == 400 ||
		    strstr(p.text, "another path"));
		if (path_agree(&p, parts[1], parts[2],
		        parts[3] ? parts[3] : "") == 0)
			check_site(&p, parts[3] ? parts[3] : "");
		else
			require(p.reason != NULL);
	}
	path_release(&p);
	free(copy);
	return 0;
}
