# Releases of a deployed site as they lie on disk.
fcgi/release.SRCS := $(notdir $(wildcard fcgi/release/*.c))
fcgi/release.BELOW := store/base
