/* Binds and removes the name of a Unix socket. Accepts nothing.
 * Source: unix(7). */
#include "server/tcp/unix_path.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Those who may connect: owner and group, who read every stream. */
#define SOCKET_MODE 0660

static int cannot(const char *text, const char *why, struct fault *fault)
{
    return fault_set(fault, ERROR_IO, "cannot listen on %s: %s", text, why);
}

/* Nobody listens there any more. A daemon that still loads its pools does not
 * listen either: two of them for one path are a mistake of who starts them. */
static bool is_dead(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool dead =
        fd >= 0 &&
        connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
        errno == ECONNREFUSED;

    if (fd >= 0)
        close(fd);
    return dead;
}

/* Makes room for our name. */
static int clear(const struct sockaddr_un *address, struct fault *fault)
{
    const char *text = address->sun_path;
    struct stat st;

    if (lstat(text, &st) != 0)
        return errno == ENOENT ? 0 : cannot(text, strerror(errno), fault);
    if (!S_ISSOCK(st.st_mode))
        return fault_set(fault, ERROR_BAD_CONFIG,
                         "unix: %s is there and is no socket", text);
    if (!is_dead(address))
        return cannot(text, "another daemon listens there", fault);
    if (unlink(text) != 0 && errno != ENOENT)
        return cannot(text, strerror(errno), fault);
    return 0;
}

static int bind_name(int fd, const struct sockaddr_un *address,
                     struct stat *out_stat)
{
    /* Before bind, so that the name is never there with more rights; after it
     * too, because the umask takes some away. */
    if (fchmod(fd, SOCKET_MODE) != 0 ||
        bind(fd, (const struct sockaddr *)address, sizeof *address) != 0)
        return -1;
    if (chmod(address->sun_path, SOCKET_MODE) == 0 &&
        lstat(address->sun_path, out_stat) == 0)
        return 0;
    int error = errno;
    unlink(address->sun_path);
    errno = error;
    return -1;
}

int unix_path_open(struct unix_path *path, const char *text, int *out_fd,
                   struct fault *fault)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;

    if (strlen(text) >= sizeof address.sun_path)
        return fault_set(fault, ERROR_BAD_CONFIG,
                         "unix: a path of at most %zu bytes is wanted",
                         sizeof address.sun_path - 1);
    strcpy(address.sun_path, text);
    int rc = clear(&address, fault);
    if (rc != 0)
        return rc;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind_name(fd, &address, &st) != 0) {
        rc = cannot(text, strerror(errno), fault);
        if (fd >= 0)
            close(fd);
        return rc;
    }
    *path = (struct unix_path){.device = st.st_dev, .inode = st.st_ino};
    strcpy(path->text, text);
    *out_fd = fd;
    return 0;
}

void unix_path_remove(struct unix_path *path)
{
    struct stat st;

    if (path->text[0] != '\0' && lstat(path->text, &st) == 0 &&
        st.st_dev == path->device && st.st_ino == path->inode)
        unlink(path->text);
    path->text[0] = '\0';
}
