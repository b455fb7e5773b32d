/*
 * Backups of tables, and tables made of them or of moments, as DynamoDB's
 * clients ask for them.
 */
#include "rig.h"

#include "store/base/clock.h"

#define TABLE(name) "{\"TableName\":\"" name "\",\"AttributeDefinitions\":[" \
	"{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}," \
	"{\"AttributeName\":\"a\",\"AttributeType\":\"S\"}]," \
	"\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]," \
	"\"GlobalSecondaryIndexes\":[{\"IndexName\":\"byA\",\"KeySchema\":[" \
	"{\"AttributeName\":\"a\",\"KeyType\":\"HASH\"}],\"Projection\":" \
	"{\"ProjectionType\":\"ALL\"}}],\"BillingMode\":\"PAY_PER_REQUEST\"}"

static int
begin(void **state)
{
	struct rig *r = malloc(sizeof *r);

	rig_init(r);
	rig_ok(r, "CreateTable", TABLE("notes"));
	*state = r;
	return 0;
}

static int
end(void **state)
{
	rig_release(*state);
	free(*state);
	return 0;
}

static void
put(struct rig *r, const char *id, const char *a)
{
	rig_ok(r, "PutItem", "{\"TableName\":\"notes\",\"Item\":"
	    "{\"id\":\"%s\",\"a\":\"%s\"}}", id, a);
}

static void
refused(struct rig *r, int fault, const char *text, const char *reply)
{
	if (r->status != fault)
		print_error("%s\n", reply);
	assert_int_equal(r->status, fault);
	rig_has(reply, text);
}

static void
backup(struct rig *r, const char *name, char arn[200])
{
	rig_text(rig_ok(r, "CreateBackup", "{\"TableName\":\"notes\","
	    "\"BackupName\":\"%s\"}", name), "BackupArn", arn, 200);
}

/* --- tests --------------------------------------------------------------- */

static void
restored(void **state)
{
	struct rig *r = *state;
	char arn[200];
	const char *reply;

	put(r, "1", "x");
	put(r, "2", "y");
	backup(r, "monday", arn);
	put(r, "1", "changed");
	put(r, "3", "z");
	reply = rig_ok(r, "RestoreTableFromBackup", "{\"TargetTableName\":"
	    "\"again\",\"BackupArn\":\"%s\"}", arn);
	rig_has(reply, "\"TableStatus\":\"CREATING\"");
	rig_has(reply, "\"RestoreInProgress\":true");
	reply = rig_ok(r, "DescribeTable", "{\"TableName\":\"again\"}");
	rig_has(reply, "\"TableStatus\":\"ACTIVE\"");
	rig_has(reply, "\"ItemCount\":2");
	rig_has(reply, "\"RestoreInProgress\":false");
	rig_has(reply, arn);
	reply = rig_ok(r, "Scan", "{\"TableName\":\"again\","
	    "\"IndexName\":\"byA\"}");
	rig_has(reply, "\"a\":\"x\"");
	rig_has(reply, "\"a\":\"y\"");
	rig_lacks(reply, "changed");
	rig_lacks(reply, "\"z\"");
	refused(r, FAULT_TABLE_EXISTS, "Table already exists: again",
	    rig_call(r, "RestoreTableFromBackup", "{\"TargetTableName\":"
	    "\"again\",\"BackupArn\":\"%s\"}", arn));
	rig_ok(r, "RestoreTableFromBackup", "{\"TargetTableName\":\"bare\","
	    "\"BackupArn\":\"%s\",\"GlobalSecondaryIndexOverride\":[],"
	    "\"BillingModeOverride\":\"PROVISIONED\","
	    "\"ProvisionedThroughputOverride\":{\"ReadCapacityUnits\":7,"
	    "\"WriteCapacityUnits\":8}}", arn);
	reply = rig_ok(r, "DescribeTable", "{\"TableName\":\"bare\"}");
	rig_lacks(reply, "byA");
	rig_has(reply, "\"ReadCapacityUnits\":7");
	/* of a table that is gone, after another start */
	rig_ok(r, "DeleteTable", "{\"TableName\":\"notes\"}");
	rig_close(r);
	rig_open(r);
	rig_ok(r, "RestoreTableFromBackup", "{\"TargetTableName\":\"notes\","
	    "\"BackupArn\":\"%s\"}", arn);
	rig_has(rig_ok(r, "Scan", "{\"TableName\":\"notes\"}"),
	    "\"Count\":2");
}

