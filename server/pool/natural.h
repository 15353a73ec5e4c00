/* The natural order of names: "2" before "10". Pure. Threads: any. */
#ifndef PASTED_POOL_NATURAL_H
#define PASTED_POOL_NATURAL_H

/* <0, 0, >0 as strcmp. Runs of decimal digits compare by value, however long;
 * every other byte as unsigned char; '/' comes before all else, so that a
 * folder's files stay together. Names that are equal so far (leading zeros)
 * fall back to strcmp: a total order. */
int natural_compare(const char *a, const char *b);

#endif
