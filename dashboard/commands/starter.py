"""A plan of queues and seats -> the text of a first wallboard.toml, with a comment for every decision in it.

Pure. Nothing in a name is trusted: each goes through `toml_string`, in comments too.
"""

from collections.abc import Collection, Sequence

from dashboard.commands.plan import Plan, QueuePlan, SeatPlan
from dashboard.config import toml_string
from dashboard.core.names import readable

SITE = "main"


def write(
    plan: Plan, *, name: str, zone: str, secret: Collection[str], log_path: str, found_in: Sequence[str]
) -> str:
    """The text of the file.

    Args:
        plan: Queues and seats.
        name: The hotline's name.
        zone: Its time zone.
        secret: The queues whose callers are secret.
        log_path: The queue_log to follow.
        found_in: What was read.
    """
    source = "、".join(map(_comment, found_in)) or "—"
    parts = [
        _HEAD.format(source=source),
        _HOTLINE.format(name=toml_string(name), zone=toml_string(zone)),
        _SITES.format(site=toml_string(SITE), name=toml_string(name)),
        _QUEUES,
        *(queue_block(queue, queue.name in secret, site="shared") for queue in plan.queues),
        _SEATS,
        *(seat_block(seat, site=SITE) for seat in plan.seats),
    ]
    if plan.loose:
        parts.append(
            "# 以下接口会签入签出，但不知属于哪个座席；请写到该座席的 interface。\n"
            "# These sign in and out, and nothing tells whose they are; write each into its seat's block:\n"
            + "\n".join(f"#   interface = {toml_string(device)}" for device in plan.loose)
        )
    if plan.unwritable:
        parts.append(
            "# 以下名称不是 UTF-8，无法配置；请让交换机用 UTF-8。\n"
            "# These names are not UTF-8 and cannot be configured; let the switch write UTF-8:\n"
            + "\n".join(f"#   {toml_string(text)}" for text in plan.unwritable)
        )
    parts.append(_SOURCES.format(path=toml_string(log_path)))
    return "\n\n".join(parts) + "\n"


def queue_block(queue: QueuePlan, is_secret: bool, site: str | None = None) -> str:
    """One [[queues]] table."""
    lines = ["[[queues]]", f"name = {toml_string(queue.name)}"]
    if site is not None:
        lines.append(f"site = {toml_string(site)}")
    lines.append(f"secret = {'true' if is_secret else 'false'}")
    if queue.wrapup_s is not None:
        lines.append(f"wrapup_s = {min(queue.wrapup_s, 3600)}")
    return "\n".join(lines)


def seat_block(seat: SeatPlan, site: str | None = None) -> str:
    """One [[seats]] table, its remarks above."""
    lines = [f"# {remark}" for remark in seat.remarks]
    lines += ["[[seats]]", f"id = {toml_string(seat.id)}"]
    if site is not None:
        lines.append(f"site = {toml_string(site)}")
    if seat.interface is not None:
        lines.append(f"interface = {toml_string(seat.interface)}")
    elif seat.suggested is not None:
        lines.append(
            f"# interface = {toml_string(seat.suggested)}  "
            "# 与日志相符，核对后去掉行首的 #。 Fits the log; take the first # away if it is right."
        )
    if seat.names:
        lines.append(f"names = [{', '.join(map(toml_string, seat.names))}]")
    if seat.label:
        lines.append(f"label = {toml_string(seat.label)}")
    return "\n".join(lines)


def _comment(text: str) -> str:
    return toml_string(readable(text))


_HEAD = """\
# wallboard.toml
#
# 由 `wallboard init` 写成，依据：{source}
# 每个键的说明见 docs/configure.md；改完运行 `wallboard check`。
# Written by `wallboard init` from the files above. Every key is explained in docs/configure.md; after a
# change run `wallboard check`."""

_HOTLINE = """\
# 热线：id 是所有数据的前缀，选定后不要改；name 显示在大屏上；zone 决定一天从何时开始。
# The hotline: `id` begins every key of its data, so choose it once; `name` heads the screens; `zone` says
# when a day begins.
[hotline]
id = "hotline"
name = {name}
zone = {zone}
# calendar = "cn"               # 中国节假日与征期；其他国家用 "weekdays"。 Holidays; elsewhere "weekdays".
# opened = 2009-04-20           # 开通日期。 The day on which the hotline opened.
# language = "en"               # 界面语言，默认中文。 The screens' language; Chinese by default.
# home_area = "0591"            # 本地区号。 The area code of local numbers that have none.

# 工作时间：没有 [hours] 表示全天开放；没写的日子不开放。
# Opening hours: without this table always open; with it, a day that is not named is closed.
# [hours]
# mon = "8:30-12:00,14:00-17:30"
# tue = "8:30-12:00,14:00-17:30"
# wed = "8:30-12:00,14:00-17:30"
# thu = "8:30-12:00,14:00-17:30"
# fri = "8:30-12:00,14:00-17:30"

# 数据目录：相对于本文件；请备份。 The data directory, from this file's; back it up.
[data]
dir = "var"

# Redis：不写则自动启动内置服务器。 Without it an embedded server is started.
# [redis]
# url = "redis://localhost:6379/0"

# 网页地址：默认只有本机可以打开。 By default only this machine can open the pages.
# [web]
# host = "0.0.0.0"
# port = 8050

# 大屏的口径与目标。 What the big screen measures by, and its targets.
# [hall]
# minutes = 30                  # 时段：15、30、60 分钟。 The width of a slot.
# threshold_s = 15              # 几秒内接通算及时。 T of the service level.
# target_service_level = 0.9"""

_SITES = """\
# 单位：拥有座席（也可能有队列）的各局。现在所有座席都在一个单位，请按实际改写。
# Sites: the bureaus that own seats, and perhaps queues. All seats are at one now; change it as it is.
[[sites]]
id = {site}
name = {name}"""

_QUEUES = """\
# 队列：name 必须与交换机中的名称完全相同；label 是显示名；key 是按键；site 是所属单位，共用的写 "shared"。
# 设 secret = true 后，来电人永远不可识别，也不保存号码。wrapup_s 是话后处理秒数（交换机的 wrapuptime）。
# Queues: `name` exactly as in the switch; `label` is shown; `key` is what callers press; `site` owns it, or
# "shared". Callers of a queue with `secret = true` are never identifiable: their numbers are not kept.
# `wrapup_s` is the switch's wrapuptime. For example:
#   label = "纳税咨询"
#   key = 1"""

_SEATS = """\
# 座席：id 选定后不要改；site 是所属单位；interface 与 names 必须与交换机写的完全相同（姓名超过 79 字节会被
# 交换机截断，这里写全名）。换人或调动：同一 id 再写一段，加上 from = 日期。
# Seats: choose `id` once; `site` owns it; `interface` and `names` exactly as the switch writes them (it cuts
# names at 79 bytes; write them whole). When a seat moves or changes hands, write a second table with the
# same id and `from = <date>`."""

_SOURCES = """\
# 数据来源：交换机正在写的文件。 Where the calls come from: the file that the switch is writing.
[[sources]]
name = "pbx1"
kind = "queue_log"
path = {path}"""
