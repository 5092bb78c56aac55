"""The right to write a source: one holder at a time, told by a key in Redis that runs out by itself."""

import os
import socket
import uuid

from dashboard.errors import PositionConflict
from dashboard.store.connect import ERROR, Client, script
from dashboard.store.keys import HotlineKeys

LEASE_MS = 10_000


class Lease:
    """One process's claim to one source.

    Attributes:
        holder: Who this is: `host:data directory#process:nonce`. The directory stands in it because whoever holds the
            lock of the archive there, and finds a lease of the same directory, knows that its holder is dead.
    """

    def __init__(self, client: Client, hotline: HotlineKeys, source: str, place: str) -> None:
        self._client, self._source = client, source
        self.key = hotline.lease(source)
        self.holder = f"{socket.gethostname()}:{place}#{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._take = client.register_script(script("lease.lua"))

    def take(self, *, takeover: bool = False) -> None:
        """Take the lease, or keep it.

        Args:
            takeover: Take it from whoever holds it.

        Raises:
            PositionConflict: Another process holds it.
        """
        held = self._client.get(self.key)
        other = held.decode() if held else ""
        dead = other.rpartition("#")[0] == self.holder.rpartition("#")[0]
        self.refuse_other(
            self._take(keys=[self.key], args=[self.holder, LEASE_MS, other if dead or takeover else ""])
        )

    def refuse_other(self, said: list[bytes]) -> None:
        """Read what a script said of the lease.

        Raises:
            PositionConflict: It said that another process holds it.
        """
        if said[0] == b"lease":
            place, _, process = said[1].decode().rpartition("#")
            raise PositionConflict(
                f"source {self._source} is written by process {process.partition(':')[0]} on "
                f"{place.partition(':')[0]}: stop that one first, or take the source over with --takeover"
            )

    def taken_back(self, said: list[bytes]) -> bool:
        """Read what a script said of the lease; one of a dead process of this place is replaced by this one's.

        An older copy of Redis brings back the lease of whoever held it then.

        Returns:
            The script did nothing because of such a lease, and may be tried again.

        Raises:
            PositionConflict: Another process holds it.
        """
        if said[0] != b"lease":
            return False
        self.take()
        return True

    def release(self) -> bool:
        """Give the lease back, so that the next writer need not wait for it to run out.

        Returns:
            False where Redis does not answer.
        """
        try:
            if self._client.get(self.key) == self.holder.encode():
                self._client.delete(self.key)
        except ERROR:
            return False
        return True
