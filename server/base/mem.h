/* Allocation that counts, can be made to fail at the Nth call (tests), and
 * never overflows a product. Freed with mem_free, or where it was mapped with
 * mem_unmap. */
#ifndef PASTED_BASE_MEM_H
#define PASTED_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* NULL when memory is short; zeroed. mem_calloc checks n * size. */
void *mem_calloc(size_t n, size_t size);
void *mem_realloc(void *old, size_t n_bytes); /* old stays valid on NULL */
char *mem_strdup(const char *text);
void mem_free(void *p); /* NULL is fine */

#define MEM_MAP_BYTES 65536 /* what a mapping's size is rounded up to */

/* Memory straight from the system, for what is large and stays: zeroed, touched
 * lazily, MEM_MAP_BYTES-aligned. From 2 MiB on it is aligned to 2 MiB and lies
 * on huge pages where the system gives them. NULL when there is none. */
void *mem_map(size_t n_bytes);
void mem_unmap(void *p, size_t n_bytes); /* as it was mapped; NULL is fine */
/* Asks for huge pages for a mapping that is large enough; a wish. */
void mem_wish_huge(void *p, size_t n_bytes);

/* Tests only: from now on the nth allocation (1 = the next) returns NULL, once;
 * 0 switches off. */
void mem_fail_nth(uint64_t nth);
/* Successful allocations since the process began (all threads). */
uint64_t mem_allocations(void);

#endif
