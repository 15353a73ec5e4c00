/* The payloads of every frame but BATCH: one encoder and one decoder each.
 * Does not know frame headers. Fields stand in the order of PROTOCOL.md.
 * Threads: pure functions. */
#include <string.h>

#include "common/checksum.h"
#include "common/error.h"
#include "common/wire.h"

static const uint8_t no_fingerprint[WIRE_FINGERPRINT_BYTES];

/* All of the payload read and its content possible. */
static int verdict(const struct bytes_reader *r, bool possible)
{
    return bytes_reader_done(r) && possible ? 0 : -ERROR_BAD_FRAME;
}

/* Sentences quote file names and the like: what cannot travel becomes '?'. */
static void write_sentence(struct bytes_writer *w, const char *text)
{
    char clean[WIRE_MAX_TEXT_BYTES];
    size_t n = strnlen(text, sizeof clean - 1);
    memcpy(clean, text, n);
    clean[n] = '\0';
    bytes_text_clean(clean);
    bytes_write_string(w, clean);
}

static void read_fingerprint(struct bytes_reader *r, uint8_t *out)
{
    const uint8_t *span = bytes_read_span(r, WIRE_FINGERPRINT_BYTES);
    if (span)
        memcpy(out, span, WIRE_FINGERPRINT_BYTES);
}

void wire_encode_hello(struct bytes_writer *w, const struct wire_hello *m)
{
    bytes_write_u16(w, m->min_version);
    bytes_write_u16(w, m->max_version);
    bytes_write_u32(w, m->capabilities);
    bytes_write_u32(w, m->checksum_kinds);
    bytes_write_string(w, m->client);
    bytes_write_string(w, m->token);
}

int wire_decode_hello(struct bytes_reader *r, struct wire_hello *out)
{
    out->min_version = bytes_read_u16(r);
    out->max_version = bytes_read_u16(r);
    out->capabilities = bytes_read_u32(r);
    out->checksum_kinds = bytes_read_u32(r);
    bytes_read_string(r, out->client, sizeof out->client);
    bytes_read_string(r, out->token, sizeof out->token);
    return verdict(r, out->min_version >= 1 &&
                          out->min_version <= out->max_version);
}

void wire_encode_welcome(struct bytes_writer *w, const struct wire_welcome *m)
{
    bytes_write_u16(w, m->version);
    bytes_write_u8(w, m->checksum);
    bytes_write_u8(w, 0);
    bytes_write_u32(w, m->engine);
    bytes_write_u32(w, m->capabilities);
    bytes_write_u32(w, m->max_batch_samples);
    bytes_write_u64(w, m->max_batch_bytes);
    bytes_write_u32(w, m->max_credit_batches);
    bytes_write_u64(w, m->max_credit_bytes);
    bytes_write_u32(w, m->max_pulls);
    bytes_write_u32(w, m->idle_timeout_ms);
    bytes_write_string(w, m->server);
    bytes_write_u16(w, m->n_streams);
    if (m->n_streams > WIRE_MAX_STREAMS) {
        w->failed = true;
        return;
    }
    for (uint16_t i = 0; i < m->n_streams; i++)
        bytes_write_string(w, m->streams[i]);
}

int wire_decode_welcome(struct bytes_reader *r, struct wire_welcome *out)
{
    out->version = bytes_read_u16(r);
    out->checksum = bytes_read_u8(r);
    uint8_t reserved = bytes_read_u8(r);
    out->engine = bytes_read_u32(r);
    out->capabilities = bytes_read_u32(r);
    out->max_batch_samples = bytes_read_u32(r);
    out->max_batch_bytes = bytes_read_u64(r);
    out->max_credit_batches = bytes_read_u32(r);
    out->max_credit_bytes = bytes_read_u64(r);
    out->max_pulls = bytes_read_u32(r);
    out->idle_timeout_ms = bytes_read_u32(r);
    bytes_read_string(r, out->server, sizeof out->server);
    out->n_streams = bytes_read_u16(r);
    if (out->n_streams > WIRE_MAX_STREAMS)
        return -ERROR_BAD_FRAME;
    for (uint16_t i = 0; i < out->n_streams; i++)
        bytes_read_string(r, out->streams[i], sizeof out->streams[i]);
    return verdict(r, out->version >= 1 && reserved == 0 &&
                          out->checksum < CHECKSUM_N_KINDS);
}

