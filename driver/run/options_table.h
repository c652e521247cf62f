/* options_table.h - the options by name, for options.c. */
#ifndef DRIVER_OPTIONS_TABLE_H
#define DRIVER_OPTIONS_TABLE_H

#include <getopt.h>

enum {
    OPT_SAME = 256,
    OPT_PIN,
    OPT_LIST,
    OPT_LATENCY,
    OPT_COUNT,
    OPT_ONCE,
    OPT_CSV,
    OPT_JSON,
    OPT_HEAPMAP,
    OPT_KEEP_GOING,
    OPT_WEIGHTS,
    OPT_LIMIT,
    OPT_MEMORY,
    OPT_WATCH,
    OPT_WATCH_SPEED
};

static const struct option long_options[] = {
    {"traces", required_argument, NULL, 't'},
    {"file", required_argument, NULL, 'f'},
    {"threads", required_argument, NULL, 'n'},
    {"same", no_argument, NULL, OPT_SAME},
    {"pin", no_argument, NULL, OPT_PIN},
    {"allocator", required_argument, NULL, 'a'},
    {"libc", no_argument, NULL, 'l'},
    {"list", no_argument, NULL, OPT_LIST},
    {"debug", required_argument, NULL, 'd'},
    {"seconds", required_argument, NULL, 's'},
    {"limit", required_argument, NULL, OPT_LIMIT},
    {"memory", required_argument, NULL, OPT_MEMORY},
    {"keep-going", no_argument, NULL, OPT_KEEP_GOING},
    {"runs", required_argument, NULL, 'r'},
    {"latency", no_argument, NULL, OPT_LATENCY},
    {"count", no_argument, NULL, OPT_COUNT},
    {"once", no_argument, NULL, OPT_ONCE},
    {"verbose", no_argument, NULL, 'v'},
    {"more-verbose", no_argument, NULL, 'V'},
    {"grade", no_argument, NULL, 'g'},
    {"weights", required_argument, NULL, OPT_WEIGHTS},
    {"csv", required_argument, NULL, OPT_CSV},
    {"json", required_argument, NULL, OPT_JSON},
    {"heapmap", required_argument, NULL, OPT_HEAPMAP},
    {"watch", optional_argument, NULL, OPT_WATCH},
    {"watch-speed", required_argument, NULL, OPT_WATCH_SPEED},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

#endif
