/* A client connected to a fake server, and what tests ask of it. */
#ifndef PASTED_TESTS_CLIENT_RIG_H
#define PASTED_TESTS_CLIENT_RIG_H

#include <stdint.h>

#include "client/include/pasted.h"
#include "tests/unit/fake_server.h"

/* Opens at one server; options is a URL's query, "" for none. */
pasted_client *rig_open(const struct fake_server *f, const char *options);
/* Likewise but gives the status; *out may be NULL (destroyed then). */
int rig_try_open(uint16_t port, const char *options, pasted_client **out);

/* 0 when b is the batch of that first position and n samples, every byte. */
int rig_check(const pasted_batch *b, uint64_t first_position, uint32_t n);
/* Takes the next batch, checks, releases. */
void rig_expect(pasted_client *c, uint64_t first_position, uint32_t n);
struct pasted_stats rig_stats(pasted_client *c);
double rig_now_s(void);
void rig_sleep_ms(int ms);

#endif
