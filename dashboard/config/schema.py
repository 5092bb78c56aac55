"""What may stand in wallboard.toml: one model a table, one row of `TABLES` each.

Every field carries what the operator reads elsewhere: `title` is what to write, `description` what it
decides, `examples` a value. Error messages, `docs/configure.md` and the tests take them from here.

Only what one table can tell by itself is checked here; what needs two tables is in `checks.py`.
"""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from dashboard.config.values import (
    Area,
    Day,
    Edge,
    EdgeOrNone,
    Formula,
    Name,
    Place,
    RedisUrl,
    SeatId,
    Slug,
    Text,
    Week,
    ZoneName,
    as_names,
    between,
    same_as,
)
from dashboard.core.calendar import WORKWEEK
from dashboard.core.counts import EDGES_S
from dashboard.core.metrics import FORMULAS

SOURCE_KINDS = ("queue_log",)
"""The kinds of source that this version can collect."""

SECRET_KEYS = (2, 3)
"""Reports of tax evasion and complaints on integrity: their callers are never identifiable."""

_SLUG_FORM = "id: a-z, 0-9, -"


def _day(name: str) -> Any:
    return Field(
        (),
        title="hours: 0:00 to 24:00",
        examples=["8:30-12:00,14:00-17:30"],
        description=f'{name}; default: "", closed.',
    )


class Table(BaseModel):
    """What all tables share: unknown keys are refused, nothing is converted, nothing changes later."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Hotline(Table):
    """[hotline]: which public number this is, and how its days are told apart."""

    id: Slug = Field(
        title=_SLUG_FORM,
        examples=["fuzhou"],
        description="Begins every key in Redis; choose it once. Another id starts another, empty wallboard.",
    )
    name: Text = Field(title="text", examples=["福州12366纳税服务热线"], description="Heads every screen.")
    zone: ZoneName = Field(
        title="IANA time zone",
        examples=["Asia/Shanghai"],
        description="Days and slots are of this zone's clock, whatever the machine's zone is.",
    )
    calendar: Literal["cn", "weekdays"] = Field(
        "cn",
        title='"cn" or "weekdays"',
        examples=["cn"],
        description="Which days may be compared: by China's holidays, make-up workdays and filing periods "
        "(征期), or by `workweek` alone.",
    )
    workweek: Week = Field(
        WORKWEEK,
        title="list of days",
        examples=[["sun", "mon", "tue", "wed", "thu"]],
        description='The days worked; only with `calendar = "weekdays"`.',
    )
    opened: date | None = Field(
        None,
        title="date",
        examples=[date(2009, 4, 20)],
        description="The day on which the hotline opened; earlier days are no gaps.",
    )
    language: Literal["zh-CN", "en"] = Field(
        "zh-CN", title='"zh-CN" or "en"', examples=["en"], description="The language of the screens."
    )
    home_area: Area | None = Field(
        None,
        title="area code with its 0",
        examples=["0591"],
        description="Where landline numbers without an area code come from; without it that is unknown.",
    )


class Hours(Table):
    """[hours]: when the hotline is open; without this table, always."""

    mon: Day = _day("Monday")
    tue: Day = _day("Tuesday")
    wed: Day = _day("Wednesday")
    thu: Day = _day("Thursday")
    fri: Day = _day("Friday")
    sat: Day = _day("Saturday")
    sun: Day = _day("Sunday")


class Site(Table):
    """[[sites]]: a bureau that owns seats, and perhaps queues; screens keep the order of the file."""

    id: Slug = Field(title=_SLUG_FORM, examples=["gulou"], description="What queues and seats name.")
    name: Text = Field(title="text", examples=["鼓楼区税务局"], description="As reports and tables write it.")
    short: Text = Field(
        default_factory=same_as("name", ""),
        title="text",
        examples=["鼓楼"],
        description="As a seat's tile writes it; default: `name`.",
    )


class Queue(Table):
    """[[queues]]: a waiting line of the switch."""

    name: Name = Field(
        title="text",
        examples=["consult"],
        description="The switch's own name, exactly; also the key in `wallboard show --by queue`.",
    )
    label: Text | None = Field(
        None, title="text", examples=["纳税咨询"], description="As screens write it; default: `name`."
    )
    key: Annotated[int, AfterValidator(between(0, 9))] | None = Field(
        None, title="0 to 9", examples=[1], description="The key that callers press to come here."
    )
    site: str | None = Field(
        None,
        title="a site's id, or `shared`",
        examples=["shared"],
        description="Whose line it is; default: `shared`, that is several sites' seats answer it.",
    )
    secret: bool | None = Field(
        None,
        title="true or false",
        examples=[True],
        description="Callers of a secret queue are never identifiable, not even masked: their numbers are "
        "not kept. Default: true with `key` 2 or 3, else false. A queue that no table names is secret.",
    )
    wrapup_s: Annotated[int, AfterValidator(between(0, 3600))] | None = Field(
        None,
        title="whole seconds",
        examples=[10],
        description="The switch's `wrapuptime`: so long after a conversation a seat counts as in wrap-up. "
        "Without it wrap-up is unknown and AHT is talk alone.",
    )
    from_day: date | None = Field(
        None,
        alias="from",
        title="date",
        examples=[date(2026, 12, 1)],
        description="On a second entry of the same name: `label` and `site` hold from this day on.",
    )


class SeatName(Table):
    """An item of `names`: a text, or a table that says from when the name is this seat's."""

    name: Name = Field(title="text", examples=["林晓燕"], description="As the switch writes it.")
    from_day: date | None = Field(
        None,
        alias="from",
        title="date",
        examples=[date(2026, 11, 1)],
        description="The first day on which the name is this seat's; "
        "default: the entry's `from`, else always.",
    )


