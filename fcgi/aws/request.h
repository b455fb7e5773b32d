/*
 * An HTTP request as the AWS protocols see it: what was sent, undecoded, for
 * signatures are over just that.  All of it is borrowed.
 */
#ifndef AWS_REQUEST_H
#define AWS_REQUEST_H

#include "store/value/value.h"

#include <stdbool.h>
#include <stddef.h>

enum { AWS_FIELDS_MAX = 128 };

/*
 * A header field.  The name may be as it was sent or as CGI writes it without
 * HTTP_ (RFC 3875 4.1.18): letters of any case, and _ is -.
 */
struct aws_field {
	struct text name, value;
};

struct aws_request {
	const char *method;
	struct text path, query;	/* raw; the query without its '?' */
	const struct aws_field *fields;
	size_t nfields;
};

/* Is it `name` (lower case, with -)? */
bool aws_field_is(const struct aws_field *f, const char *name, size_t n);

/*
 * The value of a field that is there once, without white space around it; p is
 * NULL if it isn't there, or more than once: then nobody can say which counts.
 */
struct text aws_header(const struct aws_request *r, const char *name);

/* Without white space at its ends. */
struct text aws_trim(struct text t);

/* Is it the C string `s`? */
bool aws_text_is(const struct text *t, const char *s);

#endif
