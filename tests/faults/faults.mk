# faults.mk - $(B)/tests/faults/NAME: programs that make one mistake each.

FAULTS = $(patsubst %.c,$(B)/%,$(wildcard tests/faults/*.c))

test-programs: $(FAULTS)

$(FAULTS): $(B)/tests/faults/%: $(B)/tests/faults/%.o $(B)/liblab.a
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(LDLIBS)

$(FAULTS:%=%.o): $(B)/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(COMPILE) $(ALLOC_CFLAGS)

-include $(wildcard $(B)/tests/faults/*.d)
