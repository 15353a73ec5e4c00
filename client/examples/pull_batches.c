/* Pulls batches for rank 0 of 1 and counts the labels of class 0; saves where
 * it stands. Usage: pull_batches [URL [STEPS]] */
#include <inttypes.h>
#include <pasted.h>
#include <stdio.h>
#include <stdlib.h>

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

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "pasted://127.0.0.1:7700";
    long n_steps = argc > 2 ? strtol(argv[2], NULL, 10) : 4;
    char state[PASTED_STATE_BYTES];
    uint64_t n_zeros = 0;
    int rc;

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
