/* Feedback tables by digest, the latest used first. Knows no connection.
 * Threads: loop thread only. */
#include "server/serve/feedback_store.h"

#include <inttypes.h>
#include <string.h>

#include "server/base/host.h"
#include "server/base/mem.h"
#include "server/base/metrics.h"

struct entry {
    struct feedback *table; /* one reference */
    uint64_t used_ns;
};

struct feedback_store {
    struct feedback_limits limits;
    uint64_t n_bytes;
    uint32_t n_entries;
    struct entry entry[]; /* [max_tables], the latest used first */
};

struct feedback_limits feedback_limits_default(void)
{
    return (struct feedback_limits){
        .max_bytes = 64ull << 20,
        .max_tables = 256,
        .max_classes = FEEDBACK_MAX_CLASSES,
        .lifetime_ns = 3600 * 1000000000ull,
    };
}

int feedback_store_create(const struct feedback_limits *limits,
                          struct feedback_store **out_store,
                          struct fault *fault)
{
    struct feedback_store *s =
        mem_calloc(1, sizeof(*s) + limits->max_tables * sizeof(s->entry[0]));

    if (!s)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for feedback");
    s->limits = *limits;
    *out_store = s;
    return 0;
}

static void tell(const struct feedback_store *s)
{
    metric_set(METRIC_FEEDBACK_TABLES, s->n_entries);
    metric_set(METRIC_FEEDBACK_BYTES, (int64_t)s->n_bytes);
}

static void drop(struct feedback_store *s, uint32_t i)
{
    struct feedback *table = s->entry[i].table;

    s->n_bytes -= feedback_memory_bytes(table->n_classes);
    s->n_entries--;
    memmove(&s->entry[i], &s->entry[i + 1],
            (s->n_entries - i) * sizeof(s->entry[0]));
    feedback_unref(table);
    tell(s);
}

void feedback_store_destroy(struct feedback_store *s)
{
    if (!s)
        return;
    while (s->n_entries > 0)
        drop(s, s->n_entries - 1);
    mem_free(s);
}

static bool is_held(const struct entry *e)
{
    return e->table->n_refs > 1;
}

void feedback_store_expire(struct feedback_store *s)
{
    const uint64_t now = host_now_ns();

    for (uint32_t i = s->n_entries; i-- > 0;) {
        struct entry *e = &s->entry[i];
        if (is_held(e)) /* its life begins when it is let go */
            e->used_ns = now;
        else if (now - e->used_ns >= s->limits.lifetime_ns)
            drop(s, i);
    }
}

static int find(const struct feedback_store *s, const struct digest *digest)
{
    for (uint32_t i = 0; s && i < s->n_entries; i++)
        if (memcmp(&s->entry[i].table->digest, digest, sizeof(*digest)) == 0)
            return (int)i;
    return -1;
}

/* Puts it first. */
static struct feedback *use(struct feedback_store *s, int i)
{
    struct entry e = s->entry[i];

    e.used_ns = host_now_ns();
    memmove(&s->entry[1], &s->entry[0], (size_t)i * sizeof(s->entry[0]));
    s->entry[0] = e;
    return feedback_ref(e.table);
}

static bool fits(const struct feedback_store *s, uint64_t n_bytes)
{
    return s->n_entries < s->limits.max_tables &&
           s->n_bytes + n_bytes <= s->limits.max_bytes;
}

static int make_room(struct feedback_store *s, uint64_t n_bytes,
                     struct fault *fault)
{
    for (uint32_t i = s->n_entries; i-- > 0 && !fits(s, n_bytes);)
        if (!is_held(&s->entry[i])) {
            drop(s, i);
            metric_add(METRIC_FEEDBACK_EVICTIONS, 1);
        }
    if (fits(s, n_bytes))
        return 0;
    return fault_set(fault, ERROR_OVERLOADED,
                     "%" PRIu32 " feedback tables are in use, and there is no "
                     "room for another",
                     s->n_entries);
}

