/* /v1/operations, /v1/presets, /v1/presets/NAME: what a recipe may say. They
 * need neither pools nor workers. */
#include <stdio.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/http/route.h"
#include "server/recipe/topic.h"

static void answer_topic(struct http_request *r, const char *topic)
{
    struct fault fault = {0};
    char *text;

    if (recipe_topic(topic, &text, &fault) != 0) {
        http_fail_fault(r, &fault);
        return;
    }
    http_answer_json_text(r, (struct http_body){text, strlen(text), mem_free});
}

void http_get_operations(struct http_request *r)
{
    answer_topic(r, "operations");
}

void http_get_presets(struct http_request *r)
{
    answer_topic(r, "presets");
}

void http_get_preset(struct http_request *r)
{
    char topic[HTTP_CAPTURE_BYTES + 16];

    snprintf(topic, sizeof(topic), "preset %s", r->captures.text[0]);
    answer_topic(r, topic);
}
