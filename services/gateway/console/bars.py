"""Bars that say how full something is."""

from markupsafe import Markup

from services.gateway.console.words import percent_of

_FULL, _NEARLY = 95.0, 80.0


def bar(share: float, label: str = "", *, may_be_full: bool = False) -> Markup:
    """A bar for a share in percent; ``label`` tells those who can't see it what it is of.

    It warns of what is nearly full, unless that is no reason to worry.
    """
    level = "full" if share >= _FULL else "nearly" if share >= _NEARLY else "calm"
    level = "calm" if may_be_full else level
    # What is there at all is seen.
    width = 0 if share <= 0 else max(1.0, min(100.0, share))
    return Markup(
        '<svg class="bar bar-{}" role="img" aria-label="{}" viewBox="0 0 100 8"'
        ' preserveAspectRatio="none" focusable="false"><rect class="bar-rest" width="100"'
        ' height="8" rx="2"/><rect class="bar-part" width="{}" height="8" rx="2"/></svg>'
    ).format(level, f"{label} {percent_of(share)}".strip(), f"{width:.1f}")
