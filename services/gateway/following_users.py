"""Following what the control plane tells of the accounts' users (ORG-10)."""

from contextlib import aclosing

from structlog.typing import FilteringBoundLogger

from cadastre.control.v1 import authorization_service_pb2 as pb
from cadastre.control.v1 import authorization_service_pb2_grpc
from services.gateway.authorization.policies import PolicyReader
from services.gateway.following import SELF, Feed
from services.gateway.identity import Identity, IdentityPolicies
from services.gateway.snapshots import Snapshot
from services.gateway.users import AccountKeys, UserKey, Users
from shared.rpc.client import Remote


class UserFollower:
    """Keeps `Users` as the control plane tells them."""

    def __init__(
        self,
        remote: Remote,
        users: Users,
        snapshot: Snapshot[pb.AccountUsers],
        log: FilteringBoundLogger,
    ) -> None:
        self._remote, self._users, self._log = remote, users, log
        self._snapshot = snapshot
        self._stub = authorization_service_pb2_grpc.AuthorizationServiceStub(remote.channel)
        self._feed, self._policies = Feed(remote, "users", log), PolicyReader(log)

    async def run(self) -> None:
        """Follow, for ever: while the control plane is away, what was told last holds.

        So it does from the start, if it was kept.
        """
        if (kept := self._snapshot.load()) is not None:
            self._users.replace(map(self._account, kept))
        await self._feed.follow(self._follow)

    async def _follow(self) -> None:
        told: dict[str, AccountKeys] = {}
        messages: dict[str, pb.AccountUsers] = {}
        is_synced = False
        watch = self._remote.stream(self._stub.WatchUsers, pb.WatchUsersRequest(), caller=SELF)
        async with aclosing(watch) as responses:
            async for response in responses:
                if response.HasField("synced"):
                    # At once: until here, what is known from before holds as it was.
                    self._users.replace(told.values())
                    self._snapshot.keep(messages)
                    self._log.info("users known", accounts=len(told))
                    self._feed.has_told()
                    is_synced = True
                    continue
                messages[response.account.account_id] = response.account
                account = self._account(response.account)
                if is_synced:
                    self._take(account, response.account.version)
                    self._snapshot.keep(messages)
                else:
                    told[account.account_id] = account

    def _take(self, account: AccountKeys, version: int) -> None:
        self._users.put(account)
        self._log.info("users changed", account_id=account.account_id, version=version)

    def _account(self, told: pb.AccountUsers) -> AccountKeys:
        active: dict[str, UserKey] = {}
        for user in told.users:
            policies = self._policies_of(user)
            for key in user.access_keys:
                identity = Identity(
                    told.account_id, user.arn, user.user_id, key.access_key_id, policies
                )
                active[key.access_key_id] = UserKey(key.secret_access_key, identity)
        inactive = (one for user in told.users for one in user.inactive_access_key_ids)
        return AccountKeys(told.account_id, active, frozenset(inactive))

    def _policies_of(self, user: pb.AuthorizedUser) -> IdentityPolicies:
        return IdentityPolicies(
            [
                self._policies.read(f"{user.arn}#{number}", document)
                for number, document in enumerate(user.policies, 1)
            ]
        )
