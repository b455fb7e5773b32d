# The crash suite: a recorder to preload, a replayer, and what they are tried
# on.  `make test` asks for `crash-test`; `make crash` takes its time.

CRASH := $(B)/crash
CRASH_STATES ?= 100000
CRASH_KILLS ?= 500

# Whatever the variant, the recorder is plain: it is preloaded before libasan.
$(CRASH)/record.so: tests/crash/record.c tests/crash/record.h
	$(call say,LD,$@)
	$(Q)mkdir -p $(@D) && $(CC) -std=c11 $(WARNINGS) -D_GNU_SOURCE -I. -O2 \
		-g -fPIC -shared -o $@ $<

$(CRASH)/states: $(B)/obj/tests/crash/states.o $(B)/obj/tests/crash/model.o \
		$(call archives,store/base)
	$(call link)

# The journal alone, sound and with mistakes planted in it.
JOURNAL_SRCS := tests/crash/journal_store.c $(wildcard store/engine/journal*.c) \
	store/engine/segment.c store/engine/mark.c
$(CRASH)/journal_store: $(JOURNAL_SRCS:%.c=$(B)/obj/%.o) \
		$(call archives,store/base)
	$(call link,-lz)
$(CRASH)/journal_store-planted: $(JOURNAL_SRCS:%.c=$(B)/obj/planted/%.o) \
		$(call archives,store/base)
	$(call link,-lz)

$(B)/obj/planted/%.o: %.c $(B)/flags
	$(call say,CC,$< (planted))
	$(Q)mkdir -p $(@D) && $(COMPILE) -DPLANTS

CRASH_PROGRAMS := $(addprefix $(CRASH)/,record.so states journal_store \
	journal_store-planted)
crash.py := $(PYTHON) -B tests/crash/crash.py --bin $(CRASH)

.PHONY: crash crash-test crash-faults
crash-test: $(CRASH_PROGRAMS)
	@$(NO_MAKE) $(crash.py) --states 3000 --kills 20

crash: $(CRASH_PROGRAMS)
	@$(NO_MAKE) $(crash.py) --states $(CRASH_STATES) --kills $(CRASH_KILLS)

# Under a sanitizer: no leak, no misstep, whatever fails.
crash-faults: $(CRASH)/record.so $(CRASH)/journal_store
	@$(NO_MAKE) ASAN_OPTIONS=verify_asan_link_order=0 \
	$(crash.py) $(if $(filter asan,$(VARIANT)),--preload \
		$(shell $(CC) -print-file-name=libasan.so)) faults
