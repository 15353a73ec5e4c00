/* A client for tests. Knows PROTOCOL.md by way of common/wire; tests nothing
 * itself but what every frame must have. */
#include "tests/unit/tcp_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/error.h"
#include "server/base/host.h"

#define DEADLINE_MS 30000

static void open_socket(struct peer *p, uint16_t port, int receive_bytes)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port)};
    const int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memset(p, 0, sizeof *p);
    p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(p->fd >= 0);
    if (receive_bytes)
        setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &receive_bytes,
                   sizeof receive_bytes);
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    assert_int_equal(
        connect(p->fd, (struct sockaddr *)&address, sizeof address), 0);
}

void peer_connect(struct peer *p, uint16_t port)
{
    open_socket(p, port, 0);
}

void peer_connect_narrow(struct peer *p, uint16_t port)
{
    open_socket(p, port, 1 << 17);
}

void peer_close(struct peer *p)
{
    close(p->fd);
    free(p->payload);
    p->payload = NULL;
}

void peer_abort(struct peer *p)
{
    const struct linger now = {.l_onoff = 1, .l_linger = 0};
    setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    peer_close(p);
}

/* Sending. */

void peer_send(struct peer *p, const void *data, size_t n_bytes)
{
    assert_int_equal(send(p->fd, data, n_bytes, MSG_NOSIGNAL), n_bytes);
}

bool peer_try_send(struct peer *p, const void *data, size_t n_bytes)
{
    struct pollfd poll_fd = {.fd = p->fd, .events = POLLOUT};
    if (poll(&poll_fd, 1, 1000) <= 0)
        return false;
    return send(p->fd, data, n_bytes, MSG_NOSIGNAL | MSG_DONTWAIT) > 0;
}

struct frame {
    uint8_t bytes[WIRE_MAX_CLIENT_BYTES];
    struct bytes_writer w;
};

static void begin(struct frame *f)
{
    wire_frame_begin(&f->w, f->bytes, sizeof f->bytes);
}

static void finish(struct peer *p, struct frame *f, enum wire_type type,
                   uint32_t request)
{
    size_t n_bytes = wire_frame_finish(&f->w, type, request);
    assert_true(n_bytes > 0);
    peer_send(p, f->bytes, n_bytes);
}

void peer_send_hello(struct peer *p, uint16_t min, uint16_t max,
                     const char *token, uint32_t kinds)
{
    struct frame f;
    struct wire_hello m = {.min_version = min,
                           .max_version = max,
                           .checksum_kinds = kinds,
                           .client = "test"};
    snprintf(m.token, sizeof m.token, "%s", token);
    begin(&f);
    wire_encode_hello(&f.w, &m);
    finish(p, &f, WIRE_HELLO, 1);
}

void peer_send_open(struct peer *p, uint32_t request, const struct wire_open *m)
{
    struct frame f;
    begin(&f);
    wire_encode_open(&f.w, m);
    finish(p, &f, WIRE_OPEN, request);
}

void peer_send_credit(struct peer *p, uint32_t batches, uint64_t n_bytes)
{
    struct frame f;
    const struct wire_credit m = {.batches = batches, .bytes = n_bytes};
    begin(&f);
    wire_encode_credit(&f.w, &m);
    finish(p, &f, WIRE_CREDIT, 3);
}

void peer_send_pull(struct peer *p, uint32_t request, uint64_t position)
{
    struct frame f;
    const struct wire_pull m = {.position = position};
    begin(&f);
    wire_encode_pull(&f.w, &m);
    finish(p, &f, WIRE_PULL, request);
}

void peer_send_seek(struct peer *p, uint32_t request, uint64_t position)
{
    struct frame f;
    const struct wire_seek m = {.position = position};
    begin(&f);
    wire_encode_seek(&f.w, &m);
    finish(p, &f, WIRE_SEEK, request);
}

void peer_send_ping(struct peer *p, uint64_t token)
{
    struct frame f;
    const struct wire_ping m = {.token = token};
    begin(&f);
    wire_encode_ping(&f.w, &m);
    finish(p, &f, WIRE_PING, 5);
}

void peer_send_close(struct peer *p)
{
    struct frame f;
    const struct wire_close m = {.text = "bye"};
    begin(&f);
    wire_encode_close(&f.w, &m);
    finish(p, &f, WIRE_CLOSE, 0);
}

/* Receiving. */

/* A search's alarms interrupt poll, which is not the end of the time. */
static bool readable(struct peer *p, int ms)
{
    struct pollfd poll_fd = {.fd = p->fd, .events = POLLIN};
    const uint64_t end_ns = host_now_ns() + (uint64_t)ms * 1000000;
    int n;
    while ((n = poll(&poll_fd, 1, ms)) < 0 && errno == EINTR) {
        uint64_t now_ns = host_now_ns();
        ms = now_ns < end_ns ? (int)((end_ns - now_ns) / 1000000) : 0;
    }
    return n > 0;
}

