/* The words that recipes and reports use for orders, pairings and balances.
 * Knows no default: the recipe chooses. */
#include <stddef.h>
#include <string.h>

#include "server/graph/graph.h"

static const char *const order_names[] = {
    [GRAPH_DEALT] = "dealt",
    [GRAPH_MIXED] = "mixed",
    [GRAPH_SHUFFLED] = "shuffled",
};

static const char *const pairing_names[] = {
    [GRAPH_BALANCED] = "balanced",
    [GRAPH_INDEPENDENT] = "independent",
};

static const char *const balance_names[] = {
    [GRAPH_BY_CLASS] = "class",
    [GRAPH_BY_OBJECT] = "object",
};

#define COUNT(names) (sizeof(names) / sizeof(names)[0])

static const char *name_of(const char *const *names, size_t n, unsigned value)
{
    return value < n ? names[value] : "unknown";
}

static int value_of(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return (int)i;
    return -1;
}

const char *graph_order_name(enum graph_order order)
{
    return name_of(order_names, COUNT(order_names), order);
}

int graph_order_from_name(const char *name)
{
    return value_of(order_names, COUNT(order_names), name);
}

const char *graph_pairing_name(enum graph_pairing pairing)
{
    return name_of(pairing_names, COUNT(pairing_names), pairing);
}

int graph_pairing_from_name(const char *name)
{
    return value_of(pairing_names, COUNT(pairing_names), name);
}

const char *graph_balance_name(enum graph_balance balance)
{
    return name_of(balance_names, COUNT(balance_names), balance);
}

int graph_balance_from_name(const char *name)
{
    return value_of(balance_names, COUNT(balance_names), name);
}
