"""The monitor's dashboard for Grafana, as code: prints its JSON.

python dashboard.py | python -m lab_env.panels      what each panel would show; no Grafana needed
python dashboard.py > /tmp/monitor.json             to import it into one
"""

# task: dashboard

import json

# BEGIN SOLUTION
VARIABLES = [{"name": "datasource", "type": "datasource", "query": "prometheus"}]
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# INSTEAD: VARIABLES: list[dict[str, str]] = []
# INSTEAD: SOURCE = {"type": "prometheus", "uid": "PBFA97CFB590B2093"}
# END SOLUTION


def panel(number: int, kind: str, title: str, query: str, x: int, width: int) -> dict[str, object]:
    """One panel with one query; the grid is 24 wide."""
    return {
        "id": number,
        "type": kind,
        "title": title,
        "gridPos": {"x": x, "y": 0, "w": width, "h": 8},
        "datasource": SOURCE,
        "targets": [{"refId": "A", "expr": query, "legendFormat": "{{kind}}"}],
    }


def dashboard() -> dict[str, object]:
    """What Grafana is to show, in its classic model."""
    return {
        "uid": "tiffin-monitor",
        "title": "Tiffin: the watch over the promises",
        "schemaVersion": 39,
        "time": {"from": "now-30d", "to": "now"},
        "templating": {"list": VARIABLES},
        "panels": [
            # BEGIN SOLUTION
            panel(1, "state-timeline", "What was told", "last_over_time(tiffin_monitor_kind[26h])", 0, 12),
            panel(2, "stat", "Last day looked at", "last_over_time(tiffin_monitor_day[26h])", 12, 6),
            panel(3, "stat", "Silent", "absent_over_time(tiffin_monitor_day[26h]) or vector(0)", 18, 6),
            # INSTEAD: panel(1, "state-timeline", "What was told", "tiffin_monitor_kind == 1", 0, 12),
            # INSTEAD: panel(2, "stat", "Last day looked at", "tiffin_monitor_day", 8, 12),
            # END SOLUTION
        ],
    }


if __name__ == "__main__":
    print(json.dumps(dashboard(), indent=2))
