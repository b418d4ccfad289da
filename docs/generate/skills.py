"""A skills block: TOML with areas, each with tasks and one way to do them; out comes a list to tick.

Without a script it is a list with folded answers; the page's own table says where to start.
"""

import tomllib

from docs.generate import quiz

KEYS = {"name", "weak", "tasks"}
ENOUGH = 2


def skills_html(source: str) -> str:
    """The self-test.

    Raises:
        ValueError: an area is not whole.
    """
    try:
        areas = tomllib.loads(source)["areas"]
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise ValueError(f"A self-test is TOML with `[[areas]]`, and this is not: {error}.") from error
    parts = [_area(at, area) for at, area in enumerate(areas)]
    return (
        f'<form class="skills" data-enough="{ENOUGH}">{"".join(parts)}'
        '<p class="skills-result with-script" role="status"></p></form>'
    )


def _area(at: int, area: dict[str, object]) -> str:
    quiz.keys("An area", area, KEYS, required=KEYS)
    tasks = area["tasks"]
    if not isinstance(tasks, list) or not all(isinstance(task, list) and len(task) == 2 for task in tasks):
        raise ValueError(f"The tasks of `{area['name']}` are pairs: what to do, and one way to do it.")
    rows = "".join(_task(f"skill-{at}-{place}", *task) for place, task in enumerate(tasks))
    return (
        f'<fieldset data-area="{area["name"]}"><legend>{area["name"]}</legend>{rows}'
        f'<p class="skills-weak"><strong>If not two of these:</strong> {quiz.inline(str(area["weak"]))}</p>'
        "</fieldset>"
    )


def _task(name: str, ask: str, way: str) -> str:
    box = f'<input type="checkbox" name="{name}">'
    return (
        f'<div class="skill"><label>{box} <span>{quiz.inline(ask)}</span></label>'
        f"<details><summary>One way</summary><p>{quiz.inline(way)}</p></details></div>"
    )
