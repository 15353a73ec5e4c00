/* A zip writer for stored .npy members of known size. No compression, no
 * zip64.
 *
 *   [local header][npy header][rows of step 0, 1, ...]   per member
 *   [central directory][end record]
 *
 * Source: PKWARE APPNOTE 6.3; NumPy's format 1.0. */
#include "client/cli/npz.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/checksum.h"
#include "common/tensor.h"

#define LOCAL_BYTES   30
#define CENTRAL_BYTES 46
#define END_BYTES     22
#define DOS_DATE      0x21 /* 1 January 1980: the same bytes every time */

static bool say(const struct npz *z, const char *why)
{
    fprintf(stderr, "pastectl: %s: %s\n", z->path, why);
    return false;
}

static bool write_at(const struct npz *z, uint64_t offset, const void *data,
                     uint64_t n_bytes)
{
    const char *at = data;
    while (n_bytes > 0) {
        ssize_t n = pwrite(z->fd, at, (size_t)n_bytes, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return say(z, strerror(errno));
        at += n;
        offset += (uint64_t)n;
        n_bytes -= (uint64_t)n;
    }
    return true;
}

/* {'descr': '|u1', 'fortran_order': False, 'shape': (n, h, w, 3), } */
static void make_npy_header(struct npz_member *m, const struct pasted_tensor *t,
                            uint64_t n_steps)
{
    char text[NPZ_HEADER_BYTES];
    int used = snprintf(text, sizeof text,
                        "{'descr': '%s', 'fortran_order': False, 'shape': (",
                        tensor_numpy_descr((int)t->dtype));
    for (uint32_t i = 0; i < t->n_dims; i++)
        used += snprintf(text + used, sizeof text - (size_t)used,
                         "%" PRIu64 ",%s", t->shape[i] * (i ? 1 : n_steps),
                         i + 1 < t->n_dims ? " " : "");
    used += snprintf(text + used, sizeof text - (size_t)used, "), }");
    memcpy(m->header, "\x93NUMPY\x01\x00", 8);
    m->header[8] = NPZ_HEADER_BYTES - 10;
    m->header[9] = 0;
    memset(m->header + 10, ' ', NPZ_HEADER_BYTES - 11);
    memcpy(m->header + 10, text, (size_t)used);
    m->header[NPZ_HEADER_BYTES - 1] = '\n';
}

static bool plan_member(struct npz *z, const struct pasted_tensor *t,
                        uint64_t n_steps)
{
    struct npz_member *m = &z->member[z->n_members];
    if (t->dtype == PASTED_BF16)
        return say(z, "NumPy has no bf16; give --dtype f32 or f16");
    if (z->n_members == NPZ_MAX_MEMBERS ||
        tensor_numpy_descr((int)t->dtype) == NULL)
        return say(z, "a tensor that .npz cannot hold");
    if (t->n_bytes > UINT32_MAX / n_steps ||
        z->end + t->n_bytes * n_steps > UINT32_MAX - (1u << 20))
        return say(z, "more than 4 GiB; pull fewer steps, or into a folder");
    snprintf(m->name, sizeof m->name, "%.20s.npy", t->name);
    make_npy_header(m, t, n_steps);
    m->local_offset = z->end;
    m->data_offset = z->end + LOCAL_BYTES + strlen(m->name) + NPZ_HEADER_BYTES;
    m->n_bytes = t->n_bytes * n_steps;
    m->n_written = 0;
    m->crc = checksum_crc32(0, m->header, NPZ_HEADER_BYTES);
    z->end = m->data_offset + m->n_bytes;
    z->n_members++;
    return true;
}

bool npz_open(struct npz *z, const char *path, const pasted_batch *like,
              uint64_t n_steps)
{
    struct pasted_tensor t;
    memset(z, 0, sizeof *z);
    z->fd = -1;
    if ((size_t)snprintf(z->path, sizeof z->path, "%s", path) >= sizeof z->path)
        return say(z, "the path is too long");
    snprintf(z->part, sizeof z->part, "%s.part", z->path);
    for (uint32_t i = 0; i < pasted_batch_n_tensors(like); i++)
        if (pasted_batch_tensor_at(like, i, &t) != 0 ||
            !plan_member(z, &t, n_steps))
            return false;
    z->fd = open(z->part, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0666);
    return z->fd >= 0 || say(z, strerror(errno));
}

bool npz_append(struct npz *z, const pasted_batch *b)
{
    struct pasted_tensor t;
    for (uint32_t i = 0; i < z->n_members; i++) {
        struct npz_member *m = &z->member[i];
        if (pasted_batch_tensor_at(b, i, &t) != 0 ||
            t.n_bytes > m->n_bytes - m->n_written)
            return say(z, "a batch of another shape came");
        m->crc = checksum_crc32(m->crc, t.data, (size_t)t.n_bytes);
        if (!write_at(z, m->data_offset + m->n_written, t.data, t.n_bytes))
            return false;
        m->n_written += t.n_bytes;
    }
    return true;
}

/* The fields that local header and directory share. */
static void write_common(struct bytes_writer *w, const struct npz_member *m)
{
    uint32_t n_bytes = (uint32_t)(NPZ_HEADER_BYTES + m->n_bytes);
    bytes_write_u16(w, 20); /* version needed */
    bytes_write_u16(w, 0);  /* flags */
    bytes_write_u16(w, 0);  /* stored */
    bytes_write_u16(w, 0);  /* time */
    bytes_write_u16(w, DOS_DATE);
    bytes_write_u32(w, m->crc);
    bytes_write_u32(w, n_bytes); /* compressed */
    bytes_write_u32(w, n_bytes); /* uncompressed */
    bytes_write_u16(w, (uint16_t)strlen(m->name));
    bytes_write_u16(w, 0); /* extra */
}

static bool write_local(struct npz *z, const struct npz_member *m)
{
    uint8_t bytes[LOCAL_BYTES + sizeof m->name + NPZ_HEADER_BYTES];
    struct bytes_writer w;
    bytes_writer_init(&w, bytes, sizeof bytes);
    bytes_write_u32(&w, 0x04034b50);
    write_common(&w, m);
    bytes_write_span(&w, m->name, strlen(m->name));
    bytes_write_span(&w, m->header, NPZ_HEADER_BYTES);
    return write_at(z, m->local_offset, bytes, bytes_written(&w));
}

static void write_central(struct bytes_writer *w, const struct npz_member *m)
{
    bytes_write_u32(w, 0x02014b50);
    bytes_write_u16(w, 20); /* version made by */
    write_common(w, m);
    bytes_write_u16(w, 0); /* comment */
    bytes_write_u16(w, 0); /* disk */
    bytes_write_u16(w, 0); /* internal attributes */
    bytes_write_u32(w, 0); /* external attributes */
    bytes_write_u32(w, (uint32_t)m->local_offset);
    bytes_write_span(w, m->name, strlen(m->name));
}

static bool write_directory(struct npz *z)
{
    uint8_t bytes[NPZ_MAX_MEMBERS * (CENTRAL_BYTES + 32) + END_BYTES];
    struct bytes_writer w;
    bytes_writer_init(&w, bytes, sizeof bytes);
    for (uint32_t i = 0; i < z->n_members; i++)
        write_central(&w, &z->member[i]);
    uint32_t n_bytes = (uint32_t)bytes_written(&w);
    bytes_write_u32(&w, 0x06054b50);
    bytes_write_u16(&w, 0);
    bytes_write_u16(&w, 0);
    bytes_write_u16(&w, (uint16_t)z->n_members);
    bytes_write_u16(&w, (uint16_t)z->n_members);
    bytes_write_u32(&w, n_bytes);
    bytes_write_u32(&w, (uint32_t)z->end);
    bytes_write_u16(&w, 0);
    return write_at(z, z->end, bytes, bytes_written(&w));
}

bool npz_close(struct npz *z)
{
    bool good = true;
    for (uint32_t i = 0; i < z->n_members && good; i++) {
        if (z->member[i].n_written != z->member[i].n_bytes)
            good = say(z, "fewer steps came than were laid out");
        else
            good = write_local(z, &z->member[i]);
    }
    good = good && write_directory(z);
    if (close(z->fd) != 0 && good)
        good = say(z, strerror(errno));
    z->fd = -1;
    if (good && rename(z->part, z->path) != 0)
        good = say(z, strerror(errno));
    if (!good)
        unlink(z->part);
    return good;
}

void npz_abandon(struct npz *z)
{
    if (z->fd < 0)
        return;
    close(z->fd);
    z->fd = -1;
    unlink(z->part);
}
