/* The counters. Allocations: the C library's names are this program's, or, with
 * a sanitizer that has taken them itself, its hooks. Locks: the linker's
 * --wrap. System calls: a seccomp filter that makes each a SIGSYS.
 * Threads: one that counts. */
#define _GNU_SOURCE
#include "tests/unit/quiet.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

static volatile struct quiet_counts counts;

void quiet_reset(void)
{
    counts = (struct quiet_counts){0};
}

struct quiet_counts quiet_counts(void)
{
    return counts;
}

#ifdef SANITIZED
int __sanitizer_install_malloc_and_free_hooks(
    void (*on_malloc)(const volatile void *p, size_t n_bytes),
    void (*on_free)(const volatile void *p));

static void on_malloc(const volatile void *p, size_t n_bytes)
{
    (void)p, (void)n_bytes;
    counts.allocations++;
}

static void on_free(const volatile void *p)
{
    (void)p;
    counts.allocations++;
}

__attribute__((constructor)) static void install_hooks(void)
{
    __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
}
#else
void *__libc_malloc(size_t n_bytes);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n_bytes);
void *__libc_memalign(size_t alignment, size_t n_bytes);
void __libc_free(void *p);

void *malloc(size_t n_bytes)
{
    counts.allocations++;
    return __libc_malloc(n_bytes);
}

void *calloc(size_t n, size_t size)
{
    counts.allocations++;
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n_bytes)
{
    counts.allocations++;
    return __libc_realloc(p, n_bytes);
}

void *aligned_alloc(size_t alignment, size_t n_bytes)
{
    counts.allocations++;
    return __libc_memalign(alignment, n_bytes);
}

int posix_memalign(void **out, size_t alignment, size_t n_bytes)
{
    *out = aligned_alloc(alignment, n_bytes);
    return *out ? 0 : ENOMEM;
}

void free(void *p)
{
    counts.allocations += p != NULL;
    __libc_free(p);
}
#endif

/* A name for the linker's --wrap=NAME (tests/unit/compose.cmake). */
#define COUNTED(name, parameter, argument)                                     \
    int __real_##name parameter;                                               \
    int __wrap_##name parameter;                                               \
    int __wrap_##name parameter                                                \
    {                                                                          \
        counts.locks++;                                                        \
        return __real_##name argument;                                         \
    }

COUNTED(pthread_mutex_lock, (pthread_mutex_t * m), (m))
COUNTED(pthread_mutex_trylock, (pthread_mutex_t * m), (m))
COUNTED(pthread_rwlock_rdlock, (pthread_rwlock_t * l), (l))
COUNTED(pthread_rwlock_wrlock, (pthread_rwlock_t * l), (l))
COUNTED(pthread_spin_lock, (pthread_spinlock_t * l), (l))
COUNTED(pthread_once, (pthread_once_t * o, void (*f)(void)), (o, f))
COUNTED(pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t *m), (c, m))
COUNTED(pthread_cond_signal, (pthread_cond_t * c), (c))
COUNTED(pthread_cond_broadcast, (pthread_cond_t * c), (c))
COUNTED(sem_wait, (sem_t * s), (s))
COUNTED(sem_post, (sem_t * s), (s))

static void on_call(int signal, siginfo_t *info, void *context)
{
    ucontext_t *u = context;
    (void)signal;
    counts.calls++;
    if (counts.calls == 1)
        counts.first_call = info->si_syscall;
#if defined(__x86_64__)
    u->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
#elif defined(__aarch64__)
    u->uc_mcontext.regs[0] = (unsigned long long)-ENOSYS;
#else
#error "where does this machine return a system call's result?"
#endif
}

bool quiet_catch_calls(void)
{
    static struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof steps / sizeof steps[0], steps};
    struct sigaction action = {.sa_sigaction = on_call,
                               .sa_flags = SA_SIGINFO | SA_NODEFER};
    return sigaction(SIGSYS, &action, NULL) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

void quiet_exit(int status)
{
    for (;;)
        syscall(SYS_exit_group, status);
}
