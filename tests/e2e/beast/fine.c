/* A neighbour. */
#include <bothy.h>

int
bothy_handle(struct bothy_req *req)
{
	return bothy_text(req, 200, "fine");
}
