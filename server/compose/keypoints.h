/* The keypoints of a sample as a tensor's item: f32 triples (x, y, v). Knows
 * where they are seen, not how objects are posed (plan/keypoint.h). Threads:
 * each sample has its own. */
#ifndef PASTED_COMPOSE_KEYPOINTS_H
#define PASTED_COMPOSE_KEYPOINTS_H

#include "server/pixel/span.h"
#include "server/plan/plan.h"

/* What v says; where it is absent, x and y are 0. Hidden: outside the frame, or
 * where nothing is pasted. */
#define KEYPOINT_ABSENT 0.0f
#define KEYPOINT_HIDDEN 1.0f
#define KEYPOINT_SEEN   2.0f

struct keypoints {
    uint8_t *out;         /* [n][3] f32, of any alignment; NULL: not wanted */
    uint32_t n, n_object; /* of the tensor, of the sample's object */
};

/* Writes all n, none as seen yet. */
struct keypoints keypoints_begin(uint8_t *out, uint32_t n,
                                 const struct plan *plan,
                                 const struct catalog *catalog);
/* As layers_put_object: those in these rows whose pixel is not transparent are
 * seen. */
void keypoints_see(const struct keypoints *k, int32_t y, int32_t n_rows,
                   const struct pixel_span *span, const uint8_t *rgba);

#endif
