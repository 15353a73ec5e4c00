/* The natural order of names. Knows no locale. */
#include "server/pool/natural.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits(const char *s)
{
    size_t n = 0;

    while (is_digit(s[n]))
        n++;
    return n;
}

/* Two runs of digits by value; moves both past their run. */
static int compare_runs(const char **a, const char **b)
{
    while (**a == '0')
        (*a)++;
    while (**b == '0')
        (*b)++;
    const size_t n_a = digits(*a), n_b = digits(*b);
    int order = n_a < n_b ? -1 : n_a > n_b;

    if (order == 0)
        order = memcmp(*a, *b, n_a);
    *a += n_a;
    *b += n_b;
    return order;
}

static int rank(char c)
{
    if (c == '\0')
        return 0;
    return c == '/' ? 1 : 1 + (unsigned char)c;
}

int natural_compare(const char *a, const char *b)
{
    const char *whole_a = a, *whole_b = b;

    while (*a && *b) {
        int order;

        if (is_digit(*a) && is_digit(*b)) {
            order = compare_runs(&a, &b);
        } else {
            order = rank(*a) - rank(*b);
            a++;
            b++;
        }
        if (order)
            return order;
    }
    if (*a || *b)
        return rank(*a) - rank(*b);
    return strcmp(whole_a, whole_b);
}
