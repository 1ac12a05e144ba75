"""Prefix lists, and what every account may ask of itself (BEY-12)."""

from functools import partial

from tests.authorization.callers import ADMINISTRATOR
from tests.authorization.row import (
    EVERYBODYS,
    HIDDEN,
    ITS_ALONE,
    SHOWN_TO_IT_ALONE,
    Row,
    outcomes,
)
from tests.authorization.services import ACCOUNT, PREFIX_LISTS

_lists = partial(Row, PREFIX_LISTS, is_about_owners=True)

ROWS = [
    Row(ACCOUNT, "DescribeRegions", EVERYBODYS),
    Row(ACCOUNT, "DescribeAccountAttributes", EVERYBODYS),
    Row(ACCOUNT, "DescribeAvailabilityZones", EVERYBODYS),
    Row(
        PREFIX_LISTS,
        "CreateManagedPrefixList",
        EVERYBODYS,
        lambda _: {"prefix_list_name": "new", "address_family": "IPv4", "max_entries": 1},
    ),
    _lists(
        "DescribeManagedPrefixLists",
        SHOWN_TO_IT_ALONE,
        note="all",
        shows=lambda it: it.prefix_list_id,
    ),
    _lists(
        "DescribeManagedPrefixLists",
        ITS_ALONE,
        lambda it: {"prefix_list_ids": [it.prefix_list_id]},
    ),
    _lists(
        "GetManagedPrefixListEntries",
        ITS_ALONE,
        lambda it: {"prefix_list_id": it.prefix_list_id},
    ),
    _lists(
        "ModifyManagedPrefixList",
        ITS_ALONE,
        lambda it: {
            "prefix_list_id": it.prefix_list_id,
            "add_entries": [{"cidr": "172.17.0.0/16"}],
        },
    ),
    _lists(
        "GetManagedPrefixListAssociations",
        ITS_ALONE,
        lambda it: {"prefix_list_id": it.prefix_list_id},
    ),
    _lists(
        "RestoreManagedPrefixListVersion",
        outcomes(HIDDEN, {ADMINISTRATOR: "PrefixListVersionMismatch"}),
        lambda it: {
            "prefix_list_id": it.prefix_list_id,
            "current_version": 9,
            "previous_version": 1,
        },
    ),
    _lists(
        "DeleteManagedPrefixList",
        ITS_ALONE,
        lambda it: {"prefix_list_id": it.prefix_list_id},
    ),
]