void wire_encode_open(struct bytes_writer *w, const struct wire_open *m)
{
    bytes_write_u64(w, m->position);
    bytes_write_u32(w, m->global_batch);
    bytes_write_u32(w, m->rank);
    bytes_write_u32(w, m->world);
    bytes_write_u8(w, m->dtype);
    bytes_write_u8(w, m->layout);
    bytes_write_u8(w, m->has_fingerprint);
    bytes_write_u8(w, wire_extras_bits(&m->extras));
    bytes_write_span(w, m->has_fingerprint ? m->fingerprint : no_fingerprint,
                     WIRE_FINGERPRINT_BYTES);
    bytes_write_string(w, m->stream);
    wire_write_extras(w, &m->extras);
}

/* Whether rank, world, dtype and layout make sense is for the stream to say,
 * in a sentence. */
int wire_decode_open(struct bytes_reader *r, struct wire_open *out)
{
    out->position = bytes_read_u64(r);
    out->global_batch = bytes_read_u32(r);
    out->rank = bytes_read_u32(r);
    out->world = bytes_read_u32(r);
    out->dtype = bytes_read_u8(r);
    out->layout = bytes_read_u8(r);
    uint8_t has_fingerprint = bytes_read_u8(r);
    uint8_t extras = bytes_read_u8(r);
    read_fingerprint(r, out->fingerprint);
    bytes_read_string(r, out->stream, sizeof out->stream);
    int status = wire_read_extras(r, extras,
                                  WIRE_EXTRA_REPLAY | WIRE_EXTRA_CANDIDATES |
                                      WIRE_EXTRA_FEEDBACK,
                                  &out->extras);
    out->has_fingerprint = has_fingerprint == 1;
    if (has_fingerprint > 1 || status != 0 || !bytes_reader_done(r))
        return -ERROR_BAD_FRAME;
    bool none =
        memcmp(out->fingerprint, no_fingerprint, WIRE_FINGERPRINT_BYTES) == 0;
    return out->has_fingerprint || none ? 0 : -ERROR_BAD_FRAME;
}

void wire_encode_opened(struct bytes_writer *w, const struct wire_opened *m)
{
    bytes_write_span(w, m->fingerprint, WIRE_FINGERPRINT_BYTES);
    bytes_write_u64(w, m->seed);
    bytes_write_u64(w, m->edges_per_epoch);
    bytes_write_u64(w, m->position);
    bytes_write_u64(w, m->batch_bytes);
    bytes_write_u32(w, m->global_batch);
    bytes_write_u32(w, m->rank);
    bytes_write_u32(w, m->world);
    bytes_write_u32(w, m->n_samples);
    bytes_write_u32(w, m->n_objects);
    bytes_write_u32(w, m->n_backgrounds);
    bytes_write_u32(w, m->objects_per_background);
    bytes_write_u32(w, m->height);
    bytes_write_u32(w, m->width);
    bytes_write_u8(w, m->dtype);
    bytes_write_u8(w, m->layout);
    bytes_write_u8(w, m->channels);
    bytes_write_u8(w, 0);
    bytes_write_u64(w, m->output);
    bytes_write_u32(w, m->n_classes);
}

static bool opened_possible(const struct wire_opened *m)
{
    bool shape = m->height > 0 && m->width > 0 && m->n_samples > 0;
    bool slice = m->rank < m->world &&
                 (uint64_t)m->n_samples * m->world == m->global_batch;
    bool format = tensor_item_bytes(m->dtype) > 0 &&
                  (m->layout == TENSOR_NHWC || m->layout == TENSOR_NCHW) &&
                  tensor_channel_count(m->channels) > 0;
    bool counts = m->n_classes > 0 && m->n_classes <= WIRE_MAX_CLASSES &&
                  m->edges_per_epoch > 0 && m->position < WIRE_MAX_POSITION;
    return shape && slice && format && counts &&
           m->batch_bytes <= WIRE_MAX_BATCH_BYTES;
}

int wire_decode_opened(struct bytes_reader *r, struct wire_opened *out)
{
    read_fingerprint(r, out->fingerprint);
    out->seed = bytes_read_u64(r);
    out->edges_per_epoch = bytes_read_u64(r);
    out->position = bytes_read_u64(r);
    out->batch_bytes = bytes_read_u64(r);
    out->global_batch = bytes_read_u32(r);
    out->rank = bytes_read_u32(r);
    out->world = bytes_read_u32(r);
    out->n_samples = bytes_read_u32(r);
    out->n_objects = bytes_read_u32(r);
    out->n_backgrounds = bytes_read_u32(r);
    out->objects_per_background = bytes_read_u32(r);
    out->height = bytes_read_u32(r);
    out->width = bytes_read_u32(r);
    out->dtype = bytes_read_u8(r);
    out->layout = bytes_read_u8(r);
    out->channels = bytes_read_u8(r);
    uint8_t reserved = bytes_read_u8(r);
    out->output = bytes_read_u64(r);
    out->n_classes = bytes_read_u32(r);
    /* A name takes two bytes at the least. */
    bool room = out->n_classes <= bytes_left(r) / 2;
    return !r->failed && reserved == 0 && room && opened_possible(out)
               ? 0
               : -ERROR_BAD_FRAME;
}

