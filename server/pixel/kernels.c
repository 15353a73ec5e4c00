/* Chooses the table of kernels once. Holds no kernel itself. */
#include "server/pixel/kernels.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__
static bool can_run_x86_v3(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2");
}

/* AVX-512 as in x86-64-v4, and what Ice Lake and Zen 4 brought beside. */
static bool can_run_x86_v4(void)
{
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd") &&
           __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512vbmi") &&
           __builtin_cpu_supports("avx512vnni") &&
           __builtin_cpu_supports("bmi2");
}
#endif

/* Slowest first; the best that the CPU can run is chosen by default. One line
 * for each instruction set. */
static const struct {
    const struct pixel_kernels *table;
    bool (*can_run)(void); /* NULL: anywhere */
} all[] = {
    {&pixel_kernels_reference, NULL},
#ifdef __x86_64__
    {&pixel_kernels_x86_v3, can_run_x86_v3},
    {&pixel_kernels_x86_v4, can_run_x86_v4},
#endif
};
#define N_ALL (sizeof all / sizeof all[0])

/* The hungriest table: v4's 320 bytes for 16 pixels, v3's 160 for 8. */
size_t pixel_resample_bytes(int32_t n)
{
    return ((size_t)n / 16 + 1) * 320;
}

static _Atomic(const struct pixel_kernels *) chosen;
static pthread_once_t chosen_once = PTHREAD_ONCE_INIT;

const struct pixel_kernels *pixel_kernels_at(uint32_t i)
{
    for (size_t k = 0; k < N_ALL; k++) {
        if (all[k].can_run && !all[k].can_run())
            continue;
        if (i-- == 0)
            return all[k].table;
    }
    return NULL;
}

static const struct pixel_kernels *best(void)
{
    const struct pixel_kernels *last = &pixel_kernels_reference, *next;
    for (uint32_t i = 0; (next = pixel_kernels_at(i)); i++)
        last = next;
    return last;
}

static const struct pixel_kernels *by_name(const char *name)
{
    if (!name || !name[0])
        return best();
    const struct pixel_kernels *k;
    for (uint32_t i = 0; (k = pixel_kernels_at(i)); i++)
        if (strcmp(k->name, name) == 0)
            return k;
    return NULL;
}

int pixel_kernels_select(const char *name, struct fault *fault)
{
    const struct pixel_kernels *k = by_name(name);
    if (k) {
        atomic_store(&chosen, k);
        return 0;
    }
    char names[128] = "";
    size_t n = 0;
    for (uint32_t i = 0; (k = pixel_kernels_at(i)); i++) {
        int more = snprintf(names + n, sizeof names - n, "%s%s", i ? ", " : "",
                            k->name);
        if (more < 0 || (size_t)more >= sizeof names - n)
            break;
        n += (size_t)more;
    }
    return fault_set(fault, ERROR_BAD_CONFIG,
                     "no pixel kernels \"%s\" on this machine; there are: %s",
                     name, names);
}

/* An unknown PASTED_CPU gives the best table here; who starts a program and
 * wants it refused calls pixel_kernels_select first. */
static void choose_default(void)
{
    if (atomic_load(&chosen))
        return;
    if (pixel_kernels_select(getenv("PASTED_CPU"), NULL) < 0)
        atomic_store(&chosen, best());
}

const struct pixel_kernels *pixel_kernels(void)
{
    const struct pixel_kernels *k =
        atomic_load_explicit(&chosen, memory_order_relaxed);
    if (k)
        return k;
    pthread_once(&chosen_once, choose_default);
    return atomic_load(&chosen);
}
