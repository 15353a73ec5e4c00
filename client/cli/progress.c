/* A progress bar. Knows nothing of what progresses. */
#include "client/cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define BAR_CHARS 30

double progress_now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void progress_start(struct progress *p, uint64_t n_steps, bool quiet)
{
    *p = (struct progress){.n_steps = n_steps,
                           .quiet = quiet,
                           .is_terminal = isatty(STDERR_FILENO) == 1,
                           .start_s = progress_now_s()};
    p->shown_s = p->start_s;
}

static void show_bar(const struct progress *p, uint64_t n_done, double rate)
{
    static const char full[] = "##############################";
    static const char rest[] = "..............................";
    int n = (int)(n_done * BAR_CHARS / p->n_steps);
    fprintf(stderr, "\r[%.*s%.*s] %" PRIu64 "/%" PRIu64 " %.0f images/s ", n,
            full, BAR_CHARS - n, rest, n_done, p->n_steps, rate);
    if (n_done == p->n_steps)
        fputc('\n', stderr);
}

void progress_show(struct progress *p, uint64_t n_done, uint64_t n_images)
{
    double now = progress_now_s();
    double between = p->is_terminal ? 0.1 : 5.0;
    if (p->quiet || (now - p->shown_s < between && n_done != p->n_steps))
        return;
    p->shown_s = now;
    double elapsed = now - p->start_s;
    double rate = elapsed > 0 ? (double)n_images / elapsed : 0;
    if (p->is_terminal)
        show_bar(p, n_done, rate);
    else
        fprintf(stderr, "%" PRIu64 " of %" PRIu64 " steps, %.0f images/s\n",
                n_done, p->n_steps, rate);
}
