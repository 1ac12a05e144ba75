"""The guide's tutorials of public space that one brings along, by AWS CLI, each to its clean-up.

Who has which range is told by a DNS and an RDAP server on loopback.
"""

import ipaddress
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from tests.acceptance.command_lines import (
    BYOIP_OWNER,
    BYOIP_OWNER_ID,
    HOME,
    IPAM,
    IPAM_ID,
    LOCALE,
    MANAGEMENT,
    MEMBER,
    MEMBER_ID,
    CommandLine,
    states,
)
from tests.acceptance.installation import Installation, installation
from tests.registries import Registries
from tests.registries.signing import (
    authorization_message,
    autnum_record,
    certificate,
    network_record,
    one_line,
    rsa_key,
    sign,
)
from tests.waiting import wait_until

pytestmark = pytest.mark.acceptance

IPV4, MOVED, IPV6, ASN = "130.137.245.0/24", "130.137.249.0/24", "2605:9cc0:409::/48", "12345"
IPV4_ZONE = "245.137.130.in-addr.arpa"
IPV6_ZONE = "9.0.4.0.0.c.c.9.5.0.6.2.ip6.arpa"
on_sqlite_alone = pytest.mark.parametrize("cadastre", ["sqlite"], indirect=True)
"""Each service's own tests run on both databases; the longest of these is enough on PostgreSQL."""
SHARE, IMPORT = "AWSRAMDefaultPermissionsIpamPool", "AWSRAMPermissionIpamPoolByoipCidrImport"


@pytest.fixture(scope="module")
def registries() -> Iterator[Registries]:
    with Registries() as running:
        yield running


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)
def cadastre(
    request: pytest.FixtureRequest,
    registries: Registries,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installation]:
    """It asks the registries of these tests, and again soon."""
    settings = {
        "CADASTRE_RDAP_URL": registries.rdap_url,
        "CADASTRE_DNS_SERVERS": f'["{registries.dns_server}"]',
        "CADASTRE_VERIFICATION_RETRY_SECONDS": "0.2",
    }
    if request.param == "postgresql":
        settings["CADASTRE_DATABASE_URL"] = request.getfixturevalue("database_url_template")
    with installation(tmp_path_factory.mktemp("data"), **settings) as running:
        yield running


@pytest.fixture
def aws(cadastre: Installation) -> CommandLine:
    return CommandLine(cadastre)


@pytest.fixture(scope="module")
def key() -> RSAPrivateKey:
    return rsa_key()


@pytest.fixture
def ipam(aws: CommandLine) -> Iterator[Any]:
    """Step 2, and its undoing at the end; the organization shares meanwhile."""
    enable = "ec2 enable-ipam-organization-admin-account --delegated-admin-account-id"
    assert aws(f"{enable} {IPAM_ID}", MANAGEMENT) == {"Success": True}
    aws("ram enable-sharing-with-aws-organization", MANAGEMENT)
    create = "ec2 create-ipam --description my-ipam --operating-regions RegionName=us-west-2"
    ipam = aws(create)["Ipam"]
    wait_until(lambda: states(aws("ec2 describe-ipams")["Ipams"]) == ["create-complete"])
    yield ipam
    aws(f"ec2 delete-ipam --ipam-id {ipam['IpamId']}")
    wait_until(lambda: aws("ec2 describe-ipams")["Ipams"] == [])
    disable = "ec2 disable-ipam-organization-admin-account --delegated-admin-account-id"
    aws(f"{disable} {IPAM_ID}", MANAGEMENT)


def in_record(registries: Registries, key: RSAPrivateKey, cidr: str) -> None:
    """Steps 1 to 3 of the prerequisites: the registry's record has the certificate."""
    record = network_record(cidr, one_line(certificate(key)))
    registries.rdap.put(f"ip/{cidr}", record)


def proof_by_certificate(key: RSAPrivateKey, cidr: str, account_id: str = IPAM_ID) -> str:
    message = authorization_message(account_id, cidr)
    return (
        f"--cidr {cidr} --verification-method remarks-x509 --cidr-authorization-context"
        f' Message="{message}",Signature="{sign(key, message)}"'
    )


