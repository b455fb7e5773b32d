# Documents as files, and the threads that write them.
store/files.SRCS := $(notdir $(wildcard store/files/*.c))
store/files.BELOW := store/table store/value store/base
