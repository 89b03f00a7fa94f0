"""How a rendered message leaves: mail and chat through Apprise, webhooks as JSON by POST with the key in a header."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from pipelines.alerts.render import Rendered

if TYPE_CHECKING:
    from config import Config
    from config.alerts import Channel

CONNECT_S, READ_S = 10.0, 30.0
KEY_HEADER = "X-Circularwatch-Key"
# answers that another attempt will not change
PERMANENT = frozenset({400, 401, 403, 404, 405, 410, 413, 415, 422})


class DeliveryError(Exception):
    """A message that did not arrive: the reason in words, whether another try makes sense, how long to wait."""

    def __init__(self, reason: str, *, permanent: bool = False, wait: timedelta | None = None) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.wait = wait


@dataclass(slots=True)
class Channels:
    """Delivers to `mail:ADDRESS` and `channel:NAME`."""

    config: Config
    channels: Mapping[str, Channel]

    def problem(self, recipient: str) -> str:
        """Why nothing can be sent to a recipient as things are configured; "" if it can."""
        kind, _, name = recipient.partition(":")
        if kind == "mail":
            return (
                ""
                if self.config.settings.secret("smtp_url")
                else "set CIRCULARWATCH_SMTP_URL, the mail server to send by"
            )
        channel = self.channels.get(name)
        if channel is None:
            return f"alerts.yaml has no channel {name!r} any more"
        if channel.variable and not os.environ.get(channel.variable):
            return f"set {channel.variable}, the address of the channel {name}"
        return ""

    def deliver(self, recipient: str, key: str, message: Rendered) -> None:
        """Send; raises DeliveryError."""
        if reason := self.problem(recipient):
            raise DeliveryError(reason)
        kind, _, name = recipient.partition(":")
        if kind == "mail":
            by_apprise(mail_address(self.config, name, key), message, html=True)
            return
        channel = self.channels[name]
        address = os.environ[channel.variable] if channel.variable else ""
        if channel.kind == "webhook":
            by_webhook(address, key, message)
        else:
            by_apprise(address, message, html=False)


def mail_address(config: Config, recipient: str, key: str) -> str:
    """The Apprise address of a mail: the server from the secret, sender, recipient, the key as a header."""
    server = urlsplit(config.settings.secret("smtp_url"))
    if server.scheme not in ("smtp", "smtps", "smtp+starttls") or not server.hostname:
        raise DeliveryError(
            "CIRCULARWATCH_SMTP_URL is no mail server; write smtps://user:password@host:465 or smtp://host:25",
            permanent=True,
        )
    mode = {"smtp": "insecure", "smtps": "ssl", "smtp+starttls": "starttls"}[server.scheme]
    login = f"{quote(server.username, safe='')}:{quote(server.password or '', safe='')}@" if server.username else ""
    port = server.port or {"insecure": 25, "ssl": 465, "starttls": 587}[mode]
    contact = config.settings.contact
    sender = contact if "@" in contact and "/" not in contact else f"circularwatch@{server.hostname}"
    return (
        f"{'mailto' if mode == 'insecure' else 'mailtos'}://{login}{server.hostname}:{port}?mode={mode}"
        f"&from={quote(sender, safe='@')}&name=circularwatch&to={quote(recipient, safe='@')}"
        f"&+{KEY_HEADER}={key}&cto={CONNECT_S}&rto={READ_S}"
    )


class _Reasons(logging.Handler):
    """Collects what Apprise says went wrong; it only returns False."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.said.append(record.getMessage())


def by_apprise(address: str, message: Rendered, *, html: bool) -> None:
    """Send by whatever service the address names (wecombot://, dingtalk://, feishu://, mailto:// …)."""
    import apprise

    sender = apprise.Apprise()
    logger = logging.getLogger("apprise")
    reasons = _Reasons()
    logger.addHandler(reasons)
    propagate, logger.propagate = logger.propagate, False
    try:
        if not sender.add(address):
            raise DeliveryError("the channel's address is not one that Apprise understands", permanent=True)
        kind = apprise.NotifyFormat.HTML if html else apprise.NotifyFormat.TEXT
        if not sender.notify(title=message.subject, body=message.html if html else message.text, body_format=kind):
            raise DeliveryError("; ".join(dict.fromkeys(reasons.said))[:500] or "the service did not take the message")
    finally:
        logger.removeHandler(reasons)
        logger.propagate = propagate


def by_webhook(address: str, key: str, message: Rendered) -> None:
    """POST the message as JSON; 2xx is taken, 429 and 5xx are tried again (Retry-After honoured), other refusals are final."""
    import requests

    body = {"subject": message.subject, "text": message.text, **message.data}
    headers = {KEY_HEADER: key, "Idempotency-Key": key}
    try:
        answer = requests.post(address, json=body, headers=headers, timeout=(CONNECT_S, READ_S), allow_redirects=False)
    except (
        requests.exceptions.InvalidURL,
        requests.exceptions.MissingSchema,
        requests.exceptions.InvalidSchema,
    ) as error:
        raise DeliveryError(f"the webhook's address is not valid ({type(error).__name__})", permanent=True) from error
    except requests.exceptions.RequestException as error:
        raise DeliveryError(f"the webhook did not answer ({type(error).__name__})") from error
    if not answer.ok or answer.is_redirect:
        wait = answer.headers.get("Retry-After", "")
        raise DeliveryError(
            f"the webhook answered {answer.status_code}",
            permanent=answer.status_code in PERMANENT,
            wait=timedelta(seconds=min(int(wait), 86400)) if wait.isdigit() else None,
        )
