"""Discovery's source ``aws``."""

import asyncio
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from datetime import datetime
from threading import Event, Lock
from typing import Any

from services.discovery.aws.accounts import Accounts
from services.discovery.aws.calls import Calls
from services.discovery.aws.members import MalformedAnswer
from services.discovery.aws.pace import TokenBucket
from services.discovery.aws.settings import AwsSettings
from services.discovery.aws.translation import snapshot_of
from services.discovery.snapshot import Snapshot
from services.discovery.sources import AccountRegion, FailureCode, SnapshotFailed


class AwsSource:
    """AWS accounts that have a role for us, read with boto3 in threads of its own."""

    name = "aws"
    is_asked_between_passes = False

    def __init__(self, settings: AwsSettings, clock: Callable[[], datetime]) -> None:
        self.attempts_at_once = settings.attempts_at_once
        self._settings, self._clock = settings, clock
        self._accounts = Accounts(settings)
        self._threads = ThreadPoolExecutor(settings.attempts_at_once, thread_name_prefix="aws")
        self._buckets: dict[AccountRegion, TokenBucket] = {}
        self._buckets_lock = Lock()
        self._is_closed = Event()

    def serves(self, wanted: Collection[AccountRegion]) -> Collection[AccountRegion]:
        """Those of the accounts that the configuration names, in any region."""
        return [place for place in wanted if place.account_id in self._settings.accounts]

    async def snapshot(self, place: AccountRegion) -> Snapshot:
        """All that is there, sampled when its reading began.

        Raises:
            SnapshotFailed: something could not be read, or can't be true, or it took too long.
        """
        loop, seconds = asyncio.get_running_loop(), self._settings.snapshot_seconds
        deadline = time.monotonic() + seconds
        try:
            async with asyncio.timeout(seconds):
                return await loop.run_in_executor(self._threads, self._read, place, deadline)
        except TimeoutError as error:
            raise self._too_slow() from error

    def close(self) -> None:
        """Fail what is being read, as soon as the requests under way are answered."""
        self._is_closed.set()
        self._threads.shutdown(cancel_futures=True)

    def _read(self, place: AccountRegion, deadline: float) -> Snapshot:
        sampled_at = self._clock()
        try:
            with ExitStack() as opened:
                clients = self._clients(place, opened, deadline)
                calls = Calls(clients, self._settings.skipped_actions)
                return snapshot_of(place, sampled_at, calls.items)
        except MalformedAnswer as error:
            raise SnapshotFailed(FailureCode.OTHER, str(error)) from error
        except SnapshotFailed as failure:
            if failure.code is FailureCode.UNAUTHORIZED:
                self._accounts.forget(place.account_id)
            raise

    def _clients(
        self, place: AccountRegion, opened: ExitStack, deadline: float
    ) -> Callable[[str], Any]:
        """Clients of services, made when asked for and closed with ``opened``."""
        make, made = self._accounts.assume(place), dict[str, Any]()
        bucket = self._bucket_of(place)

        def client_of(service: str) -> Any:
            if service not in made:
                client = opened.enter_context(closing(make(service)))
                # Before each attempt, so that retries and further pages keep the pace, too.
                client.meta.events.register(
                    "before-send", lambda **_: self._wait_for(bucket, deadline)
                )
                made[service] = client
            return made[service]

        return client_of

    def _bucket_of(self, place: AccountRegion) -> TokenBucket:
        with self._buckets_lock:
            return self._buckets.setdefault(place, TokenBucket(self._settings.requests_per_second))

    def _wait_for(self, bucket: TokenBucket, deadline: float) -> None:
        now = time.monotonic()
        # Nobody waits any more, but the thread is needed for others.
        if now >= deadline:
            raise self._too_slow()
        if self._is_closed.wait(bucket.take(now)):
            raise SnapshotFailed(FailureCode.OTHER, "the source is closed")

    def _too_slow(self) -> SnapshotFailed:
        seconds = self._settings.snapshot_seconds
        return SnapshotFailed(
            FailureCode.OTHER, f"AWS did not tell everything within {seconds:g} seconds"
        )
