/*
 * X-Amz-Target: which service a request is for, and which operation.
 */
#ifndef AWS_TARGET_H
#define AWS_TARGET_H

#include "request.h"

#include "store/wire/operation.h"

/* "DynamoDB_20120810.GetItem" -> its operation, or NULL if it is none. */
const struct operation_info *aws_target(const struct text *target);

/* The inverse: 0; or -1 for an operation that nobody reaches by HTTP. */
int aws_target_name(const struct operation_info *op, char *out, size_t room);

#endif
