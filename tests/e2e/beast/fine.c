/* A neighbour; it says how it is scheduled. */
#include <bothy.h>

#include <sched.h>

int
bothy_handle(struct bothy_req *req)
{
	return bothy_text(req, 200, "%d", sched_getscheduler(0));
}
