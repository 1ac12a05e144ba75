"""Colours and what they mean: the same thing has the same colour in every panel."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as models

GOOD, WARNING, BAD, NEUTRAL = "green", "orange", "red", "blue"

COLOURS: Mapping[str, str] = {
    # What becomes of a pool's addresses.
    "Assigned": "blue",
    "Allocated to pools": "purple",
    "Resting or held": "yellow",
    "Free": "green",
    # AWS's words for states of resource CIDRs.
    "managed": "blue",
    "unmanaged": "orange",
    "ignored": "#808080",
    "compliant": "green",
    "noncompliant": "red",
    "nonoverlapping": "green",
    "overlapping": "red",
    # Types of resources.
    "vpc": "blue",
    "subnet": "green",
    "eip": "orange",
    "public-ipv4-pool": "purple",
    "ipv6-pool": "yellow",
    "eni": "#5195ce",
    "anycast-ip-list": "#808080",
    # Types and states of public addresses.
    "amazon-owned-eip": "orange",
    "amazon-owned-contig": "yellow",
    "ec2-public-ip": "blue",
    "byoip": "green",
    "service-managed-ip": "purple",
    "service-managed-byoip": "#5195ce",
    "anycast-ip-list-ip": "#808080",
    "associated": "green",
    "disassociated": "orange",
    # Outcomes.
    "success": "green",
    "failure": "red",
}
"""By the name of the series; any other gets a colour of Grafana's palette, by its name, too."""

Steps = Sequence[tuple[float | None, str]]
"""From which value on which colour holds; the first is None: from the least value on."""

PLAIN: Steps = ((None, NEUTRAL),)
USAGE: Steps = ((None, GOOD), (0.8, WARNING), (0.95, BAD))
"""Parts of a whole that runs out; as the alerts have it."""
NONE_WANTED: Steps = ((None, GOOD), (1, BAD))
"""Counts of what should not be."""
FRAGMENTATION: Steps = ((None, GOOD), (0.5, WARNING), (0.8, BAD))
TIME_LEFT: Steps = ((None, BAD), (7 * 86400, WARNING), (30 * 86400, GOOD))
"""Seconds until something runs out."""
FAILED_PART: Steps = ((None, GOOD), (0.01, WARNING), (0.05, BAD))
LATENCY: Steps = ((None, GOOD), (0.25, WARNING), (1, BAD))


def thresholds(steps: Steps) -> Builder[models.ThresholdsConfig]:
    """Steps as Grafana has them."""
    return (
        ThresholdsConfig()
        .mode(models.ThresholdsMode.ABSOLUTE)
        .steps([models.Threshold(value=value, color=color) for value, color in steps])
    )


def by_threshold() -> Builder[models.FieldColor]:
    """The colour says how good a value is."""
    return FieldColor().mode(models.FieldColorModeId.THRESHOLDS)


def by_name() -> Builder[models.FieldColor]:
    """The colour says which series it is, and does not change when others come or go."""
    return FieldColor().mode(models.FieldColorModeId.PALETTE_CLASSIC_BY_NAME)


def fixed(color: str) -> models.DynamicConfigValue:
    """One colour, as a property of an override."""
    return models.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": color})
