"""Reading address plans as people and other IPAMs write them (BEY-13)."""

import json
from pathlib import Path
from typing import Any

import pytest

from services.local.brownfield.plan_file import (
    LONGEST_DESCRIPTION,
    Entry,
    Line,
    PlanFileRefused,
    Unusable,
    parse_plan,
    read_plan,
)

# As NetBox's "All Data (CSV)" of its table of prefixes has it.
NETBOX_TABLE = """\
ID,Prefix,Prefix (Flat),Status,Children,VRF,Utilization,Tenant,Site,VLAN,Role,Pool,Description
1,10.0.0.0/8,10.0.0.0/8,Container,2,Global,0.4,,,,,False,everything
2,10.1.0.0/16,10.1.0.0/16,Active,0,Global,0,ACME,Site 23A,,Production,False,"app, web"
3,10.2.0.0/16,10.2.0.0/16,Reserved,0,blue (65000:1),0,,,,,False,
4,10.3.0.0/16,10.3.0.0/16,Available,,,,,,,,,
"""
# As its older exports have it, and the form that it imports.
NETBOX_MEMBERS = """\
prefix,vrf,tenant,site,vlan_group,vlan,status,role,is_pool,description
10.0.0.0/8,,,,,,container,,False,everything
10.1.0.0/16,blue,ACME,site-23a,,,active,,False,web
"""
# Version 3.2 marked the depth in the cell (netbox issue 9407).
NETBOX_MARKED = (
    'Prefix,Status,Description\n10.0.0.0/8,Container,\n"•\n        \n10.1.0.0/16",Active,web\n'
)
NETBOX_ANSWER = {
    "count": 2,
    "next": None,
    "previous": None,
    "results": [
        {
            "id": 1,
            "family": {"value": 4, "label": "IPv4"},
            "prefix": "10.0.0.0/8",
            "vrf": None,
            "status": {"value": "container", "label": "Container"},
            "description": "everything",
        },
        {
            "id": 2,
            "prefix": "2001:db8::/32",
            "vrf": {"id": 4, "name": "blue", "rd": "65000:1"},
            "status": {"value": "active", "label": "Active"},
            "description": "",
        },
    ],
}
# As phpIPAM's export of subnets has it, saved as CSV by a spreadsheet.
PHPIPAM_EXPORT = """\
Section;Subnet;Description;VLAN;VLAN Domain;VRF;Master Subnet;Requests
Customers;DC1 (folder);DC1;NA;;;/;0
Customers;10.1.0.0/16;web;12;default;;DC1 [folder];0
Customers;10.2.0.0/16;db;NA;;blue;/;0
"""
# As its import template has it.
PHPIPAM_TEMPLATE = """\
Section,Subnet,Mask,Description,VLAN,Domain,VRF
IPv4,10.1.0.0,16,web,,,
IPv4,10.2.0.0,255.255.0.0,db,,,default
IPv4,10.3.0.0/16,,cache,,,
IPv4,10.4.0.0,0.0.255.255,a hostmask,,,
IPv4,10.5.0.0,,no mask,,,
"""


