# PartiQL: statements as the requests of store/wire.
store/partiql.SRCS := $(notdir $(wildcard store/partiql/*.c))
store/partiql.BELOW := store/wire store/expr store/value store/base
