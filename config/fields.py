"""Field types shared by the models: what a URL, a zone, a regular expression or a date format in a file may be.

A failed check raises ValueError with the end of a sentence; `config/checking.py` puts file, line and place before it.
"""

from __future__ import annotations

import codecs
import re
import warnings
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict

# Date formats that are not strptime formats
DATE_WORDS = ("rfc822", "iso8601", "epoch_s", "epoch_ms")


class Model(BaseModel):
    """Base of all configuration: cannot be changed after loading, and refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=False, hide_input_in_errors=True)


def empty(model: type[BaseModel]) -> Callable[[], Any]:
    """The default of a block that was not written: the model with nothing set."""
    return lambda: model.model_validate({})


def one_or_many(value: Any) -> Any:
    """A single value where several are allowed counts as a list of one."""
    return value if isinstance(value, (list, tuple)) or value is None else (value,)


def check_regex(value: str) -> str:
    """A regular expression that compiles and has at most one group (the group is the result)."""
    try:
        compiled = re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is not a regular expression: {error}") from None
    except (RecursionError, OverflowError):
        raise ValueError(f"{value!r} is not a regular expression: too deep or too large") from None
    if compiled.groups > 1:
        raise ValueError(
            f"{value!r} has {compiled.groups} groups; one group gives the result, write the others as (?:…)"
        )
    return value


def check_url(value: str) -> str:
    """An absolute http or https address with a host and without user name, password or blanks."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{value!r} is not a URL: {error}") from None
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"{value!r} is not a URL; it must start with http:// or https://")
    if not host or any(c.isspace() or c in '<>"\\' for c in parts.netloc + parts.path):
        raise ValueError(f"{value!r} is not a URL: {'it holds blanks' if host else 'the host is missing'}")
    if parts.username or parts.password:
        raise ValueError("a URL must not hold a user name or password; secrets belong in the environment")
    return value


def check_host(value: str) -> str:
    """A host name; `*.example.org` means the host example.org and every host below it."""
    name = value.removeprefix("*.")
    if not re.fullmatch(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+", name):
        raise ValueError(
            f"{value!r} is not a host name such as www.example.org or *.example.org (lower case, no scheme)"
        )
    return value


def check_zone(value: str) -> str:
    """A time zone that the tz database knows."""
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):
        from difflib import get_close_matches
        from zoneinfo import available_timezones

        close = get_close_matches(value, sorted(available_timezones()), n=1, cutoff=0.75)
        advice = f"did you mean {close[0]!r}?" if close else "write Area/City, such as Asia/Shanghai"
        raise ValueError(f"{value!r} is not a time zone; {advice}") from None
    return value


def check_encoding(value: str) -> str:
    """A character encoding that Python knows."""
    try:
        info = codecs.lookup(value)
    except (LookupError, ValueError):
        raise ValueError(f"{value!r} is not a character encoding; common ones: utf-8, gb18030, big5") from None
    if not info._is_text_encoding:
        raise ValueError(f"{value!r} is not a character encoding; common ones: utf-8, gb18030, big5")
    return value


def check_date_format(value: str) -> str:
    """A strptime format with at least one directive, or one of rfc822, iso8601, epoch_s, epoch_ms."""
    if value in DATE_WORDS:
        return value
    if "%" not in value:
        raise ValueError(f"{value!r} is not a date format; write a strptime format or one of {', '.join(DATE_WORDS)}")
    with warnings.catch_warnings():
        # Python 3.13 warns of formats without a year; lists of today's news have them
        warnings.simplefilter("ignore", DeprecationWarning)
        try:
            datetime.strptime("", value)
        except ValueError as error:
            if "does not match format" not in str(error):
                raise ValueError(f"{value!r} is not a date format: {str(error).split(' in format')[0]}") from None
        except (re.error, KeyError, IndexError, OverflowError) as error:
            raise ValueError(f"{value!r} is not a date format: {error}") from None
    return value


def check_time(value: str) -> str:
    """A time of day as HH:MM."""
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        raise ValueError(f"{value!r} is not a time of day; write HH:MM, for example 08:30")
    return value


def check_id(value: str) -> str:
    """A short name: lower-case letters, digits, '-' and '_', beginning with a letter."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]{1,59}", value):
        raise ValueError(
            f"{value!r} is not an id; use lower-case letters, digits, '-' and '_', beginning with a letter"
        )
    return value


def check_filled(value: str) -> str:
    """Text that is not blank."""
    if not value.strip():
        raise ValueError("must not be empty")
    return value


Id = Annotated[str, AfterValidator(check_id)]
Filled = Annotated[str, AfterValidator(check_filled)]
Url = Annotated[str, AfterValidator(check_url)]
Host = Annotated[str, AfterValidator(check_host)]
Zone = Annotated[str, AfterValidator(check_zone)]
Encoding = Annotated[str, AfterValidator(check_encoding)]
TimeOfDay = Annotated[str, AfterValidator(check_time)]
Regex = Annotated[str, AfterValidator(check_regex)]
DateFormat = Annotated[str, AfterValidator(check_date_format)]
Texts = Annotated[tuple[Filled, ...], BeforeValidator(one_or_many)]
Regexes = Annotated[tuple[Regex, ...], BeforeValidator(one_or_many)]
DateFormats = Annotated[tuple[DateFormat, ...], BeforeValidator(one_or_many)]
Hosts = Annotated[tuple[Host, ...], BeforeValidator(one_or_many)]
Urls = Annotated[tuple[Url, ...], BeforeValidator(one_or_many)]
# Whole numbers are strict, because `true` must not pass as 1
Count = Annotated[int, Strict(), Field(ge=0)]
Positive = Annotated[int, Strict(), Field(ge=1)]
Seconds = Annotated[float, Strict(), Field(ge=0, le=86_400, allow_inf_nan=False)]
