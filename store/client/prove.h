/*
 * The proof of the store's key, for client_options: apart, since only this
 * needs libcrypto, and no function may see the key.
 */
#ifndef CLIENT_PROVE_H
#define CLIENT_PROVE_H

#include "client.h"

int client_prove_key(const char *key_file, const unsigned char *challenge,
    unsigned char *proof, struct err *e);

#endif
