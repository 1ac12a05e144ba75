"""Authorization messages, field by field."""

from datetime import date

import pytest

from services.control_plane.verification.claim import AsnClaim, Claim, RangeClaim
from services.control_plane.verification.errors import (
    MalformedExpiryDate,
    MessageExpired,
    MessageRefused,
    WrongAccount,
    WrongAsn,
    WrongCidr,
    WrongDigest,
    WrongNumberOfFields,
    WrongSignatureScheme,
    WrongVendor,
    WrongVersion,
)
from services.control_plane.verification.message import check_message
from shared.cidr import Cidr
from shared.errors import Invalid, kind_of

ACCOUNT = "123456789012"
TODAY = date(2024, 2, 29)
IPV4 = RangeClaim(Cidr.parse("198.18.12.0/22"), ACCOUNT)
IPV6 = RangeClaim(Cidr.parse("2001:db8::/40"), ACCOUNT)
ASN = AsnClaim(64496, ACCOUNT)


@pytest.mark.parametrize(
    ("claim", "subject"),
    [
        (IPV4, "198.18.12.0/22"),
        (IPV6, "2001:db8::/40"),
        (IPV6, "2001:0db8::/40"),
        (IPV6, "2001:DB8:0:0::/40"),
        (ASN, "64496"),
        (AsnClaim(4_200_000_000, ACCOUNT), "4200000000"),
    ],
)
@pytest.mark.parametrize("last_day", ["20240229", "20240301", "99991231"])
def test_a_message_counts_to_the_end_of_its_last_day(
    claim: Claim, subject: str, last_day: str
) -> None:  # BYOIP-1, ASN-1
    check_message(f"1|aws|{ACCOUNT}|{subject}|{last_day}|SHA256|RSAPSS", claim, TODAY)


@pytest.mark.parametrize(
    ("claim", "message", "refusal", "value", "expected"),
    [
        (IPV4, "", WrongNumberOfFields, "", "seven fields '1|aws|ACCOUNT|CIDR-or-ASN|"),
        (
            IPV4,
            "1|aws|A|C|D|SHA256|RSAPSS|",
            WrongNumberOfFields,
            "1|aws|A|C|D|SHA256|RSAPSS|",
            "has 8 fields",
        ),
        (IPV4, "2|aws|A|C|D|SHA256|RSAPSS", WrongVersion, "2", "'1'"),
        (IPV4, "1|AWS|A|C|D|SHA256|RSAPSS", WrongVendor, "AWS", "'aws'"),
        (
            IPV4,
            "1|aws|210987654321|198.18.12.0/22|20240301|SHA256|RSAPSS",
            WrongAccount,
            "210987654321",
            ACCOUNT,
        ),
        (
            IPV4,
            f"1|aws|{ACCOUNT}|198.18.12.0/23|20240301|SHA256|RSAPSS",
            WrongCidr,
            "198.18.12.0/23",
            "198.18.12.0/22",
        ),
        (
            IPV4,
            f"1|aws|{ACCOUNT}|198.18.12.1/22|20240301|SHA256|RSAPSS",
            WrongCidr,
            "198.18.12.1/22",
            "198.18.12.0/22",
        ),
        (
            IPV6,
            f"1|aws|{ACCOUNT}|64496|20240301|SHA256|RSAPSS",
            WrongCidr,
            "64496",
            "2001:db8::/40",
        ),
        (ASN, f"1|aws|{ACCOUNT}|64497|20240301|SHA256|RSAPSS", WrongAsn, "64497", "64496"),
        (ASN, f"1|aws|{ACCOUNT}|AS64496|20240301|SHA256|RSAPSS", WrongAsn, "AS64496", "64496"),
        (
            ASN,
            f"1|aws|{ACCOUNT}|64496|20240228|SHA256|RSAPSS",
            MessageExpired,
            "20240228",
            "20240229",
        ),
        *(
            (
                ASN,
                f"1|aws|{ACCOUNT}|64496|{text}|SHA256|RSAPSS",
                MalformedExpiryDate,
                text,
                "YYYYMMDD",
            )
            for text in (
                "",
                "2024-03-1",
                "20240230",
                "20241301",
                "2024W091",
                "202403011",
                "2024030\u0661",
            )
        ),
        (
            ASN,
            f"1|aws|{ACCOUNT}|64496|20240301|SHA512|RSAPSS",
            WrongDigest,
            "SHA512",
            "SHA256",
        ),
        (
            ASN,
            f"1|aws|{ACCOUNT}|64496|20240301|SHA256|RSA",
            WrongSignatureScheme,
            "RSA",
            "RSAPSS",
        ),
        (
            ASN,
            f"1|aws|{ACCOUNT}|64496|20240301|SHA256|RSAPSS\n",
            WrongSignatureScheme,
            "RSAPSS\n",
            "RSAPSS",
        ),
    ],
)
def test_a_refusal_names_the_field_that_is_wrong_and_what_it_has_to_be(
    claim: Claim, message: str, refusal: type[MessageRefused], value: str, expected: str
) -> None:  # BYOIP-1, ASN-1
    with pytest.raises(MessageRefused) as refused:
        check_message(message, claim, TODAY)
    assert type(refused.value) is refusal
    assert (kind_of(refused.value), refused.value.reason) == (Invalid, "InvalidParameterValue")
    assert refused.value.metadata["value"] == value
    assert f"({value})" in refused.value.message
    assert expected in refused.value.message
