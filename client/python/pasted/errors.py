"""One exception for each status of libpasted. Raises nothing itself but
through `check`."""
from __future__ import annotations

from typing import Optional

from ._library import lib


class PastedError(Exception):
    """A call of libpasted failed; `status` is its enum pasted_status.

    The text names the entry point and says what happened. The client stays
    usable: asking again continues at the same position.
    """
    status = 0


class BadArgument(PastedError, ValueError):
    """An option, address or argument cannot be used."""
    status = -3


class NotFound(PastedError, LookupError):
    """No such stream, tensor, file or host."""
    status = -6


class FingerprintMismatch(PastedError):
    """The server's stream is not the expected one: its bytes differ."""
    status = -7


class Unauthorized(PastedError, PermissionError):
    """Token missing or wrong."""
    status = -8


class Unsupported(PastedError):
    """Not supported by this server."""
    status = -9


class Overloaded(PastedError):
    """The server is too busy now."""
    status = -10


class Timeout(PastedError, TimeoutError):
    """A deadline passed; nothing was lost."""
    status = -12


class Disconnected(PastedError, ConnectionError):
    """No server could be reached for reconnect_timeout_ms."""
    status = -13


class BadState(PastedError):
    """Not now: the client is closed, or open already."""
    status = -15


class Forked(PastedError):
    """The client was made before fork(); make one in this process."""
    status = -20


class Cancelled(PastedError):
    """Client.interrupt() ended the wait."""
    status = -21


class LeaseLost(PastedError):
    """The step of the group went to another member meanwhile."""
    status = -22


class Ended(PastedError):
    """All steps of the group are done."""
    status = -23


class GroupMismatch(PastedError):
    """The group's first member chose other terms; the text names the field."""
    status = -24


class UnknownFeedback(PastedError, LookupError):
    """The server has no feedback table of this digest: give the table."""
    status = -25


_BY_STATUS = {kind.status: kind for kind in
              (BadArgument, NotFound, FingerprintMismatch, Unauthorized,
               Unsupported, Overloaded, Timeout, Disconnected, BadState,
               Forked, Cancelled, LeaseLost, Ended, GroupMismatch,
               UnknownFeedback)}


def check(status: int, handle: Optional[int]) -> None:
    """Raises the exception of a negative status."""
    if status >= 0:
        return
    text = lib.error(handle) if handle else b""
    name = lib.status_name(status).decode()
    error = _BY_STATUS.get(status, PastedError)(
        text.decode("utf-8", "replace") if text else name)
    error.status = status
    raise error