static void
listed(void **state)
{
	struct rig *r = *state;
	char one[200], two[200], last[200];
	const char *reply;

	put(r, "1", "x");
	backup(r, "one", one);
	usleep(3000);
	put(r, "2", "x");
	backup(r, "two", two);
	reply = rig_ok(r, "ListBackups", "{}");
	rig_has(reply, one);
	rig_has(reply, two);
	rig_has(reply, "\"BackupStatus\":\"AVAILABLE\"");
	rig_lacks(reply, "LastEvaluatedBackupArn");
	reply = rig_ok(r, "ListBackups", "{\"TableName\":\"notes\","
	    "\"Limit\":1}");
	rig_text(reply, "LastEvaluatedBackupArn", last, sizeof last);
	assert_string_equal(last, one);
	reply = rig_ok(r, "ListBackups", "{\"ExclusiveStartBackupArn\":\"%s\"}",
	    last);
	rig_lacks(reply, one);
	rig_has(reply, two);
	rig_has(rig_ok(r, "ListBackups", "{\"TableName\":\"other\"}"),
	    "\"BackupSummaries\":[]");
	rig_has(rig_ok(r, "ListBackups", "{\"BackupType\":\"SYSTEM\"}"),
	    "\"BackupSummaries\":[]");
	rig_has(rig_ok(r, "ListBackups", "{\"TimeRangeUpperBound\":"
	    "1000000000}"), "\"BackupSummaries\":[]");
	reply = rig_ok(r, "DescribeBackup", "{\"BackupArn\":\"%s\"}", two);
	rig_has(reply, "\"BackupName\":\"two\"");
	rig_has(reply, "\"ItemCount\":2");
	rig_has(reply, "\"BillingMode\":\"PAY_PER_REQUEST\"");
	rig_has(reply, "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"byA\"");
	rig_has(rig_ok(r, "DeleteBackup", "{\"BackupArn\":\"%s\"}", one),
	    "\"BackupStatus\":\"DELETED\"");
	refused(r, FAULT_BACKUP_NOT_FOUND, "Backup not found: arn",
	    rig_call(r, "DescribeBackup", "{\"BackupArn\":\"%s\"}", one));
	refused(r, FAULT_VALIDATION, "Invalid Backup ARN",
	    rig_call(r, "DescribeBackup", "{\"BackupArn\":"
	    "\"arn:aws:dynamodb:bothy:000000000000:table/notes\"}"));
	refused(r, FAULT_TABLE_NOT_FOUND, "Table not found: other",
	    rig_call(r, "CreateBackup", "{\"TableName\":\"other\","
	    "\"BackupName\":\"one\"}"));
}

/* The ARN of another table's backup, as one of a table that may be read. */
static void
of_its_own_table(void **state)
{
	static const char *const calls[] = {"DescribeBackup", "DeleteBackup",
		"RestoreTableFromBackup"};
	struct rig *r = *state;
	char arn[200], other[200];
	size_t i;

	backup(r, "monday", arn);
	snprintf(other, sizeof other,
	    "arn:aws:dynamodb:bothy:000000000000:table/other%s",
	    strstr(arn, "/backup/"));
	for (i = 0; i < sizeof calls / sizeof *calls; i++)
		refused(r, FAULT_BACKUP_NOT_FOUND, "Backup not found: arn",
		    rig_call(r, calls[i], "{\"BackupArn\":\"%s\"%s}", other,
		    i == 2 ? ",\"TargetTableName\":\"again\"" : ""));
	rig_ok(r, "DescribeBackup", "{\"BackupArn\":\"%s\"}", arn);
}

/* To a moment between two writes, and to the last one. */
static void
moments(void **state)
{
	struct rig *r = *state;
	int64_t at_ms;
	const char *reply;

	refused(r, FAULT_PITR_OFF, "Point in time recovery is not enabled",
	    rig_call(r, "RestoreTableToPointInTime", "{\"SourceTableName\":"
	    "\"notes\",\"TargetTableName\":\"then\","
	    "\"UseLatestRestorableTime\":true}"));
	rig_ok(r, "UpdateContinuousBackups", "{\"TableName\":\"notes\","
	    "\"PointInTimeRecoverySpecification\":"
	    "{\"PointInTimeRecoveryEnabled\":true}}");
	put(r, "1", "before");
	usleep(20000);
	at_ms = clock_wall_ms();
	usleep(20000);
	put(r, "1", "after");
	rig_ok(r, "RestoreTableToPointInTime", "{\"SourceTableName\":"
	    "\"notes\",\"TargetTableName\":\"then\",\"RestoreDateTime\":"
	    "%lld.%03d}", (long long)(at_ms / 1000), (int)(at_ms % 1000));
	reply = rig_ok(r, "Scan", "{\"TableName\":\"then\"}");
	rig_has(reply, "before");
	rig_lacks(reply, "after");
	rig_ok(r, "RestoreTableToPointInTime", "{\"SourceTableArn\":"
	    "\"arn:aws:dynamodb:bothy:000000000000:table/notes\","
	    "\"TargetTableName\":\"last\",\"UseLatestRestorableTime\":true}");
	rig_has(rig_ok(r, "Scan", "{\"TableName\":\"last\"}"), "after");
	refused(r, FAULT_RESTORE_TIME, "RestoreDateTime must lie",
	    rig_call(r, "RestoreTableToPointInTime", "{\"SourceTableName\":"
	    "\"notes\",\"TargetTableName\":\"no1\",\"RestoreDateTime\":"
	    "1000000000}"));
	refused(r, FAULT_VALIDATION, "One of RestoreDateTime",
	    rig_call(r, "RestoreTableToPointInTime", "{\"SourceTableName\":"
	    "\"notes\",\"TargetTableName\":\"no1\"}"));
	refused(r, FAULT_TABLE_NOT_FOUND, "Table not found: none",
	    rig_call(r, "RestoreTableToPointInTime", "{\"SourceTableName\":"
	    "\"none\",\"TargetTableName\":\"no1\","
	    "\"UseLatestRestorableTime\":true}"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(restored, begin, end),
		cmocka_unit_test_setup_teardown(listed, begin, end),
		cmocka_unit_test_setup_teardown(of_its_own_table, begin, end),
		cmocka_unit_test_setup_teardown(moments, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
