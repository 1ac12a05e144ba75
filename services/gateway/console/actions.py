"""What somebody can do: fill in a form, look at what will be done, have it done.

Before anything is done it is tried out (DryRun, where the operation has it), and shown with the
AWS CLI's command line for it. What is sent twice is done once: its client token is the same.
"""

import hashlib
import uuid
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from http import HTTPStatus
from inspect import isawaitable
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from google.protobuf.message import Message
from starlette.responses import Response

from services.gateway.authorization.actions import SERVICE_PREFIXES
from services.gateway.console.advice import Refusal, refusal_of
from services.gateway.console.cli_snippet import command_line
from services.gateway.console.forms import Field, Form, Values
from services.gateway.console.visit import Link, Visit
from services.gateway.model import load_model
from shared.errors import CadastreError, Unavailable, kind_of

CSRF_FIELD = "csrf_token"
TOKEN_FIELD = "client_token"  # noqa: S105 a name, not a secret
STEP_FIELD = "step"
SEEN_FIELD = "seen"

_OF_US = frozenset({CSRF_FIELD, TOKEN_FIELD, STEP_FIELD, SEEN_FIELD})


@dataclass(frozen=True, slots=True)
class Command:
    """A request that an action sends."""

    request: Message
    answers: type[Message]


Done: TypeAlias = str
"""The path of the page to go on to."""


async def ask_nothing(_: Visit) -> Form:
    """The form of an action that needs no more than its address."""
    return Form()


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """Something to do, with an address of its own, such as ``/pools/{ipam_pool_id}/delete``."""

    name: str
    """Told in the address of the page after it: ``create-pool``."""
    path: str
    title: str
    """As a heading: "Create pool"."""
    submit: str
    """As a button: "Create pool"."""
    done: str
    """As a message afterwards: "The pool is being created."."""
    commands: Callable[[Visit, Values], Sequence[Command] | Awaitable[Sequence[Command]]]
    """What is sent, in order. The first is tried out; ``carry_out`` completes those after it, where
    they need its answer."""
    form: Callable[[Visit], Awaitable[Form]] = ask_nothing
    """Asks for what can be chosen, too: it raises when the thing isn't there any more."""
    carry_out: Callable[[Visit, Values], Awaitable[Done]] | None = None
    """Does it, where sending the commands one after another isn't enough."""
    goes_to: Callable[[Sequence[Any]], Done] | str = "/"
    """Where to go on, perhaps by what was answered."""
    comes_from: Callable[[Visit], str] | str = "/"
    """Where to go back to."""
    preview: Callable[[Visit, Values], Awaitable[str]] | None = None
    """A sentence on what will come of it, such as the CIDR that will be given."""
    warning: str = ""
    """What is lost by it. An action with a warning is shown as a dangerous one."""
    is_edit: bool = False
    """What it shows at first is what is there: it is compared before it is replaced."""
    confirm_word: str = ""
    """To be typed before it is done, as the guide has it for deleting an IPAM."""

    async def show(self, visit: Visit) -> Response:
        """The form; the review at once if there is nothing to fill in."""
        form = await self._form(visit)
        if form.is_empty:
            return await self._review(visit, form, Values(_locked(form), str(uuid.uuid4())))
        given = {name: [value] for name, value in visit.query.items()}
        prefilled = Values({one.name: given[one.name] for one in form.fields if one.name in given})
        return self._form_page(visit, _with_defaults(form, prefilled))

    async def take(self, visit: Visit, sent: Mapping[str, Sequence[str]]) -> Response:
        """What comes of a form that was sent: its review, itself again, or what it asks for."""
        step = (sent.get(STEP_FIELD) or [""])[0]
        token = (sent.get(TOKEN_FIELD) or [""])[0][:64] or str(uuid.uuid4())
        given = {name: values for name, values in sent.items() if name not in _OF_US}
        form = await self._form(visit)
        values = Values({**given, **_locked(form)}, token)
        checked = form.checked(values)
        if step == "edit":
            return self._form_page(visit, form.filled(values))
        # What was done needs not be possible any more to be told as done.
        if not (step == "do" and visit.repeats.has(self._key(visit, values))):
            if changed := _changed(form, (sent.get(SEEN_FIELD) or [""])[0]):
                return self._changed_page(visit, form, values, changed)
            if checked.has_errors:
                return self._form_page(visit, checked, status=400)
        if step != "do":
            return await self._review(visit, checked, values)
        if self.confirm_word and values.text("confirm").lower() != self.confirm_word:
            return await self._review(visit, checked, values, is_unconfirmed=True)
        return await self._do(visit, checked, values)

    async def _form(self, visit: Visit) -> Form:
        """The form, with what is there now."""
        form = await self.form(visit)
        compared = [one for one in form.fields if one.is_locked or self.is_edit]
        return replace(form, seen=",".join(f"{one.name}:{_digest(one)}" for one in compared))

    async def _review(
        self, visit: Visit, form: Form, values: Values, *, is_unconfirmed: bool = False
    ) -> Response:
        try:
            commands = await self._commands(visit, values)
            if commands:
                await visit.api.try_out(commands[0].request)
            preview = await self.preview(visit, values) if self.preview else ""
        except CadastreError as refusal:
            return self._refused(visit, form, refusal_of(refusal))
        return visit.page(
            "review.html",
            title=self.title,
            action=self,
            form=form,
            values=values,
            preview=preview,
            snippets=[snippet_of(visit, one.request) for one in commands],
            is_unconfirmed=is_unconfirmed,
            back=self._back(visit),
            status=400 if is_unconfirmed else 200,
        )

    def _changed_page(
        self, visit: Visit, form: Form, values: Values, changed: Sequence[Field]
    ) -> Response:
        now = "; ".join(f"{one.label} is now “{one.shown}”" for one in changed)
        refusal = Refusal(
            "ChangedMeanwhile",
            f"Somebody changed this meanwhile: {now}. Nothing was done",
            "Look at what is there now; what you filled in is kept.",
            "",
            HTTPStatus.CONFLICT,
        )
        return self._form_page(visit, form.filled(values), refusal, status=refusal.status)

    async def _do(self, visit: Visit, form: Form, values: Values) -> Response:
        try:
            path = await visit.repeats.once(
                self._key(visit, values), lambda: self._done(visit, values)
            )
        except CadastreError as error:
            refusal = refusal_of(error)
            # It may have been done all the same: what is sent again must be the same.
            is_unknown = kind_of(error) is Unavailable
            return self._refused(visit, form, refusal, values.client_token if is_unknown else "")
        base, _, query = path.partition("?")
        return visit.redirect(base, **{**dict(parse_qsl(query)), "done": self.name})

    def _key(self, visit: Visit, values: Values) -> Hashable:
        """The same for what is sent again, and only for that."""
        given = repr(sorted(values.given.items())).encode()
        content = hashlib.sha256(given).digest()
        return (visit.account_id, visit.path, self.name, values.client_token, content)

    async def _done(self, visit: Visit, values: Values) -> Done:
        if self.carry_out:
            return await self.carry_out(visit, values)
        return await self._send(visit, values)

    async def _send(self, visit: Visit, values: Values) -> Done:
        commands = await self._commands(visit, values)
        answers = [await visit.api.call(one.request, one.answers) for one in commands]
        if isinstance(self.goes_to, str):
            return _filled_in(self.goes_to, visit)
        return self.goes_to(answers)

    async def _commands(self, visit: Visit, values: Values) -> Sequence[Command]:
        made = self.commands(visit, values)
        commands = await made if isawaitable(made) else made
        for number, one in enumerate(commands):
            with_client_token(one.request, values, number)
        return commands

    def _refused(
        self, visit: Visit, form: Form, refusal: Refusal, client_token: str = ""
    ) -> Response:
        """The form again, with what was filled in and what is wrong with it."""
        marked = form.refused(refusal.parameter, refusal.message)
        return self._form_page(
            visit, marked, refusal, client_token=client_token, status=refusal.status
        )

    def _form_page(
        self,
        visit: Visit,
        form: Form,
        refusal: Refusal | None = None,
        *,
        client_token: str = "",
        status: int = 200,
    ) -> Response:
        return visit.page(
            "form.html",
            title=self.title,
            action=self,
            form=form,
            refusal=refusal,
            client_token=client_token,
            back=self._back(visit),
            status=status,
        )

    def _back(self, visit: Visit) -> Link:
        path = self.comes_from
        path = _filled_in(path, visit) if isinstance(path, str) else path(visit)
        return Link("Cancel", visit.url(path))


