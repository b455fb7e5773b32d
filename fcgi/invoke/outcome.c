/*
 * The names of outcomes (outcome.h).
 */
#include "outcome.h"

static const char *const outcome_names[OUTCOME_COUNT] = {
    [OUTCOME_OK] = "ok",
    [OUTCOME_REFUSED] = "refused",
    [OUTCOME_THROTTLED] = "throttled",
    [OUTCOME_OVERLOADED] = "overloaded",
    [OUTCOME_CRASHED] = "crashed",
    [OUTCOME_BAD_REPLY] = "bad-reply",
    [OUTCOME_TIMEOUT] = "timeout",
    [OUTCOME_TRUNCATED] = "truncated",
    [OUTCOME_CLIENT_LEFT] = "client-left",
    [OUTCOME_FAILED] = "failed",
    [OUTCOME_ERROR] = "error",
};

const char *
outcome_name(enum outcome o)
{
	return (unsigned)o < OUTCOME_COUNT ? outcome_names[o] : "unknown";
}
