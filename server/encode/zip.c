/* The records of a ZIP archive: local headers with padding, central directory,
 * zip64 where a number needs it. Compresses nothing, reads nothing. */
#include "server/encode/zip.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include <zlib.h>

#define LOCAL_SIGNATURE     0x04034b50u
#define CENTRAL_SIGNATURE   0x02014b50u
#define END_SIGNATURE       0x06054b50u
#define END64_SIGNATURE     0x06064b50u
#define LOCATOR64_SIGNATURE 0x07064b50u
#define LOCAL_BYTES         30
#define CENTRAL_BYTES       46
#define END_BYTES           22
#define END64_BYTES         56
#define LOCATOR64_BYTES     20
#define VERSION_PLAIN       20
#define VERSION_ZIP64       45
#define DOS_DATE            0x21 /* 1980-01-01 */
#define EXTRA_ZIP64         0x0001
#define EXTRA_ALIGN         0xD935 /* padding, as Android's zipalign writes it */
#define LOCAL64_BYTES       20     /* id, size, two u64 */
#define ALIGN_HEAD_BYTES    6      /* id, size, alignment */

void zip_init(struct zip_writer *z, void *data)
{
    *z = (struct zip_writer){.data = data, .limit = ZIP_LIMIT_32};
}

/* A writer over the next n_bytes, which are taken; fails quietly (and writes
 * nothing) while counting. */
static struct bytes_writer take(struct zip_writer *z, uint64_t n_bytes)
{
    struct bytes_writer w;
    uint8_t nothing;

    bytes_writer_init(&w, z->data ? z->data + z->at : &nothing,
                      z->data ? (size_t)n_bytes : 0);
    z->at += n_bytes;
    return w;
}

static bool needs_64(const struct zip_writer *z, uint64_t v)
{
    return v >= z->limit;
}

static uint32_t clip(const struct zip_writer *z, uint64_t v)
{
    return needs_64(z, v) ? ZIP_LIMIT_32 : (uint32_t)v;
}

/* The fields that local and central headers share, from version to sizes. */
static void write_common(struct bytes_writer *w, const struct zip_writer *z,
                         const struct zip_member *m, bool is_64)
{
    uint32_t size = is_64 ? ZIP_LIMIT_32 : (uint32_t)m->n_bytes;

    bytes_write_u16(w, is_64 ? VERSION_ZIP64 : VERSION_PLAIN);
    bytes_write_u16(w, 0); /* flags */
    bytes_write_u16(w, 0); /* stored */
    bytes_write_u16(w, 0); /* time */
    bytes_write_u16(w, DOS_DATE);
    bytes_write_u32(w, m->crc32);
    bytes_write_u32(w, size);
    bytes_write_u32(w, size);
    bytes_write_u16(w, (uint16_t)strlen(m->name));
}

static uint64_t local_extra_bytes(uint64_t after_name, bool is_64)
{
    uint64_t bytes = (is_64 ? LOCAL64_BYTES : 0) + ALIGN_HEAD_BYTES;
    uint64_t over = (after_name + bytes) % ZIP_ALIGN_BYTES;

    return bytes + (over ? ZIP_ALIGN_BYTES - over : 0);
}

static void write_local(struct zip_writer *z, const struct zip_member *m)
{
    bool is_64 = needs_64(z, m->n_bytes);
    uint64_t fixed = LOCAL_BYTES + strlen(m->name);
    uint64_t extra = local_extra_bytes(m->header_offset + fixed, is_64);
    uint64_t padding = extra - (is_64 ? LOCAL64_BYTES : 0) - ALIGN_HEAD_BYTES;
    struct bytes_writer w = take(z, fixed + extra);

    bytes_write_u32(&w, LOCAL_SIGNATURE);
    write_common(&w, z, m, is_64);
    bytes_write_u16(&w, (uint16_t)extra);
    bytes_write_span(&w, m->name, strlen(m->name));
    if (is_64) {
        bytes_write_u16(&w, EXTRA_ZIP64);
        bytes_write_u16(&w, LOCAL64_BYTES - 4);
        bytes_write_u64(&w, m->n_bytes);
        bytes_write_u64(&w, m->n_bytes);
    }
    bytes_write_u16(&w, EXTRA_ALIGN);
    bytes_write_u16(&w, (uint16_t)(2 + padding));
    bytes_write_u16(&w, ZIP_ALIGN_BYTES);
    for (uint64_t i = 0; i < padding; i++)
        bytes_write_u8(&w, 0);
    assert(!z->data || (!w.failed && w.at == w.end));
}

