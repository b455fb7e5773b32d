/*
 * Proving that one can read the store's key, for prove.h.
 */
#include "prove.h"

#include "store/wire/secret.h"
#include "store/wire/token.h"

int
client_prove_key(const char *key_file, const unsigned char *challenge,
    unsigned char *proof, struct err *e)
{
	unsigned char secret[TOKEN_SECRET_SIZE];

	if (secret_load(key_file, secret, e) < 0)
		return -1;
	token_prove(secret, challenge, proof);
	return 0;
}
