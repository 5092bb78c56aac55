"""Every word that a screen says, in one table; Chinese first, English complete.

Goes in: a key and the values of its blanks. Goes out: text. Never: what a switch or a person wrote; that is
filled into the blanks, or shown as it is, and is not translated.

Keys that end in a name of a table elsewhere (`state.talking`, `formula.of_offered`) are looked up by that name.
"""

from collections.abc import Callable
from typing import Final

LANGUAGES: Final = ("zh-CN", "en")

Say = Callable[..., str]
"""`say(key, **blanks)`; see `speaker`."""

MESSAGES: Final[dict[str, tuple[str, str]]] = {
    # The five headline figures.
    "cumulative.label": ("今日累计接听", "Answers today"),
    "cumulative.by_now": ("可比日此时", "Comparable by now"),
    "cumulative.talking": ("正在通话", "Talking now"),
    "cumulative.missing": ("缺数据", "Data missing"),
    "slot.label": ("本时段接听 · 实时", "This slot · live"),
    "slot.running": ("进行中", "running"),
    "slot.left": ("还剩", "Time left"),
    "slot.minutes": ("{minutes} 分", "{minutes} min"),
    "average.label": ("时段平均接听", "Slot average"),
    "average.days": ("近 {days} 个可比日", "{days} comparable days"),
    "average.widened": ("近 {days} 日 · 不分征期", "{days} days of any phase"),
    "average.guessed": ("近 {days} 日 · 日历未定", "{days} days, calendar guessed"),
    "average.none": ("还没有可比日", "No comparable day yet"),
    "average.per_seat": ("今日每席", "Today per seat"),
    "queue.label": ("正在排队", "In queue now"),
    "queue.longest": ("最长等候", "Longest wait"),
    "queue.target": ("目标", "Target"),
    "queue.beyond": ("超时 {count} 人", "{count} beyond"),
    "queue.attention": ("超目标", "slow"),
    "queue.action": ("需支援", "act"),
    "service.label": ("{threshold}秒接通率", "Service level {threshold} s"),
    "service.target": ("目标", "Target"),
    "service.attention": ("低于目标", "low"),
    "service.interval": (
        "样本少于 {least} 通；95% 区间 {low}–{high}%",
        "Fewer than {least} calls; 95% interval {low}–{high}%",
    ),
    "formula.of_offered": ("{threshold}秒内接通 ÷ 全部呼入", "in {threshold} s ÷ all who asked"),
    "formula.of_answered_abandoned": (
        "{threshold}秒内接通 ÷ (接通+放弃)",
        "in {threshold} s ÷ (answered + abandoned)",
    ),
    "formula.abandons_within_count": (
        "{threshold}秒内(接通+放弃) ÷ (接通+放弃)",
        "ended in {threshold} s ÷ (answered + abandoned)",
    ),
    "formula.of_answered": ("{threshold}秒内接通 ÷ 接通", "in {threshold} s ÷ answered"),
    "formula.abandons_within_ignored": (
        "{threshold}秒内接通 ÷ (接通+超过{threshold}秒的放弃)",
        "in {threshold} s ÷ (answered + gave up after {threshold} s)",
    ),
    "formula.short_abandons_count": (
        "({threshold}秒内接通+短放弃) ÷ (接通+放弃)",
        "in {threshold} s or short ÷ (answered + abandoned)",
    ),
    "unit.calls": ("次", ""),
    "unit.many_calls": ("万次", "k"),
    "unit.people": ("人", ""),
    "unit.percent": ("%", "%"),
    # The chart of the day's slots.
    "chart.title": ("各时段接听数量", "Answers by slot"),
    "chart.today": ("今日", "today"),
    "chart.running": ("进行中", "running"),
    "chart.average": ("可比日平均", "average"),
    "chart.cumulative": ("累计（右）", "total (right)"),
    "chart.average_cumulative": ("可比日累计", "average total"),
    "chart.row_average": ("平均", "avg"),
    "chart.row_cumulative": ("累计", "total"),
    "chart.gap": ("缺数据", "gap"),
    "chart.backfilled": ("补录", "read later"),
    "chart.gap_from": ("缺 {times}", "gap {times}"),
    # Seats and their states.
    "seats.title": ("座席 {count}", "Seats {count}"),
    "seats.online": ("在线 {count}", "signed in {count}"),
    "seats.page": ("第 {page} / {pages} 页", "page {page} of {pages}"),
    "seats.none": ("没有座席", "No seats"),
    "seats.unassigned": ("未归属", "unassigned"),
    "seats.pause_waits": ("通话后示忙", "pauses after this call"),
    "state.talking": ("通话", "Talking"),
    "state.hold": ("保持", "Hold"),
    "state.ringing": ("振铃", "Ringing"),
    "state.ready": ("空闲", "Ready"),
    "state.wrap_up": ("话后", "Wrap-up"),
    "state.paused": ("示忙", "Paused"),
    "state.signed_out": ("签出", "Out"),
    "state.unreachable": ("失联", "Offline"),
    "state.unknown": ("未知", "Unknown"),
    # The header: what day it is, what is open, how old the data is.
    "kind.workday": ("工作日", "workday"),
    "kind.rest_day": ("休息日", "rest day"),
    "kind.holiday": ("法定节假日", "public holiday"),
    "kind.make_up_workday": ("调休工作日", "make-up workday"),
    "phase.early": ("征期中", "filing period"),
    "phase.late": ("征期末", "last days of filing"),
    "phase.after": ("征期已过", "after the filing period"),
    "calendar.unknown": ("日历未定", "calendar guessed"),
    "opening.before": ("{time} 开始服务", "opens {time}"),
    "opening.soon": ("尚未开始服务", "not open yet"),
    "opening.closed": ("今日服务已结束", "closed for today"),
    "opening.rest": ("今日不服务", "not open today"),
    "clock.moved": ("演示时钟", "demo clock"),
    "age.data": ("数据 {age} 秒前", "data {age} s old"),
    "age.source": ("{age} 秒前", "{age} s"),
    "age.none": ("数据 —", "data —"),
    "link.live": ("实时连接", "live"),
    "link.poll": ("轮询连接", "polling"),
    "link.lost": ("正在重连", "reconnecting"),
    # Bands across the header.
    "band.stale": ("数据停在 {time} · 已 {age}未更新", "Data stopped at {time} · {age} without news"),
    "band.never": ("正在连接，还没有数据", "Connecting, no data yet"),
    "band.seconds": ("{s} 秒", "{s} s"),
    "band.minutes": ("{m} 分 {s} 秒", "{m} min {s} s"),
    "band.hours": ("{h} 小时 {m} 分", "{h} h {m} min"),
    "band.connection": ("正在重新连接", "reconnecting"),
    "band.source": ("数据源无响应", "a source is silent"),
    "band.store": ("存储无响应", "the store is away"),
    "notice.rebuilding": ("重建中 · 正在由存档重新计数", "Rebuilding · counting the archive again"),
    "notice.no_data": ("还没有数据 · 等待第一次读取", "No data yet · waiting for the first read"),
    # The footer.
    "fate.title": ("今日", "Today"),
    "fate.offered": ("呼入", "Offered"),
    "fate.answered": ("接通", "Answered"),
    "fate.abandoned": ("放弃", "Abandoned"),
    "fate.overflowed": ("溢出", "Overflowed"),
    "fate.lost": ("中断", "Lost"),
    "sources.title": ("数据源", "Sources"),
    "sources.none": ("没有数据源", "No sources"),
    "sources.problem": ("{name} 有问题，见 /readyz", "{name} has a problem, see /readyz"),
    "sources.more": ("另 {count} 个", "{count} more"),
    "unassigned.title": ("未归属队列", "Unassigned queues"),
    # Pages that are not the hall.
    "error.404": ("没有这个页面", "There is no such page"),
    "error.500": ("服务器出错了，稍后会自动恢复", "The server made a mistake; it will recover by itself"),
    "error.other": ("这个请求无法处理", "This request cannot be served"),
    "error.back": ("回到大屏", "Go to the hall's screen"),
}


def speaker(language: str) -> Say:
    """Give the words of a language.

    Args:
        language: One of `LANGUAGES`.

    Raises:
        ValueError: No such language; the operator corrects the configuration.

    >>> speaker("en")("opening.before", time="8:30")
    'opens 8:30'
    """
    if language not in LANGUAGES:
        raise ValueError(f'language "{language[:20]}" is not known; allowed: {", ".join(LANGUAGES)}')
    column = LANGUAGES.index(language)

    def say(key: str, /, **blanks: object) -> str:
        message = MESSAGES[key][column]
        return message.format(**blanks) if blanks else message

    return say
