# A site's store, as gateway and command line come to it.
fcgi/data.SRCS := $(notdir $(wildcard fcgi/data/*.c))
fcgi/data.BELOW := store/client fcgi/conf store/wire store/expr store/value store/base
