/* The entry point that libFuzzer and replay.c call; each fuzz target is one
 * file that defines it. */
#ifndef PASTED_TESTS_FUZZ_H
#define PASTED_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n_bytes);

#endif
