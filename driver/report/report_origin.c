/* report_origin.c - when and where results were made. */
#include "driver/report/report.h"

#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* What /proc/cpuinfo says behind the first of these that it has: x86, RISC-V;
 * Arm has numbers only, the maker's and the core's. */
static const char *const cpu_keys[] = {"model name", "uarch", "CPU implementer",
                                       "CPU part"};
enum { NKEYS = sizeof cpu_keys / sizeof *cpu_keys, IMPLEMENTER = 2, PART };

static void read_cpu(char *text, size_t room)
{
    char line[256], said[NKEYS][64] = {""};
    FILE *f = fopen("/proc/cpuinfo", "re");
    while (f && fgets(line, sizeof line, f)) {
        char *colon = strstr(line, ": ");
        for (int i = 0; colon && i < NKEYS; i++)
            if (!*said[i] && !strncmp(line, cpu_keys[i], strlen(cpu_keys[i])))
                snprintf(said[i], sizeof said[i], "%.*s",
                         (int)strcspn(colon + 2, "\n"), colon + 2);
    }
    if (f)
        fclose(f);
    const char *name = *said[0] ? said[0] : said[1];
    if (!*name && *said[PART])
        snprintf(text, room, "CPU implementer %.16s, part %.16s",
                 said[IMPLEMENTER], said[PART]);
    else
        snprintf(text, room, "%s", *name ? name : "unknown processor");
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
    snprintf(from.machine, sizeof from.machine, "%.20s %.28s %.12s", u.sysname,
             u.release, u.machine);
    read_cpu(from.cpu, sizeof from.cpu);
    from.processors = sysconf(_SC_NPROCESSORS_ONLN);
    return from;
}
