/* Confusion counts and the feedback table made of them. Knows no client.
 * Threads: one at a time for each object. */
#include <stdlib.h>
#include <string.h>

#include "client/include/pasted.h"
#include "common/feedback.h"

struct pasted_confusion {
    uint32_t n_classes;
    uint32_t count[]; /* [truth][predicted] */
};

static size_t cells(const pasted_confusion *k)
{
    return (size_t)k->n_classes * k->n_classes;
}

pasted_confusion *pasted_confusion_create(uint32_t n_classes)
{
    if (n_classes == 0 || n_classes > FEEDBACK_MAX_CLASSES)
        return NULL;
    pasted_confusion *k = calloc(
        1, sizeof *k + sizeof k->count[0] * (size_t)n_classes * n_classes);
    if (k != NULL)
        k->n_classes = n_classes;
    return k;
}

void pasted_confusion_destroy(pasted_confusion *k)
{
    free(k);
}

void pasted_confusion_reset(pasted_confusion *k)
{
    memset(k->count, 0, cells(k) * sizeof k->count[0]);
}

static int is_class(const pasted_confusion *k, int64_t c)
{
    return c >= 0 && c < (int64_t)k->n_classes;
}

static void halve(pasted_confusion *k)
{
    for (size_t i = 0; i < cells(k); i++)
        k->count[i] /= 2;
}

int pasted_confusion_add(pasted_confusion *k, const int64_t *truth,
                         const int64_t *predicted, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!is_class(k, truth[i]) || !is_class(k, predicted[i]))
            return PASTED_BAD_ARGUMENT;
    for (size_t i = 0; i < n; i++) {
        uint32_t *count =
            &k->count[(size_t)truth[i] * k->n_classes + (size_t)predicted[i]];
        if (*count == UINT32_MAX)
            halve(k);
        ++*count;
    }
    return PASTED_OK;
}

uint32_t pasted_confusion_count(const pasted_confusion *k, uint32_t truth,
                                uint32_t predicted)
{
    return truth < k->n_classes && predicted < k->n_classes
               ? k->count[(size_t)truth * k->n_classes + predicted]
               : 0;
}

/* Of one class alone there is nothing else to take. */
static void fill_row(double *row, uint32_t n, uint32_t own)
{
    for (uint32_t i = 0; i < n; i++)
        row[i] = i != own || n == 1 ? 1 : 0;
}

int pasted_confusion_weights(const pasted_confusion *k, double smoothing,
                             double *out)
{
    if (!(smoothing >= 0 && smoothing <= 1e300))
        return PASTED_BAD_ARGUMENT;
    const uint32_t n = k->n_classes;
    for (uint32_t truth = 0; truth < n; truth++) {
        double *row = out + (size_t)truth * n, most = 0;
        for (uint32_t i = 0; i < n; i++) {
            const double count = k->count[(size_t)truth * n + i];
            row[i] = i == truth ? 0 : count + smoothing;
            most = row[i] > most ? row[i] : most;
        }
        if (most == 0)
            fill_row(row, n, truth);
    }
    return PASTED_OK;
}
