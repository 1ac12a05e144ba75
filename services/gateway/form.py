"""Form data: the body of AWS's Query protocols, and every query string."""

import re
from urllib.parse import parse_qsl

from shared.errors import InvalidParameterValue

MAX_PARAMETERS = 20_000

# What XML 1.0 cannot carry could never be answered as it was given.
UNPRINTABLE = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def parse_form(form: bytes) -> dict[str, str]:
    """The parameters of a request by name, in the order sent.

    Raises:
        InvalidParameterValue: not UTF-8, too many parameters, a repeated name, or characters that
            no answer could carry.
    """
    try:
        pairs = parse_qsl(
            form.decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except ValueError:
        raise InvalidParameterValue(
            f"The parameters are not form data in UTF-8, or are more than {MAX_PARAMETERS}"
        ) from None
    parameters: dict[str, str] = {}
    for name, value in pairs:
        _check(name, value)
        if name in parameters:
            raise InvalidParameterValue(
                f"The parameter {name} is given more than once", parameter=name
            )
        parameters[name] = value
    return parameters


def _check(name: str, value: str) -> None:
    if UNPRINTABLE.search(name) or UNPRINTABLE.search(value):
        shown = UNPRINTABLE.sub("?", name)
        raise InvalidParameterValue(
            f"The parameter {shown} contains control characters or others that XML cannot carry",
            parameter=shown,
        )
