/* jansson.c - in place of driver/report/report_json.c where there is no
 * libjansson (make WITHOUT=jansson): the results are there as CSV. */
#include "driver/report/report.h"

void report_json(const struct results *r, const struct options *o, FILE *f)
{
    (void)r;
    (void)o;
    (void)f;
    fputs("mdriver: --json: this mdriver is built without jansson; use --csv\n",
          stderr);
}
