/* Allocation that counts, can be made to fail at the Nth call (tests), and
 * never overflows a product. Freed with mem_free. */
#ifndef PASTED_BASE_MEM_H
#define PASTED_BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

/* NULL when memory is short; zeroed. mem_calloc checks n * size. */
void *mem_calloc(size_t n, size_t size);
void *mem_realloc(void *old, size_t n_bytes); /* old stays valid on NULL */
char *mem_strdup(const char *text);
void mem_free(void *p); /* NULL is fine */

/* Tests only: from now on the nth allocation (1 = the next) returns NULL, once;
 * 0 switches off. */
void mem_fail_nth(uint64_t nth);
/* Successful allocations since the process began (all threads). */
uint64_t mem_allocations(void);

#endif
