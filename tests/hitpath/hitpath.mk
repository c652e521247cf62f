# hitpath.mk - $(B)/tests/hitpath/step, which scripts/hitpath.py runs.

# It steps by the trap flag of x86.
ifeq ($(SAN)$(filter-out x86_64,$(MACHINE)),)
test-programs: $(B)/tests/hitpath/step
endif

# Bound at the start: the way shall not lead through the dynamic linker.
$(B)/tests/hitpath/step: tests/hitpath/step.c $(B)/flags | $(B)/have-cc
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fno-builtin -Wl,-z,now -o $@ $<
