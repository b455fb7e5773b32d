/*
 * The engine of the store with all its threads, and operations as they come
 * over the wire: programme and checker of tests/crash for documents.
 *
 *	document_store run DIR RUN STEPS SEED	work, and tell what is promised
 *	document_store DIR SENT cut|live|recover
 *						see if the promises were kept
 *
 * What it promises goes over a socket, where the recorder sees it, and to the
 * standard output:
 *
 *	tables		they are there
 *	served M RUN	RUN found the operations up to M done; later ones are
 *			its own
 *	done M		operation M was answered, or what it did was read, or
 *			was what a condition failed on
 *	refused M	operation M was answered with an error, and not done
 *	backup M	the backup of that name was made after operation M
 *	unknown M	it was answered with InternalServerError: done or not
 */
#include "drill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* --- work --------------------------------------------------------------- */

/* A checkpoint, every other one with a name that is to last. */
static void
take_checkpoint(struct drill *d)
{
	bool named = below(d, 2) == 0;
	char name[32];
	struct err e;

	(void)snprintf(name, sizeof name, BACKUP, d->m);
	if (store_checkpoint(d->store, named ? name : NULL, &e) < 0)
		d->failed = true;
	else if (named)
		promise(d, "backup %u\n", d->m);
}

static int
work(struct drill *d, int steps)
{
	struct document found;
	struct buf out;

	buf_init(&out, REPLY_MAX);
	while (steps-- && !d->failed &&
	    d->m + OPERATIONS_LEFT < OPERATIONS_MAX) {
		write_some(d, 1 + (uint32_t)below(d, AT_ONCE));
		found = get(d, below(d, DOCUMENTS_ALL), &out);
		if (found.m)
			promise(d, "done %u\n", found.m);
		if (below(d, 8) == 0 && !d->failed)
			take_checkpoint(d);
	}
	buf_release(&out);
	return d->failed ? REFUSED : 0;
}

static int
run(struct drill *d, int steps)
{
	uint32_t before = 0;
	pthread_t other;
	struct err e;
	int r;

	if (come(d, &e) < 0) {
		err_print(&e, "document_store");
		return REFUSED;
	}
	make_tables(d);
	if (!d->failed)
		d->m = count_done(d, &before);
	if (!d->failed)
		promise(d, "served %u %u\n", d->m, d->run);
	other = start_looking_on(d);
	r = d->failed ? REFUSED : work(d, steps);
	stop_looking_on(d, other);
	leave(d);
	return r;
}

/* --- main --------------------------------------------------------------- */

int
main(int argc, char **argv)
{
	static struct drill d = {.run = OTHER_RUN, .random = 1,
	    .lock = PTHREAD_MUTEX_INITIALIZER,
	    .wake = PTHREAD_COND_INITIALIZER};

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, d.sockets) < 0)
		return REFUSED;
	if (argc == 6 && strcmp(argv[1], "run") == 0) {
		d.path = argv[2];
		d.run = FIRST_RUN + (uint32_t)strtoul(argv[3], NULL, 10);
		d.random = strtoull(argv[5], NULL, 10) | 1;
		return run(&d, (int)strtol(argv[4], NULL, 10));
	}
	if (argc != 4)
		return 2;
	d.path = argv[1];
	if (strcmp(argv[3], "recover") == 0) {
		d.run = RECOVER_RUN;
		return run(&d, 3);
	}
	if (strcmp(argv[3], "cut") == 0)
		damage_index(&d);
	return check(&d, argv[2]);
}
