# What tables are, and their keys as bytes.
store/table.SRCS := $(notdir $(wildcard store/table/*.c))
store/table.BELOW := store/value store/base
