/* A Unix socket's name in the file system: bound with a mode, taken over from
 * a daemon that died, removed at the end. Accepts nothing. */
#ifndef PASTED_TCP_UNIX_PATH_H
#define PASTED_TCP_UNIX_PATH_H

#include <sys/stat.h>
#include <sys/un.h>

#include "common/error.h"

#define UNIX_PATH_BYTES sizeof(((struct sockaddr_un *)0)->sun_path)

struct unix_path {
    char text[UNIX_PATH_BYTES]; /* "": none */
    dev_t device;               /* which file is ours */
    ino_t inode;
};

/* Binds a non-blocking, close-on-exec stream socket that does not listen yet,
 * mode 0660; *out_fd is the caller's. A socket there that nobody listens on is
 * replaced. -ERROR_BAD_CONFIG (too long a path, something else lies there),
 * -ERROR_IO (in use, or what the system says). */
int unix_path_open(struct unix_path *path, const char *text, int *out_fd,
                   struct fault *fault);
/* Removes the name unless another socket has taken it; once is enough. */
void unix_path_remove(struct unix_path *path);

#endif
