/* relay.c - see relay.h. */
#include "driver/run/relay.h"

#include "driver/base/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OWN "mdriver: "

int relay_begin(struct relay *r, const char *name)
{
    int fd[2];
    *r = (struct relay){.name = name, .fd = -1};
    if (pipe2(fd, O_CLOEXEC) != 0)
        return -1;
    r->fd = fd[0];
    fcntl(fd[0], F_SETFL, O_NONBLOCK);
    return fd[1];
}

/* Bytes that are no text could move the cursor, or worse. */
static void print_line(struct relay *r, const char *line)
{
    char clean[RELAY_LINE];
    snprintf(clean, sizeof clean, "%s", line);
    for (char *c = clean; *c; c++)
        if ((unsigned char)*c < ' ' && *c != '\t')
            *c = '?';
    progress_clear();
    if (r->shown < RELAY_MOST)
        fprintf(stderr, "%s| %s\n", r->name, clean);
    r->shown += strlen(clean) + 1;
    if (r->shown >= RELAY_MOST && r->shown - strlen(clean) - 1 < RELAY_MOST)
        fprintf(stderr, "%s| ... (it prints more; %u KiB are shown)\n", r->name,
                RELAY_MOST >> 10);
}

static void take_line(struct relay *r)
{
    r->line[r->n] = '\0';
    r->n = 0;
    if (strncmp(r->line, OWN, strlen(OWN)) != 0) {
        print_line(r, r->line);
        return;
    }
    if (*r->kept)
        print_line(r, r->kept);
    memcpy(r->kept, r->line, sizeof r->kept);
}

bool relay_read(struct relay *r)
{
    char bytes[4096];
    ssize_t n;
    if (r->fd < 0)
        return false;
    while ((n = read(r->fd, bytes, sizeof bytes)) > 0)
        for (ssize_t i = 0; i < n; i++) {
            if (bytes[i] == '\n' || r->n == RELAY_LINE - 1)
                take_line(r);
            if (bytes[i] != '\n')
                r->line[r->n++] = bytes[i];
        }
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

void relay_end(struct relay *r, bool own)
{
    relay_read(r);
    if (r->n)
        take_line(r);
    if (*r->kept && own)
        fprintf(stderr, "%s\n", r->kept);
    else if (*r->kept)
        print_line(r, r->kept);
    *r->kept = '\0';
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
}
