# What runs inside a function's process.  The zygote's engine and what it needs
# are an archive of their own, shared with fcgi/.
functions/sdk/abi.DIR := functions/sdk
functions/sdk/abi.SRCS := abi.c child.c contain.c contain_sweep.c pagetable.c \
	rseq.c scratch.c unshared.c zygote.c
functions/sdk/abi.BELOW := store/base
functions/sdk.SRCS := $(filter-out $(functions/sdk/abi.SRCS), \
	$(notdir $(wildcard functions/sdk/*.c)))
functions/sdk.BELOW := functions/sdk/abi store/client store/wire store/expr \
	store/value store/base