void wire_encode_credit(struct bytes_writer *w, const struct wire_credit *m)
{
    bytes_write_u32(w, m->batches);
    bytes_write_u64(w, m->bytes);
    if (!m->has_pace)
        return;
    bytes_write_u32(w, m->found_ready);
    bytes_write_u32(w, m->waited);
    bytes_write_u64(w, m->busy_ns);
    bytes_write_u64(w, m->wait_ns);
}

int wire_decode_credit(struct bytes_reader *r, struct wire_credit *out)
{
    *out = (struct wire_credit){0};
    out->batches = bytes_read_u32(r);
    out->bytes = bytes_read_u64(r);
    out->has_pace = !r->failed && bytes_left(r) > 0;
    if (out->has_pace) {
        out->found_ready = bytes_read_u32(r);
        out->waited = bytes_read_u32(r);
        out->busy_ns = bytes_read_u64(r);
        out->wait_ns = bytes_read_u64(r);
    }
    return verdict(r, true);
}

void wire_encode_pull(struct bytes_writer *w, const struct wire_pull *m)
{
    bytes_write_u64(w, m->position);
}

int wire_decode_pull(struct bytes_reader *r, struct wire_pull *out)
{
    out->position = bytes_read_u64(r);
    return verdict(r, true);
}

void wire_encode_seek(struct bytes_writer *w, const struct wire_seek *m)
{
    bytes_write_u64(w, m->position);
}

int wire_decode_seek(struct bytes_reader *r, struct wire_seek *out)
{
    out->position = bytes_read_u64(r);
    return verdict(r, true);
}

void wire_encode_error(struct bytes_writer *w, const struct wire_error *m)
{
    bytes_write_u16(w, m->code);
    bytes_write_u8(w, m->fatal);
    bytes_write_u8(w, 0);
    bytes_write_u32(w, m->retry_after_ms);
    write_sentence(w, m->text);
}

/* Codes of newer servers pass: the sentence still helps. */
int wire_decode_error(struct bytes_reader *r, struct wire_error *out)
{
    out->code = bytes_read_u16(r);
    uint8_t fatal = bytes_read_u8(r);
    uint8_t reserved = bytes_read_u8(r);
    out->retry_after_ms = bytes_read_u32(r);
    bytes_read_string(r, out->text, sizeof out->text);
    out->fatal = fatal == 1;
    return verdict(r, out->code != 0 && fatal <= 1 && reserved == 0);
}

void wire_encode_ping(struct bytes_writer *w, const struct wire_ping *m)
{
    bytes_write_u64(w, m->token);
}

int wire_decode_ping(struct bytes_reader *r, struct wire_ping *out)
{
    out->token = bytes_read_u64(r);
    return verdict(r, true);
}

void wire_encode_close(struct bytes_writer *w, const struct wire_close *m)
{
    bytes_write_u16(w, m->code);
    write_sentence(w, m->text);
}

int wire_decode_close(struct bytes_reader *r, struct wire_close *out)
{
    out->code = bytes_read_u16(r);
    bytes_read_string(r, out->text, sizeof out->text);
    return verdict(r, true);
}

void wire_encode_drain(struct bytes_writer *w, const struct wire_drain *m)
{
    bytes_write_u64(w, m->position);
    bytes_write_u32(w, m->grace_ms);
}

int wire_decode_drain(struct bytes_reader *r, struct wire_drain *out)
{
    out->position = bytes_read_u64(r);
    out->grace_ms = bytes_read_u32(r);
    return verdict(r, true);
}

void wire_encode_ask(struct bytes_writer *w, const struct wire_ask *m)
{
    bytes_write_string(w, m->what);
}

int wire_decode_ask(struct bytes_reader *r, struct wire_ask *out)
{
    bytes_read_string(r, out->what, sizeof out->what);
    return verdict(r, out->what[0] != '\0');
}
