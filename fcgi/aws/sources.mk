# DynamoDB's HTTP protocol: signatures, keys, error shapes, the way to the store.
fcgi/aws.SRCS := $(notdir $(wildcard fcgi/aws/*.c))
fcgi/aws.BELOW := store/client store/wire store/expr store/value store/base