/* Fewer only at the end of the stream. */
static size_t read_bytes(struct peer *p, void *out, size_t n_bytes)
{
    size_t n = 0;
    while (n < n_bytes) {
        if (!readable(p, DEADLINE_MS))
            fail_msg("no byte from the server in %d ms", DEADLINE_MS);
        ssize_t got = recv(p->fd, (uint8_t *)out + n, n_bytes - n, 0);
        if (got < 0 && errno == ECONNRESET)
            break;
        assert_true(got >= 0);
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return n;
}

int peer_read(struct peer *p)
{
    uint8_t header[WIRE_HEADER_BYTES];
    size_t n = read_bytes(p, header, sizeof header);
    if (n == 0)
        return 0;
    assert_int_equal(n, sizeof header);
    assert_int_equal(wire_decode_header(header, &p->header), 0);
    assert_true(wire_server_sends(p->header.type));
    size_t n_bytes = (size_t)p->header.payload_bytes;
    free(p->payload);
    p->payload = malloc(n_bytes + 1);
    assert_non_null(p->payload);
    assert_int_equal(read_bytes(p, p->payload, n_bytes), n_bytes);
    assert_int_equal(wire_check_payload(&p->header, p->payload), 0);
    return p->header.type;
}

static void print_error_frame(const struct peer *p)
{
    struct bytes_reader r;
    struct wire_error m;
    bytes_reader_init(&r, p->payload, (size_t)p->header.payload_bytes);
    if (p->header.type == WIRE_ERROR && wire_decode_error(&r, &m) == 0)
        print_error("ERROR %s: %s\n", error_word(m.code), m.text);
}

void peer_expect(struct peer *p, int type)
{
    int got = peer_read(p);
    if (got != type) {
        if (got)
            print_error_frame(p);
        fail_msg("expected %s, got %s", wire_type_name(type),
                 got ? wire_type_name(got) : "the end");
    }
}

void peer_expect_error(struct peer *p, uint32_t request, int code, bool fatal,
                       struct wire_error *out)
{
    struct bytes_reader r;
    struct wire_error m;
    peer_expect(p, WIRE_ERROR);
    bytes_reader_init(&r, p->payload, (size_t)p->header.payload_bytes);
    assert_int_equal(wire_decode_error(&r, &m), 0);
    if (m.code != code)
        print_error("%s\n", m.text);
    assert_string_equal(error_word(m.code), error_word(code));
    assert_int_equal(m.fatal, fatal);
    assert_int_equal(p->header.request, request);
    assert_true(m.text[0] != '\0');
    if (out)
        *out = m;
}

void peer_expect_end(struct peer *p)
{
    int type = peer_read(p);
    if (type != 0) {
        print_error_frame(p);
        fail_msg("expected the end, got %s", wire_type_name(type));
    }
}

static uint64_t table_at(const struct peer *p, uint32_t i)
{
    struct bytes_reader r;
    bytes_reader_init(&r, p->payload + p->head.tensors_bytes + 8 * (size_t)i,
                      8);
    return bytes_read_u64(&r);
}

/* PROTOCOL.md section 9. Changes the checksum's byte in the payload to 0. */
static void check_sums(struct peer *p)
{
    const struct tensor_desc *image = &p->tensors[p->head.n_tensors - 1];
    enum checksum_kind kind = (enum checksum_kind)p->head.checksum;
    assert_string_equal(image->name, "image");
    p->payload[WIRE_BATCH_CHECKSUM_OFFSET] = 0;
    if (kind == CHECKSUM_NONE)
        return;
    size_t sample_bytes = (size_t)image->n_bytes / p->head.n_samples;
    for (uint32_t i = 0; i < p->head.n_samples; i++)
        assert_int_equal(
            table_at(p, i),
            checksum_of(kind,
                        p->payload + image->offset_bytes + i * sample_bytes,
                        sample_bytes));
    assert_int_equal(
        table_at(p, p->head.n_samples),
        checksum_of(kind, p->payload, (size_t)image->offset_bytes));
}

void peer_expect_batch(struct peer *p, uint32_t request,
                       uint64_t first_position, uint32_t n_samples)
{
    peer_expect(p, WIRE_BATCH);
    assert_int_equal(p->header.request, request);
    assert_int_equal(wire_decode_batch_head(p->payload, p->header.payload_bytes,
                                            &p->head, p->tensors),
                     0);
    assert_int_equal(p->head.first_position, first_position);
    assert_int_equal(p->head.n_samples, n_samples);
    check_sums(p);
}

void peer_expect_silence(struct peer *p, int ms)
{
    assert_false(readable(p, ms));
}

/* Conversations. */

void peer_greet(struct peer *p, uint16_t port, uint32_t kinds)
{
    peer_connect(p, port);
    peer_send_hello(p, 1, 1, "", kinds);
    peer_expect(p, WIRE_WELCOME);
}

struct wire_opened peer_open(struct peer *p, const char *stream, uint32_t rank,
                             uint32_t world, uint64_t position,
                             uint32_t request)
{
    struct bytes_reader r;
    struct wire_opened opened;
    struct wire_open m = {.rank = rank, .world = world, .position = position};
    snprintf(m.stream, sizeof m.stream, "%s", stream);
    peer_send_open(p, request, &m);
    peer_expect(p, WIRE_OPENED);
    assert_int_equal(p->header.request, request);
    bytes_reader_init(&r, p->payload, (size_t)p->header.payload_bytes);
    assert_int_equal(wire_decode_opened(&r, &opened), 0);
    assert_int_equal(opened.position, position);
    return opened;
}
