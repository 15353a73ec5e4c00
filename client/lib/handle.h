/* What a pasted_client is, and the checks with which each entry point begins.
 * Private to the files that define them; opens nothing itself. */
#ifndef PASTED_CLIENT_LIB_HANDLE_H
#define PASTED_CLIENT_LIB_HANDLE_H

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "client/include/pasted.h"
#include "client/lib/options.h"
#include "client/lib/prefetch.h"

struct pasted {
    pid_t pid; /* where the handle belongs */
    struct options options;
    struct prefetch *prefetch; /* NULL while closed */
    pthread_mutex_t mutex;     /* guards prefetch against pasted_interrupt */
    uint8_t *table;            /* weights that options name; NULL: none */
    char *answer;              /* of the last pasted_ask */
    char error[640];
};

static inline int fail(pasted_client *c, const char *entry,
                       const struct fault *fault, int rc)
{
    snprintf(c->error, sizeof c->error, "%s: %s", entry,
             fault->text[0] != '\0' ? fault->text : error_sentence(rc));
    return rc;
}

static inline bool forked(const pasted_client *c)
{
    return c->pid != getpid();
}

/* 0 when the handle may be used and is open. */
static inline int check_open(pasted_client *c, const char *entry)
{
    struct fault fault = {.text = "the client is not open"};
    if (forked(c))
        return PASTED_FORKED;
    return c->prefetch != NULL ? 0 : fail(c, entry, &fault, PASTED_BAD_STATE);
}

/* A group's place is the server's to keep. */
static inline int check_own_cursor(pasted_client *c, const char *entry)
{
    struct fault fault = {.text = "the server keeps the place of a group"};
    return c->prefetch != NULL && prefetch_is_group(c->prefetch)
               ? fail(c, entry, &fault, PASTED_BAD_STATE)
               : 0;
}

#endif
