"""Which ranges can be brought along, and with what proof (PROV-6)."""

import ipaddress
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.allocation.pending_cidr import OfferedProof, Proof, VerificationMethod
from services.allocation.public_space import check_public_range, check_specific
from shared.cidr import AddressFamily, Cidr
from shared.errors import CadastreError
from tests.allocation.test_rules import POOL

X509, TOKEN = VerificationMethod.REMARKS_X509, VerificationMethod.DNS_TOKEN


@pytest.mark.parametrize(
    ("cidr", "says", "says_where_reserved_is_allowed"),
    [
        ("8.8.8.0/24", None, None),
        ("130.137.245.0/24", None, None),
        ("0.0.0.0/0", "this network", "this network"),
        ("10.1.0.0/16", "private use", None),
        ("100.64.0.0/16", "carriers", None),
        ("127.1.0.0/16", "loopback", "loopback"),
        ("169.254.0.0/24", "link-local", "link-local"),
        ("172.31.0.0/24", "private use", None),
        ("192.0.0.0/24", "IETF", None),
        ("192.0.2.0/24", "documentation", None),
        ("192.31.196.0/24", "AS112", None),
        ("192.52.193.0/24", "AMT", None),
        ("192.88.99.0/24", "6to4", None),
        ("192.168.0.0/24", "private use", None),
        ("192.175.48.0/24", "AS112", None),
        ("198.19.0.0/24", "benchmarking", None),
        ("198.51.100.0/24", "documentation", None),
        ("203.0.113.0/24", "documentation", None),
        ("203.0.0.0/16", "documentation", None),
        ("224.0.1.0/24", "multicast", "multicast"),
        ("240.0.0.0/24", "reserved", "reserved"),
        ("2605:9cc0:409::/48", None, None),
        ("2001:2::/48", "IETF", None),
        ("2001:20::/48", "ORCHID", None),
        ("2001:db8::/48", "documentation", None),
        ("2002:808:808::/48", "6to4", None),
        ("2620:4f:8000::/48", "AS112", None),
        ("3fff::/48", "documentation", None),
        ("5f00::/48", "segment routing", None),
        ("fd80::/48", "unique local", None),
        ("fe80::/48", "not global unicast", "not global unicast"),
        ("ff02::/48", "not global unicast", "not global unicast"),
        ("64:ff9b::/48", "not global unicast", "not global unicast"),
    ],
)
def test_only_what_somebody_can_own_is_brought_along(
    cidr: str, says: str | None, says_where_reserved_is_allowed: str | None
) -> None:  # PROV-6
    for reserved_allowed, why in ((False, says), (True, says_where_reserved_is_allowed)):
        refused: Any = pytest.raises(CadastreError, match=why) if why else nullcontext()
        with refused:
            check_public_range(Cidr.parse(cidr), reserved_allowed=reserved_allowed)


@given(
    st.one_of(
        st.integers(0, (1 << 32) - 1).map(lambda first: Cidr(AddressFamily.IPV4, first, 32)),
        st.integers(1 << 125, (1 << 126) - 1).map(
            lambda first: Cidr(AddressFamily.IPV6, first, 128)
        ),
    )
)
def test_what_is_let_in_is_global_to_python_as_well(address: Cidr) -> None:  # PROV-6
    cidr = address.supernet(24 if address.family is AddressFamily.IPV4 else 48)
    try:
        check_public_range(cidr, reserved_allowed=False)
    except CadastreError:
        return
    assert ipaddress.ip_network(str(cidr)).is_global


@pytest.mark.parametrize(
    ("family", "is_advertisable", "longest"),
    [
        (AddressFamily.IPV4, False, 24),
        (AddressFamily.IPV6, True, 48),
        (AddressFamily.IPV6, False, 60),
    ],
)
def test_the_most_specific_range_depends_on_where_it_is_known(
    family: AddressFamily, longest: int, *, is_advertisable: bool
) -> None:  # PROV-6
    pool = replace(POOL, address_family=family, publicly_advertisable=is_advertisable)
    check_specific(pool, longest)
    with pytest.raises(CadastreError, match=f"/{longest} or wider") as refusal:
        check_specific(pool, longest + 1)
    assert refusal.value.reason == "InvalidParameterValue"


CONTEXT = {"has_context": True, "message": "m", "signature": "s"}
COVERED: dict[str, Any] = {
    "has_context": True,
    "message": "CoveredByInternetRegistryAssociation",
    "signature": "",
}


@pytest.mark.parametrize(
    ("members", "proof"),
    [
        pytest.param(CONTEXT, Proof(X509, "m", "s"), id="no method"),
        pytest.param({**CONTEXT, "method": X509}, Proof(X509, "m", "s"), id="signed"),
        pytest.param({"method": TOKEN, "token_id": "t"}, Proof(TOKEN, token_id="t"), id="by token"),
        pytest.param(COVERED, Proof(X509, COVERED["message"], ""), id="certified"),
        pytest.param(
            {**COVERED, "signature": None}, Proof(X509, COVERED["message"], ""), id="bare"
        ),
    ],
)
def test_a_proof_is_a_signed_message_an_association_or_a_token(
    members: dict[str, Any], proof: Proof
) -> None:
    # BYOIP-1, BYOIP-2
    assert OfferedProof(**members).checked() == proof


@pytest.mark.parametrize(
    ("members", "reason", "says"),
    [
        pytest.param({}, "MissingParameter", "CidrAuthorizationContext", id="nothing"),
        pytest.param(
            {"method": X509}, "MissingParameter", "CidrAuthorizationContext", id="nothing signed"
        ),
        pytest.param(
            {"has_context": True, "signature": "s"},
            "MissingParameter",
            "CidrAuthorizationContext.Message",
            id="no message",
        ),
        pytest.param(
            {"has_context": True, "message": "m"},
            "MissingParameter",
            "CidrAuthorizationContext.Signature",
            id="no signature",
        ),
        pytest.param(
            {"method": TOKEN},
            "MissingParameter",
            "IpamExternalResourceVerificationTokenId",
            id="no token",
        ),
        pytest.param(
            {**CONTEXT, "method": TOKEN, "token_id": "t"},
            "InvalidParameterCombination",
            "CidrAuthorizationContext is for",
            id="a message beside a token",
        ),
        pytest.param(
            {**CONTEXT, "token_id": "t"},
            "InvalidParameterCombination",
            "TokenId is for",
            id="a token beside a message",
        ),
        pytest.param(
            {"token_id": "t"},
            "InvalidParameterCombination",
            "VerificationMethod 'dns-token'",
            id="a token and no method",
        ),
    ],
)
def test_what_is_no_proof_is_refused_precisely(
    members: dict[str, Any], reason: str, says: str
) -> None:  # PROV-6
    with pytest.raises(CadastreError) as refusal:
        OfferedProof(**members).checked()
    assert refusal.value.reason == reason
    assert says in refusal.value.message
