"""What texts and policies mean, told naively and without a line of the code that is tested."""

from collections.abc import Callable, Sequence

Matches = Callable[[str, str], bool]


def like(pattern: str, value: str) -> bool:
    """``*`` any run of characters, ``?`` one."""
    if not pattern:
        return not value
    if pattern[0] == "*":
        return any(like(pattern[1:], value[at:]) for at in range(len(value) + 1))
    return bool(value) and pattern[0] in ("?", value[0]) and like(pattern[1:], value[1:])


def like_arn(pattern: str, value: str) -> bool:
    """Part by part."""
    patterns, values = pattern.split(":", 5), value.split(":", 5)
    return len(patterns) == len(values) and all(map(like, patterns, values))


def like_resource(pattern: str, value: str) -> bool:
    """Part by part, but a star at the end eats everything."""
    if not pattern.endswith("*"):
        return like_arn(pattern, value)
    return any(like_arn(pattern[:-1], value[:at]) for at in range(len(value) + 1))


# What a condition makes of a key that the request hasn't, by its qualifier and whether its operator
# is a negated one. With IfExists it always holds.
OF_ABSENT = {
    ("", False): False,
    ("", True): True,
    ("ForAnyValue:", False): False,
    ("ForAnyValue:", True): False,
    ("ForAllValues:", False): True,
    ("ForAllValues:", True): True,
}


def holds(
    qualifier: str, matches: Matches, is_negated: bool, given: Sequence[str], asked: Sequence[str]
) -> bool:
    """Whether a condition that asks for ``asked`` holds for a key with the values ``given``."""
    if not given:
        return OF_ABSENT[qualifier, is_negated]
    count = 0
    for one in given:
        hits = sum(matches(other, one) for other in asked)
        count += hits == 0 if is_negated else hits > 0
    if qualifier == "ForAllValues:":
        return count == len(given)
    if qualifier == "ForAnyValue:":
        return count > 0
    return count == len(given) if is_negated else count > 0
