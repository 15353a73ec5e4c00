/* Connects, greets, asks, closes. Opens no stream and keeps nothing. */
#include "client/lib/ask.h"

#include <stdlib.h>
#include <string.h>

#include "client/lib/clock.h"
#include "client/lib/session.h"

static int copy_text(const struct session *s, char **out, struct fault *fault)
{
    size_t n_bytes = (size_t)s->frame.header.payload_bytes;
    char *text = malloc(n_bytes + 1);
    if (text == NULL)
        return fault_set(fault, ERROR_NO_MEMORY, "out of memory");
    memcpy(text, s->control, n_bytes);
    text[n_bytes] = '\0';
    *out = text;
    return 0;
}

/* The first address of the name that takes the connection. */
static int connect_any(struct session *s, const struct server_address *server,
                       int64_t deadline_ns, struct fault *fault)
{
    struct addresses list;
    int rc = connection_resolve(server, &list, fault);
    for (uint32_t i = 0; i < list.n; i++) {
        rc = connection_open(&s->connection, &list.address[i],
                             connection_share_ns(&list, i, deadline_ns), fault);
        if (rc == 0)
            break;
    }
    return rc;
}

static int ask_one(struct session *s, const struct server_address *server,
                   const char *what, char **out_text, struct fault *fault)
{
    int64_t deadline_ns = clock_after_ms(s->options->connect_timeout_ms);
    int rc = connect_any(s, server, deadline_ns, fault);
    if (rc == 0)
        rc = session_hello(s, deadline_ns, fault);
    if (rc == 0)
        rc = session_ask(s, what, deadline_ns, fault);
    if (rc == 0)
        rc = copy_text(s, out_text, fault);
    if (rc != 0) {
        if (fault->code == 0)
            fault_set(fault, (enum error_code) - rc, "%s", error_sentence(rc));
        servers_prefix(server, fault);
    }
    session_close(s);
    return rc;
}

int ask_servers(const struct options *options, const char *what,
                char **out_text, struct fault *fault)
{
    /* Too large for a stack: the names of 256 streams. */
    struct session *s = malloc(sizeof *s);
    if (s == NULL)
        return fault_set(fault, ERROR_NO_MEMORY, "out of memory");
    session_init(s, options, -1, NULL, NULL);
    int rc = 0;
    for (uint32_t i = 0; i < options->servers.n; i++) {
        *fault = (struct fault){0};
        rc = ask_one(s, &options->servers.address[i], what, out_text, fault);
        if (rc == 0 || !error_is_retryable(rc))
            break;
    }
    session_fini(s);
    free(s);
    return rc;
}
