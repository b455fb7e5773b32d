/*
 * Replays tests/cases/conf: every <name>.yaml is loaded as deploy.yaml, and
 * what is said about it must be <name>.errors to the byte (empty: it loads).
 *
 * With CASES_WRITE=1 in the environment the .errors files are written instead,
 * to be looked at before they are kept.
 */
#include "tests/unit/fcgi/conf/site.h"

#include <dirent.h>

#define CASES "tests/cases/conf"

static void
read_text(const char *name, struct buf *out)
{
	struct err e;

	buf_init(out, 4 * 1024 * 1024);
	if (io_read_file(AT_FDCWD, name, out, &e) < 0)
		fail_msg("%s", e.text);
}

/* What the cases refer to. */
static void
make_surroundings(struct site *s)
{
	char link[128];

	site_make(s);
	site_write(s, ".env", "PLAIN=plain\nTWENTY=20\nHOSTILE=a${secret:X}\n"
	    "EMPTY=\n", 0600);
	site_write(s, "parts/env.yml", "A: from-file\nB: ${env:PLAIN}\n"
	    "deep: {list: [zero, one]}\n", 0600);
	site_write(s, "parts/bad.yml", "a: [1\nb: 2\n", 0600);
	site_write(s, "parts/loop.yml", "a: ${file(parts/loop.yml):a}\n",
	    0600);
	site_write(s, "parts/data.json", "{\"x\": [1, 2, {\"y\": \"z\"}]}\n",
	    0600);
	site_write(s, "functions/empty/README", "no source\n", 0600);
	site_write(s, "functions/made/Makefile", "all:\n", 0600);
	site_write(s, "functions/plain", "#!/bin/sh\n", 0600);
	snprintf(link, sizeof link, "%s/link", s->dir);
	assert_int_equal(symlink("parts", link), 0);
}

static void
replay(struct site *s, const char *name)
{
	char yaml[PATH_MAX], errors[PATH_MAX], *said;
	struct buf text, expected;
	FILE *f;

	snprintf(yaml, sizeof yaml, CASES "/%s.yaml", name);
	snprintf(errors, sizeof errors, CASES "/%s.errors", name);
	read_text(yaml, &text);
	site_load_text(s, buf_str(&text), NULL);
	said = site_errors(&s->errors);
	if (getenv("CASES_WRITE")) {
		f = fopen(errors, "w");
		assert_non_null(f);
		fputs(said, f);
		fclose(f);
	}
	read_text(errors, &expected);
	if (strcmp(said, buf_str(&expected)) != 0)
		fail_msg("%s: expected\n%sbut got\n%s", yaml,
		    buf_str(&expected), said);
	assert_true(s->conf != NULL || said[0] != '\0');
	assert_true(s->conf == NULL || said[0] == '\0');
	free(said);
	buf_release(&text);
	buf_release(&expected);
}

static void
cases(void **state)
{
	const struct dirent *de;
	char name[NAME_MAX + 1];
	struct site s;
	int n = 0;
	size_t len;
	DIR *d = opendir(CASES);

	(void)state;
	assert_non_null(d);
	make_surroundings(&s);
	while ((de = readdir(d))) {
		len = strlen(de->d_name);
		if (len < 6 || strcmp(de->d_name + len - 5, ".yaml") != 0)
			continue;
		memcpy(name, de->d_name, len - 5);
		name[len - 5] = '\0';
		replay(&s, name);
		n++;
	}
	closedir(d);
	site_remove(&s);
	assert_true(n >= 40);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(cases)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
