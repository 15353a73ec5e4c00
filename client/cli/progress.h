/* How far a command is: a bar on a terminal, now and then a line elsewhere;
 * on stderr. */
#ifndef PASTED_CLIENT_CLI_PROGRESS_H
#define PASTED_CLIENT_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    uint64_t n_steps;
    bool quiet, is_terminal;
    double start_s, shown_s;
};

void progress_start(struct progress *p, uint64_t n_steps, bool quiet);
/* After n_done steps and n_images in all. */
void progress_show(struct progress *p, uint64_t n_done, uint64_t n_images);

/* Monotonic seconds. */
double progress_now_s(void);

#endif
