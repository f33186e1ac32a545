"""What was recorded and found, as JSON: a documented schema with a version.

Law: a field keeps its name and meaning as long as ``schema`` keeps its number; fields may be added.
"""

from __future__ import annotations

import msgspec

from scrutator.checker.report.lin_json import LinDocument

SCHEMA = "scrutator.record/1"


class RecordDocument(msgspec.Struct, frozen=True):
    """What ``scrutator record --format json`` prints.

    ``run`` is what run.json in the folder holds (schema ``scrutator.run/1``), ``judged`` what ``scrutator lin
    --format json`` prints of the history.
    """

    schema: str
    exit_status: int
    folder: str
    run: object
    judged: LinDocument
