/* Fuzz target: bytes as a configuration file. What is refused must say why;
 * what is read must be good enough to be checked. Reads no file. */
#include <stdlib.h>

#include "server/daemon/config.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes)
{
    struct config *c = config_create();
    struct fault fault = {0};

    if (!c)
        return 0;
    int rc = config_read_json(c, (const char *)data, n_bytes, "/x", &fault);
    if (rc == 0)
        rc = config_check(c, &fault);
    if (rc != 0 && (fault.code == 0 || fault.text[0] == '\0'))
        abort();
    config_destroy(c);
    return 0;
}
