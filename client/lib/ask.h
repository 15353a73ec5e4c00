/* A question to a server, over a connection of its own. */
#ifndef PASTED_CLIENT_LIB_ASK_H
#define PASTED_CLIENT_LIB_ASK_H

#include "client/lib/options.h"

/* Asks the servers in turn until one answers, each within connect_timeout_ms;
 * one that is too old or knows no answer ends it. *out_text: the caller's,
 * NUL-terminated, to be freed. Errors are those of a connection and of the
 * server's ERROR. */
int ask_servers(const struct options *options, const char *what,
                char **out_text, struct fault *fault);

#endif
