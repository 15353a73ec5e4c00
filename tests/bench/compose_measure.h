/* One measurement: images a second of one recipe, size and number of cores,
 * beside memcpy of the same bytes. Test code only. */
#ifndef PASTED_TESTS_BENCH_COMPOSE_MEASURE_H
#define PASTED_TESTS_BENCH_COMPOSE_MEASURE_H

#include "server/base/digest.h"
#include "server/pool/catalog.h"
#include "server/recipe/recipe.h"

#define MEASURE_MOST_CORES     256
#define MEASURE_DIGEST_SAMPLES 64

struct measure_work {
    const struct catalog *catalog;
    struct recipe recipe;
    uint32_t n_cores;
    uint32_t n_samples; /* of a round and core; 0: some 16 MiB of images */
    double seconds;
};

/* Of rounds, in ascending order. */
struct measure_rate {
    double median, least, most; /* images a second */
};

struct measure_result {
    struct measure_rate compose, copy;
    uint32_t n_rounds;
    uint64_t image_bytes;
    char digest[DIGEST_HEX_BYTES]; /* of images 0..63, as HTTP serves them */
};

/* Ends the program with a sentence when it cannot. Kernels are those in use. */
void measure_run(const struct measure_work *w, struct measure_result *out);

#endif
