/* From a checked configuration to an exit code. */
#ifndef PASTED_DAEMON_RUN_H
#define PASTED_DAEMON_RUN_H

#include "server/daemon/config.h"

#define EXIT_USAGE       64 /* sysexits.h */
#define EXIT_UNAVAILABLE 69
#define EXIT_SOFTWARE    70
#define EXIT_CONFIG      78

/* For a failure that ends the daemon. */
int daemon_exit_code(int code);
/* Serves until a signal; returns the exit code. */
int daemon_run(const struct config *config);

#endif
