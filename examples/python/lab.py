"""The admin endpoint of a lab that stands in another process (`cargo run --bin lab`), in the standard library's terms."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any


class Lab:
    """A standing lab, found by the env file that it wrote. Times are seconds of the lab's time since its start."""

    def __init__(self, env_file: str | Path) -> None:
        lines = Path(env_file).read_text().splitlines()
        self.variables = dict(line.split("=", 1) for line in lines if "=" in line)
        self._admin = self.variables["DR_LAB_ADMIN"]
        self._anchor = int(self.variables["DR_LAB_ANCHOR_MS"]) / 1000
        self.time_scale = float(self.variables["DR_LAB_TIME_SCALE"])

    def now(self) -> float:
        """The lab's time."""
        return (time.time() - self._anchor) * self.time_scale

    def sleep(self, seconds: float) -> None:
        """Waits for so many seconds of the lab's time."""
        time.sleep(seconds / self.time_scale)

    def fault(self, preset: str, region: str | None = None) -> float:
        """Loses a region: refuse, blackhole, gray or control-plane. Gives the moment."""
        body = {"preset": preset} if region is None else {"preset": preset, "region": region}
        return float(self._call("POST", "/faults", body)["at_s"])

    def heal(self) -> float:
        """Takes every fault back. Gives the moment."""
        return float(self._call("DELETE", "/faults")["at_s"])

    def state(self) -> dict[str, Any]:
        """What the stack looks like."""
        return dict(self._call("GET", "/state"))

    def clients(self, since: float) -> dict[str, Any]:
        """What the clients felt since a moment."""
        return dict(self._call("GET", f"/clients?from_s={max(since, 0.0):.3f}"))

    def audit(self) -> dict[str, Any]:
        """What clients were told against what is stored."""
        return dict(self._call("GET", "/audit"))

    def served(self, steady: float = 30.0, patience: float = 300.0) -> None:
        """Waits until no client has failed for `steady` seconds."""
        deadline = self.now() + patience
        while True:
            self.sleep(2)
            seen = self.clients(self.now() - steady)
            gap = seen["longest_gap"]
            if not seen["failures"] and seen["writes_acked"] and gap and gap["to_s"] - gap["from_s"] < steady:
                return
            if self.now() > deadline:
                raise TimeoutError(f"clients are not served steadily after {patience:.0f} s: {seen['failures']}")

    def _call(self, method: str, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._admin + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
