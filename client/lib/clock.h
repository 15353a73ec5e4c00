/* Monotonic time and deadlines in nanoseconds. Knows no timers and no wall
 * clock. */
#ifndef PASTED_CLIENT_LIB_CLOCK_H
#define PASTED_CLIENT_LIB_CLOCK_H

#include <stdint.h>
#include <time.h>

#define CLOCK_NS_PER_MS 1000000ll

int64_t clock_now_ns(void);
/* Now plus that many milliseconds. */
int64_t clock_after_ms(uint32_t ms);
/* Until the deadline, rounded up for poll(): 0 when it has passed. */
int clock_left_ms(int64_t deadline_ns);
struct timespec clock_timespec(int64_t ns);

#endif
