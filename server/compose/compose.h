/* Plan + catalog -> sample -> the tensors of a batch. No randomness, no
 * sockets. Byte-identical on every machine (NUMERICS.md). */
#ifndef PASTED_COMPOSE_COMPOSE_H
#define PASTED_COMPOSE_COMPOSE_H

#include <stddef.h>
#include <stdint.h>

#include "common/tensor.h"
#include "server/pixel/convert.h"
#include "server/pixel/operation/normalize.h"
#include "server/plan/feedback.h"
#include "server/plan/plan.h"
#include "server/pool/catalog.h"

/* What composing finds out beside the pixels. */
struct compose_facts {
    struct image_box box; /* of alpha >= 128 in the frame, else of alpha > 0,
                             else empty (0, 0, 0, 0) */
};

/* Scratch of one worker for frames of this size. */
size_t compose_scratch_bytes(int32_t width, int32_t height);

/* Writes height rows of width * 3 bytes u8 RGB: the sample without any of its
 * operations (those of the image, the object and the context: only a batch runs
 * them, and no box depends on them). scratch: 64-byte aligned,
 * compose_scratch_bytes. */
void compose_sample(const struct catalog *catalog, const struct plan *plan,
                    void *scratch, uint8_t *out, ptrdiff_t stride_bytes,
                    struct compose_facts *out_facts);

/* The layout of a batch payload (common/wire.h, PROTOCOL.md): head,
 * descriptors, label tensors, image. */
struct batch_layout {
    uint32_t n_samples; /* items: of n_candidates for each position */
    uint32_t n_candidates;
    uint32_t n_tensors;
    uint32_t n_keypoints; /* of TENSOR_KEYPOINTS */
    struct tensor_desc tensor[TENSOR_MAX_COUNT];
    /* Index into tensor[] for each enum recipe_tensor, or -1. */
    int8_t index[TENSOR_N];
    uint64_t image_offset_bytes;
    uint64_t sample_bytes;        /* image bytes of one sample */
    uint64_t tensors_bytes;       /* payload without the checksum table */
    struct convert_format format; /* of image */
    int32_t height, width;
    struct convert_table table; /* but for TENSOR_U8 */
    enum normalize_mode normalize;
    struct image_box region; /* NORMALIZE_MEAN_STD only */
};

/* catalog: how many keypoints; NULL stands for one without, of which a recipe
 * may not ask any. dtype TENSOR_U8, F16, BF16 or F32, layout TENSOR_NHWC or
 * NCHW (0 = recipe's). -ERROR_BAD_ARGUMENT, -ERROR_TOO_LARGE
 * (WIRE_MAX_BATCH_BYTES). */
int batch_layout_init(struct batch_layout *out, const struct recipe *recipe,
                      const struct catalog *catalog, uint32_t n_samples,
                      uint8_t dtype, uint8_t layout);

/* The same of n_positions samples with n_candidates each (0 is 1), in the order
 * of PROTOCOL.md section 19; more than one brings TENSOR_CANDIDATE. */
int batch_layout_init_candidates(struct batch_layout *out,
                                 const struct recipe *recipe,
                                 const struct catalog *catalog,
                                 uint32_t n_positions, uint32_t n_candidates,
                                 uint8_t dtype, uint8_t layout);

/* Writes head and descriptors (checksum kind 0) and zeroes all padding. */
void batch_write_head(const struct batch_layout *l, uint64_t first_position,
                      uint8_t *payload);

/* With two frames of its own where the recipe has a chain (chained.h). */
size_t batch_scratch_bytes(const struct recipe *recipe);

/* Which sample goes where in the batch. */
struct batch_sample {
    uint64_t position;
    struct graph_edge edge;
    uint32_t index; /* < n_samples */
    /* [h][w][3] u8 that it is pasted on, instead of a context of its own;
     * NULL: there is none. Read until the call ends. */
    const uint8_t *context;
    /* [h][w][3] u8, for who pastes on it next, where not NULL: written before
     * the image's colour and operations, or after them but before normalize,
     * channels and dtype. */
    uint8_t *composite, *finished;
    uint32_t candidate;
    /* Nothing of it goes into the batch (index is not read): it is composed
     * for what is handed on alone, of which one is asked for. */
    bool is_handed_on_only;
};

/* More than a core's own caches hold: by the time that a larger batch is whole
 * and sent, its first images would have left them. */
#define BATCH_CACHED_BYTES (2u << 20)

/* A worker's way through the samples of a batch: each is planned while its
 * predecessor renders, so that its pixels are in the cache when it is due. */
struct batch_composer {
    const struct batch_layout *layout;
    const struct recipe *recipe;
    const struct catalog *catalog;
    const struct feedback *feedback; /* set after init; NULL: none */
    void *scratch;                   /* 64-byte aligned, batch_scratch_bytes */
    uint8_t *payload;
    struct plan plan[2];  /* of the sample due, of the one after */
    uint32_t due;         /* which is which */
    bool has_distractors; /* some sample may */
    bool is_planned;      /* plan[due] is of planned_position */
    /* Images of a batch beyond BATCH_CACHED_BYTES are written around the
     * caches; who reads each sample at once clears this after init. */
    bool is_streamed;
    bool is_ending; /* set after init: no call follows the one that is made */
    uint64_t planned_position;
    uint32_t planned_candidate;
};

/* Borrows all it is given. */
void batch_composer_init(struct batch_composer *c, const struct batch_layout *l,
                         const struct recipe *recipe,
                         const struct catalog *catalog, void *scratch,
                         uint8_t *payload);
/* Composes one sample into every tensor of the payload. next is what the
 * following call will be given, or NULL; in the last call, what this core will
 * most likely compose next. Other threads may read the images after a call
 * that is the last or without a next one. Different composers may write
 * different indexes at once. */
void batch_composer_run(struct batch_composer *c,
                        const struct batch_sample *sample,
                        const struct batch_sample *next);

/* One of two frames in the scratch of a recipe with a chain (chained.h). */
uint8_t *batch_chained_frame(const struct batch_composer *c, int which);

/* One sample alone. */
void batch_compose_sample(const struct batch_layout *l,
                          const struct recipe *recipe,
                          const struct catalog *catalog,
                          const struct batch_sample *sample, void *scratch,
                          uint8_t *payload);

#endif
