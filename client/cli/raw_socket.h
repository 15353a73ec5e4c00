/* The yardstick of bench: bytes over a TCP connection on loopback, sent by a
 * thread, with nothing but send() and recv(). */
#ifndef PASTED_CLIENT_CLI_RAW_SOCKET_H
#define PASTED_CLIENT_CLI_RAW_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

struct raw_socket;

/* The sender sends block_bytes over and over. NULL: a sentence is on stderr. */
struct raw_socket *raw_socket_start(size_t block_bytes);
/* Receives one block; is_marked: woken when a megabyte is there, as libpasted
 * is, instead of for whatever comes. */
bool raw_socket_receive(struct raw_socket *s, void *block, bool is_marked);
void raw_socket_stop(struct raw_socket *s); /* NULL is fine */

#endif
