import pytest

from services.network.errors import CidrLimitExceeded, InvalidVpcRange, PrimaryCidrBlock
from services.network.resource import CidrAssociation
from services.network.vpc import Tenancy, Vpc
from shared.cidr import AddressFamily, Cidr
from shared.errors import UnknownId

PRIMARY = CidrAssociation("vpc-cidr-assoc-00000000000000001", Cidr.parse("10.0.0.0/16"))
SECONDARY = CidrAssociation("vpc-cidr-assoc-00000000000000002", Cidr.parse("10.1.0.0/16"))
IPV6 = CidrAssociation("vpc-cidr-assoc-00000000000000006", Cidr.parse("2001:db8::/56"))


def vpc(*associations: CidrAssociation, owner_id: str = "123456789012") -> Vpc:
    return Vpc(
        vpc_id="vpc-0983f3c454f3d8be5",
        owner_id=owner_id,
        region="us-west-2",
        instance_tenancy=Tenancy.DEFAULT,
        tags={},
        associations=associations,
    )


def test_the_first_ipv4_block_is_the_primary_one() -> None:
    assert vpc(IPV6, PRIMARY, SECONDARY).primary == PRIMARY


def test_each_family_has_a_quota_of_its_own() -> None:
    added = vpc(PRIMARY, SECONDARY).with_association(IPV6, quota=1)
    assert added.of_family(AddressFamily.IPV6) == [IPV6]
    with pytest.raises(CidrLimitExceeded, match="at most 1"):
        vpc(PRIMARY).with_association(SECONDARY, quota=1)


@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "10.0.128.0/17", "10.0.255.240/28"])
def test_a_vpc_has_no_address_twice(cidr: str) -> None:
    added = CidrAssociation("vpc-cidr-assoc-00000000000000009", Cidr.parse(cidr))
    with pytest.raises(InvalidVpcRange, match=r"10\.0\.0\.0/16"):
        vpc(PRIMARY).with_association(added, quota=5)


def test_every_block_but_the_primary_one_can_be_removed() -> None:
    assert vpc(PRIMARY, SECONDARY, IPV6).check_removable(SECONDARY.association_id) == SECONDARY
    assert vpc(PRIMARY, SECONDARY, IPV6).check_removable(IPV6.association_id) == IPV6
    with pytest.raises(PrimaryCidrBlock, match="delete the VPC"):
        vpc(PRIMARY, SECONDARY).check_removable(PRIMARY.association_id)
    with pytest.raises(UnknownId):
        vpc(PRIMARY).check_removable(SECONDARY.association_id)


def test_an_account_has_one_dhcp_options_set_per_region() -> None:
    one, other = vpc(PRIMARY), vpc(PRIMARY, owner_id="210987654321")
    assert one.dhcp_options_id == vpc(SECONDARY).dhcp_options_id != other.dhcp_options_id