def a_token(aws: CommandLine, ipam: Any) -> Any:
    create = "ec2 create-ipam-external-resource-verification-token --ipam-id"
    token = aws(f"{create} {ipam['IpamId']}")["IpamExternalResourceVerificationToken"]
    assert (token["Status"], token["State"]) == ("valid", "create-in-progress")
    return token


def proof_by_token(token: Any, cidr: str) -> str:
    return (
        f"--cidr {cidr} --verification-method dns-token"
        " --ipam-external-resource-verification-token-id"
        f" {token['IpamExternalResourceVerificationTokenId']}"
    )


def forget(aws: CommandLine, token: Any) -> None:
    delete = "ec2 delete-ipam-external-resource-verification-token"
    token_id = token["IpamExternalResourceVerificationTokenId"]
    aws(f"{delete} --ipam-external-resource-verification-token-id {token_id}")
    describe = "ec2 describe-ipam-external-resource-verification-tokens"
    wait_until(lambda: aws(describe)["IpamExternalResourceVerificationTokens"] == [])


def a_regional_pool(aws: CommandLine, ipam: Any, top: str, family: str) -> str:
    return aws.pool(
        f"--description Regional-pool --ipam-scope-id {ipam['PublicDefaultScopeId']}"
        f" --source-ipam-pool-id {top} --locale us-west-2 --address-family {family}"
        " --aws-service ec2"
    )


@on_sqlite_alone
def test_a_public_ipv4_range_is_brought_along_and_given_out_as_elastic_addresses(
    aws: CommandLine, ipam: Any, registries: Registries, key: RSAPrivateKey
) -> None:  # BYOIP-1, BYOIP-4, PROV-6, EIP-2
    in_record(registries, key, IPV4)
    scope = ipam["PublicDefaultScopeId"]
    top = aws.pool(f"--ipam-scope-id {scope} --description top-level-pool --address-family ipv4")
    assert aws.provision(top, proof_by_certificate(key, IPV4))["Cidr"] == IPV4
    regional = a_regional_pool(aws, ipam, top, "ipv4")
    assert "/24" in str(
        aws.refusal(
            f"ec2 provision-ipam-pool-cidr --ipam-pool-id {regional} --cidr 130.137.245.0/25"
        )
    )
    aws.provision(regional, f"--cidr {IPV4}")

    advertise = f"ec2 advertise-byoip-cidr --cidr {IPV4}"
    told = aws(advertise, IPAM, LOCALE)["ByoipCidr"]
    assert (told["Cidr"], told["State"]) == (IPV4, "advertised")
    share = aws.share("regional", regional, MEMBER_ID, SHARE)

    allocate = f"ec2 allocate-address --ipam-pool-id {regional}"
    first = aws(allocate, MEMBER, LOCALE)
    assert first["PublicIp"] == "130.137.245.0"
    assert first["PublicIpv4Pool"] == regional
    assert (first["NetworkBorderGroup"], first["Domain"]) == (LOCALE, "vpc")
    last = aws(f"{allocate} --address 130.137.245.255", MEMBER, LOCALE)
    assert last["PublicIp"] == "130.137.245.255"
    machine = aws.an_instance(MEMBER, LOCALE)
    associated = aws(
        f"ec2 associate-address --instance-id {machine.instance_id} --public-ip 130.137.245.0",
        MEMBER,
        LOCALE,
    )
    assert associated["AssociationId"].startswith("eipassoc-")
    [held, _] = aws.allocations(regional)
    assert (held["Cidr"], held["ResourceType"]) == ("130.137.245.0/32", "eip")
    assert (held["ResourceId"], held["ResourceOwner"]) == (first["AllocationId"], MEMBER_ID)

    # Clean-up: what is in use or advertised stays.
    deprovision = f"ec2 deprovision-ipam-pool-cidr --ipam-pool-id {regional} --cidr {IPV4}"
    release = f"ec2 release-address --allocation-id {first['AllocationId']}"
    assert aws.refusal(release, MEMBER, LOCALE).code == "InvalidIPAddress.InUse"
    aws(f"ec2 disassociate-address --association-id {associated['AssociationId']}", MEMBER, LOCALE)
    for address in (first, last):
        aws(f"ec2 release-address --allocation-id {address['AllocationId']}", MEMBER, LOCALE)
    machine.clean_up()
    wait_until(lambda: aws.allocations(regional) == [])
    assert "advertised" in str(aws.refusal(deprovision))
    told = aws(f"ec2 withdraw-byoip-cidr --cidr {IPV4}", IPAM, LOCALE)["ByoipCidr"]
    assert (told["Cidr"], told["State"]) == (IPV4, "provisioned")
    aws.deprovision(regional, IPV4)
    aws(f"ram delete-resource-share --resource-share-arn {share}")
    aws.delete_pool(regional)
    aws.deprovision(top, IPV4)
    aws.delete_pool(top)


