/* Reads what a configuration names: recipes (preset or file) and class lists.
 * Loads no image. */
#include <stdio.h>
#include <string.h>

#include "server/base/mem.h"
#include "server/daemon/config.h"

#define CLASS_FILE_BYTES (16u << 20)

static int read_recipe_file(struct config_stream *s, struct fault *fault)
{
    char *text;
    size_t n_bytes;
    int rc = config_read_text(s->recipe_name, RECIPE_MAX_BYTES, &text, &n_bytes,
                              fault);

    if (rc)
        return rc;
    rc = recipe_parse(text, n_bytes, &s->recipe, fault);
    mem_free(text);
    return rc ? fault_prefix(fault, "%.200s", s->recipe_name) : 0;
}

/* "/streams/a/recipe" and "/object/scale: ..." make one pointer. */
static int place_recipe_fault(const struct config_stream *s,
                              struct fault *fault)
{
    char text[sizeof(fault->text)];

    snprintf(text, sizeof(text), "%s", fault->text);
    return fault_set(fault, (enum error_code)fault->code,
                     "/streams/%s/recipe%s%.400s", s->name,
                     text[0] == '/' ? "" : ": ", text);
}

/* A preset or a file. */
static int read_named_recipe(struct config_stream *s, struct fault *fault)
{
    if (strpbrk(s->recipe_name, "./"))
        return read_recipe_file(s, fault);
    int rc = recipe_preset(s->recipe_name, &s->recipe, fault);
    return rc ? fault_prefix(fault,
                             "\"%.60s\", which has no \".\" or \"/\" of a "
                             "file's name",
                             s->recipe_name)
              : 0;
}

/* in_file: whether a configuration file said it, or the command line. */
static int resolve_recipe(struct config_stream *s, bool in_file,
                          struct fault *fault)
{
    int rc = 0;

    if (s->recipe_text) {
        rc = recipe_parse(s->recipe_text, strlen(s->recipe_text), &s->recipe,
                          fault);
        if (rc)
            return place_recipe_fault(s, fault);
    } else if (s->recipe_name) {
        rc = read_named_recipe(s, fault);
        if (rc && in_file)
            return fault_prefix(fault, "/streams/%s/recipe", s->name);
        if (rc)
            return fault_prefix(fault, "--recipe");
    } else {
        recipe_default(&s->recipe);
    }
    if (s->has_seed)
        s->recipe.seed = s->seed;
    return 0;
}

/* One name a line; empty lines and those that begin with '#' say nothing. */
static int read_class_list(struct config_pool *p, char *text,
                           struct fault *fault)
{
    char *rest = text, *line;

    p->classes = mem_calloc(CONFIG_MAX_CLASSES, sizeof(*p->classes));
    if (!p->classes)
        return fault_set(fault, ERROR_NO_MEMORY, "out of memory");
    while ((line = strsep(&rest, "\n"))) {
        line[strcspn(line, "\r")] = '\0';
        if (!*line || *line == '#')
            continue;
        if (p->n_classes == CONFIG_MAX_CLASSES)
            return fault_set(fault, ERROR_BAD_CONFIG,
                             "%.200s: more than %d classes", p->classes_file,
                             CONFIG_MAX_CLASSES);
        p->classes[p->n_classes] = mem_strdup(line);
        if (!p->classes[p->n_classes])
            return fault_set(fault, ERROR_NO_MEMORY, "out of memory");
        p->n_classes++;
    }
    if (p->n_classes == 0)
        return fault_set(fault, ERROR_BAD_CONFIG, "%.200s: names no class",
                         p->classes_file);
    return 0;
}

static int resolve_classes(struct config_pool *p, struct fault *fault)
{
    char *text;
    size_t n_bytes;

    if (!p->classes_file || p->classes)
        return 0;
    int rc = config_read_text(p->classes_file, CLASS_FILE_BYTES, &text,
                              &n_bytes, fault);
    if (rc)
        return rc;
    rc = read_class_list(p, text, fault);
    mem_free(text);
    return rc;
}

int config_resolve(struct config *c, struct fault *fault)
{
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < c->n_pools; i++)
        rc = resolve_classes(&c->pools[i], fault);
    for (uint32_t i = 0; rc == 0 && i < c->n_streams; i++)
        rc = resolve_recipe(&c->streams[i], c->config_file != NULL, fault);
    return rc;
}
