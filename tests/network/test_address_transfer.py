from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest

from services.network.address_transfer import AddressTransfer, check_receiver
from shared.errors import IncorrectState, InvalidParameterValue

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = timedelta(microseconds=1)
OFFER = AddressTransfer(
    allocation_id="eipalloc-09ad461b0d03f6aaf",
    public_ip=IPv4Address("198.18.0.7"),
    owner_id="111122223333",
    region="us-west-2",
    transfer_account_id="123456789012",
    expires_at=NOW + timedelta(days=7),
)


def test_an_offer_can_be_accepted_until_its_time_is_up() -> None:  # EIP-3
    last = OFFER.expires_at - MOMENT
    assert OFFER.accepted(last) == replace(OFFER, accepted_at=last)
    with pytest.raises(IncorrectState, match="2026-01-08"):
        OFFER.accepted(OFFER.expires_at)


def test_its_owner_sees_an_offer_while_it_stands_and_14_days_after_its_acceptance() -> None:
    assert OFFER.is_shown(OFFER.expires_at - MOMENT)
    assert not OFFER.is_shown(OFFER.expires_at)
    accepted = OFFER.accepted(NOW)
    assert accepted.is_shown(NOW + timedelta(days=14) - MOMENT)
    assert not accepted.is_shown(NOW + timedelta(days=14))


@pytest.mark.parametrize("receiver", ["", "12345678901", "12345678901x", "111122223333"])
def test_an_address_is_offered_to_another_account(receiver: str) -> None:  # EIP-3
    assert check_receiver("123456789012", "111122223333") == "123456789012"
    with pytest.raises(InvalidParameterValue, match="another account"):
        check_receiver(receiver, "111122223333")