@on_sqlite_alone
def test_a_range_proven_by_dns_is_given_to_a_public_ipv4_pool(
    aws: CommandLine, ipam: Any, registries: Registries
) -> None:  # BYOIP-2, EIP-1
    token = a_token(aws, ipam)
    scope = ipam["PublicDefaultScopeId"]
    top = aws.pool(f"--ipam-scope-id {scope} --description top-level-pool --address-family ipv4")
    command = f"ec2 provision-ipam-pool-cidr --ipam-pool-id {top} {proof_by_token(token, IPV4)}"
    assert aws(command)["IpamPoolCidr"]["State"] == "pending-provision"
    get = f"ec2 get-ipam-pool-cidrs --ipam-pool-id {top}"
    assert states(aws(get)["IpamPoolCidrs"]) == ["pending-provision"]
    registries.dns.put_txt(f"{token['TokenName']}.{IPV4_ZONE}", token["TokenValue"])
    wait_until(lambda: states(aws(get)["IpamPoolCidrs"]) == ["provisioned"])
    regional = a_regional_pool(aws, ipam, top, "ipv4")
    aws.provision(regional, f"--cidr {IPV4}")
    share = aws.share("regional", regional, MEMBER_ID, SHARE)

    pool = aws("ec2 create-public-ipv4-pool", MEMBER, LOCALE)["PoolId"]
    provisioned = aws(
        f"ec2 provision-public-ipv4-pool-cidr --ipam-pool-id {regional} --pool-id {pool}"
        " --netmask-length 24",
        MEMBER,
        LOCALE,
    )
    assert provisioned["PoolAddressRange"] == {
        "FirstAddress": "130.137.245.0",
        "LastAddress": "130.137.245.255",
        "AddressCount": 256,
        "AvailableAddressCount": 256,
    }
    [told] = aws("ec2 describe-byoip-cidrs --max-results 10", MEMBER, LOCALE)["ByoipCidrs"]
    assert (told["Cidr"], told["State"]) == (IPV4, "provisioned")
    assert told["StatusMessage"] == "Cidr successfully provisioned"
    address = aws(f"ec2 allocate-address --public-ipv4-pool {pool}", MEMBER, LOCALE)
    assert address["PublicIpv4Pool"] == pool
    [held] = aws.allocations(regional)
    assert (held["Cidr"], held["ResourceType"]) == (IPV4, "ec2-public-ipv4-pool")
    assert (held["ResourceId"], held["ResourceOwner"]) == (pool, MEMBER_ID)

    aws(f"ec2 release-address --allocation-id {address['AllocationId']}", MEMBER, LOCALE)
    empty_the_public_pool(aws, pool, IPV4, MEMBER)
    wait_until(lambda: aws.allocations(regional) == [])
    assert aws(f"ec2 delete-public-ipv4-pool --pool-id {pool}", MEMBER, LOCALE) == {
        "ReturnValue": True
    }
    aws(f"ram delete-resource-share --resource-share-arn {share}")
    aws.deprovision(regional, IPV4)
    aws.delete_pool(regional)
    aws.deprovision(top, IPV4)
    aws.delete_pool(top)
    registries.dns.remove(f"{token['TokenName']}.{IPV4_ZONE}")
    forget(aws, token)


