"""A longer way to a server: hands bytes on between clients and it, each way so many milliseconds
later, drawn anew for every connection. Ends with who started it. Loses nothing and knows no
protocol: hosts.py has links that fail.

    python3 relay.py LISTEN_PORT ADDRESS PORT LEAST_MS MOST_MS"""
import asyncio
import contextlib
import random
import sys

CHUNK_BYTES, MAX_CHUNKS = 1 << 16, 64  # of each way, on their way


async def pump(reader, writer, delay_s):
    """One way, until its end."""
    loop, under_way = asyncio.get_running_loop(), asyncio.Queue(MAX_CHUNKS)

    async def take():
        data = b"."
        while data:
            try:
                data = await reader.read(CHUNK_BYTES)
            except OSError:
                data = b""
            await under_way.put((loop.time() + delay_s, data))

    taking = asyncio.create_task(take())
    try:
        while True:
            due, data = await under_way.get()
            await asyncio.sleep(max(0, due - loop.time()))
            if not data:
                break
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        taking.cancel()
        writer.close()


async def serve(listen, address, port, least_ms, most_ms):
    async def accepted(reader, writer):
        delay_s = random.uniform(least_ms, most_ms) / 1000
        try:
            to_reader, to_writer = await asyncio.open_connection(address, port)
        except OSError:
            writer.transport.abort()
            return
        with contextlib.suppress(OSError):
            await asyncio.gather(pump(reader, to_writer, delay_s),
                                 pump(to_reader, writer, delay_s))

    server = await asyncio.start_server(accepted, "127.0.0.1", listen)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4]),
                      float(sys.argv[5])))
