/*
 * Backups and restores in DynamoDB's words, between backup.c (made, listed,
 * described, dropped) and restore_from.c (a table made of one, or of a
 * moment).
 *
 * A backup is a tag of the history, which holds the whole store's state, and a
 * record (op_record.h) that says which table was meant:
 *
 *   {"name":"monday","created":1700000000000,"items":2,"bytes":100,
 *    "table":{table_write()}}
 */
#ifndef OP_OP_BACKUP_H
#define OP_OP_BACKUP_H

#include "store/op/op_record.h"
#include "store/op/tables/table.h"

enum { BACKUP_TAG = RECORD_ID + 16, BACKUP_ARN = OP_TABLE_ARN + RECORD_ID };

/* The tag of a backup, as bothy's own operations name it. */
void op_backup_tag(const char *id, char out[BACKUP_TAG]);

void op_backup_arn(const struct table *t, const char *id,
    char out[BACKUP_ARN]);

/*
 * The record of op->request.transfer.arn into op's arena, and its id; -1 with
 * BackupNotFoundException.
 */
int op_backup_find(struct op *op, char id[RECORD_ID],
    const struct json_node **record, struct err *e);

#endif
