/*
 * What can be wrong with an operation on documents: the code of a struct err
 * from value/, expr/, engine/ and wire/.  Each has DynamoDB's name for it
 * where DynamoDB has one; the rest are ours.  errno values lie below all.
 */
#ifndef VALUE_FAULT_H
#define VALUE_FAULT_H

enum fault {
	FAULT_FIRST = 1000,
	FAULT_VALIDATION = FAULT_FIRST,	/* ValidationException */
	FAULT_SERIALIZATION,		/* SerializationException */
	FAULT_CONDITION,		/* ConditionalCheckFailedException */
	FAULT_NOT_FOUND,		/* ResourceNotFoundException */
	FAULT_IN_USE,			/* ResourceInUseException */
	FAULT_LIMIT,			/* LimitExceededException */
	FAULT_CANCELED,			/* TransactionCanceledException */
	FAULT_CONFLICT,			/* TransactionConflictException */
	FAULT_IN_PROGRESS,		/* TransactionInProgressException */
	FAULT_TOKEN_MISMATCH,	/* IdempotentParameterMismatchException */
	FAULT_COLLECTION_SIZE,	/* ItemCollectionSizeLimitExceededException */
	FAULT_THROUGHPUT,	/* ProvisionedThroughputExceededException */
	FAULT_TRIMMED,			/* TrimmedDataAccessException */
	FAULT_EXPIRED_ITERATOR,		/* ExpiredIteratorException */
	FAULT_DENIED,			/* AccessDeniedException */
	FAULT_UNKNOWN_OPERATION,	/* UnknownOperationException */
	FAULT_INTERNAL,			/* InternalServerError */
	FAULT_NO_ROOM,		/* the disk is full: writes are refused */
	FAULT_READ_ONLY,	/* a sync failed, or opened so */
	FAULT_BUSY,		/* too much waits; try again */
	FAULT_LEAVING,		/* the daemon leaves; connect again */
	FAULT_UNKNOWN_OUTCOME,	/* sent, never answered */
	FAULT_ENDED,		/* long work, ended before it was done */
	FAULT_TABLE_NOT_FOUND,	/* TableNotFoundException: of backups */
	FAULT_TABLE_EXISTS,	/* TableAlreadyExistsException */
	FAULT_BACKUP_NOT_FOUND,	/* BackupNotFoundException */
	FAULT_PITR_OFF,		/* PointInTimeRecoveryUnavailableException */
	FAULT_RESTORE_TIME,	/* InvalidRestoreTimeException */
	FAULT_EXPORT_NOT_FOUND,	/* ExportNotFoundException */
	FAULT_EXPORT_CONFLICT,	/* ExportConflictException */
	FAULT_EXPORT_TIME,	/* InvalidExportTimeException */
	FAULT_IMPORT_NOT_FOUND,	/* ImportNotFoundException */
	FAULT_IMPORT_CONFLICT,	/* ImportConflictException */
	FAULT_DUPLICATE,		/* DuplicateItemException */
	FAULT_END
};

/*
 * DynamoDB's name, or ours of the same kind ("NoRoomException"); anything else,
 * an errno value for one, is an InternalServerError.
 */
const char *fault_name(int fault);

/* The fault of a name, or 0. */
int fault_parse(const char *name);

#endif
