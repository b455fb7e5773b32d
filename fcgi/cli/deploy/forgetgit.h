/*
 * What git's hooks start, and is not git's.
 */
#ifndef CLI_FORGETGIT_H
#define CLI_FORGETGIT_H

/*
 * Takes git's variables out of the environment: daemons would take them along,
 * and read another repository by them.
 */
void forget_git(void);

#endif