uint8_t *zip_begin_member(struct zip_writer *z, const char *name,
                          uint64_t n_bytes)
{
    struct zip_member *m = &z->member[z->n_members];
    uint8_t *content;

    assert(z->n_members < ZIP_MAX_MEMBERS);
    assert(strlen(name) < sizeof(m->name));
    *m = (struct zip_member){.n_bytes = n_bytes, .header_offset = z->at};
    memcpy(m->name, name, strlen(name) + 1);
    write_local(z, m);
    content = z->data ? z->data + z->at : NULL;
    z->at += n_bytes;
    return content;
}

void zip_end_member(struct zip_writer *z)
{
    struct zip_member *m = &z->member[z->n_members++];
    uint64_t end = z->at;

    if (!z->data)
        return;
    m->crc32 =
        (uint32_t)crc32_z(0, z->data + end - m->n_bytes, (size_t)m->n_bytes);
    z->at = m->header_offset; /* again, now with the crc */
    write_local(z, m);
    z->at = end;
}

/* A zip64 field holds, in this order, only what does not fit above it. */
static void write_central(struct zip_writer *z, const struct zip_member *m)
{
    bool big = needs_64(z, m->n_bytes), far = needs_64(z, m->header_offset);
    uint16_t extra =
        (uint16_t)((big || far ? 4 : 0) + (big ? 16 : 0) + (far ? 8 : 0));
    struct bytes_writer w = take(z, CENTRAL_BYTES + strlen(m->name) + extra);

    bytes_write_u32(&w, CENTRAL_SIGNATURE);
    bytes_write_u16(&w, VERSION_ZIP64); /* made by: MS-DOS, no attributes */
    write_common(&w, z, m, big);
    bytes_write_u16(&w, extra);
    bytes_write_u16(&w, 0); /* comment */
    bytes_write_u16(&w, 0); /* disk */
    bytes_write_u16(&w, 0); /* internal attributes */
    bytes_write_u32(&w, 0); /* external attributes */
    bytes_write_u32(&w, clip(z, m->header_offset));
    bytes_write_span(&w, m->name, strlen(m->name));
    if (big || far) {
        bytes_write_u16(&w, EXTRA_ZIP64);
        bytes_write_u16(&w, (uint16_t)(extra - 4));
    }
    if (big) {
        bytes_write_u64(&w, m->n_bytes);
        bytes_write_u64(&w, m->n_bytes);
    }
    if (far)
        bytes_write_u64(&w, m->header_offset);
    assert(!z->data || (!w.failed && w.at == w.end));
}

static void write_end64(struct zip_writer *z, uint64_t start, uint64_t size)
{
    uint64_t end64 = z->at;
    struct bytes_writer w = take(z, END64_BYTES + LOCATOR64_BYTES);

    bytes_write_u32(&w, END64_SIGNATURE);
    bytes_write_u64(&w, END64_BYTES - 12);
    bytes_write_u16(&w, VERSION_ZIP64);
    bytes_write_u16(&w, VERSION_ZIP64);
    bytes_write_u32(&w, 0); /* this disk */
    bytes_write_u32(&w, 0); /* the directory's disk */
    bytes_write_u64(&w, z->n_members);
    bytes_write_u64(&w, z->n_members);
    bytes_write_u64(&w, size);
    bytes_write_u64(&w, start);
    bytes_write_u32(&w, LOCATOR64_SIGNATURE);
    bytes_write_u32(&w, 0);
    bytes_write_u64(&w, end64);
    bytes_write_u32(&w, 1); /* disks */
}

uint64_t zip_finish(struct zip_writer *z)
{
    uint64_t start = z->at, size;
    struct bytes_writer w;

    for (uint32_t i = 0; i < z->n_members; i++)
        write_central(z, &z->member[i]);
    size = z->at - start;
    if (needs_64(z, start) || needs_64(z, size))
        write_end64(z, start, size);
    w = take(z, END_BYTES);
    bytes_write_u32(&w, END_SIGNATURE);
    bytes_write_u16(&w, 0);
    bytes_write_u16(&w, 0);
    bytes_write_u16(&w, (uint16_t)z->n_members);
    bytes_write_u16(&w, (uint16_t)z->n_members);
    bytes_write_u32(&w, clip(z, size));
    bytes_write_u32(&w, clip(z, start));
    bytes_write_u16(&w, 0); /* comment */
    return z->at;
}