def empty_the_public_pool(aws: CommandLine, pool: str, cidr: str, profile: str) -> None:
    """Address by address, the highest first, in the IPAM's home region as the guide has it."""
    describe = f"ec2 describe-public-ipv4-pools --pool-ids {pool}"
    [shown] = aws(describe, profile, HOME)["PublicIpv4Pools"]
    assert shown["TotalAddressCount"] == 256
    addresses = list(map(str, ipaddress.ip_network(cidr)))
    deprovision = f"ec2 deprovision-public-ipv4-pool-cidr --pool-id {pool} --cidr"
    refusal = aws.refusal(f"{deprovision} {addresses[0]}/32", profile)
    assert addresses[-1] in str(refusal)
    assert aws(f"{deprovision} {addresses[-1]}/32", profile) == {
        "PoolId": pool,
        "DeprovisionedAddresses": [addresses[-1]],
    }
    # The same call 255 times more: a client in this process takes seconds, not minutes.
    client = aws.client(profile, HOME)
    for address in reversed(addresses[:-1]):
        client.deprovision_public_ipv4_pool_cidr(PoolId=pool, Cidr=f"{address}/32")
    [shown] = aws(describe, profile, HOME)["PublicIpv4Pools"]
    assert (shown["PoolAddressRanges"], shown["TotalAddressCount"]) == ([], 0)


@on_sqlite_alone
@pytest.mark.parametrize("method", ["remarks-x509", "dns-token"])
def test_a_public_ipv6_range_is_brought_along_and_given_to_a_vpc(
    aws: CommandLine, ipam: Any, registries: Registries, key: RSAPrivateKey, method: str
) -> None:  # BYOIP-1, BYOIP-2, BYOIP-4, PROV-6, VPC-1
    scope = ipam["PublicDefaultScopeId"]
    top = aws.pool(
        f"--ipam-scope-id {scope} --description top-level-IPv6-pool --address-family ipv6"
        " --publicly-advertisable"
    )
    token = a_token(aws, ipam)
    if method == "dns-token":
        registries.dns.put_txt(f"{token['TokenName']}.{IPV6_ZONE}", token["TokenValue"])
        aws.provision(top, proof_by_token(token, IPV6))
    else:
        in_record(registries, key, IPV6)
        aws.provision(top, proof_by_certificate(key, IPV6))
    regional = a_regional_pool(aws, ipam, top, "ipv6")
    aws.provision(regional, f"--cidr {IPV6}")
    share = aws.share("regional", regional, MEMBER_ID, SHARE)
    vpc = aws(
        f"ec2 create-vpc --ipv6-ipam-pool-id {regional} --cidr-block 10.0.0.0/16"
        " --ipv6-netmask-length 56",
        MEMBER,
        LOCALE,
    )["Vpc"]
    [block] = vpc["Ipv6CidrBlockAssociationSet"]
    assert (block["Ipv6CidrBlock"], block["Ipv6Pool"]) == ("2605:9cc0:409::/56", regional)
    assert (block["IpSource"], block["Ipv6AddressAttribute"]) == ("byoip", "public")
    [held] = aws.allocations(regional)
    assert (held["ResourceId"], held["ResourceType"]) == (vpc["VpcId"], "vpc")

    told = aws(f"ec2 advertise-byoip-cidr --cidr {IPV6}", IPAM, LOCALE)["ByoipCidr"]
    assert (told["Cidr"], told["State"]) == (IPV6, "advertised")
    told = aws(f"ec2 withdraw-byoip-cidr --cidr {IPV6}", IPAM, LOCALE)["ByoipCidr"]
    assert (told["Cidr"], told["State"]) == (IPV6, "provisioned")
    aws(f"ec2 delete-vpc --vpc-id {vpc['VpcId']}", MEMBER, LOCALE)
    wait_until(lambda: aws.allocations(regional) == [])
    aws.deprovision(regional, IPV6)
    aws(f"ram delete-resource-share --resource-share-arn {share}")
    aws.delete_pool(regional)
    aws.deprovision(top, IPV6)
    aws.delete_pool(top)
    forget(aws, token)


