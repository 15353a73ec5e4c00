/* pasted://HOST[:PORT][,HOST[:PORT]...][/STREAM][?KEY=VALUE&...] into options.
 * Resolves no names. */
#ifndef PASTED_CLIENT_LIB_URL_H
#define PASTED_CLIENT_LIB_URL_H

#include "client/lib/options.h"
#include "common/error.h"

/* Overrides in *o what the URL gives. -ERROR_BAD_ARGUMENT with a sentence; *o
 * is unchanged then. */
int url_parse(const char *url, struct options *o, struct fault *fault);

#endif
