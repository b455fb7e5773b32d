/*
 * A gateway that stays for a while, for plain CGI: bothy-dispatch
 * (fcgi/dispatch) hands it the requests, which so pay no start of their own.
 *
 * The first request finds none and is served by bothy-fcgi as a CGI program,
 * which then starts one, detached.  It leaves when it has had nothing to do
 * for some time, when its host wants it to, and by kill -9: nothing depends
 * on it.
 */
#ifndef GATEWAY_RESIDENT_H
#define GATEWAY_RESIDENT_H

#include "gateway.h"
#include "listen.h"
#include "sitefile.h"

/* Nothing to do for so long unless `resident=` or BOTHY_RESIDENT says else. */
enum { RESIDENT_IDLE_S = 60 };

/*
 * In a CGI program whose request is over: starts one if bothy-dispatch says
 * where (BOTHY_RESIDENT_SOCKET), none is being started, and the last start is
 * some seconds past.  Where none can be, nothing is lost.
 */
void resident_start(const struct gateway *g, const struct sitefile *s);

/*
 * In the resident: listens at `path`, and asks the kernel for a word before
 * it is out of CPU time.  0; or -1 with EADDRINUSE: there is one.
 */
int resident_open(struct gateway *g, struct listener *l, const char *path,
    const struct sitefile *s, struct err *e);

/* Has it nothing to do, and had nothing for its time? */
bool resident_is_idle(struct gateway *g, int64_t now_ms);

/* Before it leaves: no more requests come, and those that did are served. */
void resident_close(struct gateway *g, struct listener *l);

#endif
