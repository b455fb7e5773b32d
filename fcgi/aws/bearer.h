/*
 * Keys that are shown rather than signed with: Basic and Bearer (RFC 7617,
 * RFC 6750), for pushes over HTTP.
 */
#ifndef AWS_BEARER_H
#define AWS_BEARER_H

#include "keys.h"

#include "store/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The action of `bothy key create --allow`; no pattern stands for it. */
#define BEARER_DEPLOY "deploy"
#define BEARER_BRANCH "deploy:" /* and a pattern of branches */

/*
 * The key whose secret an Authorization field shows: as the password of Basic,
 * whoever the user is, or as the token of Bearer.  NULL for one that is none,
 * has expired, or for no field (NULL).  All keys are compared, in a time that
 * does not tell where they differ.
 */
struct aws_key *bearer_find(
    const struct aws_keys *keys, const char *field, int64_t now_ms);

/* True if it may deploy, be it some branches alone. */
bool bearer_may_deploy(const struct aws_key *k);

/*
 * Appends the patterns of the branches that it may deploy, with spaces between
 * them; nothing if it may deploy all.
 */
void bearer_branches(const struct aws_key *k, struct buf *out);

#endif
