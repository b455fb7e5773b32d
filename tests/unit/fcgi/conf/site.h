/*
 * A site in a temporary directory, for the tests of fcgi/conf.
 */
#ifndef TEST_CONF_SITE_H
#define TEST_CONF_SITE_H

#include "fcgi/conf/conf.h"
#include "store/base/io.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct site {
	char dir[64];	/* "" once it is gone */
	char state[80];
	struct conf *conf;
	struct errlist errors;
};

static inline void
site_write(const struct site *s, const char *name, const char *text,
    mode_t mode)
{
	char path[PATH_MAX];
	char *slash;
	struct err e;
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", s->dir, name);
	slash = strrchr(path, '/');
	*slash = '\0';
	assert_int_equal(io_mkdirs(path, 0700, &e), 0);
	*slash = '/';
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* A site with two handlers: functions/hello/hello.c and functions/tool. */
static inline void
site_make(struct site *s)
{
	*s = (struct site){.dir = "/tmp/bothy-conf-XXXXXX"};
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->state, sizeof s->state, "%s/.bothy", s->dir);
	site_write(s, "functions/hello/hello.c", "int x;\n", 0600);
	site_write(s, "functions/tool", "#!/bin/sh\n", 0700);
	errlist_init(&s->errors);
}

static inline void
site_remove(struct site *s)
{
	conf_free(s->conf);
	errlist_release(&s->errors);
	io_remove_tree(AT_FDCWD, s->dir);
	*s = (struct site){0};
}

/* Loads what lies there, forgetting an earlier result. */
static inline int
site_load(struct site *s, const struct conf_options *opt)
{
	static const struct conf_options none;

	conf_free(s->conf);
	errlist_release(&s->errors);
	return conf_load(s->dir, opt ? opt : &none, &s->conf, &s->errors);
}

/* The same with `text` as deploy.yaml. */
static inline int
site_load_text(struct site *s, const char *text,
    const struct conf_options *opt)
{
	site_write(s, CONF_FILE, text, 0600);
	return site_load(s, opt);
}

/* The errors as errlist_print writes them; free() it. */
static inline char *
site_errors(const struct errlist *l)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	errlist_print(l, f);
	fclose(f);
	return text;
}

/* Fails unless some error's text holds `part`. */
static inline void
site_assert_error(const struct site *s, const char *part)
{
	char *text = site_errors(&s->errors);

	if (!strstr(text, part))
		fail_msg("no \"%s\" in:\n%s", part, text);
	free(text);
}

/* Fails, and says why, unless the text loads. */
static inline void
site_assert_loads(struct site *s, const char *text,
    const struct conf_options *opt)
{
	char *errors;

	if (site_load_text(s, text, opt) == 0)
		return;
	errors = site_errors(&s->errors);
	print_error("%s", errors);
	free(errors);
	fail();
}

#define SITE_HEAD "service: s\nprovider: {name: bothy}\n"

#endif
