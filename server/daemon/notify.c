/* Datagrams to systemd and sockets from it. Reads the environment only here.
 * Source: sd_notify(3), sd_listen_fds(3). */
#include "server/daemon/notify.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */
#define MAX_FDS  16

void notify_send(const char *format, ...)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[512];
    va_list arguments;

    if (!path || (path[0] != '/' && path[0] != '@'))
        return;
    size_t n = strlen(path);
    if (n >= sizeof(address.sun_path))
        return;
    memcpy(address.sun_path, path, n);
    if (path[0] == '@') /* an abstract name begins with NUL */
        address.sun_path[0] = '\0';
    va_start(arguments, format);
    int n_text = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (n_text < 0)
        return;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    socklen_t n_address =
        (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
    (void)!sendto(fd, text,
                  (size_t)n_text < sizeof(text) ? (size_t)n_text
                                                : sizeof(text) - 1,
                  MSG_NOSIGNAL, (struct sockaddr *)&address, n_address);
    close(fd);
}

/* An environment variable as a number, 0 when it is none. */
static uint64_t env_number(const char *name)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 10) : 0;
}

uint64_t notify_watchdog_us(void)
{
    if (getenv("WATCHDOG_PID") &&
        env_number("WATCHDOG_PID") != (uint64_t)getpid())
        return 0;
    return env_number("WATCHDOG_USEC");
}

/* Copies the name that stands in front of the next ':' and moves on. */
static const char *next_name(const char *names, char out[32])
{
    size_t n = strcspn(names, ":");

    snprintf(out, 32, "%.*s", (int)(n < 31 ? n : 31), names);
    return names[n] ? names + n + 1 : names + n;
}

/* Why the descriptor cannot be listened on; NULL: it can. */
static const char *why_not(int fd, bool is_local)
{
    int listens = 0, family = 0;
    socklen_t n = sizeof(int);

    if (fcntl(fd, F_GETFD) < 0)
        return "is not open";
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &n))
        return "is no socket";
    if (!listens)
        return "is no listening socket";
    n = sizeof(int);
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n) ||
        (family == AF_UNIX) != is_local)
        return is_local ? "is no Unix socket" : "is a Unix socket";
    return NULL;
}

static int check_sockets(const struct notify_sockets *sockets,
                         struct fault *fault)
{
    const struct {
        const char *name;
        int fd;
    } kinds[] = {
        {"HTTP", sockets->http},
        {"TCP", sockets->tcp},
        {"Unix", sockets->local},
    };
    for (int i = 0; i < 3; i++) {
        const char *why = kinds[i].fd < 0 ? NULL : why_not(kinds[i].fd, i == 2);
        if (why)
            return fault_set(
                fault, ERROR_BAD_CONFIG,
                "the inherited %s socket: LISTEN_FDS=%.20s says that it is "
                "descriptor %d, which %s; start with systemd's socket units, "
                "or without LISTEN_FDS and LISTEN_PID",
                kinds[i].name, getenv("LISTEN_FDS"), kinds[i].fd, why);
    }
    return 0;
}

/* By name, else by order. */
static void assign(struct notify_sockets *sockets, int i, const char *name)
{
    int fd = FIRST_FD + i;

    if (strcmp(name, "tcp") == 0)
        sockets->tcp = fd;
    else if (strcmp(name, "http") == 0)
        sockets->http = fd;
    else if (strcmp(name, "unix") == 0)
        sockets->local = fd;
    else if (sockets->http < 0 && i == 0)
        sockets->http = fd;
    else if (sockets->tcp < 0)
        sockets->tcp = fd;
}

int notify_take_sockets(struct notify_sockets *out, struct fault *fault)
{
    const struct notify_sockets none = {-1, -1, -1};
    const char *names = getenv("LISTEN_FDNAMES");
    uint64_t n = env_number("LISTEN_FDS");

    *out = none;
    if (env_number("LISTEN_PID") != (uint64_t)getpid())
        return 0;
    for (int i = 0; i < (int)(n < MAX_FDS ? n : MAX_FDS); i++) {
        char name[32] = "";
        if (names)
            names = next_name(names, name);
        assign(out, i, name);
    }
    int rc = check_sockets(out, fault);
    if (rc)
        *out = none;
    for (int i = 0; rc == 0 && i < (int)(n < MAX_FDS ? n : MAX_FDS); i++)
        fcntl(FIRST_FD + i, F_SETFD, FD_CLOEXEC);
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return rc;
}
