"""Refusals of authorization messages and signatures: what the account itself wrote wrong."""

from datetime import date

from shared.errors import InvalidParameterValue

MESSAGE_FORM = "1|aws|ACCOUNT|CIDR-or-ASN|YYYYMMDD|SHA256|RSAPSS"


class MessageRefused(InvalidParameterValue):
    """An authorization message that can't prove the claim it came with."""

    def __init__(self, why: str, value: str, expected: object) -> None:
        super().__init__(
            f"Value ({value}) in parameter message is invalid: {why}",
            parameter="message",
            value=value,
            expected=expected,
        )


class WrongNumberOfFields(MessageRefused):
    """It has not the seven fields of such a message."""

    def __init__(self, message: str, count: int) -> None:
        super().__init__(
            f"it has {count} fields; write the seven fields '{MESSAGE_FORM}'", message, MESSAGE_FORM
        )


class WrongVersion(MessageRefused):
    def __init__(self, version: str, expected: str) -> None:
        super().__init__(f"the version of the message is '{expected}'", version, expected)


class WrongVendor(MessageRefused):
    def __init__(self, vendor: str, expected: str) -> None:
        super().__init__(f"the message has to authorize '{expected}'", vendor, expected)


class WrongAccount(MessageRefused):
    """It authorizes another account."""

    def __init__(self, account: str, expected: str) -> None:
        super().__init__(f"the message has to name your account '{expected}'", account, expected)


class WrongCidr(MessageRefused):
    """It names another range, or none."""

    def __init__(self, cidr: str, expected: str) -> None:
        super().__init__(f"the message has to name the CIDR '{expected}'", cidr, expected)


class WrongAsn(MessageRefused):
    """It names another ASN, or none."""

    def __init__(self, asn: str, expected: str) -> None:
        super().__init__(f"the message has to name the ASN '{expected}'", asn, expected)


class MalformedExpiryDate(MessageRefused):
    def __init__(self, text: str) -> None:
        super().__init__(
            "write the last day that the message is to count on as YYYYMMDD, such as '20301231'",
            text,
            "YYYYMMDD",
        )


class MessageExpired(MessageRefused):
    """Its last day is over, everywhere by the date in UTC."""

    def __init__(self, text: str, today: date) -> None:
        super().__init__(
            f"the message has expired; sign one with the date '{today:%Y%m%d}' or later",
            text,
            f"{today:%Y%m%d}",
        )


class WrongDigest(MessageRefused):
    def __init__(self, digest: str, expected: str) -> None:
        super().__init__(f"the message has to be digested by '{expected}'", digest, expected)


class WrongSignatureScheme(MessageRefused):
    def __init__(self, scheme: str, expected: str) -> None:
        super().__init__(f"the message has to be signed by '{expected}'", scheme, expected)


class MalformedSignature(InvalidParameterValue):
    """It can't be a signature, whatever it is of."""

    def __init__(self, signature: str) -> None:
        super().__init__(
            f"Value ({_shortened(signature)}) for parameter signature is invalid; write the"
            " signature's bytes in base64 on one line, with '-' for '+', '_' for '=' and '~' for"
            " '/'",
            parameter="signature",
            value=_shortened(signature),
        )


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"
