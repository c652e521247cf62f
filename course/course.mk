# course.mk - the lessons of docs/tutorial.md: make lesson N=3
#
#   make lesson N=3           checks lesson3.c, which it makes if there is none
#   make lesson N=3 L=my.c    checks another file
#
# Lesson N begins with course/lessons/N.c, which solves lesson N-1; the last ones
# are solved in course/solutions/. tests/e2e_lessons.sh proves both.

LESSON_START   = course/lessons/$(if $(filter 8,$(N)),4,$(N)).c
LESSON_WRAP_5  = mem_sbrk mem_extend
LESSON_WRAP_6  = mem_sbrk mem_extend
LESSON_WRAP_8  = mem_purge
LESSON_PROGRAM = $(B)/course/lesson$(N)
L              = lesson$(N).c

lesson: $(B)/memlib.o FORCE
	$(if $(filter 1 2 3 4 5 6 7 8,$(N)),,$(error make lesson N=1 to N=8: \
	    docs/tutorial.md has the lessons))
	@mkdir -p $(B)/course
	@test -e $(L) || { cp $(LESSON_START) $(L); \
	    echo 'made $(L), from $(LESSON_START): it is yours'; }
	$(Q)$(CC) $(CPPFLAGS) $(filter-out -Werror,$(CFLAGS)) $(ALLOC_CFLAGS) \
	    $(patsubst %,-Wl$(comma)--wrap=%,$(LESSON_WRAP_$(N))) \
	    -o $(LESSON_PROGRAM) course/checks/check_$(N).c $(L) $(B)/memlib.o
	@$(LESSON_PROGRAM) || { \
	    echo 'not yet: docs/lessons/$(N).md says what is to be done'; exit 1; }
	@echo 'lesson $(N) is solved'

.PHONY: lesson
