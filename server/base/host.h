/* What this machine, or the cgroup we live in, gives us. */
#ifndef PASTED_BASE_HOST_H
#define PASTED_BASE_HOST_H

#include <stdint.h>

/* CPUs we may use: affinity mask and cgroup cpu.max (v1 and v2), >= 1. */
uint32_t host_cpus(void);
/* Memory we may use: cgroup limit or physical memory. */
uint64_t host_memory_bytes(void);
uint64_t host_resident_bytes(void);
/* Monotonic clock. */
uint64_t host_now_ns(void);

#endif
