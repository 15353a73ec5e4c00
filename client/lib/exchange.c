/* The shared state of a client's two threads. No sockets, no frames. */
#include "client/lib/exchange.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const bool allowed[4][4] = {
    [EXCHANGE_OPENING] = {[EXCHANGE_STREAMING] = true, [EXCHANGE_DOWN] = true},
    [EXCHANGE_STREAMING] = {[EXCHANGE_LOST] = true, [EXCHANGE_DOWN] = true},
    [EXCHANGE_LOST] = {[EXCHANGE_STREAMING] = true, [EXCHANGE_DOWN] = true},
    [EXCHANGE_DOWN] = {[EXCHANGE_LOST] = true},
};

int exchange_init(struct exchange *x, uint64_t cursor, struct fault *fault)
{
    memset(x, 0, sizeof *x);
    x->cursor = x->replay_from = cursor;
    x->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (x->wake_fd < 0)
        return fault_set(fault, ERROR_IO, "eventfd: %s", strerror(errno));
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&x->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&x->mutex, NULL);
    return 0;
}

void exchange_fini(struct exchange *x)
{
    for (struct pasted_batch *b; (b = exchange_pop(x)) != NULL;)
        batch_release(b);
    batch_release(x->pull.batch);
    for (uint32_t i = 0; i < EXCHANGE_MAX_REFINES; i++) {
        batch_release(x->refine[i].pull.batch);
        free(x->refine[i].payload);
    }
    pthread_mutex_destroy(&x->mutex);
    pthread_cond_destroy(&x->changed);
    close(x->wake_fd);
}

void exchange_lock(struct exchange *x)
{
    pthread_mutex_lock(&x->mutex);
}

void exchange_unlock(struct exchange *x)
{
    pthread_mutex_unlock(&x->mutex);
}

void exchange_unlock_and_tell(struct exchange *x)
{
    pthread_mutex_unlock(&x->mutex);
    pthread_cond_broadcast(&x->changed);
}

void exchange_wake(struct exchange *x)
{
    uint64_t one = 1;
    /* EAGAIN means that it is full of wakes already. */
    ssize_t n = write(x->wake_fd, &one, sizeof one);
    assert(n == sizeof one || errno == EAGAIN || errno == EINTR);
}

void exchange_move(struct exchange *x, enum exchange_state to)
{
    assert(allowed[x->state][to]);
    x->state = to;
    pthread_cond_broadcast(&x->changed);
}

void exchange_give_up(struct exchange *x, const struct fault *why)
{
    x->fault = *why;
    x->fault_told = false;
    x->retry = false;
    exchange_move(x, EXCHANGE_DOWN);
}

void exchange_push(struct exchange *x, struct pasted_batch *b)
{
    b->next = NULL;
    if (x->last_ready != NULL)
        x->last_ready->next = b;
    else
        x->ready = b;
    x->last_ready = b;
    x->n_ready++;
}

struct pasted_batch *exchange_pop(struct exchange *x)
{
    struct pasted_batch *b = x->ready;
    if (b == NULL)
        return NULL;
    x->ready = b->next;
    if (x->ready == NULL)
        x->last_ready = NULL;
    x->n_ready--;
    b->next = NULL;
    return b;
}

struct refine *exchange_refine(struct exchange *x, uint32_t i)
{
    return &x->refine[(x->first_refine + i) % EXCHANGE_MAX_REFINES];
}

int exchange_check_buffers(const struct pasted_buffer *buffers,
                           size_t n_buffers, const struct pasted_batch *b,
                           struct fault *fault)
{
    for (size_t i = 0; i < n_buffers; i++) {
        const struct tensor_desc *t = batch_find(b, buffers[i].name);
        if (t == NULL)
            return fault_set(fault, ERROR_NOT_FOUND, "no tensor '%.40s'",
                             buffers[i].name);
        if (t->n_bytes > buffers[i].n_bytes)
            return fault_set(fault, ERROR_BAD_ARGUMENT,
                             "the buffer for %s has %llu bytes, it needs %llu",
                             t->name, (unsigned long long)buffers[i].n_bytes,
                             (unsigned long long)t->n_bytes);
    }
    return 0;
}

const struct pasted_buffer *exchange_buffer(const struct into *into,
                                            const char *name)
{
    for (size_t i = 0; i < into->n_buffers; i++)
        if (strcmp(into->buffers[i].name, name) == 0)
            return &into->buffers[i];
    return NULL;
}
