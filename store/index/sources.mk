# The index on LMDB, and whether it may be trusted.
store/index.SRCS := $(notdir $(wildcard store/index/*.c))
store/index.BELOW := store/table store/value store/base
