/* Fuzz target: what a hostile client sends to a whole server, over a real
 * socket: sessions, streams, groups, questions. The first byte chooses between
 * raw bytes (bit 0 clear) and built frames that are given their crcs, after a
 * greeting (bit 1) and an OPEN with credit (bit 2) that are sound. What comes
 * back must be sound frames, and a PING after built frames is answered or the
 * connection ends. The server runs on through all inputs.
 *
 * A built frame is: type u8, request u8, length u16, payload. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "common/checksum.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/tcp_world.h"

/* With its headers it fits in the socket's buffers: sending never waits. */
#define MAX_INPUT_BYTES 4096
#define LAST_PING       0xF022u

enum { BUILT = 1, GREETED = 2, OPENED = 4 };

static uint8_t out[MAX_INPUT_BYTES * 9 + 1024];
static size_t n_out;

static void put_frame(uint8_t type, uint32_t request, const uint8_t *payload,
                      size_t n_bytes)
{
    const struct wire_header h = {
        .version = WIRE_VERSION,
        .type = type,
        .request = request,
        .payload_bytes = n_bytes,
        .payload_crc32 = checksum_crc32(0, payload, n_bytes),
    };
    wire_encode_header(out + n_out, &h);
    memcpy(out + n_out + WIRE_HEADER_BYTES, payload, n_bytes);
    n_out += WIRE_HEADER_BYTES + n_bytes;
}

static void put_built(const uint8_t *data, size_t n_bytes)
{
    while (n_bytes >= 4) {
        size_t n = (size_t)(data[2] | data[3] << 8);
        uint8_t type = data[0], request = data[1];
        data += 4;
        n_bytes -= 4;
        n = n < n_bytes ? n : n_bytes;
        put_frame(type, request, data, n);
        data += n;
        n_bytes -= n;
    }
}

static void put_start(int mode)
{
    uint8_t payload[512];
    struct bytes_writer w;
    bytes_writer_init(&w, payload, sizeof payload);
    if (mode & GREETED) {
        const struct wire_hello m = {.min_version = 1,
                                     .max_version = 1,
                                     .capabilities = UINT32_MAX,
                                     .checksum_kinds = PEER_KINDS};
        wire_encode_hello(&w, &m);
        put_frame(WIRE_HELLO, 1, payload, bytes_written(&w));
    }
    bytes_writer_init(&w, payload, sizeof payload);
    if (mode & OPENED) {
        const struct wire_open m = {.stream = SMALL, .world = 1};
        wire_encode_open(&w, &m);
        put_frame(WIRE_OPEN, 2, payload, bytes_written(&w));
        static const uint8_t credit[12] = {2};
        put_frame(WIRE_CREDIT, 3, credit, sizeof credit);
    }
}

static struct world world;
static struct tcp_config config;

/* Asserts that nothing is left. */
static void stop_world(void)
{
    world_stop(&world);
    config.leases->calls->destroy(config.leases);
    (void)world_teardown_group(NULL);
}

static void start_world(void)
{
    config = world_config();
    config.leases = lease_memory_create(1);
    if (!config.leases || world_setup_group(NULL) != 0)
        abort();
    world_start(&world, &config);
    if (atexit(stop_world) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct peer p;
    if (n_bytes < 1 || n_bytes > MAX_INPUT_BYTES)
        return 0;
    if (world.port == 0)
        start_world();
    bool built = data[0] & BUILT;
    n_out = 0;
    put_start(data[0]);
    if (built) {
        put_built(data + 1, n_bytes - 1);
        put_frame(WIRE_PING, LAST_PING, (const uint8_t[8]){0}, 8);
    } else {
        memcpy(out + n_out, data + 1, n_bytes - 1);
        n_out += n_bytes - 1;
    }
    peer_connect(&p, world.port);
    if (send(p.fd, out, n_out, MSG_NOSIGNAL) == (ssize_t)n_out) {
        if (!built)
            shutdown(p.fd, SHUT_WR);
        while (peer_read(&p) != 0)
            if (p.header.type == WIRE_PONG && p.header.request == LAST_PING)
                break;
    }
    peer_abort(&p);
    return 0;
}
