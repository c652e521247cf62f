/* peer.c - see peer.h.
 *
 * A short name stands for a file that the linker finds where it finds all
 * libraries; so one is installed if it can be preloaded. */
#include "driver/run/peer.h"

#include "driver/base/driver_mem.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct known {
    const char *name, *library, *package;
} known[] = {
    {"jemalloc", "libjemalloc.so.2", "libjemalloc2"},
    {"tcmalloc", "libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"},
    {"mimalloc", "libmimalloc.so.2", "libmimalloc2.0"},
};
#define KNOWN (sizeof known / sizeof *known)

struct peer {
    struct mm_allocator table; /* of it the parent needs but the name */
    char name[ALLOCATOR_NAME];
    char *library;
};

static struct peer peers[MDRIVER_MAX_PEERS];
static unsigned npeers;

static const struct known *find_known(const char *name)
{
    for (size_t i = 0; i < KNOWN; i++)
        if (strcmp(known[i].name, name) == 0)
            return &known[i];
    return NULL;
}

bool peer_named(const char *item)
{
    return find_known(item) || strchr(item, '/') || strstr(item, ".so");
}

/* ---- as an allocator ----------------------------------------------------- */

/* "dir/libfoo.so.2" is libfoo. */
static void name_file(char name[ALLOCATOR_NAME], const char *path)
{
    const char *slash = strrchr(path, '/');
    snprintf(name, ALLOCATOR_NAME, "%s", slash ? slash + 1 : path);
    char *suffix = strstr(name, ".so");
    if (suffix && suffix != name)
        *suffix = '\0';
    for (char *c = name; *c; c++) /* stands in tables and in CSV files */
        if (!isalnum((unsigned char)*c) && !strchr("-_.+", *c))
            *c = '_';
}

static bool name_taken(const char *name)
{
    for (unsigned i = 0; i < npeers; i++)
        if (strcmp(peers[i].name, name) == 0)
            return true;
    return false;
}

static void name_peer(char name[ALLOCATOR_NAME], const char *item)
{
    char plain[ALLOCATOR_NAME - 4];
    name_file(name, item);
    snprintf(plain, sizeof plain, "%s", name);
    for (unsigned n = 2; name_taken(name); n++)
        snprintf(name, ALLOCATOR_NAME, "%s-%u", plain, n);
}

static const struct mm_allocator *add_peer(const char *item, char *library)
{
    for (unsigned i = 0; i < npeers; i++)
        if (strcmp(peers[i].library, library) == 0) {
            driver_mem_free(library);
            return &peers[i].table;
        }
    struct peer *p = &peers[npeers];
    name_peer(p->name, item);
    p->library = library;
    p->table.name = p->name;
    npeers++;
    return &p->table;
}

/* A file as the linker must be given it, wherever the child's directory is. */
static char *library_of(const char *item)
{
    char *path = realpath(item, NULL);
    char *copy = driver_mem_strdup(path ? path : item);
    free(path);
    return copy;
}

const struct mm_allocator *peer_open(const char *item, bool *missing, char *err,
                                     size_t room)
{
    const struct known *k = find_known(item);
    char *library = k ? driver_mem_strdup(k->library) : library_of(item);
    *missing = false;
    if (!peer_possible())
        snprintf(err, room,
                 "%s: no library replaces malloc in a build with "
                 "sanitizers; take the plain one",
                 item);
    else if (npeers == MDRIVER_MAX_PEERS)
        snprintf(err, room, "%s: more than %d libraries", item,
                 MDRIVER_MAX_PEERS);
    else if (strchr(item, '/') && access(item, R_OK) != 0)
        snprintf(err, room, "%s: %s", item, strerror(errno));
    else if (peer_serves(library, err, room))
        return add_peer(item, library);
    else if (k) {
        *missing = true;
        snprintf(err, room, "%s is not installed (no %s): apt-get install %s",
                 k->name, k->library, k->package);
    }
    driver_mem_free(library);
    return NULL;
}

const char *peer_library(const struct mm_allocator *a)
{
    for (unsigned i = 0; i < npeers; i++)
        if (a == &peers[i].table)
            return peers[i].library;
    return NULL;
}

void peer_list(void)
{
    for (size_t i = 0; i < KNOWN; i++) {
        if (peer_serves(known[i].library, NULL, 0))
            printf("%-14s %s, in a process of its own\n", known[i].name,
                   known[i].library);
        else if (!peer_possible())
            printf("%-14s only with a build without sanitizers\n",
                   known[i].name);
        else
            printf("%-14s not installed: apt-get install %s\n", known[i].name,
                   known[i].package);
    }
    printf("%-14s any library that replaces malloc, in a process of its own\n",
           "path/to/x.so");
    printf(
        "%-14s a file of your own (docs/add-an-allocator.md), or it as .so\n",
        "path/to/mine.c");
}
