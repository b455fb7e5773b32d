# Tables, journal, index, files, history: the store without its socket.
store/engine.SRCS := $(notdir $(wildcard store/engine/*.c))
store/engine.BELOW := store/history store/files store/index store/table store/journal store/expr store/value store/base
