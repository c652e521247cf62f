/* objects.h - which program and libraries a process has loaded, and where: what
 * the parent needs to make sense of a child's addresses. */
#ifndef DRIVER_OBJECTS_H
#define DRIVER_OBJECTS_H

#include <stdatomic.h>
#include <stdint.h>

#define OBJECTS_MOST 48
#define OBJECT_PATH 256

struct object {
    uintptr_t base;         /* what its file's addresses are relative to */
    uintptr_t start, end;   /* of what is mapped */
    char path[OBJECT_PATH]; /* "": the program itself */
};

/* The program comes first. */
struct objects {
    _Atomic unsigned n; /* set last */
    struct object list[OBJECTS_MOST];
};

/** A path without its directories. */
const char *object_name(const char *path);
/** Note what this process has loaded now. */
void objects_note(struct objects *all);
/** @return the one that pc lies in; NULL: none that was noted. */
const struct object *objects_find(const struct objects *all, uintptr_t pc);
/** @return the address of the same code in this process, where the same file
 * may be loaded somewhere else; 0: it is not loaded here. */
uintptr_t objects_here(const struct object *o, uintptr_t pc);

#endif
