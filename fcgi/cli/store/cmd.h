/*
 * The commands of `bothy store`, for the table in store.c, and what several of
 * them do alike.
 */
#ifndef CLI_STORECMD_H
#define CLI_STORECMD_H

#include "link.h"
#include "words.h"
#include "text.h"

extern const struct command command_store_tables, command_store_ls,
    command_store_get, command_store_put, command_store_edit,
    command_store_rm, command_store_query, command_store_scan,
    command_store_path, command_store_log, command_store_blame,
    command_store_show, command_store_diff, command_store_restore,
    command_store_backup, command_store_backups, command_store_checkpoint,
    command_store_mirror, command_store_adopt, command_store_forget,
    command_store_import, command_store_export, command_store_merge,
    command_store_receive, command_store_check,
    command_store_reindex, command_store_stat, command_store_create,
    command_store_copy, command_store_stop;

/*
 * Opens the store and the table words[0], and begins a request with its name
 * and the Key that the other words are: CLI_OK, and storelink_close() is due;
 * or another exit code with everything said.
 */
int storecmd_document(const struct cli *c, struct storelink *l,
    struct storewords *t, struct reply *r, int nwords, char **words);

/*
 * Prints a reply for people, with what the command was told; an exit code.  The
 * tree is that of the link, and gone with its next call.
 */
typedef int storecmd_print(struct storelink *l, const struct json_node *n,
    const void *told);

/*
 * Asks, has the reply printed, or with --json prints it as it is, and closes
 * the link: an exit code.
 */
int storecmd_answer(struct storelink *l, enum operation op, unsigned flags,
    struct reply *request, storecmd_print *print, const void *told);

/* The same for the list `part` of a reply, without a request's members. */
int storecmd_list(const struct cli *c, enum operation op, const char *part,
    storecmd_print *print);

/*
 * Asks, prints the reply (as JSON, or its members as lines) and closes the
 * link: an exit code, CLI_FAILED if the number `bad` (NULL: none) is not 0.
 */
int storecmd_finish(struct storelink *l, enum operation op,
    struct reply *request, const char *bad);

/* A number of the command line, 0 to `most`: 0, or -1 with the error set. */
int storecmd_number(const char *option, const char *text, long long most,
    long long *n, struct err *e);

/* The Limit that --limit asks for, unless it is NULL; 0 is the most. */
int storecmd_limit(const char *text, struct reply *r, struct err *e);

/*
 * Asks on the terminal; without one the answer is no, and how to say yes
 * beforehand is said.
 */
bool storecmd_agreed(const char *question);

/*
 * What a person calls a state, as the store wants it: "2026-11-22 10:00" is a
 * local time, "5m ago" one before now; all else stays.  `out` has 256 bytes.
 */
void storecmd_state(const char *word, char *out);

/*
 * Prints how a document became another, an attribute a line; either may be
 * NULL.  `title` is what it is called.
 */
void storecmd_delta(const struct text *title, const struct json_node *old,
    const struct json_node *fresh);

/* The same for the Differences of a reply. */
void storecmd_differences(const struct json_node *list);

/* The mirrors of a reply as a table. */
void storecmd_mirrors(const struct json_node *list);

/*
 * Opens the store and begins a request for a document, a table, or, without
 * words, all: as storecmd_document().
 */
int storecmd_any(const struct cli *c, struct storelink *l, struct reply *r,
    int nwords, char **words);

/* A document of standard input or a file ("-" or NULL: standard input). */
int storecmd_read(const char *path, struct buf *out, struct err *e);

#endif
