/* zstd.c - in place of driver/trace/trace_zstd.c where there is no libzstd
 * (make WITHOUT=zstd): compressed traces are refused, with what to do instead.
 */
#include "driver/trace/trace_parse.h"

bool trace_is_zstd(const void *data, size_t size)
{
    const unsigned char *b = data;
    return size >= 4 && b[0] == 0x28 && b[1] == 0xb5 && b[2] == 0x2f &&
           b[3] == 0xfd;
}

char *trace_unzstd(const void *data, size_t size, size_t *text_size,
                   const struct trace_msg *msg)
{
    (void)data;
    (void)size;
    *text_size = 0;
    trace_message(msg, 0,
                  "found zstd data, expected plain text: this mdriver is built "
                  "without zstd; unpack the file with `zstd -d` first");
    return NULL;
}
