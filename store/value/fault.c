/*
 * The names of what can be wrong, for fault.h.
 */
#include "fault.h"

#include <string.h>

#define NAME(fault) [FAULT_##fault - FAULT_FIRST]

static const char *const names[FAULT_END - FAULT_FIRST] = {
	NAME(VALIDATION) = "ValidationException",
	NAME(SERIALIZATION) = "SerializationException",
	NAME(CONDITION) = "ConditionalCheckFailedException",
	NAME(NOT_FOUND) = "ResourceNotFoundException",
	NAME(IN_USE) = "ResourceInUseException",
	NAME(LIMIT) = "LimitExceededException",
	NAME(CANCELED) = "TransactionCanceledException",
	NAME(CONFLICT) = "TransactionConflictException",
	NAME(IN_PROGRESS) = "TransactionInProgressException",
	NAME(TOKEN_MISMATCH) = "IdempotentParameterMismatchException",
	NAME(COLLECTION_SIZE) = "ItemCollectionSizeLimitExceededException",
	NAME(THROUGHPUT) = "ProvisionedThroughputExceededException",
	NAME(TRIMMED) = "TrimmedDataAccessException",
	NAME(EXPIRED_ITERATOR) = "ExpiredIteratorException",
	NAME(DENIED) = "AccessDeniedException",
	NAME(UNKNOWN_OPERATION) = "UnknownOperationException",
	NAME(INTERNAL) = "InternalServerError",
	NAME(NO_ROOM) = "NoRoomException",
	NAME(READ_ONLY) = "ReadOnlyException",
	NAME(BUSY) = "BusyException",
	NAME(LEAVING) = "LeavingException",
	NAME(UNKNOWN_OUTCOME) = "UnknownOutcomeException",
	NAME(DUPLICATE) = "DuplicateItemException",
	NAME(TABLE_NOT_FOUND) = "TableNotFoundException",
	NAME(TABLE_EXISTS) = "TableAlreadyExistsException",
	NAME(BACKUP_NOT_FOUND) = "BackupNotFoundException",
	NAME(PITR_OFF) = "PointInTimeRecoveryUnavailableException",
	NAME(RESTORE_TIME) = "InvalidRestoreTimeException",
	NAME(EXPORT_NOT_FOUND) = "ExportNotFoundException",
	NAME(EXPORT_CONFLICT) = "ExportConflictException",
	NAME(EXPORT_TIME) = "InvalidExportTimeException",
	NAME(IMPORT_NOT_FOUND) = "ImportNotFoundException",
	NAME(IMPORT_CONFLICT) = "ImportConflictException",
	NAME(ENDED) = "EndedException",
};

const char *
fault_name(int fault)
{
	if (fault < FAULT_FIRST || fault >= FAULT_END)
		return names[FAULT_INTERNAL - FAULT_FIRST];
	return names[fault - FAULT_FIRST];
}

int
fault_parse(const char *name)
{
	int i;

	for (i = 0; i < FAULT_END - FAULT_FIRST; i++)
		if (strcmp(names[i], name) == 0)
			return FAULT_FIRST + i;
	return 0;
}
