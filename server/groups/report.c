/* Reports of groups as JSON. Does not know how leases are stored. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "server/base/mem.h"
#include "server/groups/lease.h"

static json_t *json_u64(uint64_t v)
{
    return json_integer((json_int_t)(v < INT64_MAX ? v : INT64_MAX));
}

static json_t *member_name(const struct group_report *r, uint32_t index)
{
    return index == GROUP_NO_MEMBER ? json_null()
                                    : json_string(r->members[index].name);
}

static json_t *members_json(const struct group_report *r)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < r->n_members; i++) {
        const struct group_report_member *m = &r->members[i];
        json_array_append_new(
            list,
            json_pack("{s:s, s:b, s:i, s:o, s:o, s:o, s:o}", "name", m->name,
                      "here", m->here, "leases", (int)m->n_leases, "delivered",
                      json_u64(m->n_delivered), "acknowledged",
                      json_u64(m->n_acknowledged), "lost", json_u64(m->n_lost),
                      "refused", json_u64(m->n_refused)));
    }
    return list;
}

static json_t *open_json(const struct group_report *r)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < r->n_open; i++)
        json_array_append_new(
            list,
            json_pack("{s:o, s:o, s:i}", "step", json_u64(r->open[i].step),
                      "member", member_name(r, r->open[i].member), "deliveries",
                      (int)r->open[i].n_deliveries));
    return list;
}

/* Everything begun and not open, as [first, end) pairs. */
static json_t *acknowledged_json(const struct group_report *r)
{
    json_t *list = json_array();
    uint64_t first = 0;
    for (uint32_t i = 0; i <= r->n_open; i++) {
        uint64_t end = i < r->n_open ? r->open[i].step : r->n_begun;
        if (end > first)
            json_array_append_new(
                list, json_pack("[o, o]", json_u64(first), json_u64(end)));
        first = end + 1;
    }
    return list;
}

static json_t *rows_json(const struct group_report *r)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < r->n_rows; i++)
        json_array_append_new(
            list, json_pack("{s:o, s:o, s:o, s:i}", "first",
                            json_u64(r->rows[i].first), "steps",
                            json_u64(r->rows[i].n_steps), "member",
                            member_name(r, r->rows[i].member), "deliveries",
                            (int)r->rows[i].n_deliveries));
    return list;
}

static json_t *terms_json(const struct group_report *r)
{
    const struct group_terms *t = &r->terms;
    char hex[2 * WIRE_FINGERPRINT_BYTES + 1];
    for (size_t i = 0; i < WIRE_FINGERPRINT_BYTES; i++)
        snprintf(hex + 2 * i, 3, "%02x", t->fingerprint[i]);
    return json_pack("{s:s, s:s, s:s, s:I, s:I, s:o, s:o, s:I, s:b}", "group",
                     t->name, "stream", t->stream, "fingerprint", hex,
                     "global_batch", (json_int_t)t->global_batch, "world",
                     (json_int_t)t->world, "position", json_u64(t->position),
                     "steps", t->n_steps ? json_u64(t->n_steps) : json_null(),
                     "lease_ms", (json_int_t)t->lease_ms, "ended", r->ended);
}

static json_t *report_json(const struct group_report *r)
{
    json_t *json = terms_json(r);
    json_object_set_new(json, "begun", json_u64(r->n_begun));
    json_object_set_new(json, "acknowledged", json_u64(r->n_acknowledged));
    json_object_set_new(json, "deliveries", json_u64(r->n_deliveries));
    json_object_set_new(json, "waiting", json_u64(r->n_returned));
    json_object_set_new(json, "refused", json_u64(r->n_refused));
    json_object_set_new(json, "members", members_json(r));
    json_object_set_new(json, "open", open_json(r));
    json_object_set_new(json, "acknowledged_ranges", acknowledged_json(r));
    json_object_set_new(json, "rows_from", json_u64(r->rows_from));
    json_object_set_new(json, "rows", rows_json(r));
    json_object_set_new(json, "rows_next",
                        r->rows_next ? json_u64(r->rows_next) : json_null());
    return json;
}

static json_t *list_json(struct lease_store *s, const char *stream)
{
    char names[GROUPS_MAX][GROUP_NAME_BYTES];
    uint32_t n = s->calls->list(s, stream, names, GROUPS_MAX);
    json_t *list = json_array();
    for (uint32_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(names[i]));
    return json_pack("{s:s, s:o}", "stream", stream, "groups", list);
}

/* Takes json over. */
static int to_text(json_t *json, char **out_text, struct fault *fault)
{
    size_t n = json ? json_dumpb(json, NULL, 0, JSON_COMPACT) : 0;
    char *text = n > 0 ? mem_calloc(1, n + 1) : NULL;
    if (text)
        json_dumpb(json, text, n, JSON_COMPACT);
    json_decref(json);
    if (!text)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for a report");
    *out_text = text;
    return 0;
}

int group_report_text(struct lease_store *s, const char *stream,
                      const char *name, uint64_t first_row, char **out_text,
                      struct fault *fault)
{
    struct group_report *r;
    if (!name)
        return to_text(list_json(s, stream), out_text, fault);
    int rc = s->calls->report(s, stream, name, first_row, &r);
    if (rc == -ERROR_NOT_FOUND)
        return fault_set(fault, ERROR_NOT_FOUND,
                         "stream %s has no group \"%s\"", stream, name);
    if (rc != 0)
        return fault_set(fault, ERROR_NO_MEMORY, "no memory for a report");
    json_t *json = report_json(r);
    mem_free(r);
    return to_text(json, out_text, fault);
}
