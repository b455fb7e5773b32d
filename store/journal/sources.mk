# The journal: lines that are synced before anyone hears of them.
store/journal.SRCS := $(notdir $(wildcard store/journal/*.c))
store/journal.BELOW := store/value store/base
