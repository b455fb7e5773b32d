/*
 * The runner: what stands in a zygote's place for a function that is any
 * executable (runtime: exec).
 */
#ifndef LAUNCH_RUNNER_H
#define LAUNCH_RUNNER_H

/* The runner's life, started by the launcher as a zygote; exit status. */
int runner_run(void);

#endif
