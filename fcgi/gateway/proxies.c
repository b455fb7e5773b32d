/*
 * Trusted proxies (proxies.h): networks in one form, 16 bytes and a length.
 */
#include "proxies.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* IPv4 stands as ::ffff:a.b.c.d (RFC 4291 2.5.5.2). */
struct proxies_net {
	unsigned char addr[16];
	unsigned bits;		/* 0 to 128 */
};

enum { V4_PREFIX_BITS = 96 };

void
proxies_init(struct proxies *x)
{
	x->nets = NULL;
	x->count = 0;
}

void
proxies_release(struct proxies *x)
{
	free(x->nets);
	proxies_init(x);
}

/* The 16 bytes of an address in text: 4 or 6, its family; 0 if it is none. */
static int
parse_addr(const char *s, unsigned char addr[16])
{
	static const unsigned char mapped[12] = {
	    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if (inet_pton(AF_INET6, s, addr) == 1)
		return 6;
	memcpy(addr, mapped, sizeof(mapped));
	return inet_pton(AF_INET, s, addr + sizeof(mapped)) == 1 ? 4 : 0;
}

/* Digits up to `max`: the number, or -1. */
static int
parse_bits(const char *s, int max)
{
	int n = 0;

	if (*s == '\0')
		return -1;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		n = n * 10 + (*s - '0');
		if (n > max)
			return -1;
	}
	return n;
}

int
proxies_add(struct proxies *x, const char *cidr, struct err *e)
{
	const char *slash = strchr(cidr, '/');
	struct proxies_net net, *nets;
	char text[CLIENT_ADDR_SIZE];
	size_t len = slash ? (size_t)(slash - cidr) : strlen(cidr);
	int family, bits;

	if (x->count == PROXIES_MAX)
		return err_set(e, 0, "more than %d trusted proxies",
		    PROXIES_MAX);
	if (len >= sizeof(text))
		len = sizeof(text) - 1;
	memcpy(text, cidr, len);
	text[len] = '\0';
	family = parse_addr(text, net.addr);
	if (!family)
		return err_set(e, 0, "'%s' is no address or network: write "
		                     "it like 10.0.0.0/8 or 2001:db8::/32",
		    cidr);
	bits = slash ? parse_bits(slash + 1, family == 4 ? 32 : 128)
	             : (family == 4 ? 32 : 128);
	if (bits < 0)
		return err_set(e, 0, "'%s': the prefix length is a number "
		                     "from 0 to %d",
		    cidr, family == 4 ? 32 : 128);
	net.bits = (unsigned)(family == 4 ? V4_PREFIX_BITS + bits : bits);
	nets = realloc(x->nets, (x->count + 1) * sizeof(*nets));
	if (!nets)
		return err_set(e, ENOMEM, "no memory for trusted proxies");
	x->nets = nets;
	x->nets[x->count++] = net;
	return 0;
}

static bool
inside(const struct proxies_net *net, const unsigned char addr[16])
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;
	unsigned mask = 0xffu << (8 - rest) & 0xffu;

	if (memcmp(net->addr, addr, whole) != 0)
		return false;
	return rest == 0 || ((net->addr[whole] ^ addr[whole]) & mask) == 0;
}

static bool
trusted(const struct proxies *x, const unsigned char addr[16])
{
	size_t i;

	for (i = 0; i < x->count; i++)
		if (inside(&x->nets[i], addr))
			return true;
	return false;
}

bool
proxies_trust(const struct proxies *x, const char *addr)
{
	unsigned char bytes[16];

	return x->count && parse_addr(addr, bytes) && trusted(x, bytes);
}

/*
 * One entry of X-Forwarded-For as plain text: spaces, the brackets of an
 * IPv6 address and a port are taken off.  False if it doesn't fit.
 */
static bool
plain_entry(const char *s, size_t n, char out[CLIENT_ADDR_SIZE])
{
	const char *colon, *bracket;

	while (n && (*s == ' ' || *s == '\t')) {
		s++;
		n--;
	}
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\t'))
		n--;
	if (n && *s == '[') {
		bracket = memchr(s, ']', n);
		if (!bracket)
			return false;
		n = (size_t)(bracket - s) - 1;
		s++;
	} else {
		colon = memchr(s, ':', n);
		if (colon && !memchr(colon + 1, ':',
		                 n - (size_t)(colon + 1 - s)))
			n = (size_t)(colon - s);
	}
	if (n == 0 || n >= CLIENT_ADDR_SIZE)
		return false;
	memcpy(out, s, n);
	out[n] = '\0';
	return true;
}

/* Walks the list from its right end, as long as the nearer hop is trusted. */
static void
follow_forwarded(struct client *c, const struct proxies *x, const char *list)
{
	const char *end = list + strlen(list), *start;
	char entry[CLIENT_ADDR_SIZE];
	unsigned char bytes[16];

	for (;;) {
		for (start = end; start > list && start[-1] != ','; start--)
			;
		if (!plain_entry(start, (size_t)(end - start), entry) ||
		    !parse_addr(entry, bytes))
			return;
		memcpy(c->addr, entry, sizeof(entry));
		c->forwarded = true;
		if (start == list || !trusted(x, bytes))
			return;
		end = start - 1;
	}
}

static bool
server_says_https(const struct params *p)
{
	if (p->https && *p->https)
		return strcasecmp(p->https, "off") != 0;
	return p->request_scheme && strcasecmp(p->request_scheme, "https") == 0;
}

/* The scheme that the nearest proxy saw: the last of a list. */
static void
follow_proto(struct client *c, const char *list)
{
	const char *last = strrchr(list, ',');

	last = last ? last + 1 : list;
	last += strspn(last, " \t");
	if (strncasecmp(last, "https", 5) == 0)
		c->https = true;
	else if (strncasecmp(last, "http", 4) == 0)
		c->https = false;
}

void
client_find(struct client *c, const struct proxies *x, const struct params *p)
{
	const char *addr = p->remote_addr ? p->remote_addr : "";
	const char *header;
	size_t len = strlen(addr);

	if (len >= sizeof(c->addr))
		len = 0;
	memcpy(c->addr, addr, len);
	c->addr[len] = '\0';
	c->forwarded = false;
	c->https = server_says_https(p);
	if (!proxies_trust(x, c->addr))
		return;
	header = params_header(p, PARAMS_FORWARDED_FOR);
	if (header)
		follow_forwarded(c, x, header);
	header = params_header(p, PARAMS_FORWARDED_PROTO);
	if (header)
		follow_proto(c, header);
}
