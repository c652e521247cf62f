# zones.mk - $(B)/tests/test_zones: the stages whose threads have arenas, over a
# memlib with small zones, so that a heap of some hundred MB has several.

ZONES       = -DMEM_ZONE='((size_t)128 << 20)' -DMEM_WINDOW='((size_t)1 << 30)'
ZONE_STAGES = global per_thread arena arena_favorite lockfree
ZONE_OBJS   = $(B)/tests/zones/test.o $(B)/tests/zones/memlib.o \
              $(ZONE_STAGES:%=$(B)/tests/zones/stage_%.o)
ZONE_TESTS  = $(B)/tests/test_zones

# Before the library, which has stages and a memlib, too.
$(ZONE_TESTS): $(ZONE_OBJS) $(B)/liblab.a
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(CHECK_LIBS) $(LDLIBS)

$(B)/tests/zones/test.o: tests/test_zones.c $(B)/flags | $(B)/have-check
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(COMPILE) $(ALLOC_CFLAGS) $(LACKS_CHECK:%=-Itests/without) $(ZONES)

$(B)/tests/zones/memlib.o: memlib.c $(B)/flags
	$(call say,CC,$< (zones))
	@mkdir -p $(@D)
	$(COMPILE) $(ZONES)

$(B)/tests/zones/stage_%.o: mm.c $(B)/flags
	$(call say,CC,$< (stage $*, zones))
	@mkdir -p $(@D)
	$(COMPILE) $(ALLOC_CFLAGS) -DMM_STAGE='"$(call stage_file,$*)"' \
	    -DMM_ALLOCATOR=mm_$* $(STAGE_FLAGS_$*) $(ZONES)

-include $(wildcard $(B)/tests/zones/*.d)
