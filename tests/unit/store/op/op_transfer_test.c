/*
 * Tables exported to directories and imported from them, as DynamoDB's clients
 * ask for it.
 */
#include "rig.h"

#include <dirent.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <zlib.h>

#define ARN "arn:aws:dynamodb:us-east-1:000000000000:table/"
#define TABLE(name) "\"TableName\":\"" name "\",\"AttributeDefinitions\":[" \
	"{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}," \
	"{\"AttributeName\":\"n\",\"AttributeType\":\"N\"}]," \
	"\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}," \
	"{\"AttributeName\":\"n\",\"KeyType\":\"RANGE\"}]," \
	"\"BillingMode\":\"PAY_PER_REQUEST\""

static int
begin(void **state)
{
	struct rig *r = malloc(sizeof *r);
	char path[200];

	rig_init(r);
	snprintf(path, sizeof path, "%s/buckets", r->dir);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof path, "%s/buckets/mine", r->dir);
	assert_int_equal(mkdir(path, 0700), 0);
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
refused(struct rig *r, int fault, const char *text, const char *reply)
{
	if (r->status != fault)
		print_error("%s\n", reply);
	assert_int_equal(r->status, fault);
	rig_has(reply, text);
}

/* A file in the bucket, packed if its name says so. */
static void
lay(struct rig *r, const char *name, const char *text)
{
	char path[300], *slash;
	gzFile z;
	FILE *f;

	snprintf(path, sizeof path, "%s/buckets/mine/%s", r->dir, name);
	slash = strrchr(path, '/');
	*slash = '\0';
	(void)mkdir(path, 0700);
	*slash = '/';
	if (strstr(name, ".gz")) {
		z = gzopen(path, "wb");
		assert_non_null(z);
		gzputs(z, text);
		gzclose(z);
		return;
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static const char *
import(struct rig *r, const char *table, const char *prefix,
    const char *more, char arn[300])
{
	static int token;
	const char *reply = rig_call(r, "ImportTable",
	    "{\"ClientToken\":\"t%d\",\"S3BucketSource\":"
	    "{\"S3Bucket\":\"mine\",\"S3KeyPrefix\":\"%s\"},%s,"
	    "\"TableCreationParameters\":{\"TableName\":\"%s\","
	    "\"AttributeDefinitions\":["
	    "{\"AttributeName\":\"id\",\"AttributeType\":\"S\"},"
	    "{\"AttributeName\":\"n\",\"AttributeType\":\"N\"}],"
	    "\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"},"
	    "{\"AttributeName\":\"n\",\"KeyType\":\"RANGE\"}],"
	    "\"BillingMode\":\"PAY_PER_REQUEST\"}}", token++, prefix, more,
	    table);

	if (r->status)
		return reply;
	rig_has(reply, "\"ImportStatus\":\"IN_PROGRESS\"");
	rig_lacks(reply, "EndTime");
	rig_text(reply, "ImportArn", arn, 300);
	return rig_ok(r, "DescribeImport", "{\"ImportArn\":\"%s\"}", arn);
}

/* --- tests --------------------------------------------------------------- */

/* Out to a directory, and in again from there. */
static void
there_and_back(void **state)
{
	struct rig *r = *state;
	char arn[300], manifest[300], path[600], prefix[300];
	const char *reply;
	struct stat st;
	int i;

	rig_ok(r, "CreateTable", "{" TABLE("notes") "}");
	refused(r, FAULT_PITR_OFF, "is not enabled", rig_call(r,
	    "ExportTableToPointInTime", "{\"TableArn\":\"" ARN "notes\","
	    "\"S3Bucket\":\"mine\"}"));
	rig_ok(r, "UpdateContinuousBackups", "{\"TableName\":\"notes\","
	    "\"PointInTimeRecoverySpecification\":"
	    "{\"PointInTimeRecoveryEnabled\":true}}");
	for (i = 0; i < 30; i++)
		rig_ok(r, "PutItem", "{\"TableName\":\"notes\",\"Item\":"
		    "{\"id\":\"x\",\"n\":%d,\"text\":\"zażółć\"}}", i);
	reply = rig_ok(r, "ExportTableToPointInTime", "{\"TableArn\":\"" ARN
	    "notes\",\"S3Bucket\":\"mine\",\"S3Prefix\":\"a/b\","
	    "\"ClientToken\":\"once\"}");
	rig_has(reply, "\"ExportStatus\":\"IN_PROGRESS\"");
	rig_text(reply, "ExportArn", arn, sizeof arn);
	reply = rig_ok(r, "DescribeExport", "{\"ExportArn\":\"%s\"}", arn);
	rig_has(reply, "\"ExportStatus\":\"COMPLETED\"");
	rig_has(reply, "\"ItemCount\":30");
	rig_text(reply, "ExportManifest", manifest, sizeof manifest);
	snprintf(path, sizeof path, "%s/buckets/mine/%s", r->dir, manifest);
	assert_int_equal(stat(path, &st), 0);
	rig_has(rig_ok(r, "ExportTableToPointInTime", "{\"TableArn\":\"" ARN
	    "notes\",\"S3Bucket\":\"mine\",\"S3Prefix\":\"a/b\","
	    "\"ClientToken\":\"once\"}"), arn);
	refused(r, FAULT_EXPORT_CONFLICT, "Duplicate request detected",
	    rig_call(r, "ExportTableToPointInTime", "{\"TableArn\":\"" ARN
	    "notes\",\"S3Bucket\":\"mine\",\"ClientToken\":\"once\"}"));
	rig_has(rig_ok(r, "ListExports", "{\"TableArn\":\"" ARN "notes\"}"),
	    arn);
	snprintf(prefix, sizeof prefix, "%.*sdata/",
	    (int)(strstr(manifest, "manifest-") - manifest), manifest);
	reply = import(r, "again", prefix, "\"InputFormat\":"
	    "\"DYNAMODB_JSON\",\"InputCompressionType\":\"GZIP\"", arn);
	rig_has(reply, "\"ImportStatus\":\"COMPLETED\"");
	rig_has(reply, "\"ProcessedItemCount\":30,\"ImportedItemCount\":30,"
	    "\"ErrorCount\":0");
	rig_has(rig_ok(r, "DescribeTable", "{\"TableName\":\"again\"}"),
	    "\"TableStatus\":\"ACTIVE\"");
	rig_has(rig_ok(r, "GetItem", "{\"TableName\":\"again\",\"Key\":"
	    "{\"id\":\"x\",\"n\":29}}"), "\"text\":\"zażółć\"");
	rig_has(rig_ok(r, "ListImports", "{}"), arn);
}

static void
where_it_may_not_go(void **state)
{
	static const char *const PREFIXES[] = {"../x", "a/../../x", "/etc",
	    "a//b", ".x", "a/.git"};
	struct rig *r = *state;
	char arn[300], path[300], target[300];
	const char *reply;
	size_t i;

	rig_ok(r, "CreateTable", "{" TABLE("notes") "}");
	rig_ok(r, "UpdateContinuousBackups", "{\"TableName\":\"notes\","
	    "\"PointInTimeRecoverySpecification\":"
	    "{\"PointInTimeRecoveryEnabled\":true}}");
	for (i = 0; i < sizeof PREFIXES / sizeof PREFIXES[0]; i++)
		refused(r, FAULT_VALIDATION, "S3Prefix", rig_call(r,
		    "ExportTableToPointInTime", "{\"TableArn\":\"" ARN
		    "notes\",\"S3Bucket\":\"mine\",\"S3Prefix\":\"%s\"}",
		    PREFIXES[i]));
	refused(r, FAULT_VALIDATION, "s3Bucket", rig_call(r,
	    "ExportTableToPointInTime", "{\"TableArn\":\"" ARN
	    "notes\",\"S3Bucket\":\"..\"}"));
	/* links lead nowhere, neither as buckets nor below one */
	snprintf(path, sizeof path, "%s/buckets/linked", r->dir);
	assert_int_equal(symlink("/tmp", path), 0);
	snprintf(path, sizeof path, "%s/buckets/mine/out", r->dir);
	snprintf(target, sizeof target, "%s/data", r->dir);
	assert_int_equal(symlink(target, path), 0);
	for (i = 0; i < 3; i++) {
		static const char *const WHERE[] = {
		    "\"S3Bucket\":\"linked\"",
		    "\"S3Bucket\":\"mine\",\"S3Prefix\":\"out\"",
		    "\"S3Bucket\":\"none\""};

		reply = rig_ok(r, "ExportTableToPointInTime",
		    "{\"TableArn\":\"" ARN "notes\",%s}", WHERE[i]);
		rig_text(reply, "ExportArn", arn, sizeof arn);
		reply = rig_ok(r, "DescribeExport", "{\"ExportArn\":\"%s\"}",
		    arn);
		rig_has(reply, "\"ExportStatus\":\"FAILED\"");
		if (i != 1)
			rig_has(reply, "\"FailureCode\":\"S3NoSuchBucket\"");
	}
	refused(r, FAULT_EXPORT_NOT_FOUND, "Export not found", rig_call(r,
	    "DescribeExport", "{\"ExportArn\":\"" ARN "notes/export/"
	    "01700000000000-0badf00d\"}"));
	refused(r, FAULT_VALIDATION, "Invalid Export ARN", rig_call(r,
	    "DescribeExport", "{\"ExportArn\":\"" ARN "notes\"}"));
	reply = import(r, "fromlink", "out/", "\"InputFormat\":"
	    "\"DYNAMODB_JSON\"", arn);
	rig_has(reply, "\"ProcessedItemCount\":0");
}

static void
bad_lines(void **state)
{
	struct rig *r = *state;
	char arn[300];
	const char *reply;

	lay(r, "in/0.json", "{\"Item\":{\"id\":{\"S\":\"a\"},\"n\":"
	    "{\"N\":\"1\"},\"v\":{\"S\":\"first\"}}}\n\n   \n"
	    "{\"Item\":{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"1\"},"
	    "\"v\":{\"S\":\"second\"}}}\n");
	lay(r, "in/1.json", "{\"Item\":{\"id\":{\"S\":\"b\"}}}\n"
	    "{\"Item\":{\"id\":{\"S\":\"never\"},\"n\":{\"N\":\"1\"}}}\n");
	lay(r, "in/2.json", "{\"NoItem\":{}}\n");
	lay(r, "in/3.json", "");
	lay(r, "in/.hidden.json", "nonsense\n");
	reply = import(r, "bad", "in/", "\"InputFormat\":\"DYNAMODB_JSON\"",
	    arn);
	rig_has(reply, "\"ImportStatus\":\"FAILED\"");
	rig_has(reply, "\"FailureCode\":\"ItemValidationError\"");
	rig_has(reply, "\"ProcessedItemCount\":4,\"ImportedItemCount\":2,"
	    "\"ErrorCount\":2");
	reply = rig_ok(r, "Scan", "{\"TableName\":\"bad\"}");
	rig_has(reply, "\"Count\":1");
	rig_has(reply, "second");
	refused(r, FAULT_IN_USE, "Table already exists",
	    import(r, "bad", "in/", "\"InputFormat\":\"DYNAMODB_JSON\"",
	    arn));
	reply = import(r, "torn", "in/0.json", "\"InputFormat\":"
	    "\"DYNAMODB_JSON\",\"InputCompressionType\":\"GZIP\"", arn);
	rig_has(reply, "\"FailureCode\":\"ItemValidationError\"");
	reply = import(r, "empty", "nothing/", "\"InputFormat\":"
	    "\"DYNAMODB_JSON\"", arn);
	rig_has(reply, "\"ImportStatus\":\"COMPLETED\"");
	rig_lacks(reply, "ProcessedSizeBytes");
}

static void
columns(void **state)
{
	struct rig *r = *state;
	char arn[300];
	const char *reply;

	lay(r, "c/1.csv.gz", "id,n,text\r\n"
	    "a,1,\"one, \"\"two\"\"\"\r\nb,2,\r\n");
	reply = import(r, "csv", "c/", "\"InputFormat\":\"CSV\","
	    "\"InputCompressionType\":\"GZIP\"", arn);
	rig_has(reply, "\"ImportStatus\":\"COMPLETED\"");
	rig_has(reply, "\"ImportedItemCount\":2");
	rig_has(rig_ok(r, "GetItem", "{\"TableName\":\"csv\",\"Key\":"
	    "{\"id\":\"a\",\"n\":1}}"), "\"text\":\"one, \\\"two\\\"\"");
	lay(r, "d/1.csv", "a;1;x\nb;2;y\n");
	reply = import(r, "named", "d/", "\"InputFormat\":\"CSV\","
	    "\"InputFormatOptions\":{\"Csv\":{\"Delimiter\":\";\","
	    "\"HeaderList\":[\"id\",\"n\",\"a,b\"]}}", arn);
	rig_has(reply, "\"ImportedItemCount\":2");
	rig_has(rig_ok(r, "GetItem", "{\"TableName\":\"named\",\"Key\":"
	    "{\"id\":\"b\",\"n\":2}}"), "\"a,b\":\"y\"");
	lay(r, "e/1.csv", "id,n\na,1\nb,\"2\n");
	rig_has(import(r, "open", "e/", "\"InputFormat\":\"CSV\"", arn),
	    "a quote that isn't closed");
	refused(r, FAULT_VALIDATION, "InputFormatOptions", import(r, "no1",
	    "c/", "\"InputFormat\":\"DYNAMODB_JSON\",\"InputFormatOptions\":"
	    "{\"Csv\":{\"Delimiter\":\",\"}}", arn));
}

static void
count_dropped(void *ctx, const char *table, const struct err *why)
{
	int *n = ctx;

	if (why)
		print_error("%s: %s\n", table, why->text);
	assert_null(why);
	assert_true(strcmp(table, "half") == 0 || strcmp(table, "back") == 0);
	++*n;
}

/* A process of its own begins an import and a restore, and is no more. */
static void
begin_and_die(struct rig *r, char *arn, int arn_fd)
{
	static char many[1100 * 64];
	size_t n = 0;
	int i;

	for (i = 0; i < 1100; i++)
		n += (size_t)snprintf(many + n, sizeof many - n, "{\"Item\":"
		    "{\"id\":{\"S\":\"a\"},\"n\":{\"N\":\"%d\"}}}\n", i);
	rig_open(r);
	lay(r, "in/0.json", many);
	import(r, "notes", "in/", "\"InputFormat\":\"DYNAMODB_JSON\"", arn);
	rig_ok(r, "UpdateContinuousBackups", "{\"TableName\":\"notes\","
	    "\"PointInTimeRecoverySpecification\":"
	    "{\"PointInTimeRecoveryEnabled\":true}}");
	r->forget_later = true;
	import(r, "half", "in/", "\"InputFormat\":\"DYNAMODB_JSON\"", arn);
	rig_has(rig_ok(r, "DescribeTable", "{\"TableName\":\"half\"}"),
	    "\"TableStatus\":\"CREATING\"");
	rig_ok(r, "RestoreTableToPointInTime", "{\"SourceTableName\":"
	    "\"notes\",\"TargetTableName\":\"back\","
	    "\"UseLatestRestorableTime\":true}");
	rig_has(rig_ok(r, "DescribeTable", "{\"TableName\":\"back\"}"),
	    "\"TableStatus\":\"CREATING\"");
	_exit(write(arn_fd, arn, strlen(arn) + 1) < 0);
}

/* Nobody fills what a killed process was filling: it goes at the next start. */
static void
killed_amid(void **state)
{
	struct rig *r = *state;
	char arn[300] = "";
	int fds[2], status, dropped = 0;
	pid_t pid;

	rig_close(r);
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		begin_and_die(r, arn, fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_true(read(fds[0], arn, sizeof arn - 1) > 0);
	close(fds[0]);
	close(fds[1]);
	rig_open(r);
	op_later_sweep(r->store, count_dropped, &dropped);
	assert_int_equal(dropped, 2);
	refused(r, FAULT_NOT_FOUND, "half", rig_call(r, "DescribeTable",
	    "{\"TableName\":\"half\"}"));
	rig_has(rig_ok(r, "ListTables", "{}"), "[\"notes\"]");
	rig_has(rig_ok(r, "DescribeImport", "{\"ImportArn\":\"%s\"}", arn),
	    "\"ImportStatus\":\"FAILED\"");
	import(r, "half", "in/", "\"InputFormat\":\"DYNAMODB_JSON\"", arn);
	rig_has(rig_ok(r, "DescribeTable", "{\"TableName\":\"half\"}"),
	    "\"TableStatus\":\"ACTIVE\"");
	dropped = 0;
	op_later_sweep(r->store, count_dropped, &dropped);
	assert_int_equal(dropped, 0);
}

static void
too_many_at_once(void **state)
{
	struct rig *r = *state;
	char arn[300];

	r->later_full = true;
	refused(r, FAULT_LIMIT, "at the same time", import(r, "more", "in/",
	    "\"InputFormat\":\"DYNAMODB_JSON\"", arn));
	rig_has(rig_ok(r, "ListTables", "{}"), "[]");
	rig_lacks(rig_ok(r, "ListImports", "{}"), "ImportArn");
}

/* An import of which no record can be kept leaves no table either. */
static void
no_record(void **state)
{
	struct rig *r = *state;
	char path[200], arn[300];

	snprintf(path, sizeof path, "%s/transfers", r->dir);
	assert_int_equal(symlink("nowhere", path), 0);
	refused(r, FAULT_INTERNAL, "transfers/import", import(r, "none",
	    "in/", "\"InputFormat\":\"DYNAMODB_JSON\"", arn));
	rig_has(rig_ok(r, "ListTables", "{}"), "[]");
	assert_int_equal(unlink(path), 0);
	import(r, "none", "in/", "\"InputFormat\":\"DYNAMODB_JSON\"", arn);
	assert_int_equal(r->status, 0);
}

static int
count_files(const struct rig *r, const char *kind)
{
	char path[200];
	const struct dirent *d;
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof path, "%s/transfers/%s", r->dir, kind);
	dir = opendir(path);
	assert_non_null(dir);
	while ((d = readdir(dir)))
		n += *d->d_name != '.';
	closedir(dir);
	return n;
}

/* Old records of a kind, as many as `n`. */
static void
lay_records(const struct rig *r, const char *kind, int n)
{
	char path[300];
	FILE *f;
	int i;

	snprintf(path, sizeof path, "%s/transfers", r->dir);
	(void)mkdir(path, 0700);
	snprintf(path, sizeof path, "%s/transfers/%s", r->dir, kind);
	(void)mkdir(path, 0700);
	for (i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/transfers/%s/"
		    "%014d-00000000.json", r->dir, kind, i);
		f = fopen(path, "w");
		assert_non_null(f);
		fputs("{}\n", f);
		fclose(f);
	}
}

