/* Opens listening sockets and tells what they are bound to. Accepts nothing.
 * Errors: a sentence that names the address and what the system said. */
#include "server/http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union any_address {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_storage storage;
};

/* Length of the address, 0 when the text is none. */
static socklen_t read_address(const char *text, uint16_t port,
                              union any_address *out)
{
    memset(out, 0, sizeof(*out));
    if (inet_pton(AF_INET, text, &out->in.sin_addr) == 1) {
        out->in.sin_family = AF_INET;
        out->in.sin_port = htons(port);
        return sizeof(out->in);
    }
    if (inet_pton(AF_INET6, text, &out->in6.sin6_addr) == 1) {
        out->in6.sin6_family = AF_INET6;
        out->in6.sin6_port = htons(port);
        return sizeof(out->in6);
    }
    return 0;
}

static bool address_is_loopback(const union any_address *a)
{
    if (a->sa.sa_family == AF_INET)
        return ntohl(a->in.sin_addr.s_addr) >> 24 == 127;
    if (a->sa.sa_family == AF_INET6) {
        const struct in6_addr *in6 = &a->in6.sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(in6) ||
               (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127);
    }
    return a->sa.sa_family == AF_UNIX;
}

int listen_open(const char *address, uint16_t port, int backlog, int *out_fd,
                struct fault *fault)
{
    union any_address a;
    socklen_t n = read_address(address, port, &a);
    int on = 1, off = 0;

    if (n == 0)
        return fault_set(fault, ERROR_BAD_ARGUMENT,
                         "\"%.80s\" is not a numeric address", address);
    int fd =
        socket(a.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        goto refuse;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (a.sa.sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, &a.sa, n) || (backlog > 0 && listen(fd, backlog)))
        goto close_fd;
    *out_fd = fd;
    return 0;

    int why;
close_fd:
    why = errno;
    close(fd);
    errno = why;
refuse:
    return fault_set(fault, ERROR_IO, "cannot listen on %s port %u: %s",
                     address, port, strerror(errno));
}

uint16_t listen_port(int fd)
{
    union any_address a;
    socklen_t n = sizeof(a);

    if (getsockname(fd, &a.sa, &n))
        return 0;
    if (a.sa.sa_family == AF_INET)
        return ntohs(a.in.sin_port);
    if (a.sa.sa_family == AF_INET6)
        return ntohs(a.in6.sin6_port);
    return 0;
}

bool listen_is_address(const char *address)
{
    union any_address a;

    return read_address(address, 0, &a) > 0;
}

bool listen_is_loopback(const char *address)
{
    union any_address a;

    return read_address(address, 0, &a) > 0 && address_is_loopback(&a);
}

bool listen_fd_is_loopback(int fd)
{
    union any_address a;
    socklen_t n = sizeof(a);

    return getsockname(fd, &a.sa, &n) == 0 && address_is_loopback(&a);
}
