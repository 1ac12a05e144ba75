"""IPAM policies in the words of their tests."""

from typing import Any

from tests.control_plane.world import HOME, Client

POLICIES = "cadastre.control.v1.IpamPolicyService"
UNKNOWN = "ipam-policy-00000000000000000"


class Policies:
    """An account's view of policies in a region."""

    def __init__(self, client: Client) -> None:
        self.client = client

    async def __call__(self, rpc: str, **members: Any) -> Any:
        return await self.client.of(POLICIES, rpc, **members)

    async def create(self, ipam: Any, **members: Any) -> Any:
        return (await self("CreateIpamPolicy", ipam_id=ipam.ipam_id, **members)).ipam_policy

    async def one(self, policy_id: str) -> Any:
        [found] = await self.seen(ipam_policy_ids=[policy_id])
        return found

    async def seen(self, **members: Any) -> list[Any]:
        return list((await self("DescribeIpamPolicies", **members)).ipam_policies)

    async def set_rules(
        self, policy_id: str, *pool_ids: str, locale: str = HOME, kind: str = "eip", **members: Any
    ) -> Any:
        answer = await self(
            "ModifyIpamPolicyAllocationRules",
            ipam_policy_id=policy_id,
            locale=locale,
            resource_type=kind,
            allocation_rules=[{"source_ipam_pool_id": pool_id} for pool_id in pool_ids],
            **members,
        )
        return answer.ipam_policy_document

    async def rules(self, policy_id: str, **members: Any) -> list[Any]:
        answer = await self("GetIpamPolicyAllocationRules", ipam_policy_id=policy_id, **members)
        return list(answer.ipam_policy_documents)

    async def enable(self, policy_id: str, target_id: str | None = None, **members: Any) -> None:
        await self._about("EnableIpamPolicy", policy_id, target_id, **members)

    async def disable(self, policy_id: str, target_id: str | None = None, **members: Any) -> None:
        answer = await self._about("DisableIpamPolicy", policy_id, target_id, **members)
        assert getattr(answer, "return") is True

    async def targets(self, policy_id: str, **members: Any) -> list[str]:
        answer = await self("GetIpamPolicyOrganizationTargets", ipam_policy_id=policy_id, **members)
        return [target.organization_target_id for target in answer.organization_targets]

    async def in_force(self) -> tuple[str, str] | None:
        """The policy that applies to the account, and who manages it."""
        found = await self("GetEnabledIpamPolicy")
        assert found.ipam_policy_enabled == found.HasField("ipam_policy_id")
        if not found.ipam_policy_enabled:
            return None
        enum = found.DESCRIPTOR.fields_by_name["managed_by"].enum_type
        name = enum.values_by_number[found.managed_by].name
        return found.ipam_policy_id, name.removeprefix("IPAM_POLICY_MANAGED_BY_").lower()

    async def public_pool(self, ipam: Any, locale: str = HOME, **members: Any) -> str:
        """The id of a pool that policies may name."""
        pool = await self.client.create_pool(
            ipam.public_default_scope_id, **{"locale": locale, "aws_service": "ec2", **members}
        )
        return str(pool.ipam_pool_id)

    async def _about(self, rpc: str, policy_id: str, target_id: str | None, **members: Any) -> Any:
        if target_id:
            members["organization_target_id"] = target_id
        return await self(rpc, ipam_policy_id=policy_id, **members)


def pools_of(document: Any) -> list[str]:
    """The pools that a document's rules name, in order."""
    return [rule.source_ipam_pool_id for rule in document.allocation_rules]
