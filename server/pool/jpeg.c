/* JPEG to 8-bit pixels by libjpeg-turbo, and a walk over its markers that finds
 * size, scans and orientation first. Does not read files or colour profiles.
 *
 * Source: ITU-T T.81, annex B (markers); TurboJPEG 2.1. */
#include "server/pool/jpeg.h"

#include <string.h>
#include <turbojpeg.h>

#include "server/pixel/image.h"
#include "server/pool/exif.h"

enum {
    MARKER_SOF0 = 0xc0,
    MARKER_SOF2 = 0xc2,
    MARKER_DHT = 0xc4,
    MARKER_JPG = 0xc8,
    MARKER_DAC = 0xcc,
    MARKER_SOF15 = 0xcf,
    MARKER_RST0 = 0xd0,
    MARKER_RST7 = 0xd7,
    MARKER_SOI = 0xd8,
    MARKER_EOI = 0xd9,
    MARKER_SOS = 0xda,
    MARKER_APP1 = 0xe1,
};

bool pool_jpeg_is(const uint8_t *bytes, size_t n_bytes)
{
    return n_bytes >= 3 && bytes[0] == 0xff && bytes[1] == MARKER_SOI &&
           bytes[2] == 0xff;
}

static bool is_frame_header(uint8_t marker)
{
    return marker >= MARKER_SOF0 && marker <= MARKER_SOF15 &&
           marker != MARKER_DHT && marker != MARKER_JPG && marker != MARKER_DAC;
}

/* The body of one segment: what follows its two length bytes. */
static void read_segment(struct pool_jpeg_info *info, uint8_t marker,
                         const uint8_t *body, size_t n_bytes)
{
    if (is_frame_header(marker) && n_bytes >= 6) {
        info->progressive = marker == MARKER_SOF2;
        info->height = (uint32_t)body[1] << 8 | body[2];
        info->width = (uint32_t)body[3] << 8 | body[4];
        info->n_components = body[5];
    } else if (marker == MARKER_APP1 && n_bytes > 6 &&
               memcmp(body, "Exif\0\0", 6) == 0 && info->orientation == 0) {
        info->orientation = exif_orientation(body + 6, n_bytes - 6);
    } else if (marker == MARKER_SOS) {
        info->n_scans++;
    }
}

/* Skips entropy-coded data: to the next marker that is not a restart. */
static const uint8_t *skip_entropy(const uint8_t *at, const uint8_t *end)
{
    while ((at = memchr(at, 0xff, (size_t)(end - at)))) {
        if (end - at < 2)
            return end;
        if (at[1] != 0 && at[1] != 0xff &&
            !(at[1] >= MARKER_RST0 && at[1] <= MARKER_RST7))
            return at;
        at += at[1] == 0xff ? 1 : 2;
    }
    return end;
}

struct pool_jpeg_info pool_jpeg_scan(const uint8_t *bytes, size_t n_bytes)
{
    struct pool_jpeg_info info = {0};
    const uint8_t *at = bytes + 2, *end = bytes + n_bytes;

    if (!pool_jpeg_is(bytes, n_bytes))
        at = end;
    while (end - at >= 2 && at[0] == 0xff) {
        const uint8_t marker = at[1];

        info.whole = marker == MARKER_EOI;
        if (marker == 0xff) { /* a fill byte */
            at++;
            continue;
        }
        if (info.whole || end - at < 4)
            break;
        const size_t length = (size_t)at[2] << 8 | at[3];

        if (length < 2 || length > (size_t)(end - at) - 2)
            break;
        read_segment(&info, marker, at + 4, length - 2);
        at += 2 + length;
        if (marker == MARKER_SOS)
            at = skip_entropy(at, end);
    }
    if (info.orientation == 0)
        info.orientation = 1;
    return info;
}

static int check_header(tjhandle tj, const uint8_t *bytes, size_t n_bytes,
                        const struct pool_limits *limits, int size[2],
                        struct fault *fault)
{
    int subsampling = 0, colour_space = 0;

    if (tjDecompressHeader3(tj, bytes, n_bytes, &size[0], &size[1],
                            &subsampling, &colour_space))
        return fault_set(fault, ERROR_BAD_FILE, "not a valid JPEG: %s",
                         tjGetErrorStr2(tj));
    if (size[0] < 1 || size[1] < 1) /* tables only */
        return fault_set(fault, ERROR_BAD_FILE, "a JPEG without an image");
    if (colour_space == TJCS_CMYK || colour_space == TJCS_YCCK)
        return fault_set(fault, ERROR_UNSUPPORTED,
                         "a CMYK JPEG; only grey and RGB ones can be read, "
                         "convert it to RGB");
    if ((uint64_t)size[0] * (uint64_t)size[1] > limits->max_pixels)
        return fault_set(fault, ERROR_TOO_LARGE,
                         "%d x %d px, more than the limit of %llu px", size[0],
                         size[1], (unsigned long long)limits->max_pixels);
    return 0;
}

static int decode(tjhandle tj, const uint8_t *bytes, size_t n_bytes,
                  struct pool_raster *out, struct fault *fault)
{
    const int format = out->n_channels == 4 ? TJPF_RGBA : TJPF_RGB;

    if (!tjDecompress2(
            tj, bytes, n_bytes, out->pixels, out->width, 0, out->height, format,
            TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS | TJFLAG_STOPONWARNING))
        return 0;
    const char *why = tjGetErrorStr2(tj);

    if (strstr(why, "Insufficient memory"))
        return fault_set(fault, ERROR_NO_MEMORY, "no memory to decode a JPEG");
    return fault_set(fault, ERROR_BAD_FILE, "not a valid JPEG: %s", why);
}

int pool_jpeg_decode(const uint8_t *bytes, size_t n_bytes, bool want_alpha,
                     const struct pool_limits *limits, struct pool_raster *out,
                     struct fault *fault)
{
    const struct pool_jpeg_info info = pool_jpeg_scan(bytes, n_bytes);
    int size[2] = {0, 0};
    int code;

    memset(out, 0, sizeof(*out));
    if (info.n_scans > limits->max_jpeg_scans)
        return fault_set(fault, ERROR_TOO_LARGE,
                         "a JPEG of %u scans, more than the limit of %u",
                         info.n_scans, limits->max_jpeg_scans);
    tjhandle tj = tjInitDecompress();

    if (!tj)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory to decode a JPEG");
    code = check_header(tj, bytes, n_bytes, limits, size, fault);
    if (!code && (!info.whole || info.width != (uint32_t)size[0] ||
                  info.height != (uint32_t)size[1]))
        code = fault_set(fault, ERROR_BAD_FILE,
                         "not a valid JPEG: its markers are damaged");
    if (!code)
        code =
            pool_raster_init(out, size[0], size[1], want_alpha ? 4 : 3, fault);
    if (!code)
        code = decode(tj, bytes, n_bytes, out, fault);
    if (!code)
        code = pool_raster_orient(out, info.orientation, fault);
    if (code)
        pool_raster_fini(out);
    tjDestroy(tj);
    return code;
}
