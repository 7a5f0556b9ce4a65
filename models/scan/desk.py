"""The desk while scans are folded in: its session and the acts so far. The rules are functions of it, elsewhere."""

from collections.abc import Iterable
from typing import Any

from msgspec.structs import asdict, replace

from models.barcode import Gs1
from models.ids import derived_id
from models.scan.session import MAX_TEXT, MOST_UNDONE, RULE, Action, Labelled, ScanAct, Scanned, Session, Workflow


class Desk:
    """One scanner's session under its parameters."""

    def __init__(self, params: Workflow, state: Session | None, at: int) -> None:
        self.params = params
        self.now = state or Session(at)
        self.acts: list[ScanAct] = []

    def set(self, **changes: Any) -> None:  # noqa: ANN401 - fields of Session
        """The session with some fields changed."""
        self.now = replace(self.now, **changes)

    def do(self, action: Action, at: int, text: str, evidence: Iterable[str], **facts: Any) -> None:  # noqa: ANN401 - fields of ScanAct
        """An act that is done, and that UNDO may take back."""
        label = facts.pop("label", None)
        act = self.add(ScanAct("", self.params.device, at, action, ok=True, text=text, evidence=[*evidence], **facts))
        self._label(label)
        self.set(done=[*self.now.done, replace(act, evidence=[])][-MOST_UNDONE:])

    def tell(self, action: Action, at: int, text: str, evidence: Iterable[str], **facts: Any) -> None:  # noqa: ANN401 - fields of ScanAct
        """An act that nothing can take back."""
        label = facts.pop("label", None)
        self.add(ScanAct("", self.params.device, at, action, ok=True, text=text, evidence=[*evidence], **facts))
        self._label(label)

    def _label(self, label: Gs1 | None) -> None:
        """The last act is about goods with this label."""
        if label is not None and label.lot is not None and label.expiry is not None:
            self.acts[-1] = Labelled(**asdict(self.acts[-1]), expires=label.expiry)

    def refuse(self, scan: Scanned, text: str, code: Gs1 | None = None) -> None:
        """Say why a scan does nothing."""
        self.refuse_what(scan.at, text, [scan.evidence], code or Gs1())

    def refuse_what(self, at: int, text: str, evidence: list[str], code: Gs1) -> None:
        """Say at `at` why what was scanned before does nothing."""
        act = ScanAct("", self.params.device, at, "refused", ok=False, text=text, evidence=evidence)
        self.add(replace(act, code=code.gtin, lot=code.lot, serial=code.serial, badge=self.now.badge))

    def add(self, act: ScanAct) -> ScanAct:
        """An act under its id, its text on one line."""
        line = " ".join(act.text.split())[:MAX_TEXT]
        act = replace(act, text=line, id=derived_id(RULE, act.device, *act.evidence))
        self.acts.append(act)
        return act

    def context(self, *of: str | None) -> list[str]:
        """The scans that an act rests on beside its own: these, the mode's and the badge's."""
        return [scan for scan in (*of, self.now.mode_by, self.now.badge_by) if scan is not None]

    def settled(self) -> Session | None:
        """The session, or None if it is as good as new: equal futures are equal states."""
        now = self.now
        return None if now == Session(now.last_at) else now


def short(text: str) -> str:
    """What somebody scanned, as a refusal quotes it."""
    return repr(text[:40])
