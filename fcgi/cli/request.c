/*
 * Makes requests to functions (request.h).  Runs in bothy; reads the secrets
 * that they are given.
 */
#include "request.h"

#include "event.h"

#include "fcgi/conf/secret.h"
#include "store/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

/* The function's own variables, with secrets put in. */
static int
own_variables(const struct conf *conf, const struct conf_function *f,
    struct envlist *env, struct err *e)
{
	const struct conf_pairs *own = &f->environment;
	struct buf value;
	size_t i;
	int rc = 0;

	envlist_set(env, "PATH", "/usr/local/bin:/usr/bin:/bin");
	buf_init(&value, CONF_MAX_ENVIRONMENT);
	for (i = 0; i < own->count && rc == 0; i++) {
		buf_reset(&value);
		rc = secret_expand(
		    own->items[i].value, conf->service, conf->stage, &value, e);
		if (rc == 0)
			envlist_set(env, own->items[i].name, buf_str(&value));
	}
	if (value.data)
		explicit_bzero(value.data, value.room);
	buf_release(&value);
	return rc;
}

static void
bothy_variables(const struct conf_function *f, struct envlist *env)
{
	char id[33], trace[64];
	unsigned char random[16];
	size_t i;

	if (getrandom(random, sizeof random, 0) != sizeof random)
		memset(random, 1, sizeof random);
	for (i = 0; i < sizeof random; i++)
		snprintf(id + 2 * i, 3, "%02x", random[i]);
	snprintf(trace, sizeof trace, "00-%s-%.16s-01", id, id + 16);
	envlist_set(env, "BOTHY_FUNCTION", f->name);
	envlist_set(env, "BOTHY_REQUEST_ID", id);
	envlist_set(env, "TRACEPARENT", trace);
}

int
request_make(const struct conf *conf, const struct conf_function *f,
    const json_t *event, struct envlist *env, struct buf *body, struct err *e)
{
	if (own_variables(conf, f, env, e) < 0 ||
	    event_environment(event, conf, f, env, body, e) < 0)
		return -1;
	bothy_variables(f, env);
	if (env->failed || !buf_ok(body))
		return err_set(e, ENOMEM, "no memory");
	return 0;
}

/* The body as a descriptor that can be sought; -1 with the error. */
int
request_body(const struct buf *body, struct err *e)
{
	int fd;

	if (body->len == 0)
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	else
		fd = memfd_create("body", MFD_CLOEXEC);
	if (fd < 0 ||
	    (body->len && (io_write_all(fd, body->data, body->len) < 0 ||
			      lseek(fd, 0, SEEK_SET) < 0))) {
		err_sys(e, "cannot hold the body");
		io_close(&fd);
	}
	return fd;
}
