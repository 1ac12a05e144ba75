"""README tells every operation."""

from services.gateway.model import load_model
from services.gateway.operations_table import README, table
from services.gateway.routes import rpcs_by_action


def test_the_readme_has_the_table_as_the_contracts_make_it() -> None:
    told = table() in README.read_text(encoding="utf-8")
    assert told, "write it anew: python -m services.gateway.operations_table"


def test_none_of_the_operations_of_ipam_is_missing() -> None:  # BEY-15
    of_ipam = {name for name in load_model("ec2").operation_names if "Ipam" in name}
    assert len(of_ipam) == 79
    assert of_ipam <= set(rpcs_by_action())