def test_a_range_brought_along_without_an_ipam_moves_to_one(
    aws: CommandLine, ipam: Any, registries: Registries, key: RSAPrivateKey
) -> None:  # BYOIP-6
    in_record(registries, key, MOVED)
    message = authorization_message(BYOIP_OWNER_ID, MOVED)
    told = aws(
        f"ec2 provision-byoip-cidr --cidr {MOVED} --cidr-authorization-context"
        f' Message="{message}",Signature="{sign(key, message)}"',
        BYOIP_OWNER,
        LOCALE,
    )["ByoipCidr"]
    assert told["State"] == "pending-provision"
    describe = "ec2 describe-byoip-cidrs --max-results 10"
    wait_until(lambda: states(aws(describe, BYOIP_OWNER, LOCALE)["ByoipCidrs"]) == ["provisioned"])
    [public_pool] = aws("ec2 describe-public-ipv4-pools", BYOIP_OWNER, LOCALE)["PublicIpv4Pools"]
    address = aws(
        f"ec2 allocate-address --public-ipv4-pool {public_pool['PoolId']}", BYOIP_OWNER, LOCALE
    )

    pool = aws.pool(
        f"--ipam-scope-id {ipam['PublicDefaultScopeId']} --description top-level-pool"
        " --locale us-west-2 --aws-service ec2 --address-family ipv4"
    )
    move = (
        f"ec2 move-byoip-cidr-to-ipam --ipam-pool-id {pool} --ipam-pool-owner {IPAM_ID}"
        f" --cidr {MOVED}"
    )
    assert aws.refusal(move, BYOIP_OWNER, LOCALE).code == "InvalidIpamPoolId.NotFound"
    listed = aws("ram list-permissions --resource-type ec2:IpamPool")["permissions"]
    assert {SHARE, IMPORT} <= {permission["name"] for permission in listed}
    shares = [
        aws.share("PoolShare2", pool, BYOIP_OWNER_ID, IMPORT),
        aws.share("PoolShare1", pool, BYOIP_OWNER_ID, SHARE),
    ]
    told = aws(move, BYOIP_OWNER, LOCALE)["ByoipCidr"]
    assert (told["Cidr"], told["State"]) == (MOVED, "pending-transfer")
    wait_until(lambda: aws(move, BYOIP_OWNER, LOCALE)["ByoipCidr"]["State"] == "complete-transfer")
    [held] = aws.allocations(pool)
    assert (held["Cidr"], held["ResourceType"]) == (MOVED, "ec2-public-ipv4-pool")
    assert (held["ResourceId"], held["ResourceOwner"]) == (public_pool["PoolId"], BYOIP_OWNER_ID)
    [kept] = aws("ec2 describe-addresses", BYOIP_OWNER, LOCALE)["Addresses"]
    assert kept["AllocationId"] == address["AllocationId"]

    for share in shares:
        assert aws(f"ram delete-resource-share --resource-share-arn {share}") == {
            "returnValue": True
        }
    aws(f"ec2 release-address --allocation-id {address['AllocationId']}", BYOIP_OWNER, LOCALE)
    empty_the_public_pool(aws, public_pool["PoolId"], MOVED, BYOIP_OWNER)
    wait_until(lambda: aws.allocations(pool) == [])
    aws(f"ec2 delete-public-ipv4-pool --pool-id {public_pool['PoolId']}", BYOIP_OWNER, LOCALE)
    aws.deprovision(pool, MOVED)
    aws.delete_pool(pool)


