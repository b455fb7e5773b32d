/*
 * A function that takes what it can get, until its limit ends it: the bad
 * neighbour of `make bench`.
 */
#include <bothy.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CROWD = 8 };

static int
loop(void)
{
	for (;;)
		;
}

static int
crowd(void)
{
	int i;

	for (i = 0; i < CROWD && fork() > 0; i++)
		;
	return loop();
}

static int
bomb(void)
{
	for (;;)
		if (fork() < 0)
			usleep(1000);
}

static int
hog(void)
{
	char *p;

	for (;;)
		if ((p = malloc(1 << 20)))
			memset(p, 1, 1 << 20);
}

int
bothy_handle(struct bothy_req *req)
{
	const char *how = bothy_param(req, "how");

	return strcmp(how, "crowd") == 0 ? crowd()
	    : strcmp(how, "bomb") == 0   ? bomb()
	    : strcmp(how, "hog") == 0    ? hog()
	                                 : loop();
}
