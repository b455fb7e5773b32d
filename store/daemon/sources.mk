# The store's daemon, bothy-store.
store/daemon.SRCS := $(filter-out main.c,$(notdir $(wildcard store/daemon/*.c)))
store/daemon.BELOW := store/relay store/op store/engine store/history store/files store/index store/table store/journal store/partiql store/wire store/expr store/value store/base
