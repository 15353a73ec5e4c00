/* The orientation tag in the first directory of an Exif segment, in either byte
 * order. Follows no pointer but the one to that directory.
 * Source: TIFF 6.0, section 2; Exif 2.32, section 4.6.4 (tag 0x0112). */
#include "server/pool/exif.h"

#include <stdbool.h>
#include <string.h>

#define TAG_ORIENTATION 0x0112
#define TYPE_SHORT      3
#define ENTRY_BYTES     12

struct tiff {
    const uint8_t *data;
    size_t n_bytes;
    bool big;
    bool failed; /* sticky: a read went beyond the end */
};

static uint32_t read_at(struct tiff *t, size_t offset, size_t n)
{
    uint32_t v = 0;

    if (offset > t->n_bytes || n > t->n_bytes - offset) {
        t->failed = true;
        return 0;
    }
    for (size_t i = 0; i < n; i++)
        v = v << 8 | t->data[offset + (t->big ? i : n - 1 - i)];
    return v;
}

int exif_orientation(const uint8_t *tiff, size_t n_bytes)
{
    struct tiff t = {.data = tiff, .n_bytes = n_bytes};

    if (n_bytes < 8 || (memcmp(tiff, "II", 2) && memcmp(tiff, "MM", 2)))
        return 1;
    t.big = tiff[0] == 'M';
    if (read_at(&t, 2, 2) != 42)
        return 1;
    const size_t directory = read_at(&t, 4, 4);
    const uint32_t n_entries = read_at(&t, directory, 2);

    for (uint32_t i = 0; i < n_entries && !t.failed; i++) {
        const size_t entry = directory + 2 + (size_t)i * ENTRY_BYTES;

        if (read_at(&t, entry, 2) != TAG_ORIENTATION)
            continue;
        if (read_at(&t, entry + 2, 2) != TYPE_SHORT ||
            read_at(&t, entry + 4, 4) != 1)
            return 1;
        const uint32_t value = read_at(&t, entry + 8, 2);

        return !t.failed && value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}
