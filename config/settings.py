"""The operator's choices, each with where it came from: environment, then ./circularwatch.yaml, then settings.yaml.

Secrets come from the environment only; one that stands in a file is refused with the name of its variable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, Strict

from config.checking import build
from config.errors import ConfigError, hint
from config.fields import Count, Model, Positive, Seconds, Zone, check_url, empty, one_or_many
from config.yaml_lines import Map, Seq, load

FILES = ("settings.yaml", "circularwatch.yaml")
# blocks of settings: of two files, the second is laid over the first key by key
BLOCKS = ("limits", "third_reader")
# setting -> environment variable
VARIABLES = {
    "database": "CIRCULARWATCH_DB",
    "archive": "CIRCULARWATCH_ARCHIVE",
    "contact": "CIRCULARWATCH_CONTACT",
    "timezone": "CIRCULARWATCH_TIMEZONE",
    "proxy": "CIRCULARWATCH_PROXY",
    "ca_file": "CIRCULARWATCH_CA_FILE",
    "delay_s": "CIRCULARWATCH_DELAY",
    "user_agent": "CIRCULARWATCH_USER_AGENT",
    "log_level": "CIRCULARWATCH_LOG_LEVEL",
    "workers": "CIRCULARWATCH_WORKERS",
    "crawls_at_once": "CIRCULARWATCH_CRAWLS_AT_ONCE",
    "crawl_minutes": "CIRCULARWATCH_CRAWL_MINUTES",
    "crawl_memory_mb": "CIRCULARWATCH_CRAWL_MEMORY_MB",
    "alerts_to": "CIRCULARWATCH_ALERTS_TO",
}
# secret -> its only place
SECRETS = {
    "smtp_url": "CIRCULARWATCH_SMTP_URL",
    "smtp_password": "CIRCULARWATCH_SMTP_URL",
    "llm_key": "CIRCULARWATCH_LLM_KEY",
}
# variables that are read elsewhere (the folder itself, tracebacks for developers)
OTHER_VARIABLES = ("CIRCULARWATCH_CONFIG", "CIRCULARWATCH_DEBUG")
LOOKS_SECRET = re.compile(r"(?:^|_)(?:password|passwd|secret|token|api_?key|key|credentials?)$", re.IGNORECASE)
EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)+")


def check_contact(value: str) -> str:
    """An e-mail address or a web page by which site owners reach the operator; "" = none (then no live crawl)."""
    if not value or EMAIL.fullmatch(value):
        return value
    if value.startswith(("http://", "https://")):
        return check_url(value)
    raise ValueError(f"{value!r} is neither an e-mail address nor a web address (https://…)")


def check_proxy(value: str) -> str:
    """An address such as http://127.0.0.1:8080; "" = none."""
    if not value:
        return value
    try:
        parts = urlsplit(value)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or True)
    except ValueError:
        good = False
    if not good:
        raise ValueError(f"{value!r} is not a proxy; write http://host:port")
    return value


def check_recipient(value: str) -> str:
    """An e-mail address, or an https address that takes messages."""
    if EMAIL.fullmatch(value):
        return value
    if value.startswith("https://"):
        return check_url(value)
    raise ValueError(f"{value!r} is not a recipient; write an e-mail address or an https:// address")


def check_agent(value: str) -> str:
    """What the program calls itself; must hold {contact}, so that site owners know whom to write to."""
    if "{contact}" not in value or "\n" in value:
        raise ValueError(f"{value!r} must hold {{contact}}, so that site owners know whom to write to")
    return value


Recipient = Annotated[str, AfterValidator(check_recipient)]


class Limits(Model):
    """Bounds of one request."""

    max_body_bytes: Positive = Field(50_000_000, description="larger answers are cut off and noted as too large")
    timeout_s: Seconds = Field(60, description="seconds after which any request is given up")
    max_redirects: Count = Field(5, description="redirects that are followed for one address")


class ThirdReader(Model):
    """A language model that is asked where the two readers disagree; off without a model."""

    model: str = Field("", description="id or alias of a model as `llm models` names it; empty = never asked")
    budget_per_day: Count = Field(50, description="questions per day (UTC) at most")
    decides: Annotated[bool, Strict()] = Field(
        False, description="true = its answer settles the tasks on which the readers disagree; false = shown only"
    )


class Settings(Model):
    """What the operator chose. `origin("contact")` tells where a value came from."""

    database: Path = Field(Path("data/circularwatch.db"), description="the database file")
    archive: Path = Field(
        Path("data/archive"), description="the folder of WARC files (default: archive/ beside the database)"
    )
    contact: Annotated[str, AfterValidator(check_contact)] = Field(
        "", description="e-mail or web address for site owners; no live crawl without it"
    )
    timezone: Zone = Field("Asia/Shanghai", description="zone in which times are shown and digests are sent")
    proxy: Annotated[str, AfterValidator(check_proxy)] = Field(
        "", description="http://host:port through which everything goes"
    )
    ca_file: Path | None = Field(
        None, description="file (PEM) of certificate authorities that are trusted besides the system's"
    )
    delay_s: Seconds | None = Field(
        None, description="seconds between two requests to a host, instead of every source's own"
    )
    user_agent: Annotated[str, AfterValidator(check_agent)] = Field(
        "circularwatch/0.1 (+{contact})", description="what the program calls itself; {contact} is filled in"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="how much is logged")
    workers: Annotated[int, Strict(), Field(ge=0, le=256)] = Field(
        0, description="processes that read documents; 0 = one per core"
    )
    crawls_at_once: Annotated[int, Strict(), Field(ge=1, le=64)] = Field(
        4, description="schedule: at most so many crawls (one source each) at the same time"
    )
    crawl_minutes: Positive = Field(60, description="schedule: a crawl of one source is ended after so long")
    crawl_memory_mb: Annotated[int, Strict(), Field(ge=512)] = Field(
        2048, description="schedule: address space that a crawl of one source may take, in MB"
    )
    alerts_to: Annotated[tuple[Recipient, ...], BeforeValidator(one_or_many)] = Field(
        (), description="recipients of rules that name none; empty = such rules send nothing"
    )
    third_reader: ThirdReader = Field(
        default_factory=empty(ThirdReader), description="a language model for documents on which the readers disagree"
    )
    limits: Limits = Field(default_factory=empty(Limits), description="bounds of one request")

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)
    _secrets: dict[str, str] = PrivateAttr(default_factory=dict)

    def origin(self, name: str) -> str:
        """Where a setting came from: "environment NAME", "file PATH, line N" or "default"."""
        inner = {f"{block}.{key}" for block in BLOCKS for key in type(getattr(self, block)).model_fields}
        if name not in type(self).model_fields and name not in inner:
            raise KeyError(f"there is no setting {name!r}{hint(name, type(self).model_fields)}")
        return self._origins.get(name, "default")

    def secret(self, name: str) -> str:
        """The value of a secret (`smtp_url`), "" if its variable is not set. Never part of `model_dump`."""
        return self._secrets.get(name, "")


