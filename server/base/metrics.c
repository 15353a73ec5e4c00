/* Counters and gauges in one array, and their text exposition. Keeps no
 * history and no histograms. Threads: any; relaxed atomics.
 * Source: Prometheus text format 0.0.4. */
#include "server/base/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "server/base/host.h"
#include "server/base/mem.h"
#include "server/base/version.h"

#define TEXT_START_BYTES 8192

static _Atomic int64_t values[METRIC_COUNT];

static const struct {
    const char *type, *name, *help;
} rows[METRIC_COUNT] = {
#define X(id, kind, text, about) {#kind, text, about},
    METRICS_TABLE(X)
#undef X
};

void metric_add(enum metric m, int64_t v)
{
    atomic_fetch_add_explicit(&values[m], v, memory_order_relaxed);
}

void metric_set(enum metric m, int64_t v)
{
    atomic_store_explicit(&values[m], v, memory_order_relaxed);
}

int64_t metric_get(enum metric m)
{
    return atomic_load_explicit(&values[m], memory_order_relaxed);
}

/* A text that grows; failed stays set once memory was short. */
struct text {
    char *data;
    size_t n_bytes, capacity;
    bool failed;
};

static void text_grow(struct text *t, size_t n_more)
{
    size_t capacity = t->capacity;
    char *data;

    while (capacity - t->n_bytes <= n_more)
        capacity *= 2;
    if (capacity == t->capacity)
        return;
    data = mem_realloc(t->data, capacity);
    if (!data) {
        t->failed = true;
        return;
    }
    t->data = data;
    t->capacity = capacity;
}

static void __attribute__((format(printf, 2, 3)))
text_print(struct text *t, const char *format, ...)
{
    va_list arguments;
    int n;

    va_start(arguments, format);
    n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (n < 0)
        t->failed = true;
    if (!t->failed)
        text_grow(t, (size_t)n);
    if (t->failed)
        return;
    va_start(arguments, format);
    vsnprintf(t->data + t->n_bytes, t->capacity - t->n_bytes, format,
              arguments);
    va_end(arguments);
    t->n_bytes += (size_t)n;
}

static void print_family(struct text *t, const char *name, const char *type,
                         const char *help)
{
    int n = (int)strcspn(name, "{");

    text_print(t, "# HELP %.*s %s\n# TYPE %.*s %s\n", n, name, help, n, name,
               type);
}

static bool same_family(const char *a, const char *b)
{
    size_t n = strcspn(a, "{");

    return n == strcspn(b, "{") && memcmp(a, b, n) == 0;
}

/* Whole seconds and nanoseconds without a detour through floating point. */
static void print_seconds(struct text *t, const char *name, int64_t ns)
{
    text_print(t, "%s %" PRId64 ".%09" PRId64 "\n", name, ns / 1000000000,
               ns % 1000000000);
}

static void print_table(struct text *t)
{
    for (int i = 0; i < METRIC_COUNT; i++) {
        if (i == 0 || !same_family(rows[i - 1].name, rows[i].name))
            print_family(t, rows[i].name, rows[i].type, rows[i].help);
        if (i == METRIC_COMPOSE_NS)
            print_seconds(t, rows[i].name, metric_get(METRIC_COMPOSE_NS));
        else
            text_print(t, "%s %" PRId64 "\n", rows[i].name,
                       metric_get((enum metric)i));
    }
}

/* Entries of /proc/self/fd, less the descriptor that counts them. */
static int64_t open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int64_t n = -1;

    if (!folder)
        return 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        n += entry->d_name[0] != '.';
    closedir(folder);
    return n;
}

/* Field 22 of /proc/self/stat (clock ticks after boot) on the wall clock, in
 * nanoseconds; 0 when it cannot be read. The command in field 2 may hold
 * blanks, so counting begins after its closing parenthesis. */
static int64_t start_time_ns(void)
{
    char stat[1024];
    struct timespec boot, now;
    FILE *file = fopen("/proc/self/stat", "re");
    size_t n = file ? fread(stat, 1, sizeof(stat) - 1, file) : 0;
    char *field;
    int64_t ns_a_tick = 1000000000 / sysconf(_SC_CLK_TCK);

    if (file)
        fclose(file);
    stat[n] = '\0';
    field = strrchr(stat, ')');
    for (int i = 2; field && i < 22; i++)
        field = strchr(field + 1, ' ');
    if (!field)
        return 0;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_REALTIME, &now);
    return (now.tv_sec - boot.tv_sec) * 1000000000 +
           (now.tv_nsec - boot.tv_nsec) +
           (int64_t)strtoll(field + 1, NULL, 10) * ns_a_tick;
}

static int64_t cpu_ns(void)
{
    struct rusage used = {0};

    getrusage(RUSAGE_SELF, &used);
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000000 +
           (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1000;
}

static void print_process(struct text *t)
{
    print_family(t, "process_cpu_seconds_total", "counter",
                 "User and system CPU time spent.");
    print_seconds(t, "process_cpu_seconds_total", cpu_ns());
    print_family(t, "process_resident_memory_bytes", "gauge",
                 "Resident memory size.");
    text_print(t, "process_resident_memory_bytes %" PRIu64 "\n",
               host_resident_bytes());
    print_family(t, "process_open_fds", "gauge", "Open file descriptors.");
    text_print(t, "process_open_fds %" PRId64 "\n", open_descriptors());
    print_family(t, "process_start_time_seconds", "gauge",
                 "Start time of the process since the Unix epoch.");
    print_seconds(t, "process_start_time_seconds", start_time_ns());
    print_family(t, "pasted_build_info", "gauge",
                 "Always 1; the labels say what is running.");
    text_print(t, "pasted_build_info{version=\"%s\",engine=\"%d\"} 1\n",
               PASTED_VERSION_TEXT, ENGINE_VERSION);
}

char *metrics_print(size_t *out_bytes)
{
    struct text t = {.data = mem_calloc(1, TEXT_START_BYTES),
                     .capacity = TEXT_START_BYTES};

    if (!t.data)
        return NULL;
    print_table(&t);
    print_process(&t);
    if (t.failed) {
        mem_free(t.data);
        return NULL;
    }
    *out_bytes = t.n_bytes;
    return t.data;
}
