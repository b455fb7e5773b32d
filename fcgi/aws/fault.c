/*
 * The table of faults of fault.h.  Runs in bothy-fcgi's workers.
 */
#include "fault.h"

#include "store/value/fault.h"

#include <string.h>

#define DYNAMODB "com.amazonaws.dynamodb.v20120810#"
#define SERVICE "com.amazon.coral.service#"
#define VALIDATE "com.amazon.coral.validate#"
#define AVAILABILITY "com.amazon.coral.availability#"

struct shape {
	int fault, status;
	const char *type;
};

/*
 * What isn't here is a 400 of DynamoDB's own.  What only we say is what an SDK
 * does the right thing about: a 500 it tries again, throttling after a pause.
 */
static const struct shape shapes[] = {
	{AWS_MISSING_TOKEN, 400, SERVICE "MissingAuthenticationTokenException"},
	{AWS_INCOMPLETE_SIGNATURE, 400, SERVICE "IncompleteSignatureException"},
	{AWS_INVALID_SIGNATURE, 400, SERVICE "InvalidSignatureException"},
	{AWS_UNRECOGNIZED_CLIENT, 400, SERVICE "UnrecognizedClientException"},
	{AWS_EXPIRED_TOKEN, 400, SERVICE "ExpiredTokenException"},
	{AWS_TOO_LARGE, 413, SERVICE "RequestEntityTooLargeException"},
	{AWS_TOO_SLOW, 408, SERVICE "RequestTimeoutException"},
	{AWS_THROTTLED, 400, AVAILABILITY "ThrottlingException"},
	{FAULT_VALIDATION, 400, VALIDATE "ValidationException"},
	{FAULT_SERIALIZATION, 400, SERVICE "SerializationException"},
	{FAULT_UNKNOWN_OPERATION, 400, SERVICE "UnknownOperationException"},
	{FAULT_DENIED, 400, SERVICE "AccessDeniedException"},
	{FAULT_BUSY, 400, AVAILABILITY "ThrottlingException"},
	{FAULT_INTERNAL, 500, DYNAMODB "InternalServerError"},
	{FAULT_NO_ROOM, 500, DYNAMODB "InternalServerError"},
	{FAULT_READ_ONLY, 500, DYNAMODB "InternalServerError"},
	{FAULT_LEAVING, 500, DYNAMODB "InternalServerError"},
	{FAULT_UNKNOWN_OUTCOME, 500, DYNAMODB "InternalServerError"},
	{FAULT_ENDED, 500, DYNAMODB "InternalServerError"},
};

static const struct shape *
find(int fault)
{
	static const struct shape unknown = {0, 500,
	    DYNAMODB "InternalServerError"};
	size_t i;

	for (i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
		if (shapes[i].fault == fault)
			return &shapes[i];
	return fault >= FAULT_FIRST && fault < FAULT_END ? NULL : &unknown;
}

int
aws_fault_status(int fault)
{
	const struct shape *s = find(fault);

	return s ? s->status : 400;
}

/* The prefix of all that find() doesn't know. */
static void
add_type(struct buf *out, int fault)
{
	const struct shape *s = find(fault);

	if (s)
		buf_puts(out, s->type);
	else {
		buf_puts(out, DYNAMODB);
		buf_puts(out, fault_name(fault));
	}
}

/* What the store tells, with the name that DynamoDB has for its text. */
static void
add_told(struct buf *out, int fault, const char *object, size_t n)
{
	static const char TOLD[] = "{\"message\":";
	size_t skip = sizeof TOLD - 1;

	if (fault == FAULT_SERIALIZATION && n > skip &&
	    memcmp(object, TOLD, skip) == 0) {
		buf_puts(out, ",\"Message\":");
	} else {
		buf_putc(out, ',');
		skip = 1;
	}
	buf_add(out, object + skip, n - skip);
}

void
aws_fault_body(struct buf *out, int fault, const char *object, size_t n,
    const char *text)
{
	buf_puts(out, "{\"__type\":\"");
	add_type(out, fault);
	buf_putc(out, '"');
	if (text && object && n > 2 && object[0] == '{') {
		add_told(out, fault, object, n);
		return;
	}
	if (text) {
		buf_puts(out, ",\"message\":");
		buf_json(out, text, strlen(text));
	}
	buf_putc(out, '}');
}