def load_settings(directory: Path, env: Mapping[str, str], cwd: Path | None = None) -> Settings:
    """The settings; raises ConfigError. Relative paths in a file start at the file's folder, others at the current one."""
    here = cwd or Path.cwd()
    values = Map()
    origins: dict[str, str] = {}
    for path in (directory / FILES[0], here / FILES[1]):
        if path.is_file():
            _read_file(path, values, origins)
    for name, variable in VARIABLES.items():
        if env.get(variable, "") != "":
            values.put(name, _from_environment(name, variable, env[variable]), 0)
            origins[name] = f"environment {variable}"
    if "archive" not in values and "database" in values:
        values.put("archive", Path(values["database"]).parent / "archive", 0)
        origins["archive"] = "default (beside the database)"
    settings = build(Settings, values, "settings")
    if settings.ca_file is not None and not settings.ca_file.is_file():
        raise ConfigError(origins.get("ca_file", "settings"), 0, f"ca_file: there is no file {str(settings.ca_file)!r}")
    settings = settings.model_copy(
        update={"user_agent": settings.user_agent.replace("{contact}", settings.contact or "no contact given")}
    )
    settings._origins.update(origins)
    settings._secrets.update({name: env[v] for name, v in SECRETS.items() if env.get(v)})
    return settings


def _read_file(path: Path, values: Map, origins: dict[str, str]) -> None:
    data = load(path, str(path))
    if data is None:
        return
    if not isinstance(data, Map):
        raise ConfigError(str(path), 1, "the file must hold settings, one 'name: value' per line")
    for key, line in data.lines.items():
        _refuse_secret(key, data[key], str(path), line)
    build(Settings, data, str(path))
    for key, value in data.items():
        if key in BLOCKS and isinstance(value, Map):
            merged = value.over(values[key]) if isinstance(values.get(key), Map) else value
            values.put(key, merged, data.lines[key])
            origins.update({f"{key}.{k}": f"file {path}, line {n}" for k, n in value.lines.items()})
        else:
            full = (
                (path.parent / Path(value).expanduser())
                if key in ("database", "archive", "ca_file") and value
                else value
            )
            values.put(key, full, data.lines[key])
        origins[key] = f"file {path}, line {data.lines[key]}"


def _refuse_secret(key: str, value: Any, file: str, line: int) -> None:
    if key in SECRETS:
        raise ConfigError(
            file, line, f"{key} is a secret and is not read from a file; set the environment variable {SECRETS[key]}"
        )
    if LOOKS_SECRET.search(key) and key not in Settings.model_fields:
        variables = ", ".join(dict.fromkeys(SECRETS.values()))
        raise ConfigError(
            file,
            line,
            f"{key} looks like a secret, and none is read from a file; secrets are environment variables ({variables})",
        )
    texts = value if isinstance(value, Seq) else [value]
    for text in texts:
        if isinstance(text, str) and re.match(r"[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@", text):
            variable = VARIABLES.get(key, SECRETS["smtp_url"])
            raise ConfigError(
                file,
                line,
                f"{key} holds a password, and none is read from a file; set the environment variable {variable}",
            )


def _from_environment(name: str, variable: str, text: str) -> Any:
    """The value of a variable in the setting's type; raises ConfigError that names the variable."""
    value: Any = text
    try:
        if name == "delay_s":
            value = float(text)
        elif name in ("workers", "crawls_at_once", "crawl_minutes", "crawl_memory_mb"):
            value = int(text)
        elif name == "alerts_to":
            value = tuple(part.strip() for part in text.split(",") if part.strip())
        elif name == "log_level":
            value = text.lower()
        elif name in ("database", "archive", "ca_file"):
            value = Path(text).expanduser()
    except ValueError:
        raise ConfigError(f"environment {variable}", 0, f"{text!r} is not a number") from None
    single = Map()
    single.put(name, value, 0)
    build(Settings, single, f"environment {variable}")
    return value


def unread_variables(env: Mapping[str, str], known: tuple[str, ...] = ()) -> list[str]:
    """Sentences about CIRCULARWATCH_… variables that nothing reads, most likely mistyped."""
    names = [*VARIABLES.values(), *SECRETS.values(), *OTHER_VARIABLES, *known]
    return [
        f"the environment variable {name} is not read{hint(name, names) if hint(name, names).startswith('; did') else ''}"
        for name in sorted(env)
        if name.startswith("CIRCULARWATCH_") and name not in names
    ]