/* The oldest go, so that there are never more than so many. */
static void
few_records(void **state)
{
	struct rig *r = *state;
	char path[300], arn[300];

	lay_records(r, "import", 1003);
	assert_int_equal(count_files(r, "import"), 1003);
	import(r, "notes", "in/", "\"InputFormat\":\"DYNAMODB_JSON\"", arn);
	assert_int_equal(r->status, 0);
	assert_int_equal(count_files(r, "import"), 1000);
	snprintf(path, sizeof path, "%s/transfers/import/"
	    "00000000000003-00000000.json", r->dir);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(path, sizeof path, "%s/transfers/import/"
	    "00000000000004-00000000.json", r->dir);
	assert_int_equal(access(path, F_OK), 0);
	/* but nobody's backup goes by itself */
	rig_ok(r, "CreateTable", "{" TABLE("kept") "}");
	lay_records(r, "backup", 10000);
	refused(r, FAULT_LIMIT, "10000 backups", rig_call(r, "CreateBackup",
	    "{\"TableName\":\"kept\",\"BackupName\":\"one\"}"));
	assert_int_equal(count_files(r, "backup"), 10000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(there_and_back, begin, end),
		cmocka_unit_test_setup_teardown(where_it_may_not_go, begin,
		    end),
		cmocka_unit_test_setup_teardown(bad_lines, begin, end),
		cmocka_unit_test_setup_teardown(columns, begin, end),
		cmocka_unit_test_setup_teardown(killed_amid, begin, end),
		cmocka_unit_test_setup_teardown(too_many_at_once, begin, end),
		cmocka_unit_test_setup_teardown(no_record, begin, end),
		cmocka_unit_test_setup_teardown(few_records, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
