/*
 * Whether a release that was checked out could go live.
 */
#ifndef DEPLOY_JUDGE_H
#define DEPLOY_JUDGE_H

#include "fcgi/conf/conf.h"
#include "store/base/err.h"

/*
 * Loads the release's deploy.yaml as the gateway will.  0 and *out (to
 * conf_free); or -1 with the error, and all that is wrong with the file said to
 * the pusher.
 */
int judge_load(const char *site, const char *release_dir, struct conf **out,
    struct err *e);

/*
 * Looks at what would make the gateway refuse its functions.  0, or -1 with the
 * error (ENOENT: a secret is not set).
 */
int judge_functions(const struct conf *conf, struct err *e);

#endif
