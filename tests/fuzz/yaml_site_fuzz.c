/*
 * Fuzz target: the whole way from deploy.yaml to a snapshot, on any bytes.
 *
 * The site lies in a directory of its own in /tmp, made once and removed at
 * exit; its handlers exist, so that good files get through.
 */
#include "fcgi/conf/conf.h"
#include "store/base/io.h"

#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char site[32];	/* "" until it is made */

static void
put(const char *name, const void *bytes, size_t n)
{
	char path[128];
	int fd;

	snprintf(path, sizeof path, "%s/%s", site, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	require(fd >= 0 && io_write_all(fd, bytes, n) == 0);
	close(fd);
}

static void
remove_site(void)
{
	io_remove_tree(AT_FDCWD, site);
}

static void
make_site(void)
{
	char path[128];

	strcpy(site, "/tmp/bothy-fuzz-XXXXXX");
	require(mkdtemp(site) != NULL);
	atexit(remove_site);
	snprintf(path, sizeof path, "%s/functions", site);
	require(mkdir(path, 0700) == 0);
	snprintf(path, sizeof path, "%s/functions/hello", site);
	require(mkdir(path, 0700) == 0);
	put("functions/hello/hello.c", "int x;\n", 7);
	put("functions/tool", "#!/bin/sh\n", 10);
	put(".env", "PLAIN=plain\nTWENTY=20\n", 22);
	put("part.yml", "a: b\nlist: [httpApi: GET /x]\n", 29);
}

static void
check_image(const struct conf *conf)
{
	struct snapshot *s;
	struct err e;
	size_t i;

	s = snapshot_build(conf, &e);
	require(s != NULL);
	require(snapshot_functions(s) == conf->nfunctions);
	require(snapshot_routes(s) == conf->nroutes);
	for (i = 0; i < conf->nfunctions; i++)
		require(snapshot_find(s, conf->functions[i].name) == (int)i);
	for (i = 0; i < conf->nroutes; i++)
		require(strcmp(conf->routes[i].key, snapshot_str(s,
		    snapshot_route(s, i)->key)) == 0);
	snapshot_free(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct conf_options opt;
	struct errlist errors;
	struct conf *conf;
	int rc;

	if (!site[0])
		make_site();
	put("deploy.yaml", data, size);
	errlist_init(&errors);
	rc = conf_load(site, &opt, &conf, &errors);
	require((rc == 0) == (errors.count == 0));
	require((rc == 0) == (conf != NULL));
	if (conf)
		check_image(conf);
	conf_free(conf);
	errlist_release(&errors);
	return 0;
}
