# git push is the deployment.
fcgi/deploy.SRCS := $(notdir $(wildcard fcgi/deploy/*.c))
fcgi/deploy.BELOW := fcgi/release fcgi/build fcgi/launch fcgi/conf functions/sdk/abi store/wire store/base
