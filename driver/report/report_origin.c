/* report_origin.c - when and where results were made. */
#include "driver/report/report.h"

#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

static void read_cpu(char *text, size_t room)
{
    char line[256];
    FILE *f = fopen("/proc/cpuinfo", "re");
    snprintf(text, room, "unknown processor");
    while (f && fgets(line, sizeof line, f)) {
        char *colon = strstr(line, ": ");
        if (!colon || strncmp(line, "model name", 10) != 0)
            continue;
        colon[strcspn(colon, "\n")] = '\0';
        snprintf(text, room, "%s", colon + 2);
        break;
    }
    if (f)
        fclose(f);
}

struct origin report_origin(void)
{
    struct origin from;
    struct utsname u;
    time_t now = time(NULL);
    struct tm utc;
    strftime(from.date, sizeof from.date, "%Y-%m-%dT%H:%M:%SZ",
             gmtime_r(&now, &utc));
    uname(&u);
    snprintf(from.machine, sizeof from.machine, "%.20s %.30s", u.sysname,
             u.release);
    read_cpu(from.cpu, sizeof from.cpu);
    from.processors = sysconf(_SC_NPROCESSORS_ONLN);
    return from;
}
