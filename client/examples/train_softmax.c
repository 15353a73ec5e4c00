/* Trains a softmax regression on a stream's batches, without any framework:
 * every batch as it is and, with an epsilon, after an FGSM step against the
 * model as it stands. Then evaluates it on the positions that follow, which
 * were never trained on. No model worth keeping: it shows the calls.
 *
 * Usage: train_softmax [URL [STEPS [EPSILON]]]      EPSILON in levels, 0..255
 */
#include <inttypes.h>
#include <math.h>
#include <pasted.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVALUATED_STEPS 20

struct model {
    uint32_t n_classes;
    size_t n_inputs; /* values of an image */
    float *weights;  /* [n_classes][n_inputs] */
    float *bias;     /* [n_classes] */
    float *scores;   /* [n_classes] of the image at hand */
};

struct trainer {
    pasted_client *client;
    struct pasted_images shape; /* of a batch */
    struct model model;
    float epsilon;    /* of 0..1 */
    float *gradient;  /* [n][n_inputs] of the loss by the images */
    float *perturbed; /* [n][n_inputs] */
};

/* ---- the model ---------------------------------------------------------- */

/* scores: the probability of each class. image: [n_inputs] in 0..1. */
static void predict(struct model *m, const float *image)
{
    float most = -INFINITY, sum = 0;
    for (uint32_t c = 0; c < m->n_classes; c++) {
        const float *w = m->weights + c * m->n_inputs;
        float score = m->bias[c];
        for (size_t i = 0; i < m->n_inputs; i++)
            score += w[i] * (image[i] - 0.5f);
        m->scores[c] = score;
        most = score > most ? score : most;
    }
    for (uint32_t c = 0; c < m->n_classes; c++)
        sum += m->scores[c] = expf(m->scores[c] - most);
    for (uint32_t c = 0; c < m->n_classes; c++)
        m->scores[c] /= sum;
}

static bool is_right(const struct model *m, int64_t label)
{
    uint32_t best = 0;
    for (uint32_t c = 1; c < m->n_classes; c++)
        best = m->scores[c] > m->scores[best] ? c : best;
    return best == label;
}

/* One step of gradient descent on one image, after predict. */
static void learn(struct model *m, const float *image, int64_t label,
                  float rate)
{
    for (uint32_t c = 0; c < m->n_classes; c++) {
        float *w = m->weights + c * m->n_inputs;
        float step = rate * (m->scores[c] - (float)(c == label));
        m->bias[c] -= step;
        for (size_t i = 0; i < m->n_inputs; i++)
            w[i] -= step * (image[i] - 0.5f);
    }
}

/* Of the cross entropy by the image, after predict: sum over the classes of
 * (probability - [is label]) * weights. */
static void input_gradient(const struct model *m, int64_t label, float *out)
{
    memset(out, 0, m->n_inputs * sizeof(*out));
    for (uint32_t c = 0; c < m->n_classes; c++) {
        const float *w = m->weights + c * m->n_inputs;
        float part = m->scores[c] - (float)(c == label);
        for (size_t i = 0; i < m->n_inputs; i++)
            out[i] += part * w[i];
    }
}

/* ---- batches ------------------------------------------------------------ */

struct examples {
    struct pasted_tensor image, label; /* [n][c][h][w] f32, [n] i64 */
};

static int examples_of(const pasted_batch *batch, struct examples *out)
{
    int rc = pasted_batch_tensor(batch, "image", &out->image);
    return rc == PASTED_OK ? pasted_batch_tensor(batch, "label", &out->label)
                           : rc;
}

/* The images after an FGSM step against the model; in t->perturbed. */
static int perturb(struct trainer *t, const struct examples *e)
{
    const struct pasted_ball ball = {NULL, 0, (double)t->epsilon};
    const int64_t *label = e->label.data;
    const float *image = e->image.data;
    size_t size = t->model.n_inputs;
    for (uint32_t i = 0; i < t->shape.n; i++) {
        predict(&t->model, image + i * size);
        input_gradient(&t->model, label[i], t->gradient + i * size);
    }
    return pasted_fgsm(&t->shape, &ball, image, t->gradient, t->perturbed);
}

static void learn_all(struct trainer *t, const float *images,
                      const int64_t *label, float rate)
{
    for (uint32_t i = 0; i < t->shape.n; i++) {
        const float *image = images + i * t->model.n_inputs;
        predict(&t->model, image);
        learn(&t->model, image, label[i], rate);
    }
}

/* A step: the batch at the cursor, and what FGSM makes of it. */
static int train_step(struct trainer *t, float rate)
{
    pasted_batch *batch;
    struct examples e;
    int rc = pasted_next(t->client, &batch);
    if (rc != PASTED_OK)
        return rc; /* call it again to go on at the same position */
    rc = examples_of(batch, &e);
    if (rc == PASTED_OK)
        learn_all(t, e.image.data, e.label.data, rate);
    if (rc == PASTED_OK && t->epsilon > 0) {
        rc = perturb(t, &e);
        if (rc == PASTED_OK)
            learn_all(t, t->perturbed, e.label.data, rate);
    }
    pasted_batch_release(batch);
    return rc;
}

/* Adds how many of a batch the model gets right, as it is and perturbed. */
static int count_right(struct trainer *t, uint64_t position, uint64_t right[2])
{
    pasted_batch *batch;
    struct examples e;
    int rc = pasted_pull(t->client, position, &batch);
    if (rc != PASTED_OK)
        return rc;
    rc = examples_of(batch, &e);
    if (rc == PASTED_OK)
        rc = perturb(t, &e);
    for (uint32_t i = 0; rc == PASTED_OK && i < t->shape.n; i++) {
        const float *clean = e.image.data;
        int64_t label = ((const int64_t *)e.label.data)[i];
        predict(&t->model, clean + i * t->model.n_inputs);
        right[0] += is_right(&t->model, label);
        predict(&t->model, t->perturbed + i * t->model.n_inputs);
        right[1] += is_right(&t->model, label);
    }
    pasted_batch_release(batch);
    return rc;
}

