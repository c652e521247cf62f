/* shadow.h - which live block owns each 8 bytes of the address space.
 *
 * Addresses are cut into leaves of 64 MiB, a leaf into pages of 4 KiB, a page
 * into 512 granules of 8 bytes. A page that lies wholly inside one block is
 * one word; only the pages at a block's ends are kept granule by granule:
 *
 *   block 7      ..####|################|################|##......
 *   page word      -1  |       7        |       7        |  -1
 *   granules     0077                                      7000
 *
 * Page words: 0 free; key > 0 all of it is one block's; -n: n blocks have a
 * part of it, and the granules tell which. Keys are 1 .. SHADOW_KEY_MAX.
 *
 * Invariants
 *   S1 a granule goes 0 -> key by CAS and key -> 0 by the key's owner only
 *   S2 a page word goes 0 -> key by CAS; n counts claims before their granules
 *      are set and until after they are cleared, so a page word that is not 0
 *      is a live block's, always
 *
 * So of two overlapping live blocks the later claim always fails, whatever the
 * threads do. Any function may be called by any thread; none waits on a lock.
 * A leaf's 32 MiB are reserved, and cost memory only where blocks lie. */
#ifndef DRIVER_SHADOW_H
#define DRIVER_SHADOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHADOW_GRANULE ((size_t)8)
#define SHADOW_KEY_MAX ((uint32_t)INT32_MAX)

struct shadow;

struct shadow *shadow_new(void);
void shadow_free(struct shadow *s);

/** Is [p, p + size) among the addresses that a program can have? */
bool shadow_covers(const void *p, size_t size);

/** Claim every granule that [p, p + size) touches; at least one.
 * @pre shadow_covers(p, size), p is 8-aligned.
 * @param clash  out: the key of a block that has one of them; 0 if it was
 *               given up before it could be read.
 * @return true, or false and nothing is claimed. */
bool shadow_claim(struct shadow *s, const void *p, size_t size, uint32_t key,
                  uint32_t *clash);
/** Undo a claim; the same arguments. */
void shadow_release(struct shadow *s, const void *p, size_t size);
/** The key that owns the granule of p, or 0. For tests. */
uint32_t shadow_owner(struct shadow *s, const void *p);

#endif
