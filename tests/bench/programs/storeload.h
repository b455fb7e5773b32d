/*
 * What a driver of storeload tells: how one contender is reached, asked, and
 * heard.  Documents are the same for all; storeload.c makes them.
 */
#ifndef BENCH_STORELOAD_H
#define BENCH_STORELOAD_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { TEXT_BYTES = 300, ROOM_DOCUMENTS = 20, FILL_DOCUMENTS = 25 };

enum kind { FILL, GET, PUT, PUT_NEW, UPDATE, QUERY, SCAN, CHECKPOINT, KINDS };

/* A document: its key, and what it says. */
struct document {
	char room[32];
	unsigned at;
	char text[TEXT_BYTES + 1];
};

struct request {
	enum kind kind;
	bool wait_file;
	struct document documents[FILL_DOCUMENTS];	/* one, but for FILL */
	unsigned count;
	const char *after;	/* SCAN: where the last page ended, or NULL */
	unsigned segment, segments;	/* of a SCAN, which is divided so */
	uint64_t rooms;		/* that there are */
};

/* A growing piece of memory; storeload.c. */
struct bytes {
	char *data;
	size_t len, room;
};

void put_bytes(struct bytes *b, const void *p, size_t n);
void put_text(struct bytes *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

struct driver {
	const char *name;
	/* Connects to `where` and makes ready: a descriptor; exits if not. */
	int (*open)(const char *where);
	/* Makes the table, on a connection of its own. May be NULL. */
	void (*prepare)(int fd);
	/* Prints what the server says of itself. May be NULL. */
	void (*stat)(int fd);
	/* Returns when a checkpoint of all that was written lasts. May be NULL. */
	void (*checkpoint)(int fd);
	void (*ask)(struct bytes *out, const struct request *r);
	/*
	 * The length of the reply that `n` bytes begin with, 0 if it isn't
	 * whole; and whether it was a good one, how many documents it brought,
	 * and where the next page begins (malloc'ed, or NULL).
	 */
	size_t (*hear)(const char *p, size_t n, const struct request *r,
	    bool *good, unsigned *documents, char **after);
};

extern const struct driver store_driver, postgres_driver, redis_driver,
    http_driver;

/* storeload_net.c: for drivers. They exit with a message if it fails. */
int connect_unix(const char *path);
int connect_port(const char *port);
void send_all(int fd, const void *p, size_t n);
void receive_all(int fd, void *p, size_t n);
void fail(const char *what) __attribute__((noreturn));

/* The JSON that DynamoDB takes for the request; and its operation. */
const char *dynamo_ask(struct bytes *out, const struct request *r);
/* What a page of a scan says of the next, and how many documents it has. */
void dynamo_hear(const char *body, size_t n, const struct request *r,
    unsigned *documents, char **after);

#endif
