"""Small drawings for a static page: inline SVG in the colours of the page, with the numbers in words."""

from collections.abc import Sequence

from grader.pages import safe

BINS = 10
STYLE = (
    ".bar{width:6rem;height:.6rem;vertical-align:middle;margin-right:.4rem}.bar rect{fill:var(--fill)}"
    ".bar .track{fill:var(--track)}.chart{width:100%;max-width:36rem;height:auto;display:block}"
    ".chart rect{fill:var(--fill)}.chart text{fill:var(--ink);font:14px system-ui,sans-serif}"
    ".chart line{stroke:var(--soft)}"
)
_STEP, _HIGH = 50, 120


def bar(share: float) -> str:
    """A bar that is full at 1; the number stands beside it in the page, so a screen reader skips the bar."""
    width = round(100 * min(max(share, 0.0), 1.0), 1)
    return (
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="track" width="100" height="10"/><rect width="{width:g}" height="10"/></svg>'
    )


def tenths(shares: Sequence[float]) -> list[int]:
    """How many shares lie in each tenth; the full share, and what is above it, in the last."""
    counts = [0] * BINS
    for share in shares:
        counts[min(max(int(share * BINS + 1e-9), 0), BINS - 1)] += 1
    return counts


def histogram(shares: Sequence[float], what: str) -> str:
    """How shares are spread over tenths, as columns; `what` names them for a screen reader."""
    counts = tenths(shares)
    most = max(counts) or 1
    said = ", ".join(f"{count} at {10 * at} to {10 * at + 10} %" for at, count in enumerate(counts) if count)
    parts = []
    for at, count in enumerate(counts):
        high = round(_HIGH * count / most, 1)
        left = at * _STEP
        if count:
            parts.append(
                f'<rect x="{left + 5}" y="{20 + _HIGH - high:g}" width="{_STEP - 10}" height="{high:g}"/>'
            )
            parts.append(
                f'<text x="{left + _STEP // 2}" y="{15 + _HIGH - high:g}" text-anchor="middle">{count}</text>'
            )
        parts.append(f'<text x="{left}" y="{_HIGH + 38}" text-anchor="middle">{10 * at}</text>')
    parts.append(f'<text x="{BINS * _STEP}" y="{_HIGH + 38}" text-anchor="middle">100 %</text>')
    parts.append(f'<line x1="0" y1="{_HIGH + 20}" x2="{BINS * _STEP}" y2="{_HIGH + 20}"/>')
    label = safe(f"{what}: {said or 'none'}")
    size = f"-15 0 {BINS * _STEP + 45} {_HIGH + 45}"
    return f'<svg class="chart" role="img" aria-label="{label}" viewBox="{size}">{"".join(parts)}</svg>'
