/* logread.h - opens an event log and gives its events back in order of seq. */
#ifndef RECORD_LOGREAD_H
#define RECORD_LOGREAD_H

#include "record/log.h"

struct log {
    const struct log_header *head;
    const struct event *events; /* the whole file, header included */
    uint32_t *at;   /* at[s]: index into events of seq s; 0: a hole (L3) */
    uint64_t last;  /* the highest seq that counts (L5) */
    uint64_t holes; /* numbers taken by a thread that then ended */
    size_t size;    /* of the file, bytes */
};

/** @return 0; or -1 with one line in err, and *log untouched. */
int log_open(struct log *log, const char *path, char *err, size_t errsize);
void log_close(struct log *log);
/** The number of the thread that wrote event s. @pre log->at[s] != 0 */
unsigned log_thread(const struct log *log, uint64_t s);

#endif
