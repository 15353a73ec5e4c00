/* The log: one line a record to standard error, levels, no secrets.
 * The one mutable global beside the kernel table and the metrics.
 * Threads: any. Inner modules never log; they return. */
#ifndef PASTED_BASE_LOG_H
#define PASTED_BASE_LOG_H

enum log_level { LOG_ERROR = 0, LOG_WARN = 1, LOG_INFO = 2, LOG_DEBUG = 3 };

/* "error", "warn", "info", "debug" -> level, else -1. */
int log_level_from_name(const char *name);
void log_set_level(enum log_level level);
void log_write(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...) log_write(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_write(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_write(LOG_DEBUG, __VA_ARGS__)

#endif