class Seat(Table):
    """[[seats]]: a position that answers."""

    id: SeatId = Field(
        title="id: letters, digits, dot, _, -",
        examples=["2001"],
        description="What the archive and `wallboard show --by seat` call it; choose it once.",
    )
    site: str | None = Field(
        None,
        title="a site's id",
        examples=["gulou"],
        description="The bureau that owns it; without it the seat is shown as unassigned.",
    )
    interface: Name | None = Field(
        None,
        title="text",
        examples=["PJSIP/2001"],
        description="The switch's name of its device, exactly as in ADDMEMBER lines. It tells signing in and "
        "out; a member without a name is written by it too.",
    )
    names: Annotated[tuple[SeatName, ...], BeforeValidator(as_names)] = Field(
        (),
        title='list of texts or `{ name = "…", from = … }`',
        examples=[["林晓燕"]],
        description="The member names by which the switch writes it. Asterisk cuts a name after 79 bytes (26 "
        "Chinese characters); write it whole.",
    )
    label: Text | None = Field(
        None,
        title="text",
        examples=["林晓燕"],
        description="As screens write it; default: the latest name, of several the first, else `id`.",
    )
    from_day: date | None = Field(
        None,
        alias="from",
        title="date",
        examples=[date(2026, 12, 1)],
        description="The day from which this entry holds. On a second entry of the same id it changes "
        "`site`, `interface`, `names` and `label` from then on.",
    )


class Source(Table):
    """[[sources]]: what is read. Without any, nothing is collected."""

    name: Slug = Field(
        title=_SLUG_FORM,
        examples=["pbx1"],
        description="What the archive and the screens call it; choose it once.",
    )
    kind: str = Field(
        title="a kind of source",
        examples=["queue_log"],
        description="How it is read: `queue_log`, Asterisk's log of its queues.",
    )
    path: Place = Field(
        title="path",
        examples=["/var/log/asterisk/queue_log"],
        description="The file that the switch is writing; rotated ones beside it are found.",
    )


