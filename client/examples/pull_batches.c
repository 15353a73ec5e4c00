/* Pulls batches for rank 0 of 1 and counts the labels of class 0; saves where
 * it stands. Usage: pull_batches [URL [STEPS]] */
#include <inttypes.h>
#include <pasted.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int count_zeros(const pasted_batch *batch, uint64_t *n)
{
    struct pasted_tensor label;
    int rc = pasted_batch_tensor(batch, "label", &label); /* [n] i64 */
    if (rc != PASTED_OK || label.dtype != PASTED_I64)
        return rc;
    for (uint64_t i = 0; i < label.shape[0]; i++)
        *n += ((const int64_t *)label.data)[i] == 0;
    return PASTED_OK;
}

/* Digits alone; -1 where there is anything else, or too many. */
static long read_steps(const char *text)
{
    size_t n_digits = strspn(text, "0123456789");
    if (n_digits == 0 || n_digits > 9 || text[n_digits] != '\0')
        return -1;
    return strtol(text, NULL, 10);
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "pasted://127.0.0.1:7700";
    long n_steps = argc > 2 ? read_steps(argv[2]) : 4;
    char state[PASTED_STATE_BYTES];
    uint64_t n_zeros = 0;
    int rc;

    if (argc > 3 || n_steps < 0) {
        fprintf(stderr, "usage: pull_batches [URL [STEPS]]\n");
        return 2;
    }
    pasted_client *client = pasted_create();
    if (client == NULL)
        return 1;
    rc = pasted_open(client, url);
    for (long step = 0; step < n_steps && rc == PASTED_OK; step++) {
        pasted_batch *batch;
        rc = pasted_next(client, &batch);
        if (rc != PASTED_OK)
            break; /* call it again to go on at the same position */
        rc = count_zeros(batch, &n_zeros);
        pasted_batch_release(batch);
    }
    if (rc == PASTED_OK)
        rc = pasted_state(client, state, sizeof state);
    if (rc == PASTED_OK)
        printf("%" PRIu64 " of class 0; state %s\n", n_zeros, state);
    else
        fprintf(stderr, "%s\n", pasted_error(client));
    pasted_destroy(client);
    return rc == PASTED_OK ? 0 : 1;
}