/* ---- the run ------------------------------------------------------------ */

static int set_up(struct trainer *t, const struct pasted_info *info)
{
    struct model *m = &t->model;
    bool is_grey = info->channels == PASTED_GREY;
    t->shape =
        (struct pasted_images){info->n_samples, info->height, info->width,
                               is_grey ? 1 : 3, PASTED_F32,   PASTED_NCHW};
    m->n_classes = info->n_classes;
    m->n_inputs = (size_t)info->height * info->width * t->shape.channels;
    m->weights = calloc(m->n_classes * m->n_inputs, sizeof(float));
    m->bias = calloc(m->n_classes, sizeof(float));
    m->scores = calloc(m->n_classes, sizeof(float));
    t->gradient = calloc(t->shape.n * m->n_inputs, sizeof(float));
    t->perturbed = calloc(t->shape.n * m->n_inputs, sizeof(float));
    return m->weights && m->bias && m->scores && t->gradient && t->perturbed
               ? PASTED_OK
               : PASTED_NO_MEMORY;
}

static void tear_down(struct trainer *t)
{
    free(t->model.weights);
    free(t->model.bias);
    free(t->model.scores);
    free(t->gradient);
    free(t->perturbed);
    pasted_destroy(t->client);
}

static int open_stream(struct trainer *t, const char *url)
{
    struct pasted_info info;
    int rc = pasted_set(t->client, "dtype", "f32");
    if (rc == PASTED_OK)
        rc = pasted_set(t->client, "layout", "nchw");
    if (rc == PASTED_OK)
        rc = pasted_open(t->client, url);
    if (rc == PASTED_OK)
        rc = pasted_info(t->client, &info, sizeof info);
    return rc == PASTED_OK ? set_up(t, &info) : rc;
}

static int train(struct trainer *t, long n_steps)
{
    struct pasted_stats stats;
    float rate = 2.0f / (float)t->model.n_inputs;
    int rc = PASTED_OK;
    for (long step = 0; step < n_steps && rc == PASTED_OK; step++)
        rc = train_step(t, rate * (1 - (float)step / (float)n_steps));
    if (rc == PASTED_OK)
        rc = pasted_stats(t->client, &stats, sizeof stats);
    if (rc != PASTED_OK)
        return rc;
    double seconds = 1e-9 * (double)(stats.wait_ns + stats.busy_ns);
    printf("%ld steps in %.2f s, of which %.2f %% waited for batches\n",
           n_steps, seconds,
           seconds > 0 ? 1e-7 * (double)stats.wait_ns / seconds : 0);
    return PASTED_OK;
}

static int evaluate(struct trainer *t)
{
    uint64_t position, right[2] = {0, 0};
    struct pasted_info info;
    int rc = pasted_position(t->client, &position);
    if (rc == PASTED_OK)
        rc = pasted_info(t->client, &info, sizeof info);
    for (int i = 0; i < EVALUATED_STEPS && rc == PASTED_OK; i++)
        rc = count_right(t, position + (uint64_t)i * info.global_batch, right);
    if (rc != PASTED_OK)
        return rc;
    double n = (double)EVALUATED_STEPS * t->shape.n;
    printf("accuracy %.2f %%", 100 * (double)right[0] / n);
    if (t->epsilon > 0)
        printf(", %.2f %% after FGSM of %.3g levels",
               100 * (double)right[1] / n, 255 * (double)t->epsilon);
    printf(", on %.0f samples from position %" PRIu64 "\n", n, position);
    return PASTED_OK;
}

/* A plain decimal number of 0..most, and nothing else; false after saying so.
 */
static bool read_number(const char *name, const char *text, double most,
                        double *out)
{
    char *end;
    double value = strtod(text, &end);
    size_t n_plain = strspn(text, "0123456789.eE+-");
    if (n_plain > 0 && text[n_plain] == '\0' && *end == '\0' && value >= 0 &&
        value <= most) {
        *out = value;
        return true;
    }
    fprintf(stderr, "%s is a number from 0 to %.0f, not '%s'\n", name, most,
            text);
    return false;
}

static bool read_arguments(int argc, char **argv, double *n_steps,
                           double *levels)
{
    if (argc > 4)
        fprintf(stderr, "usage: train_softmax [URL [STEPS [EPSILON]]]\n");
    if (argc > 4 || (argc > 2 && !read_number("STEPS", argv[2], 1e9, n_steps)))
        return false;
    if (*n_steps != (double)(long)*n_steps) {
        fprintf(stderr, "STEPS is a whole number, not '%s'\n", argv[2]);
        return false;
    }
    return argc <= 3 || read_number("EPSILON", argv[3], 255, levels);
}

int main(int argc, char **argv)
{
    const char *url = argc > 1 ? argv[1] : "pasted://127.0.0.1:7700";
    double n_steps = 200, levels = 0;
    if (!read_arguments(argc, argv, &n_steps, &levels))
        return 2;
    struct trainer t = {.client = pasted_create(),
                        .epsilon = (float)levels / 255};
    if (t.client == NULL)
        return 1;
    int rc = open_stream(&t, url);
    if (rc == PASTED_OK)
        rc = train(&t, (long)n_steps);
    if (rc == PASTED_OK)
        rc = evaluate(&t);
    if (rc != PASTED_OK)
        fprintf(stderr, "%s: %s\n", pasted_status_name(rc),
                pasted_error(t.client));
    tear_down(&t);
    return rc == PASTED_OK ? 0 : 1;
}
