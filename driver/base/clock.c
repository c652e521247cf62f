/* clock.c - see clock.h. */
#include "driver/base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#define NS_PER_S UINT64_C(1000000000)

uint64_t clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

/* ---- repeated runs ------------------------------------------------------- */

/* Samples are few; an insertion sort needs no callback and no memory. */
static void sort(double *v, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        double x = v[i];
        size_t j = i;
        for (; j > 0 && v[j - 1] > x; j--)
            v[j] = v[j - 1];
        v[j] = x;
    }
}

/* Value at a fraction of a sorted series, between its two neighbours. */
static double quantile(const double *v, size_t n, double fraction)
{
    double at = fraction * (double)(n - 1);
    size_t low = (size_t)at;
    size_t high = low + 1 < n ? low + 1 : low;
    return v[low] + (at - (double)low) * (v[high] - v[low]);
}

bool clock_agree(const double *samples, size_t n, size_t k, double eps)
{
    if (n < k || k == 0)
        return false;
    double v[n];
    memcpy(v, samples, n * sizeof *v);
    sort(v, n);
    return v[k - 1] - v[0] <= eps * v[0];
}

struct timing clock_summarize(const double *samples, size_t n)
{
    if (n == 0)
        return (struct timing){0};
    double v[n];
    memcpy(v, samples, n * sizeof *v);
    sort(v, n);
    double median = quantile(v, n, 0.5);
    double iqr = quantile(v, n, 0.75) - quantile(v, n, 0.25);
    return (struct timing){
        .median = median,
        .best = v[0],
        .spread = median > 0 ? iqr / median : 0,
        .runs = (unsigned)n,
    };
}

/* ---- the counter --------------------------------------------------------- */

#define CALIBRATE_NS UINT64_C(20000000)
#define OVERHEAD_TRIES 1000

#if defined(__x86_64__)
#define CPUID_POWER                                                            \
    0x80000007u /* its edx bit 8: the TSC never changes pace                   \
                 */
#define CPUID_INVARIANT_TSC (1u << 8)

static bool tsc_is_steady(void)
{
    unsigned a, b, c, d;
    return __get_cpuid(CPUID_POWER, &a, &b, &c, &d) &&
           (d & CPUID_INVARIANT_TSC);
}
#else
static bool tsc_is_steady(void)
{
    return false;
}
#endif

static double measure_tick(const struct ticker *t)
{
    uint64_t ns0 = clock_ns(), tick0 = ticker_read(t), ns1;
    do {
        ns1 = clock_ns();
    } while (ns1 - ns0 < CALIBRATE_NS);
    return (double)(ns1 - ns0) / (double)(ticker_read(t) - tick0);
}

struct ticker ticker_calibrate(void)
{
    struct ticker t = {.tsc = tsc_is_steady(), .ns = 1};
    if (t.tsc)
        t.ns = measure_tick(&t);
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < OVERHEAD_TRIES; i++) {
        uint64_t t0 = ticker_read(&t), d = ticker_read(&t) - t0;
        least = d < least ? d : least;
    }
    t.overhead = (double)least * t.ns;
    return t;
}
