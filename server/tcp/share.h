/* How much of a memory that all sessions share one of them may take. Keeps no
 * accounts. Source: dynamic thresholds, Choudhury and Hahne 1998. */
#ifndef PASTED_TCP_SHARE_H
#define PASTED_TCP_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* A session may hold so many times what is left then: one alone three quarters
 * of it, two three sevenths each; and there is always something left for the
 * next. */
#define SHARE 3

/* Of total_bytes, of which used_bytes are taken, held_bytes of them by the
 * session: may it take n_bytes more? */
static inline bool share_allows(uint64_t total_bytes, uint64_t used_bytes,
                                uint64_t held_bytes, uint64_t n_bytes)
{
    const uint64_t left =
        total_bytes > used_bytes ? total_bytes - used_bytes : 0;
    return n_bytes <= left && held_bytes + n_bytes <= SHARE * (left - n_bytes);
}

/* What one alone may take of it. */
static inline uint64_t share_alone(uint64_t total_bytes)
{
    return total_bytes / (SHARE + 1) * SHARE;
}

/* A total of which one alone may take n_bytes. */
static inline uint64_t share_total(uint64_t n_bytes)
{
    return n_bytes / SHARE * (SHARE + 1) + (SHARE + 1);
}

#endif
