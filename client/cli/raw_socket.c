/* A thread that sends blocks over loopback. Speaks no protocol. */
#include "client/cli/raw_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* As libpasted reads at once and, where it is marked, is woken: the two differ
 * in the protocol only. */
#define PIECE_BYTES (256u << 10)
#define MARK_BYTES  (1 << 20)

struct raw_socket {
    int listener, receiver, sender;
    int wake_bytes; /* the receiver's SO_RCVLOWAT */
    size_t block_bytes;
    char *block;
    pthread_t thread;
};

static void *send_blocks(void *raw)
{
    struct raw_socket *s = raw;
    for (;;)
        for (size_t at = 0; at < s->block_bytes;) {
            ssize_t n = send(s->sender, s->block + at, s->block_bytes - at,
                             MSG_NOSIGNAL);
            if (n < 0 && errno == EINTR)
                continue;
            if (n <= 0)
                return NULL;
            at += (size_t)n;
        }
}

static bool connect_pair(struct raw_socket *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET};
    socklen_t n = sizeof a;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    s->receiver = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->listener < 0 || s->receiver < 0 ||
        bind(s->listener, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(s->listener, 1) != 0 ||
        getsockname(s->listener, (struct sockaddr *)&a, &n) != 0 ||
        connect(s->receiver, (struct sockaddr *)&a, sizeof a) != 0)
        return false;
    s->sender = accept(s->listener, NULL, NULL);
    return s->sender >= 0;
}

static void free_socket(struct raw_socket *s)
{
    int fds[] = {s->listener, s->receiver, s->sender};
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    free(s->block);
    free(s);
}

struct raw_socket *raw_socket_start(size_t block_bytes)
{
    struct raw_socket *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->listener = s->receiver = s->sender = -1;
    s->block_bytes = block_bytes;
    s->block = malloc(block_bytes);
    if (s->block != NULL)
        memset(s->block, 1, block_bytes);
    if (s->block == NULL || !connect_pair(s) ||
        pthread_create(&s->thread, NULL, send_blocks, s) != 0) {
        fprintf(stderr, "pastectl: loopback: %s\n", strerror(errno));
        free_socket(s);
        return NULL;
    }
    return s;
}

static void wake_at(struct raw_socket *s, int n_bytes)
{
    if (n_bytes != s->wake_bytes &&
        setsockopt(s->receiver, SOL_SOCKET, SO_RCVLOWAT, &n_bytes,
                   sizeof n_bytes) == 0)
        s->wake_bytes = n_bytes;
}

bool raw_socket_receive(struct raw_socket *s, void *block, bool is_marked)
{
    size_t at = 0;
    wake_at(s, is_marked ? MARK_BYTES : 1);
    while (at < s->block_bytes) {
        size_t left = s->block_bytes - at;
        ssize_t n = recv(s->receiver, (char *)block + at,
                         left < PIECE_BYTES ? left : PIECE_BYTES, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

void raw_socket_stop(struct raw_socket *s)
{
    if (s == NULL)
        return;
    /* The sender's own end: a shut receiver would leave a send() that waits
     * for room waiting. */
    shutdown(s->sender, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    free_socket(s);
}
