"""Which application this is: a word that changes when what a screen has loaded is no longer right."""

import hashlib
from pathlib import Path

import layouts
from dashboard.web.settings import WebSettings


def assets_folder() -> Path:
    """Where the styles and scripts are: beside the installed package, else in the checkout."""
    package = Path(layouts.__file__).parent
    inside = package / "assets"
    return inside if inside.is_dir() else package.parent / "assets"


def version(settings: WebSettings) -> str:
    """A digest of the styles, the scripts, the code that draws pages and the settings that it draws by."""
    digest = hashlib.sha256(repr(settings).encode())
    folders = (assets_folder(), Path(layouts.__file__).parent, Path(__file__).parent)
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.suffix in (".css", ".js", ".py"):
                digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]
