/* Writes .npz: a zip of .npy members, stored. Sizes are known beforehand, so
 * members grow side by side and memory stays small. At most 4 GiB a file. */
#ifndef PASTED_CLIENT_CLI_NPZ_H
#define PASTED_CLIENT_CLI_NPZ_H

#include <stdbool.h>
#include <stdint.h>

#include "client/include/pasted.h"

#define NPZ_MAX_MEMBERS  16
#define NPZ_HEADER_BYTES 128 /* of a .npy: enough for four dimensions */

struct npz_member {
    char name[32]; /* "image.npy" */
    uint8_t header[NPZ_HEADER_BYTES];
    uint64_t local_offset; /* of the zip's local header */
    uint64_t data_offset;  /* of what follows the .npy header */
    uint64_t n_bytes;      /* of the tensor, all steps together */
    uint64_t n_written;
    uint32_t crc;
};

struct npz {
    char path[4096], part[4104]; /* written as part, renamed when whole */
    int fd;
    uint32_t n_members;
    struct npz_member member[NPZ_MAX_MEMBERS];
    uint64_t end; /* where the central directory goes */
};

/* Lays the file out for n_steps batches shaped like this one. false: a
 * sentence is on stderr. */
bool npz_open(struct npz *z, const char *path, const pasted_batch *like,
              uint64_t n_steps);
/* Appends the samples of a batch to every member. */
bool npz_append(struct npz *z, const pasted_batch *b);
/* Directory and rename. The file is complete or absent. */
bool npz_close(struct npz *z);
/* Gives up: removes what was written. */
void npz_abandon(struct npz *z);

#endif
