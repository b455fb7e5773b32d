# Expressions: lexer, grammar, evaluation.
store/expr.SRCS := $(notdir $(wildcard store/expr/*.c))
store/expr.BELOW := store/value store/base
