/* From a path to pixels, with a look at the header before. Does not know what
 * the pixels are for. */
#include "server/pool/decode.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/mem.h"
#include "server/pixel/image.h"
#include "server/pool/jpeg.h"
#include "server/pool/png.h"

/* Enough for any PNG header and for most JPEGs' up to SOF; what has larger
 * application segments before it is read whole. */
#define PROBE_BYTES 16384

static int open_regular(const char *path, uint64_t *out_n_bytes,
                        struct fault *fault)
{
    struct stat st;
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return fault_set(fault, errno == ENOENT ? ERROR_NOT_FOUND : ERROR_IO,
                         "cannot open it: %s", strerror(errno));
    if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        close(fd);
        return fault_set(fault, ERROR_BAD_FILE, "not a regular file");
    }
    *out_n_bytes = (uint64_t)st.st_size;
    return fd;
}

static int read_all(int fd, uint8_t *out, size_t n_bytes, size_t *out_n_read,
                    struct fault *fault)
{
    size_t n = 0;

    while (n < n_bytes) {
        ssize_t got = read(fd, out + n, n_bytes - n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return fault_set(fault, ERROR_IO, "cannot read it: %s",
                             strerror(errno));
        if (got == 0)
            break;
        n += (size_t)got;
    }
    *out_n_read = n;
    return 0;
}

int pool_file_read(const char *path, uint64_t max_bytes, bool partial,
                   struct pool_file *out, struct fault *fault)
{
    uint64_t n_bytes = 0;
    int code = 0;
    int fd = open_regular(path, &n_bytes, fault);

    memset(out, 0, sizeof(*out));
    if (fd < 0)
        return fd;
    out->total_bytes = n_bytes;
    if (partial && n_bytes > max_bytes)
        n_bytes = max_bytes;
    if (n_bytes == 0)
        code = fault_set(fault, ERROR_BAD_FILE, "an empty file");
    else if (n_bytes > max_bytes)
        code = fault_set(
            fault, ERROR_TOO_LARGE, "%llu bytes, more than the limit of %llu",
            (unsigned long long)n_bytes, (unsigned long long)max_bytes);
    if (!code) {
        out->bytes = mem_calloc(1, n_bytes);
        code = out->bytes
                   ? read_all(fd, out->bytes, n_bytes, &out->n_bytes, fault)
                   : fault_set(fault, ERROR_NO_MEMORY,
                               "no memory to read %llu bytes",
                               (unsigned long long)n_bytes);
    }
    if (code)
        pool_file_fini(out);
    close(fd);
    return code;
}

void pool_file_fini(struct pool_file *f)
{
    mem_free(f->bytes);
    memset(f, 0, sizeof(*f));
}

/* 0, or -ERROR_BAD_FILE; *out_n_extra is what a decoder needs a pixel beside
 * the raster. A JPEG whose frame header lies further on gives width 0. */
static int read_size(const struct pool_file *f, uint32_t *out_width,
                     uint32_t *out_height, uint32_t *out_n_extra,
                     struct fault *fault)
{
    *out_n_extra = 0;
    if (pool_png_is(f->bytes, f->n_bytes))
        return pool_png_size(f->bytes, f->n_bytes, out_width, out_height,
                             fault);
    if (!pool_jpeg_is(f->bytes, f->n_bytes))
        return fault_set(fault, ERROR_BAD_FILE, "neither a PNG nor a JPEG");
    const struct pool_jpeg_info info = pool_jpeg_scan(f->bytes, f->n_bytes);

    *out_width = info.width;
    *out_height = info.height;
    if (info.progressive)
        *out_n_extra += 2 * info.n_components; /* i16 coefficients */
    if (info.orientation > 1)
        *out_n_extra += 4;
    return 0;
}

static int check_size(uint32_t width, uint32_t height,
                      const struct pool_limits *limits, struct fault *fault)
{
    if (width == 0 || height == 0)
        return fault_set(fault, ERROR_BAD_FILE, "no image size in its header");
    if (width > IMAGE_MAX_SIDE || height > IMAGE_MAX_SIDE ||
        (uint64_t)width * height > limits->max_pixels)
        return fault_set(fault, ERROR_TOO_LARGE,
                         "%u x %u px; the limits are %d px a side and %llu px",
                         width, height, IMAGE_MAX_SIDE,
                         (unsigned long long)limits->max_pixels);
    return 0;
}

int pool_probe(const char *path, const struct pool_limits *limits,
               struct pool_header *out, struct fault *fault)
{
    struct pool_file f;
    uint32_t width = 0, height = 0, n_extra = 0;
    uint64_t n_file_bytes = 0;
    int code = pool_file_read(path, PROBE_BYTES, true, &f, fault);

    if (!code)
        code = read_size(&f, &width, &height, &n_extra, fault);
    n_file_bytes = f.total_bytes;
    if (!code && width == 0 && f.n_bytes == PROBE_BYTES) {
        pool_file_fini(&f);
        code = pool_file_read(path, limits->max_file_bytes, false, &f, fault);
        n_file_bytes = f.total_bytes;
        if (!code)
            code = read_size(&f, &width, &height, &n_extra, fault);
    }
    pool_file_fini(&f);
    if (!code)
        code = check_size(width, height, limits, fault);
    if (code)
        return code;
    out->width = (int32_t)width;
    out->height = (int32_t)height;
    out->scratch_bytes =
        n_file_bytes + (uint64_t)width * height * (4 + n_extra);
    return 0;
}

int pool_decode(const uint8_t *bytes, size_t n_bytes, bool want_alpha,
                const struct pool_limits *limits, struct pool_raster *out,
                struct fault *fault)
{
    memset(out, 0, sizeof(*out));
    if (pool_png_is(bytes, n_bytes))
        return pool_png_decode(bytes, n_bytes, want_alpha, limits, out, fault);
    if (pool_jpeg_is(bytes, n_bytes))
        return pool_jpeg_decode(bytes, n_bytes, want_alpha, limits, out, fault);
    return fault_set(fault, ERROR_BAD_FILE, "neither a PNG nor a JPEG");
}

int pool_decode_file(const char *path, bool want_alpha,
                     const struct pool_limits *limits, struct pool_raster *out,
                     struct fault *fault)
{
    struct pool_file f;
    int code;

    memset(out, 0, sizeof(*out));
    code = pool_file_read(path, limits->max_file_bytes, false, &f, fault);
    if (!code)
        code = pool_decode(f.bytes, f.n_bytes, want_alpha, limits, out, fault);
    pool_file_fini(&f);
    return code;
}
