# What runs inside a function's process.  abi.c alone is shared with fcgi/.
functions/sdk/abi.DIR := functions/sdk
functions/sdk/abi.SRCS := abi.c
functions/sdk/abi.BELOW := store/base
functions/sdk.SRCS := $(filter-out abi.c,$(notdir $(wildcard functions/sdk/*.c)))
functions/sdk.BELOW := functions/sdk/abi store/base
