"""A real moto server, with a front that answers what moto can't, and errs as AWS does.

moto knows neither pages of EC2 nor public IPv4 pools, BYOIP CIDRs, IPv6 pools and accelerators.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from threading import Event, Thread
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

from moto.iam.models import get_account_id_from
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

NAMESPACE = "http://ec2.amazonaws.com/doc/2016-11-15/"
PAGED = {
    "DescribeVpcs": "vpcSet",
    "DescribeSubnets": "subnetSet",
    "DescribeNetworkInterfaces": "networkInterfaceSet",
}
EMPTY = {
    "DescribePublicIpv4Pools": "publicIpv4PoolSet",
    "DescribeByoipCidrs": "byoipCidrSet",
    "DescribeIpv6Pools": "ipv6PoolSet",
}
ET.register_namespace("", NAMESPACE)


@dataclass(frozen=True)
class Asked:
    """What a request asks for, by whom it is signed."""

    service: str
    action: str
    region: str
    account_id: str
    token: str
    role_arn: str
    external_id: str


Answer = Callable[[Asked], Response | None]
"""None: somebody else answers."""


def ec2_answer(action: str, content: str) -> Response:
    root = f'{action}Response xmlns="{NAMESPACE}"'
    return Response(
        f"<{root}><requestId>r</requestId>{content}</{action}Response>", content_type="text/xml"
    )


def ec2_error(code: str, status: int = 400) -> Response:
    return Response(
        f"<Response><Errors><Error><Code>{code}</Code><Message>with a secret</Message></Error>"
        "</Errors><RequestID>r</RequestID></Response>",
        status,
        content_type="text/xml",
    )


def sts_error(code: str, status: int = 403) -> Response:
    return Response(
        f"<ErrorResponse><Error><Code>{code}</Code><Message>with a secret</Message></Error>"
        "<RequestId>r</RequestId></ErrorResponse>",
        status,
        content_type="text/xml",
    )


@dataclass
class MotoFront:
    """Answers like AWS on ``url``; ``answers`` come before moto's own, the latest first."""

    moto: DomainDispatcherApplication = field(
        default_factory=lambda: DomainDispatcherApplication(create_backend_app)
    )
    url: str = ""
    answers: list[Answer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    page_limit: int = 1000
    going_down: Event = field(default_factory=Event)

    def actions(self) -> Counter[str]:
        """How often each was asked for."""
        return Counter(one.action for one in self.asked)

    def answer(self, action: str, answer: Answer) -> None:
        self.answers.insert(0, lambda asked: answer(asked) if asked.action == action else None)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        request = Request(environ)
        body = request.get_data().decode()
        # moto reads it once more.
        environ["wsgi.input"] = BytesIO(body.encode())
        asked = _asked(request, body)
        self.asked.append(asked)
        for answer in self.answers:
            if (response := answer(asked)) is not None:
                return response(environ, start_response)
        if asked.action in EMPTY:
            return ec2_answer(asked.action, f"<{EMPTY[asked.action]}/>")(environ, start_response)
        response = Response.from_app(self.moto, environ, buffered=True)
        if asked.action in PAGED and response.status_code == 200:
            self._cut(response, PAGED[asked.action], parse_qs(body))
        return response(environ, start_response)

    def _cut(self, response: Response, member: str, form: dict[str, list[str]]) -> None:
        """Leave one page of the answer: AWS may give fewer than it is asked for."""
        root = ET.fromstring(response.get_data())
        listed = root.find(f"{{*}}{member}")
        assert listed is not None, ET.tostring(root)[:600]
        start = int(form.get("NextToken", ["0"])[0])
        end = start + min(self.page_limit, int(form.get("MaxResults", ["1000"])[0]))
        items = list(listed)
        for number, item in enumerate(items):
            if not start <= number < end:
                listed.remove(item)
        if end < len(items):
            ET.SubElement(root, f"{{{NAMESPACE}}}nextToken").text = str(end)
        response.set_data(ET.tostring(root))


def _asked(request: Request, body: str) -> Asked:
    scope = re.search(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/", request.headers["Authorization"])
    assert scope is not None
    form = parse_qs(body)
    target = request.headers.get("X-Amz-Target", "")
    return Asked(
        service=scope[3],
        action=form.get("Action", [target.rpartition(".")[2]])[0],
        region=scope[2],
        account_id=get_account_id_from(scope[1]),
        token=request.headers.get("X-Amz-Security-Token", ""),
        role_arn=form.get("RoleArn", [""])[0],
        external_id=form.get("ExternalId", [""])[0],
    )


@contextmanager
def serving() -> Iterator[MotoFront]:
    """On loopback, in a thread of its own."""
    front = MotoFront()
    server = make_server(
        "127.0.0.1",
        0,
        front,
        threaded=True,
        request_handler=MotoRequestHandler,
    )
    front.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield front
    finally:
        front.going_down.set()
        server.shutdown()
        thread.join()
        server.server_close()
