/*
 * trustedProxies: whose word on a client's address and scheme counts.
 *
 * Parsed once per configuration and then only read, by all workers.  With
 * none, the address is REMOTE_ADDR and the scheme is the web server's.
 */
#ifndef GATEWAY_PROXIES_H
#define GATEWAY_PROXIES_H

#include "params.h"
#include "store/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { PROXIES_MAX = 256, CLIENT_ADDR_SIZE = 46 };

struct proxies {
	struct proxies_net *nets;
	size_t count;
};

/* Who asks; filled by client_find(). */
struct client {
	char addr[CLIENT_ADDR_SIZE];	/* "" if the web server sent none */
	bool https;
	bool forwarded;		/* addr is from X-Forwarded-For */
};

void proxies_init(struct proxies *x);
void proxies_release(struct proxies *x);

/*
 * Adds "10.0.0.0/8", "2001:db8::/32" or a bare address: 0, or -1 with the
 * error set.
 */
int proxies_add(struct proxies *x, const char *cidr, struct err *e);

/* True if `addr`, in text, is an address of the list. */
bool proxies_trust(const struct proxies *x, const char *addr);

/*
 * Finds the client of a request.  From a trusted REMOTE_ADDR, and from no
 * other, the address is the right-most of X-Forwarded-For that is not
 * trusted (the left-most if all are), up to the first that is no address; and
 * X-Forwarded-Proto decides on https.
 */
void client_find(struct client *c, const struct proxies *x,
    const struct params *p);

#endif
