/* Feedback tables as JSON, the same over HTTP and the binary protocol. Threads:
 * loop thread only. */
#ifndef PASTED_SERVE_FEEDBACK_TEXT_H
#define PASTED_SERVE_FEEDBACK_TEXT_H

#include "server/serve/feedback_store.h"

/* All are NUL-terminated, freed with mem_free; NULL when memory is short. */

/* {"feedback":[{"feedback":DIGEST,"n_classes":n,...},...]}, the latest used
 * first; none where s is NULL. At most 240 bytes a table. */
char *feedback_list_text(const struct feedback_store *s);
/* {"feedback":DIGEST,"n_classes":n,"weights":[[...],...]} */
char *feedback_table_text(const struct feedback *table);

#endif
