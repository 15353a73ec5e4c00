/* The entry points that say how a stream goes on: its saved place, and the
 * feedback table that decides its distractors. No sockets. */
#include <stdlib.h>
#include <string.h>

#include "client/lib/handle.h"
#include "client/lib/state.h"
#include "common/feedback.h"
#include "common/fingerprint.h"

int pasted_state(pasted_client *c, char *out, size_t out_bytes)
{
    struct fault fault = {0};
    int rc = check_open(c, __func__);
    if (rc == 0)
        rc = check_own_cursor(c, __func__);
    if (rc != 0)
        return rc;
    const struct stream_facts *f = prefetch_facts(c->prefetch);
    struct state state = {.position = prefetch_cursor(c->prefetch)};
    memcpy(state.stream, f->stream, sizeof state.stream);
    memcpy(state.fingerprint, f->opened.fingerprint, sizeof state.fingerprint);
    state.has_feedback = f->has_feedback;
    memcpy(state.feedback, f->feedback, sizeof state.feedback);
    rc = state_format(&state, out, out_bytes);
    return rc != 0 ? fail(c, __func__, &fault, rc) : PASTED_OK;
}

/* Opens the same stream once more with other options, then leaves the one that
 * is open: when that fails, nothing has changed. */
static int reopen(pasted_client *c, const struct options *options,
                  uint64_t position, struct fault *fault)
{
    const struct stream_facts *f = prefetch_facts(c->prefetch);
    struct options o = *options;
    struct prefetch *p, *before;
    o.position = position;
    o.has_fingerprint = true;
    memcpy(o.fingerprint, f->opened.fingerprint, sizeof o.fingerprint);
    memcpy(o.stream, f->stream, sizeof o.stream);
    int rc = prefetch_create(&o, &p, fault);
    if (rc != 0)
        return rc;
    pthread_mutex_lock(&c->mutex);
    before = c->prefetch;
    c->prefetch = p;
    pthread_mutex_unlock(&c->mutex);
    prefetch_destroy(before);
    if (c->table != o.table) {
        free(c->table);
        c->table = NULL;
    }
    c->options = o;
    return 0;
}

static void name_feedback(struct options *o, const struct state *state)
{
    o->has_feedback = state->has_feedback;
    memcpy(o->feedback, state->feedback, sizeof o->feedback);
}

static int restore_open(pasted_client *c, const struct state *state,
                        struct fault *fault)
{
    const struct stream_facts *f = prefetch_facts(c->prefetch);
    if (strcmp(f->stream, state->stream) != 0)
        return fault_set(fault, ERROR_FINGERPRINT,
                         "the state is of stream '%.80s', open is '%.80s'",
                         state->stream, f->stream);
    if (memcmp(f->opened.fingerprint, state->fingerprint,
               sizeof state->fingerprint) != 0) {
        char why[FINGERPRINT_TEXT_BYTES];
        fingerprint_explain(f->opened.fingerprint, state->fingerprint, why);
        return fault_set(fault, ERROR_FINGERPRINT,
                         "stream '%.80s' has another fingerprint than when "
                         "the state was saved: %s",
                         state->stream, why);
    }
    if (f->has_feedback == state->has_feedback &&
        memcmp(f->feedback, state->feedback, sizeof state->feedback) == 0) {
        prefetch_seek(c->prefetch, state->position);
        return 0;
    }
    struct options o = c->options; /* of its table the digest alone is known */
    o.table = NULL;
    name_feedback(&o, state);
    return reopen(c, &o, state->position, fault);
}

static void restore_closed(pasted_client *c, const struct state *state)
{
    struct options *o = &c->options;
    memcpy(o->stream, state->stream, sizeof o->stream);
    memcpy(o->fingerprint, state->fingerprint, sizeof o->fingerprint);
    o->has_fingerprint = true;
    o->position = state->position;
    name_feedback(o, state);
}

int pasted_restore(pasted_client *c, const char *text)
{
    struct fault fault = {0};
    struct state state;
    if (forked(c))
        return PASTED_FORKED;
    int rc = check_own_cursor(c, __func__);
    if (rc != 0)
        return rc;
    rc = state_parse(text, &state, &fault);
    if (rc == 0 && c->prefetch != NULL)
        rc = restore_open(c, &state, &fault);
    if (rc != 0)
        return fail(c, __func__, &fault, rc);
    if (c->prefetch == NULL)
        restore_closed(c, &state);
    return PASTED_OK;
}

/* Numbers -> weights as they travel, malloc'ed. */
static int make_table(const double *numbers, uint32_t n, uint8_t **out,
                      struct fault *fault)
{
    int rc = feedback_check_classes(n, 0, fault);
    if (rc != 0)
        return rc;
    uint8_t *table = malloc(2 * (size_t)n * n);
    if (table == NULL)
        return fault_set(fault, ERROR_NO_MEMORY, "out of memory");
    for (uint32_t i = 0; rc == 0 && i < n; i++)
        rc = feedback_scale_row(numbers + (size_t)i * n, n, i, NULL,
                                table + 2 * (size_t)i * n, fault);
    if (rc != 0)
        free(table);
    else
        *out = table;
    return rc;
}

/* Takes table over, also when it fails. */
static int use_table(pasted_client *c, uint8_t *table, uint32_t n_classes,
                     struct fault *fault)
{
    struct options o = c->options;
    uint8_t *before = c->table;
    o.table = table;
    o.table_classes = n_classes;
    if (c->prefetch == NULL) { /* a digest that a state named stays */
        o.has_feedback = o.has_feedback && table != NULL;
        c->options = o;
        c->table = table;
        free(before);
        return 0;
    }
    o.has_feedback = false;
    c->table = table;
    int rc = reopen(c, &o, prefetch_cursor(c->prefetch), fault);
    if (rc == 0) {
        free(before);
    } else {
        c->table = before;
        free(table);
    }
    return rc;
}

int pasted_feedback(pasted_client *c, const double *weights, uint32_t n_classes)
{
    struct fault fault = {0};
    uint8_t *table = NULL;
    if (forked(c))
        return PASTED_FORKED;
    int rc = check_own_cursor(c, __func__);
    if (rc != 0)
        return rc;
    if (weights != NULL)
        rc = make_table(weights, n_classes, &table, &fault);
    if (rc == 0)
        rc = use_table(c, table, n_classes, &fault);
    return rc != 0 ? fail(c, __func__, &fault, rc) : PASTED_OK;
}
