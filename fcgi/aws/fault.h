/*
 * What a request to the endpoint can be refused for, and how AWS writes it:
 * the faults of store/value/fault.h, and these, which are about HTTP and
 * signatures.
 */
#ifndef AWS_FAULT_H
#define AWS_FAULT_H

#include "store/base/buf.h"

enum aws_fault {
	AWS_FAULT_FIRST = 2000,
	AWS_MISSING_TOKEN = AWS_FAULT_FIRST, /* MissingAuthenticationToken- */
	AWS_INCOMPLETE_SIGNATURE,	/* IncompleteSignatureException */
	AWS_INVALID_SIGNATURE,		/* InvalidSignatureException */
	AWS_UNRECOGNIZED_CLIENT,	/* UnrecognizedClientException */
	AWS_EXPIRED_TOKEN,		/* ExpiredTokenException */
	AWS_TOO_LARGE,			/* RequestEntityTooLargeException */
	AWS_TOO_SLOW,			/* RequestTimeoutException */
	AWS_THROTTLED,			/* ThrottlingException */
	AWS_FAULT_END
};

/* The HTTP status of a fault; 500 for what is none. */
int aws_fault_status(int fault);

/*
 * Appends the body of the answer.  `object` is the JSON object of n bytes that
 * the store tells of it, whose members follow "__type"; or NULL, and `text` is
 * the message.  Nothing but its type is told if `text` is NULL.
 */
void aws_fault_body(struct buf *out, int fault, const char *object, size_t n,
    const char *text);

#endif
