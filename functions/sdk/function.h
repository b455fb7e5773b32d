/*
 * A C function as a zygote: its children run bothy_handle() for requests that
 * come over the function ABI.
 */
#ifndef SDK_FUNCTION_H
#define SDK_FUNCTION_H

/* The life of a function's zygote; exit status. */
int function_run(void);

#endif
