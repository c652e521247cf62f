/* pattern.h - the bytes that a live block must hold: a word for each offset,
 * made from a seed that no other live block has.
 *
 * How much of a block is written and checked depends on its size alone:
 *
 *   up to 1 MiB     every byte
 *   up to 64 MiB    the first and last 4 KiB, and the first 8 bytes of every
 *                   64 between: each cache line
 *   beyond          the same, but 8 bytes at 16 Ki evenly spread places
 *
 * so that a large block does not cost a second, and one of many GiB, which
 * real programs reserve and hardly touch, does not become resident. */
#ifndef DRIVER_PATTERN_H
#define DRIVER_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#define PATTERN_DENSE ((size_t)1 << 20)
#define PATTERN_LINES ((size_t)64 << 20)
#define PATTERN_OK SIZE_MAX

/** Write the pattern of seed into a block of size bytes. */
void pattern_fill(unsigned char *p, size_t size, uint64_t seed);
/** Compare what pattern_fill(p, size, seed) wrote, offsets below limit only.
 * @return the offset of the first wrong byte, or PATTERN_OK. */
size_t pattern_check(const unsigned char *p, size_t size, uint64_t seed,
                     size_t limit);
/** The same places, but they must be zero. */
size_t pattern_check_zero(const unsigned char *p, size_t size);
/** The byte that pattern_fill writes at an offset. */
unsigned char pattern_byte(uint64_t seed, size_t offset);

#endif
