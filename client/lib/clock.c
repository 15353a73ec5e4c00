/* Monotonic time and deadlines. Waits for nothing. */
#include "client/lib/clock.h"

#include <limits.h>

int64_t clock_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000ll + t.tv_nsec;
}

int64_t clock_after_ms(uint32_t ms)
{
    return clock_now_ns() + (int64_t)ms * CLOCK_NS_PER_MS;
}

int clock_left_ms(int64_t deadline_ns)
{
    int64_t left = deadline_ns - clock_now_ns();
    if (left <= 0)
        return 0;
    left = (left + CLOCK_NS_PER_MS - 1) / CLOCK_NS_PER_MS;
    return left > INT_MAX ? INT_MAX : (int)left;
}

struct timespec clock_timespec(int64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / 1000000000ll),
                             .tv_nsec = (long)(ns % 1000000000ll)};
}
