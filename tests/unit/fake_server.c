/* Starts, stops and accepts for the misbehaving server. */
#include "tests/unit/fake_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/fake_peer.h"

static void *serve(void *server)
{
    struct fake_server *f = server;
    static const struct linger abrupt = {1, 0};
    for (uint32_t i = 0;; i++) {
        struct pollfd fds[2] = {{.fd = f->listener, .events = POLLIN},
                                {.fd = f->stop_fd, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0 || fds[1].revents != 0)
            return NULL;
        struct peer *p = calloc(1, sizeof *p);
        p->server = f;
        p->plan = &f->plans[i < f->n_plans ? i : f->n_plans - 1];
        p->fd = accept(f->listener, NULL, NULL);
        pthread_mutex_lock(&f->mutex);
        f->counts.connections++;
        pthread_mutex_unlock(&f->mutex);
        fake_peer_converse(p);
        if (p->plan->then == FAKE_DROP)
            setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &abrupt, sizeof abrupt);
        close(p->fd);
        free(p);
    }
}

static bool start_listening(struct fake_server *f, uint16_t port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t n = sizeof a;
    int one = 1;
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(f->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (f->listener < 0 ||
        bind(f->listener, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(f->listener, 8) != 0 ||
        getsockname(f->listener, (struct sockaddr *)&a, &n) != 0)
        return false;
    f->port = ntohs(a.sin_port);
    return true;
}

struct fake_server *
fake_start(uint16_t port, const struct fake_behaviour *plans, uint32_t n_plans)
{
    struct fake_server *f = calloc(1, sizeof *f);
    memcpy(f->plans, plans, n_plans * sizeof *plans);
    f->n_plans = n_plans;
    f->stop_fd = eventfd(0, EFD_CLOEXEC);
    sem_init(&f->release, 0, 0);
    pthread_mutex_init(&f->mutex, NULL);
    if (!start_listening(f, port) ||
        pthread_create(&f->thread, NULL, serve, f) != 0)
        return NULL;
    return f;
}

uint16_t fake_port(const struct fake_server *f)
{
    return f->port;
}

struct fake_counts fake_counts(struct fake_server *f)
{
    pthread_mutex_lock(&f->mutex);
    struct fake_counts counts = f->counts;
    pthread_mutex_unlock(&f->mutex);
    return counts;
}

void fake_release(struct fake_server *f)
{
    sem_post(&f->release);
}

void fake_stop(struct fake_server *f)
{
    uint64_t one = 1;
    sem_post(&f->release);
    if (write(f->stop_fd, &one, sizeof one) == sizeof one)
        pthread_join(f->thread, NULL);
    close(f->listener);
    close(f->stop_fd);
    sem_destroy(&f->release);
    pthread_mutex_destroy(&f->mutex);
    free(f);
}
