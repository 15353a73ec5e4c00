/* The log's sink: one line a record, one write each, to standard error. Does
 * not rotate, buffer or colour. Threads: any. */
#include "server/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RECORD_BYTES 2048

static _Atomic int level_now = LOG_INFO;

static const char *const level_names[] = {"error", "warn", "info", "debug"};

int log_level_from_name(const char *name)
{
    for (int i = 0; i <= LOG_DEBUG; i++) {
        if (strcmp(name, level_names[i]) == 0)
            return i;
    }
    return -1;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&level_now, level, memory_order_relaxed);
}

/* "2026-01-31T12:00:00.123Z info  " */
static size_t write_prefix(char *out, size_t n_bytes, enum log_level level)
{
    struct timespec now;
    struct tm utc;
    int n;

    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    n = snprintf(out, n_bytes, "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %-5s ",
                 utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday, utc.tm_hour,
                 utc.tm_min, utc.tm_sec, now.tv_nsec / 1000000,
                 level_names[level]);
    return n < 0 ? 0 : (size_t)n;
}

void log_write(enum log_level level, const char *format, ...)
{
    char record[RECORD_BYTES];
    size_t start, end;
    va_list arguments;
    ssize_t written;
    int n;

    if ((int)level > atomic_load_explicit(&level_now, memory_order_relaxed))
        return;
    start = write_prefix(record, sizeof(record) - 1, level);
    va_start(arguments, format);
    n = vsnprintf(record + start, sizeof(record) - 1 - start, format,
                  arguments);
    va_end(arguments);
    end = start + (n < 0 ? 0 : (size_t)n);
    if (end > sizeof(record) - 2)
        end = sizeof(record) - 2;
    /* What a peer or a file name brought in must not forge a second record. */
    for (size_t i = start; i < end; i++) {
        unsigned char c = (unsigned char)record[i];

        if (c < 0x20 || c == 0x7f)
            record[i] = ' ';
    }
    record[end++] = '\n';
    written = write(STDERR_FILENO, record, end);
    (void)written; /* nowhere left to complain */
}
