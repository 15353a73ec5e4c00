/* Fuzz target: what a hostile server sends, through a real socket and the
 * receiver's own code, without its thread. The first byte chooses between raw
 * bytes, frames that are given their crcs (so that a search need not guess
 * them), a saved state, a URL, built frames beside shared memory, to a member
 * of a group, and to a question.
 *
 * A built frame is: type u8, request u8, length u16, payload. */
#define _GNU_SOURCE /* memfd_create and its seals */
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/lib/clock.h"
#include "client/lib/prefetch.h"
#include "client/lib/state.h"
#include "client/lib/url.h"
#include "common/checksum.h"
#include "tests/fuzz/fuzz.h"

#define MAX_INPUT_BYTES (96u << 10) /* fits in the socket's buffer */

enum { RAW, BUILT, STATE, URL, RING, GROUP, QUESTION, N_MODES };

/* Frames with right crcs from the description; bytes of out. */
static size_t build(const uint8_t *data, size_t n_bytes, uint8_t *out)
{
    uint8_t *at = out;
    while (n_bytes >= 4) {
        size_t n = (size_t)(data[2] | data[3] << 8);
        uint8_t type = (uint8_t)(data[0] % 22), request = data[1];
        data += 4;
        n_bytes -= 4;
        n = n < n_bytes ? n : n_bytes;
        struct wire_header h = {.version = WIRE_VERSION,
                                .type = type,
                                .request = request,
                                .payload_bytes = n};
        if (type != WIRE_BATCH)
            h.payload_crc32 = checksum_crc32(0, data, n);
        wire_encode_header(at, &h);
        memcpy(at + WIRE_HEADER_BYTES, data, n);
        at += WIRE_HEADER_BYTES + n;
        data += n;
        n_bytes -= n;
    }
    return (size_t)(at - out);
}

/* Memory as a server on this host shares it: here it is what was said, so that
 * a search can put a batch there. */
static int make_memory(const uint8_t *bytes, size_t n_bytes)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, 2 * MAX_INPUT_BYTES) != 0 ||
        pwrite(fd, bytes, n_bytes, 0) != (ssize_t)n_bytes ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK) != 0)
        abort();
    return fd;
}

/* A socket on which these bytes stand, and then the end; *out_peer is its other
 * end. */
static int socket_with(const uint8_t *bytes, size_t n_bytes, int *out_peer)
{
    int fds[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0 ||
        send(fds[1], bytes, n_bytes, MSG_NOSIGNAL) != (ssize_t)n_bytes)
        abort();
    shutdown(fds[1], SHUT_WR);
    *out_peer = fds[1];
    return fds[0];
}

static void set_options(struct options *options, int mode)
{
    options_init(options);
    options->checksum_kinds = 7;
    options->prefetch = 8;
    options->max_batch_bytes = 1u << 20;
    if (mode == GROUP) {
        strcpy(options->group, "g");
        strcpy(options->member, "m");
    }
}

/* HELLO and ASK. */
static void question(const uint8_t *bytes, size_t n_bytes)
{
    static struct session session;
    struct options options;
    struct fault fault = {0};
    int peer;
    set_options(&options, QUESTION);
    session_init(&session, &options, -1, NULL, NULL);
    connection_adopt(&session.connection, socket_with(bytes, n_bytes, &peer));
    if (session_hello(&session, clock_after_ms(1000), &fault) == 0)
        (void)session_ask(&session, "operations", clock_after_ms(1000), &fault);
    session_close(&session);
    session_fini(&session);
    close(peer);
}

/* A handshake and the stream behind it, over bytes that all are there. */
static void converse(const uint8_t *bytes, size_t n_bytes, int mode)
{
    static struct receiver receiver;
    struct stream_facts *facts = calloc(1, sizeof *facts);
    struct batch_pool *pool = batch_pool_create(4);
    struct exchange exchange;
    struct options options;
    struct fault fault = {0};
    bool final;
    int peer;
    set_options(&options, mode);
    if (!facts || !pool || exchange_init(&exchange, 0, &fault) != 0)
        abort();
    exchange.state = EXCHANGE_STREAMING;
    exchange.pull = (struct pull){.state = PULL_WANTED, .position = 5};
    if (mode == GROUP)
        exchange.member = (struct membership){
            .joined = true, .held = 9, .awaited = 8, .acks = {8}, .n_acks = 1};
    receiver_init(&receiver, &exchange, &options, pool, facts);
    connection_adopt(&receiver.session.connection,
                     socket_with(bytes, n_bytes, &peer));
    if (mode == RING) { /* as if the descriptor had come with the first byte */
        receiver.session.connection.is_unix = true;
        receiver.session.connection.passed_fd = make_memory(bytes, n_bytes);
    }
    if (receiver_handshake(&receiver, clock_after_ms(1000), &fault) == 0)
        (void)receiver_pump(&receiver, &final, &fault);
    receiver_fini(&receiver);
    exchange_fini(&exchange);
    batch_pool_unref(pool);
    class_names_fini(&facts->classes);
    free(facts);
    close(peer);
}

static void parse_text(int mode, const uint8_t *data, size_t n_bytes)
{
    char text[PASTED_STATE_BYTES], *copy = malloc(n_bytes + 1);
    struct options options;
    struct state state;
    if (copy == NULL)
        return;
    memcpy(copy, data, n_bytes);
    copy[n_bytes] = '\0';
    options_init(&options);
    if (mode == URL)
        (void)url_parse(copy, &options, NULL);
    else if (state_parse(copy, &state, NULL) == 0 &&
             state_format(&state, text, sizeof text) != 0)
        abort(); /* what was read can be written */
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    if (n_bytes < 1 || n_bytes > MAX_INPUT_BYTES)
        return 0;
    int mode = data[0] % N_MODES;
    data++;
    n_bytes--;
    if (mode == STATE || mode == URL) {
        parse_text(mode, data, n_bytes);
    } else if (mode == RAW) {
        converse(data, n_bytes, mode);
    } else {
        /* The smallest description of a frame has 4 bytes. */
        uint8_t *frames = malloc(n_bytes / 4 * WIRE_HEADER_BYTES + n_bytes + 1);
        if (frames != NULL && n_bytes <= MAX_INPUT_BYTES / 9) {
            size_t n = build(data, n_bytes, frames);
            if (mode == QUESTION)
                question(frames, n);
            else
                converse(frames, n, mode);
        }
        free(frames);
    }
    return 0;
}
