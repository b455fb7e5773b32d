# Operations: a request against the engine, and its reply.
store/op.SRCS := $(patsubst store/op/%,%,$(wildcard store/op/*.c store/op/*/*.c))
store/op.BELOW := store/engine store/history store/files store/index store/table store/journal store/partiql store/wire store/expr store/value store/base
