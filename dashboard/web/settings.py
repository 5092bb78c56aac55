"""What the configuration says of the web process."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSettings:
    """Settings of the web process.

    Attributes:
        name: The hotline's, for the window's title.
        zone: Its time zone, such as "Asia/Shanghai".
        language: Of pages that show no view: "zh-CN" or "en".
        frame_ancestors: Who may show the pages in a frame, as Content-Security-Policy spells it.
    """

    name: str
    zone: str
    language: str = "zh-CN"
    frame_ancestors: str = "'self'"
