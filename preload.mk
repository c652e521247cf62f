# preload.mk - libmm-NAME.so for each allocator: LD_PRELOAD=./libmm-arena.so prog
#
# One compiler run each, over the allocator's source and memlib.c, so that the
# hit path of malloc inlines (preload.c says how).

# Never with a sanitizer: the programs that they run in have none.
PRELOAD_CFLAGS = $(filter-out -fsanitize=%,$(CFLAGS)) $(ALLOC_CFLAGS) \
                 -fPIC -shared -fvisibility=hidden
PRELOAD_STAGES = $(subst _,-,$(STAGES:%=libmm-%.so))

preload: $(PRELOAD_STAGES)

test-programs: preload

$(PRELOAD_STAGES): libmm-%.so: preload.c mm.c memlib.c $(wildcard mm/*.h) \
                   mm.h memlib.h config.h
	$(call say,LD,$@)
	$(Q)$(CC) $(CPPFLAGS) $(PRELOAD_CFLAGS) -DMM_SOURCE='"mm.c"' \
	    -DMM_STAGE='"mm/stage_$(firstword $(subst -, ,$*)).h"' \
	    -DMM_ALLOCATOR=mm_$(subst -,_,$*) $(STAGE_FLAGS_$(subst -,_,$*)) \
	    -o $@ preload.c memlib.c

.PHONY: preload
