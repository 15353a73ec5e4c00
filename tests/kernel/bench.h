/* Nanoseconds a pixel of every kernel. Test code only. */
#ifndef PASTED_TESTS_KERNEL_BENCH_H
#define PASTED_TESTS_KERNEL_BENCH_H

/* Prints a table: a row for each kernel, a column for each table of kernels
 * that this CPU can run. Rows are in the first cache. */
void bench_kernels(void);

#endif
