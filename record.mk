# record.mk - the recorder, its converter, and the generated traces.
#
#   make librecord.so rec2trace   what scripts/record.sh needs
#   make traces                   regenerate traces/gen-*

# The converter writes compressed traces: without zstd there is none.
RECORDERS = librecord.so $(if $(filter zstd,$(LACKS)),,rec2trace)
all: $(RECORDERS)

LIBRECORD_OBJS = $(patsubst %,$(B)/record/%.o,record writer logfile exec)
REC2TRACE_OBJS = $(patsubst %,$(B)/record/%.o,rec2trace convert blocks logread text)

librecord.so rec2trace: %: $(B)/% FORCE
	@$(if $(ARCH),:,ln -sfn $< $@)

# It sees what libraries do that are opened with RTLD_DEEPBIND, too.
$(B)/librecord.so: $(LIBRECORD_OBJS) $(B)/preload/dlopen.o
	$(call say,LD,$@)
	$(Q)$(CC) -shared -pthread -Wl,-z,nodelete -o $@ $^

$(B)/rec2trace: $(REC2TRACE_OBJS)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ -lzstd

# Never with a sanitizer: it goes into programs that have none.
$(LIBRECORD_OBJS): CFLAGS := $(filter-out $(SAN_FLAGS),$(CFLAGS)) -fPIC $(ALLOC_CFLAGS)

$(B)/record/record.o: record.c $(B)/flags
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(COMPILE)

$(B)/record/%.o: record/%.c $(B)/flags | $(HAVE)
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(COMPILE)

traces: FORCE
	scripts/gen_traces.py --out traces

clean: clean-record

clean-record: FORCE
	rm -f rec2trace
