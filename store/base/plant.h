/*
 * Mistakes that tests/crash plants in the store and the deployment, to see that
 * it finds them.
 *
 * A build without -DPLANTS has none of this: planted() is false and leaves no
 * code.  One with it commits the mistake that BOTHY_PLANT names, if any.  What
 * is planted is a line or two where a careless hand would have put them.
 */
#ifndef BASE_PLANT_H
#define BASE_PLANT_H

#include <stdbool.h>

/* The table: the name, the subject of tests/crash that shows it, the mistake. */
#define PLANT_TABLE(X) \
	X(ACK_BEFORE_SYNC, journal, \
	    "a batch counts as synced before it is") \
	X(SYNC_AGAIN, journal, \
	    "a sync that failed is tried again") \
	X(NO_DIRECTORY_SYNC, journal, \
	    "a new segment's name is not synced") \
	X(NO_CHECKSUM, journal, \
	    "a line's checksum is not looked at") \
	X(LENGTH_UNCHECKED, journal, \
	    "a line's length is believed") \
	X(TAIL_UNSYNCED, journal, \
	    "the tail is served before it is synced") \
	X(TAIL_IN_PLACE, journal, \
	    "the tail is synced where it lies, not written anew") \
	X(TORN_TAIL_KEPT, journal, \
	    "what follows a torn line stays in the file") \
	X(RENAME_UNSYNCED, journal, \
	    "the tail's new name is not synced") \
	X(RENAME_BEFORE_SYNC, journal, \
	    "the tail gets its name before it is synced") \
	X(GAP_ACCEPTED, journal, \
	    "damage in the middle is taken for a torn tail") \
	X(RELEASED_EARLY, journal, \
	    "segments go below the newest mark, not the least") \
	X(MARK_UNSYNCED, journal, \
	    "segments go before the mark is on the disk") \
	X(MARK_ONE_SLOT, journal, \
	    "a mark is written over the one before") \
	X(CHECKPOINT_AHEAD, documents, \
	    "a checkpoint claims a position beyond what it holds") \
	X(CHECKPOINT_IN_UNIT, documents, \
	    "a checkpoint ends within a transaction") \
	X(PACK_UNSYNCED, documents, \
	    "a commit's objects are not synced before its ref") \
	X(PACK_UNNAMED, documents, \
	    "nor is the name of their pack") \
	X(FILES_UNSYNCED, documents, \
	    "the redo mark moves before the files are synced") \
	X(FILE_BYTES_UNSYNCED, documents, \
	    "of few files that changed, the names are synced alone") \
	X(FILE_NAME_UNSYNCED, documents, \
	    "or their bytes alone") \
	X(FILES_NOT_AWAITED, documents, \
	    "the redo mark moves before the files are written") \
	X(FILES_SYNCED_AGAIN, documents, \
	    "a sync of the files that failed is tried again") \
	X(HALF_REDONE, documents, \
	    "half a transaction is redone") \
	X(DELETE_NOT_REDONE, documents, \
	    "a deleted document's file is not removed again") \
	X(READ_UNSYNCED, documents, \
	    "what is written can be read before it is synced") \
	X(CONDITION_UNSYNCED, documents, \
	    "a condition that failed is told before what it saw is synced") \
	X(INDEX_TRUSTED, documents, \
	    "an index that was open is trusted by any later start") \
	X(SYNC_BEFORE_WRITE, daemon, \
	    "the journal is synced, and then written") \
	X(SYNC_ERROR_IGNORED, daemon, \
	    "a write is acknowledged though its sync failed") \
	X(REF_UNSYNCED, daemon, \
	    "a backup's name is not synced") \
	X(TOKEN_NOT_REDONE, linear, \
	    "a transaction's token is forgotten by a crash") \
	X(INDEX_NOT_REDONE, linear, \
	    "the index is not brought up to the journal's end") \
	X(FILES_NOT_REDONE, linear, \
	    "files are not brought up from the redo mark") \
	X(FILES_OUT_OF_ORDER, linear, \
	    "two images of one document are written at once") \
	X(OLD_SNAPSHOT, linear, \
	    "a snapshot is read for longer than one request") \
	X(TWO_SNAPSHOTS, linear, \
	    "half a transaction visible: its items are read one by one") \
	X(RECYCLED_WHILE_READ, linear, \
	    "a file is written again while a reader has it open") \
	X(FILE_NOT_AWAITED, linear, \
	    "a reply that is to wait for its file doesn't") \
	X(DOUBT_REFUSED, fault, \
	    "a write whose sync failed is called refused") \
	X(HANDED_OVER_ONCE, fault, \
	    "files that there was no memory for are left to nobody") \
	X(TABLE_UNKNOWN, fault, \
	    "a table that there was no memory for stays unknown") \
	X(REMOUNT_TRUSTED, powercut, \
	    "an index is trusted after its file system was mounted again") \
	X(STAMP_STAYS_CLEAN, powercut, \
	    "the stamp of a clean index stays while it is written") \
	X(SITE_UNSYNCED, push, \
	    "a site counts as made before it is synced") \
	X(RELEASE_UNSYNCED, push, \
	    "a release is never synced") \
	X(OBJECTS_UNSYNCED, push, \
	    "what git received is never synced by us") \
	X(LIVE_BEFORE_TAKEN, push, \
	    "a release goes live before git has taken the push") \
	X(LIVE_BEFORE_REF, push, \
	    "a release goes live before its ref is synced") \
	X(LIVE_UNSYNCED, push, \
	    "the switch to a release is not synced") \
	X(MARK_REMOVED_FIRST, push, \
	    "the mark of a release goes before it is live") \
	X(REMOVAL_UNSYNCED, push, \
	    "a release is taken apart before it is out of the way") \
	X(LOCKS_LEFT, push, \
	    "what a git that has ended had locked stays so")

#define PLANT_MEMBER(name, subject, what) PLANT_##name,
enum plant { PLANT_NONE, PLANT_TABLE(PLANT_MEMBER) PLANT_END };
#undef PLANT_MEMBER

#ifdef PLANTS
#include <stdlib.h>
#include <string.h>

static inline bool
planted(enum plant p)
{
#define PLANT_NAME(name, subject, what) #name,
	static const char *const names[] = {"", PLANT_TABLE(PLANT_NAME)};
#undef PLANT_NAME
	const char *chosen = getenv("BOTHY_PLANT");

	return chosen && strcmp(chosen, names[p]) == 0;
}
#else
static inline bool
planted(enum plant p)
{
	(void)p;
	return false;
}
#endif

#endif