def shown(lines: list[Line]) -> list[Any]:
    """Blocks with what is said of them; of what is none, whether it is a mistake."""
    return [
        (str(line.cidr), line.description, line.vrf, line.is_container)
        if isinstance(line, Entry)
        else (line.text, line.is_mistake)
        for line in lines
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("cidr,description\n", [], id="no lines"),
        pytest.param(
            "cidr,description,owner\n10.0.0.0/24,web,me\n\n2001:DB8::/56\n",
            [("10.0.0.0/24", "web", "", False), ("2001:db8::/56", "", "", False)],
            id="CSV",
        ),
        pytest.param(
            "Description\tCIDR\r\n  two   words\t10.0.0.0/24 \r\n",
            [("10.0.0.0/24", "two words", "", False)],
            id="other columns, tabs and line ends",
        ),
        pytest.param(
            "cidr|vrf\n10.0.0.0/24|blue\n10.0.0.0/24|Global\n",
            [("10.0.0.0/24", "", "blue", False), ("10.0.0.0/24", "", "", False)],
            id="VRFs",
        ),
        pytest.param(
            "cidr\n10.0.0.1/24\n10.0.0.0\nten\n10.0.0.0/33\n",
            [("10.0.0.1/24", True), ("10.0.0.0", True), ("ten", True), ("10.0.0.0/33", True)],
            id="no blocks",
        ),
        pytest.param(
            NETBOX_TABLE,
            [
                ("10.0.0.0/8", "everything", "", True),
                ("10.1.0.0/16", "app, web", "", False),
                ("10.2.0.0/16", "", "blue (65000:1)", False),
                ("10.3.0.0/16", False),
            ],
            id="NetBox's table",
        ),
        pytest.param(
            NETBOX_MEMBERS,
            [("10.0.0.0/8", "everything", "", True), ("10.1.0.0/16", "web", "blue", False)],
            id="NetBox's members",
        ),
        pytest.param(
            NETBOX_MARKED,
            [("10.0.0.0/8", "", "", True), ("10.1.0.0/16", "web", "", False)],
            id="NetBox's table with marks",
        ),
        *(
            pytest.param(
                json.dumps(answer),
                [("10.0.0.0/8", "everything", "", True), ("2001:db8::/32", "", "blue", False)],
                id=f"NetBox's API: {kind}",
            )
            for kind, answer in (("answer", NETBOX_ANSWER), ("list", NETBOX_ANSWER["results"]))
        ),
        pytest.param(
            '[{"prefix": "10.0.0.0/8", "status": {"value": 0, "label": "Container"}}, {}]',
            [("10.0.0.0/8", "", "", True), ("", True)],
            id="NetBox's API: numbered statuses",
        ),
        pytest.param(
            PHPIPAM_EXPORT,
            [
                ("DC1 (folder)", False),
                ("10.1.0.0/16", "web", "", False),
                ("10.2.0.0/16", "db", "blue", False),
            ],
            id="phpIPAM's export",
        ),
        pytest.param(
            PHPIPAM_TEMPLATE,
            [
                ("10.1.0.0/16", "web", "", False),
                ("10.2.0.0/16", "db", "", False),
                ("10.3.0.0/16", "cache", "", False),
                ("10.4.0.0/0.0.255.255", True),
                ("10.5.0.0", True),
            ],
            id="phpIPAM's template",
        ),
    ],
)
def test_a_plan_is_read_in_whatever_form_it_is_in(text: str, expected: list[Any]) -> None:
    assert shown(parse_plan(text)) == expected


def test_lines_are_told_by_their_numbers() -> None:
    lines = parse_plan("cidr\n10.0.0.0/24\n\nten\n")
    assert [line.line for line in lines] == [2, 4]
    assert [line.line for line in parse_plan(json.dumps(NETBOX_ANSWER))] == [1, 2]
    [_, mistake] = lines
    assert isinstance(mistake, Unusable)
    assert "use an address and a prefix length" in mistake.why


def test_a_description_is_as_long_as_an_allocation_can_have_it() -> None:
    [line] = parse_plan(f"cidr,description\n10.0.0.0/24,{'ä' * 300}\n")
    assert isinstance(line, Entry)
    assert line.description == "ä" * LONGEST_DESCRIPTION


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has none"),
        ("10.0.0.0/24,web\n", "its first line has to name the columns, and has '10.0.0.0/24'"),
        ("network,description\n10.0.0.0/24,web\n", "no column 'cidr'"),
        ("[1]", "no list of NetBox's prefixes"),
        ("{}", "no list of NetBox's prefixes"),
        ("[", "no JSON"),
        (json.dumps({**NETBOX_ANSWER, "next": "http://netbox/?offset=50"}), "one page"),
        ("cidr\n" + "9" * 200_000 + "\n", "after line 1 it is no CSV"),
    ],
)
def test_what_is_no_plan_is_refused(text: str, said: str) -> None:
    with pytest.raises(PlanFileRefused, match=said):
        parse_plan(text)


def test_a_file_is_text(tmp_path: Path) -> None:
    path = tmp_path / "plan"
    with pytest.raises(PlanFileRefused, match="can't be read"):
        read_plan(path)
    path.write_bytes(b"\xd0\xcf\x11\xe0 a spreadsheet")
    with pytest.raises(PlanFileRefused, match="save it as CSV"):
        read_plan(path)
    path.write_bytes("\ufeffcidr\n10.0.0.0/24\n".encode())
    assert shown(read_plan(path)) == [("10.0.0.0/24", "", "", False)]
