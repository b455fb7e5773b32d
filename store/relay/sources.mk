# Calls that go on to another DynamoDB.
store/relay.SRCS := $(notdir $(wildcard store/relay/*.c))
store/relay.BELOW := store/wire store/expr store/value store/base
