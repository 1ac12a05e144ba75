"""An organization for tests, through the API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.errors import CadastreError
from tests.control_plane.world import ORGANIZATIONS, Client

MANAGEMENT, OUTSIDER = "111122223333", "777788889999"
SCP = "SERVICE_CONTROL_POLICY"
FULL_ACCESS = "p-FullAWSAccess"
IPAM_SERVICE, RAM_SERVICE = "ipam.amazonaws.com", "ram.amazonaws.com"
DENY_ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}'


@dataclass
class Organization:
    """One that ``manager`` manages; ids are by the names that a test gave."""

    manager: Client
    id: str
    root_id: str
    ids: dict[str, str] = field(default_factory=dict)

    async def __call__(self, rpc: str, **members: Any) -> Any:
        """Call an RPC as the management account."""
        return await self.manager.of(ORGANIZATIONS, rpc, **members)

    def by(self, name: str) -> Client:
        """A client of the account of that name."""
        return self.manager.acting_as(self.ids[name])

    async def unit(self, name: str, parent_id: str | None = None) -> str:
        """Make an OU, below the root unless another parent is given, and tell its id."""
        answer = await self(
            "CreateOrganizationalUnit", parent_id=parent_id or self.root_id, name=name
        )
        unit_id: str = answer.organizational_unit.id
        self.ids[name] = unit_id
        return unit_id

    async def account(self, name: str, parent_id: str | None = None) -> str:
        """Make an account, move it where it is to be, and tell its id."""
        answer = await self("CreateAccount", account_name=name, email=f"{name}@example.com")
        account_id: str = answer.create_account_status.account_id
        if parent_id:
            await self(
                "MoveAccount",
                account_id=account_id,
                source_parent_id=self.root_id,
                destination_parent_id=parent_id,
            )
        self.ids[name] = account_id
        return account_id

    async def policy(self, name: str, content: str = DENY_ALL, **members: Any) -> str:
        """Make a policy, and tell its id."""
        answer = await self("CreatePolicy", name=name, content=content, type=SCP, **members)
        policy_id: str = answer.policy.policy_summary.id
        return policy_id

    async def enable_policies(self) -> None:
        await self("EnablePolicyType", root_id=self.root_id, policy_type=SCP)

    async def attached_to(self, target_id: str) -> list[str]:
        answer = await self("ListPoliciesForTarget", target_id=target_id, filter=SCP)
        return [policy.id for policy in answer.policies]


async def an_organization(client: Client, management_id: str = MANAGEMENT) -> Organization:
    """A new one that has nothing but its management account."""
    manager = client.acting_as(management_id)
    made = (await manager.of(ORGANIZATIONS, "CreateOrganization")).organization
    [root] = (await manager.of(ORGANIZATIONS, "ListRoots")).roots
    return Organization(manager, made.id, root.id)


async def refused(call: Any) -> CadastreError:
    """The refusal that a call ends with."""
    with pytest.raises(CadastreError) as refusal:
        await call
    return refusal.value


def constraint(refusal: CadastreError) -> tuple[str, str]:
    """Its code, and the second word by which AWS says why."""
    return refusal.reason, refusal.metadata["reason"]


def plain(message: Any, *, without: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """A message's members that are set; enums by their number's name."""
    return {field.name: value for field, value in message.ListFields() if field.name not in without}
