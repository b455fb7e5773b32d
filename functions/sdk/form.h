/*
 * A form of a request: its fields and files.
 */
#ifndef SDK_FORM_H
#define SDK_FORM_H

#include "request.h"

/* A file as bothy_file() shows it; files hang in the order of the form. */
struct form_file {
	struct form_file *next;
	struct bothy_file file;
};

struct form {
	struct pairs fields;
	struct form_file *files, **last;	/* where the next one goes */
};

/*
 * The request's form, read and parsed at first use: NULL after a failure, an
 * empty one if the body is no form.
 */
const struct form *form_get(struct bothy_req *req);

#endif
