"""Conformance with common/PROTOCOL.md: the worked bytes, then every statement about a server.

Runs against PASTED_TCP=HOST:PORT (and PASTED_TOKEN), or against a demo daemon that it starts.
"""

import unittest

import peer
from cases_bytes import Client, Decoder, WorkedBytes  # noqa: F401
from cases_cursor import Drain, SeekAndPull  # noqa: F401
from cases_feedback import Feedback  # noqa: F401
from cases_group import Group, Pace, Replay  # noqa: F401
from cases_hard import Candidates, Refine  # noqa: F401
from cases_ring import Ring  # noqa: F401
from cases_session import Handshake, Headers, Packets, Payloads, Questions, States  # noqa: F401
from cases_stream import Content, Credit, Open, TheClient  # noqa: F401
from cases_time import Clocks  # noqa: F401


if __name__ == "__main__":
    try:
        unittest.main()
    finally:
        peer.stop_server()