@on_sqlite_alone
def test_an_asn_is_brought_along_and_originates_a_range(
    aws: CommandLine, ipam: Any, registries: Registries, key: RSAPrivateKey
) -> None:  # ASN-1 to ASN-3
    in_record(registries, key, IPV4)
    top = aws.pool(
        f"--ipam-scope-id {ipam['PublicDefaultScopeId']} --address-family ipv4"
        " --locale us-east-1 --aws-service ec2"
    )
    aws.provision(top, proof_by_certificate(key, IPV4))
    registries.rdap.put(f"autnum/{ASN}", autnum_record(int(ASN), one_line(certificate(key))))
    message = authorization_message(IPAM_ID, ASN)
    about = f"--ipam-id {ipam['IpamId']} --asn {ASN}"
    told = aws(
        f"ec2 provision-ipam-byoasn {about} --asn-authorization-context"
        f' Message="{message}",Signature="{sign(key, message)}"'
    )["Byoasn"]
    assert (told["Asn"], told["State"]) == (ASN, "pending-provision")
    describe = "ec2 describe-ipam-byoasn"
    wait_until(lambda: states(aws(describe)["Byoasns"]) == ["provisioned"])
    on_cidr = f"--asn {ASN} --cidr {IPV4}"
    advertise = "ec2 advertise-byoip-cidr"
    assert "associate" in str(aws.refusal(f"{advertise} {on_cidr}"))
    associated = aws(f"ec2 associate-ipam-byoasn {on_cidr}")["AsnAssociation"]
    assert (associated["Asn"], associated["Cidr"]) == (ASN, IPV4)

    def association() -> Any:
        [cidr] = aws("ec2 describe-byoip-cidrs --max-results 10")["ByoipCidrs"]
        [found] = cidr["AsnAssociations"]
        return cidr["State"], found["State"]

    assert association() == ("provisioned", "associated")
    assert aws(f"{advertise} {on_cidr}")["ByoipCidr"]["State"] == "advertised"
    assert association()[0] == "advertised"
    # Back to Amazon's at any time; to one's own once an hour.
    aws(f"{advertise} --asn AWS --cidr {IPV4}")
    assert aws.refusal(f"{advertise} {on_cidr}").code == "IncorrectState"

    deprovision = f"ec2 deprovision-ipam-byoasn {about}"
    assert aws(f"ec2 withdraw-byoip-cidr --cidr {IPV4}")["ByoipCidr"]["State"] == "provisioned"
    assert aws.refusal(deprovision).code == "DependencyViolation"
    aws(f"ec2 disassociate-ipam-byoasn {on_cidr}")
    aws(deprovision)
    wait_until(lambda: states(aws(describe)["Byoasns"]) == ["deprovisioned"])
    aws.deprovision(top, IPV4)
    aws.delete_pool(top)


@on_sqlite_alone
def test_a_proof_that_fails_says_why(
    aws: CommandLine, ipam: Any, registries: Registries, key: RSAPrivateKey
) -> None:  # BEY-4, PROV-7
    in_record(registries, rsa_key(), IPV4)
    top = aws.pool(f"--ipam-scope-id {ipam['PublicDefaultScopeId']} --address-family ipv4")
    provision = f"ec2 provision-ipam-pool-cidr --ipam-pool-id {top}"
    get = f"ec2 get-ipam-pool-cidrs --ipam-pool-id {top}"

    def failure(proof: str) -> str:
        aws(f"{provision} {proof}")
        wait_until(lambda: states(aws(get)["IpamPoolCidrs"]) == ["failed-provision"])
        [failed] = aws(get)["IpamPoolCidrs"]
        aws(f"ec2 deprovision-ipam-pool-cidr --ipam-pool-id {top} --cidr {failed['Cidr']}")
        reason: str = failed["FailureReason"]["Message"]
        return reason

    assert "not signed" in failure(proof_by_certificate(key, IPV4))
    assert "777788889999" in failure(proof_by_certificate(key, IPV4, BYOIP_OWNER_ID))
    assert "/24" in str(aws.refusal(f"{provision} {proof_by_certificate(key, '130.137.245.0/25')}"))
    assert "10.0.0.0/8" in str(
        aws.refusal(f"{provision} {proof_by_certificate(key, '10.1.0.0/16')}")
    )
    assert aws.refusal(f"{provision} --cidr {IPV4}").code == "MissingParameter"
    aws.delete_pool(top)