class RedisTable(Table):
    """[redis]: the live store. Without an address an embedded server runs in the data directory."""

    url: RedisUrl | None = Field(
        None,
        title="redis://, rediss:// or unix:// address",
        examples=["redis://localhost:6379/0"],
        description="A server of your own; default: the environment's REDIS_URL, else the embedded one.",
    )


class Data(Table):
    """[data]: where the archive is, the book of record; back this directory up."""

    dir: Place = Field(
        "var",
        validate_default=True,
        title="path",
        examples=["var"],
        description="From this file's directory, unless it begins with /.",
    )


class Web(Table):
    """[web]: where the pages are served."""

    host: Text = Field(
        "127.0.0.1",
        title="address",
        examples=["0.0.0.0"],  # noqa: S104 - an example; the default is this machine alone
        description="Who can reach the pages: by default this machine alone.",
    )
    port: Annotated[int, AfterValidator(between(1, 65535))] = Field(
        8050, title="1 to 65535", examples=[8050], description="The port."
    )


class Limits(Table):
    """[limits]: when a record that never got its end is given up."""

    waiting_h: Annotated[float, AfterValidator(between(0.1, 168))] = Field(
        2, title="hours", examples=[2], description="A caller who waits longer than this counts as lost."
    )
    talking_h: Annotated[float, AfterValidator(between(0.1, 168))] = Field(
        8, title="hours", examples=[8], description="A conversation longer than this counts as cut."
    )

    @property
    def waiting_s(self) -> int:
        """`waiting_h` in whole seconds."""
        return round(self.waiting_h * 3600)

    @property
    def talking_s(self) -> int:
        """`talking_h` in whole seconds."""
        return round(self.talking_h * 3600)


class Hall(Table):
    """[hall]: what the big screen measures by, and when it calls for attention."""

    minutes: Literal[15, 30, 60] = Field(
        30, title="15, 30 or 60", examples=[30], description="The width of a slot in the chart."
    )
    threshold_s: Edge = Field(
        15,
        title=f"seconds, of {', '.join(map(str, EDGES_S))}",
        examples=[15],
        description="T of the service level: an answer within T seconds is in time.",
    )
    formula: Formula = Field(
        "of_offered",
        title=", ".join(f"`{key}`" for key in FORMULAS),
        examples=["of_offered"],
        description="The service level's formula; the screen names it.",
    )
    short_s: EdgeOrNone = Field(
        5,
        title="0, or seconds as for `threshold_s`",
        examples=[5],
        description="Who hangs up within this is a short abandon; 0: nobody is.",
    )
    target_service_level: Annotated[float, AfterValidator(between(0, 1, "; 90 % is 0.9"))] = Field(
        0.9, title="0 to 1", examples=[0.9], description="Below it the service level calls for attention."
    )
    target_wait_s: Annotated[int, AfterValidator(between(1, 86400))] = Field(
        default_factory=same_as("threshold_s", 15),
        title="whole seconds",
        examples=[15],
        description="A caller who waits longer makes the queue call for attention; default: `threshold_s`.",
    )
    paused_too_long_s: Annotated[int, AfterValidator(between(1, 86400))] = Field(
        1500,
        title="whole seconds",
        examples=[1500],
        description="A seat paused longer than this is marked.",
    )


TABLES: dict[str, type[Table]] = {
    "hotline": Hotline,
    "hours": Hours,
    "sites": Site,
    "queues": Queue,
    "seats": Seat,
    "sources": Source,
    "redis": RedisTable,
    "data": Data,
    "web": Web,
    "limits": Limits,
    "hall": Hall,
}
"""Every table of the file, in the order in which one would write them."""

MANY = frozenset({"sites", "queues", "seats", "sources"})
"""The tables that are written [[so]], once for each."""


def keys_of(table: type[Table]) -> list[str]:
    """The keys of a table as the file writes them."""
    return [field.alias or name for name, field in table.model_fields.items()]