def _filled_in(path: str, visit: Visit) -> Done:
    filled: str = path.format_map(visit.params)
    return filled


def with_client_token(request: Message, values: Values, number: int = 0) -> None:
    """Have a request that comes twice done once; ``number`` tells one form's requests apart."""
    if "client_token" in request.DESCRIPTOR.fields_by_name and values.client_token:
        token: Any = request
        token.client_token = f"{values.client_token}-{number}" if number else values.client_token


def snippet_of(visit: Visit, request: Message) -> str:
    """The AWS CLI's command line for ``request``; empty: AWS has no such operation."""
    model = _model(SERVICE_PREFIXES[request.DESCRIPTOR.file.package])
    name = request.DESCRIPTOR.name.removesuffix("Request")
    if name not in model.operation_names:
        return ""
    return command_line(model, name, request, region=visit.region)


_model = cache(load_model)


def _changed(form: Form, seen: str) -> Sequence[Field]:
    """What isn't any more as somebody saw it who sent the form."""
    before = dict(pair.partition(":")[::2] for pair in seen.split(",") if pair)
    return [one for one in form.fields if before.get(one.name, _digest(one)) != _digest(one)]


def _digest(one: Field) -> str:
    return hashlib.sha256(one.value.encode()).hexdigest()[:12]


def _locked(form: Form) -> Mapping[str, Sequence[str]]:
    """What the address says holds, whatever was sent."""
    return {one.name: one.values for one in form.fields if one.is_locked}


def _with_defaults(form: Form, prefilled: Values) -> Form:
    """The form as it is at first, with what the address's query gives for some fields."""
    fields = [
        Form([one]).filled(prefilled).fields[0] if one.name in prefilled.given else one
        for one in form.fields
    ]
    return replace(form, fields=fields)
