# faulty.mk - $(B)/tests/mdriver-faulty: mdriver with the planted faults of
# tests/faulty in place of the lab's allocators. All objects but the registry
# are mdriver's own.

FAULTY_LIST = tests/faulty/list.h
FAULTY_OBJS = $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/faulty/*.c))

test-programs: $(B)/tests/mdriver-faulty

$(B)/tests/mdriver-faulty: $(B)/mdriver.o $(B)/tests/faulty/driver_registry.o \
        $(FAULTY_OBJS) $(filter-out %/registry.o,$(LAB_OBJS)) $(B)/objects
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $(filter %.o,$^) $(LDLIBS)

$(B)/tests/faulty/driver_registry.o: driver/base/registry.c $(FAULTY_LIST) $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$< (faulty))
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -include $(FAULTY_LIST) -c -o $@ $<

$(FAULTY_OBJS): $(B)/tests/%.o: tests/%.c $(B)/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(COMPILE) $(ALLOC_CFLAGS)

-include $(wildcard $(B)/tests/faulty/*.d)
