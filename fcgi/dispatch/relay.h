/*
 * One CGI request over a resident gateway's socket and back, as FastCGI.
 */
#ifndef DISPATCH_RELAY_H
#define DISPATCH_RELAY_H

enum relay_end {
	RELAY_DONE,		/* the reply went out whole */
	RELAY_NOT_BEGUN,	/* nothing was read or done: ask another */
	RELAY_SILENT,		/* the gateway ended, and nothing went out */
	RELAY_BROKEN,		/* the reply broke off */
	RELAY_LEFT		/* the client left */
};

/*
 * `socket_path` is the gateway's; the request is the environment and
 * descriptor 0, the reply goes to descriptor 1.
 */
enum relay_end relay(const char *socket_path, char *const *envp);

#endif