static int add(struct feedback_store *s, struct feedback *table,
               struct fault *fault)
{
    const uint64_t n_bytes = feedback_memory_bytes(table->n_classes);
    int rc = make_room(s, n_bytes, fault);

    if (rc < 0)
        return rc;
    memmove(&s->entry[1], &s->entry[0], s->n_entries * sizeof(s->entry[0]));
    s->entry[0] = (struct entry){feedback_ref(table), host_now_ns()};
    s->n_entries++;
    s->n_bytes += n_bytes;
    tell(s);
    return 0;
}

static int check(const struct feedback_store *s, const struct stream *stream,
                 uint32_t n_classes, const uint8_t *weights,
                 struct fault *fault)
{
    const struct catalog *c = stream->catalog;
    int rc = feedback_check_classes(n_classes, c->n_classes, fault);

    if (rc == 0 && n_classes > s->limits.max_classes)
        rc = fault_set(fault, ERROR_TOO_LARGE,
                       "feedback tables of at most %" PRIu32 " classes are "
                       "kept here, and stream %s has %" PRIu32,
                       s->limits.max_classes, stream->name, n_classes);
    for (uint32_t row = 0; rc == 0 && row < n_classes; row++)
        rc = feedback_check_row(weights + 2 * (size_t)row * n_classes,
                                n_classes, row, c->classes, fault);
    return rc;
}

static int put(struct feedback_store *s, const struct stream *stream,
               uint32_t n_classes, const uint8_t *weights,
               struct feedback **out_table, struct fault *fault)
{
    int rc = check(s, stream, n_classes, weights, fault);

    if (rc < 0)
        return rc;
    struct feedback *table = feedback_create(n_classes, weights);
    if (!table)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for feedback");
    const int i = find(s, &table->digest);
    if (i >= 0) {
        *out_table = use(s, i);
        feedback_unref(table);
        return 0;
    }
    rc = add(s, table, fault);
    if (rc < 0)
        feedback_unref(table);
    else
        *out_table = table;
    return rc;
}

int feedback_store_put(struct feedback_store *s, const struct stream *stream,
                       uint32_t n_classes, const uint8_t *weights,
                       struct feedback **out_table, struct fault *fault)
{
    if (!s)
        return fault_set(fault, ERROR_NOT_FOUND,
                         "this server keeps no feedback tables");
    feedback_store_expire(s);
    int rc = put(s, stream, n_classes, weights, out_table, fault);

    metric_add(rc < 0 ? METRIC_FEEDBACK_REFUSED : METRIC_FEEDBACK_TAKEN, 1);
    return rc;
}

int feedback_store_find(struct feedback_store *s, const struct stream *stream,
                        const struct digest *digest,
                        struct feedback **out_table, struct fault *fault)
{
    if (!recipe_wants_distractor(&stream->recipe))
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "feedback: the recipe of stream %s has no "
                         "/distractor/probability, so a table decides nothing",
                         stream->name);
    if (s)
        feedback_store_expire(s);
    const int i = find(s, digest);
    if (i < 0) {
        char hex[DIGEST_HEX_BYTES];
        digest_hex(digest, hex);
        metric_add(METRIC_FEEDBACK_UNKNOWN, 1);
        return fault_set(fault, ERROR_UNKNOWN_FEEDBACK,
                         "feedback %s: not here, or no longer; upload the "
                         "table again",
                         hex);
    }
    int rc = feedback_check_classes(s->entry[i].table->n_classes,
                                    stream->catalog->n_classes, fault);
    if (rc == 0)
        *out_table = use(s, i);
    return rc;
}

const struct feedback *feedback_store_look(const struct feedback_store *s,
                                           const struct digest *digest)
{
    const int i = find(s, digest);

    return i < 0 ? NULL : s->entry[i].table;
}

bool feedback_store_entry(const struct feedback_store *s, uint32_t i,
                          struct feedback_entry *out)
{
    if (!s || i >= s->n_entries)
        return false;
    out->table = s->entry[i].table;
    out->is_held = is_held(&s->entry[i]);
    out->unused_ns = out->is_held ? 0 : host_now_ns() - s->entry[i].used_ns;
    return true;
}
