# teach.mk - small programs to see allocators by: make teach
#
#   make teach              each program under each allocator: time and memory
#   make teach LIMIT=1000   the numbers below LIMIT

TEACH       = $(B)/teach/collatz-list $(B)/teach/collatz-vector
TEACH_LIMIT = $(or $(LIMIT),100000)

teach: $(TEACH) preload
	@scripts/teach.sh $(B)/teach $(TEACH_LIMIT)

$(B)/teach/collatz-%: teach/collatz_%.c teach/collatz.h $(B)/flags | $(B)/have-cc
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CPPFLAGS) $(filter-out $(SAN_FLAGS),$(CFLAGS)) \
	    -fno-builtin-malloc -o $@ $<

ifeq ($(SAN),)
test-programs: $(TEACH)
endif

.PHONY: teach
