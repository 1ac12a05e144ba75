"""The way through public space that one brings along; registries on loopback tell whose it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tests.acceptance.command_lines import (
    BYOIP_OWNER,
    BYOIP_OWNER_ID,
    HOME,
    IPAM_ID,
    LOCALE,
)
from tests.acceptance.walk.space import empty_and_delete, make_pool
from tests.acceptance.walk.walker import Walker, settled, tags
from tests.registries import Registries
from tests.registries.signing import (
    authorization_message,
    autnum_record,
    certificate,
    network_record,
    one_line,
    sign,
)
from tests.waiting import wait_until

ASN, RANGE, MOVED, KEPT = "12345", "130.137.245.0/24", "130.137.249.0/24", "130.137.251.0/24"


@dataclass(frozen=True)
class Owner:
    """Who proves by signatures that ranges and an ASN are its own."""

    registries: Registries
    key: RSAPrivateKey

    def record(self) -> None:
        """Have the registry's records hold the certificate."""
        told = one_line(certificate(self.key))
        for cidr in (RANGE, MOVED, KEPT):
            self.registries.rdap.put(f"ip/{cidr}", network_record(cidr, told))
        self.registries.rdap.put(f"autnum/{ASN}", autnum_record(int(ASN), told))

    def proof(self, subject: str, account_id: str = IPAM_ID) -> Mapping[str, str]:
        message = authorization_message(account_id, subject)
        return {"Message": message, "Signature": sign(self.key, message)}


def have_tokens(walk: Walker) -> None:
    ec2 = walk.home
    token = ec2.create_ipam_external_resource_verification_token(
        IpamId=walk.made["ipam"]["IpamId"],
        TagSpecifications=tags("ipam-external-resource-verification-token", "walked"),
    )["IpamExternalResourceVerificationToken"]
    walk.made["token"] = token["IpamExternalResourceVerificationTokenId"]
    settled(ec2.describe_ipam_external_resource_verification_tokens, "create-complete")


def bring_a_range(walk: Walker, owner: Owner) -> None:
    ec2 = walk.home
    pool_id = make_pool(
        walk,
        "brought",
        IpamScopeId=walk.made["ipam"]["PublicDefaultScopeId"],
        AddressFamily="ipv4",
        Locale=HOME,
        AwsService="ec2",
        PublicIpSource="byoip",
    )
    ec2.provision_ipam_pool_cidr(
        IpamPoolId=pool_id,
        Cidr=RANGE,
        VerificationMethod="remarks-x509",
        CidrAuthorizationContext=owner.proof(RANGE),
    )
    settled(lambda: ec2.get_ipam_pool_cidrs(IpamPoolId=pool_id), "provisioned")
    ec2.provision_ipam_byoasn(
        IpamId=walk.made["ipam"]["IpamId"], Asn=ASN, AsnAuthorizationContext=owner.proof(ASN)
    )
    settled(ec2.describe_ipam_byoasn, "provisioned")
    ec2.associate_ipam_byoasn(Asn=ASN, Cidr=RANGE)
    ec2.advertise_byoip_cidr(Cidr=RANGE, Asn=ASN)
    ec2.describe_byoip_cidrs(MaxResults=10)


def give_it_out(walk: Walker) -> None:
    """As a public IPv4 pool, and as addresses of that."""
    ec2 = walk.home
    public = ec2.create_public_ipv4_pool(TagSpecifications=tags("ipv4pool-ec2", "walked"))["PoolId"]
    ec2.provision_public_ipv4_pool_cidr(
        IpamPoolId=walk.made["brought"], PoolId=public, NetmaskLength=31
    )
    walk.made["public pool"] = public
    address = ec2.allocate_address(PublicIpv4Pool=public)
    ec2.describe_public_ipv4_pools()
    ec2.describe_addresses()
    ec2.release_address(AllocationId=address["AllocationId"])


def move_a_range(walk: Walker, owner: Owner) -> None:
    """Brought along without an IPAM, and then to one's own."""
    other, home = walk.client(BYOIP_OWNER, LOCALE), walk.home
    other.provision_byoip_cidr(
        Cidr=MOVED,
        Description="brought",
        CidrAuthorizationContext=owner.proof(MOVED, BYOIP_OWNER_ID),
        PoolTagSpecifications=tags("ipv4pool-ec2", "brought"),
    )

    def ask() -> Any:
        return other.describe_byoip_cidrs(MaxResults=10)

    settled(ask, "provisioned")
    other.advertise_byoip_cidr(Cidr=MOVED)
    other.withdraw_byoip_cidr(Cidr=MOVED)
    pool_id = make_pool(
        walk,
        "taker",
        IpamScopeId=walk.made["ipam"]["PublicDefaultScopeId"],
        AddressFamily="ipv4",
        Locale=LOCALE,
        AwsService="ec2",
    )
    walk.share(pool_id, BYOIP_OWNER_ID)
    move = {"Cidr": MOVED, "IpamPoolId": pool_id, "IpamPoolOwner": IPAM_ID}

    def is_moved() -> bool:
        told: str = other.move_byoip_cidr_to_ipam(**move)["ByoipCidr"]["State"]
        return told == "complete-transfer"

    wait_until(is_moved)
    [public] = other.describe_public_ipv4_pools()["PublicIpv4Pools"]
    walk.made["moved pool"] = public["PoolId"]
    home.get_ipam_pool_cidrs(IpamPoolId=pool_id)


def bring_alone(walk: Walker, owner: Owner) -> None:
    """Without any IPAM."""
    other = walk.client(BYOIP_OWNER, HOME)
    other.provision_byoip_cidr(
        Cidr=KEPT,
        Description="kept apart",
        CidrAuthorizationContext=owner.proof(KEPT, BYOIP_OWNER_ID),
    )

    def ask() -> Any:
        return other.describe_byoip_cidrs(MaxResults=10)

    settled(ask, "provisioned")


def take_it_back(walk: Walker) -> None:
    walk.client(BYOIP_OWNER, HOME).deprovision_byoip_cidr(Cidr=KEPT)
    ec2, public = walk.home, walk.made["public pool"]
    for address in ("130.137.245.1/32", "130.137.245.0/32"):
        ec2.deprovision_public_ipv4_pool_cidr(PoolId=public, Cidr=address)
    ec2.delete_public_ipv4_pool(PoolId=public)
    ec2.withdraw_byoip_cidr(Cidr=RANGE)
    ec2.disassociate_ipam_byoasn(Asn=ASN, Cidr=RANGE)
    ec2.deprovision_ipam_byoasn(IpamId=walk.made["ipam"]["IpamId"], Asn=ASN)
    settled(ec2.describe_ipam_byoasn, "deprovisioned")
    empty_and_delete(walk, walk.made["brought"])
    ec2.delete_ipam_external_resource_verification_token(
        IpamExternalResourceVerificationTokenId=walk.made["token"]
    )
    other = walk.client(BYOIP_OWNER, LOCALE)
    for last in range(255, -1, -1):
        other.deprovision_public_ipv4_pool_cidr(
            PoolId=walk.made["moved pool"], Cidr=f"130.137.249.{last}/32"
        )
    empty_and_delete(walk, walk.made["taker"])
