"""The one hook that MkDocs calls. What the pages say is made by the plain functions of `docs/generate`."""

import sys
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.nav import Navigation
from mkdocs.structure.pages import Page
from pymdownx.superfences import SuperFencesException  # type: ignore[import-untyped]  # it publishes no types

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))  # the `mkdocs` command does not look there

from docs.generate import (
    breaks,
    day,
    diagram,
    dictionary,
    figures,
    glossary,
    incidents,
    keys,
    labs,
    loop,
    mends,
    minutes,
    modules,
    paths,
    playground,
    questions,
    single,
    skills,
    tools,
    twins,
)
from grader.manifest import list_labs

FENCES = {
    "quiz": questions.quiz_html,
    "recall": questions.recall_html,
    "order": questions.order_html,
    "loop": loop.loop_html,
    "diagram": diagram.diagram_html,
    "skills": skills.skills_html,
}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Teach Markdown our fences, and to quote files from the course's root wherever the build is started."""
    config.mdx_configs.setdefault("pymdownx.snippets", {})["base_path"] = [str(_course(config))]
    fences = [{"name": name, "class": name, "format": _fence(name), "validator": _accept} for name in FENCES]
    config.mdx_configs.setdefault("pymdownx.superfences", {})["custom_fences"] = fences
    modules.in_nav(config.nav or [], Path(config.docs_dir))
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made from the manifests and from the world."""
    for lab in list_labs(_course(config)):
        page = File.generated(config, f"labs/{lab.id}.md", content=labs.lab_page(lab))
        page.edit_uri = f"../labs/{lab.id}/brief.md"
        files.append(page)
    made = incidents.incident_pages(_cache(config)) | {
        "whole.md": single.single_page(Path(config.docs_dir)),
        "reference/data-dictionary.md": dictionary.dictionary_page(),
        "tools.md": tools.tools_page(Path(config.docs_dir)),
        **modules.planned_pages(Path(config.docs_dir)),
    }
    for path, text in made.items():
        files.append(File.generated(config, path, content=text))
    files.append(File.generated(config, "assets/playground-data.js", content=playground.data_script()))
    return files


def on_nav(nav: Navigation, *, config: MkDocsConfig, files: Files) -> Navigation:  # noqa: ARG001  # MkDocs passes them by name
    """Let a reader go from incident to incident, though the menu names their list alone."""
    incidents.put_in_line(files)
    return nav


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001  # MkDocs passes them by name
    """Put the tables of a manifest's keys, and figures of the world, where a page asks for them."""
    cache = _cache(config)
    markdown = twins.fill(
        minutes.fill(paths.fill(glossary.fill(markdown), _course(config)), _course(config)),
        page.file.src_uri,
        Path(config.docs_dir),
    )
    return playground.fill(day.fill(figures.fill(keys.fill(markdown), cache), cache), cache)


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001  # MkDocs passes them by name
    """Link the first use of each term to the glossary, and say of a module that is planned that it is."""
    return glossary.linked(modules.say_planned(html, Path(config.docs_dir)), page.url)


def on_post_page(output: str, *, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001  # MkDocs passes them by name
    """Name for a screen reader what the theme leaves unnamed, and let long names break."""
    return breaks.breakable(mends.mend(output))


def on_post_template(output: str, *, template_name: str, config: MkDocsConfig) -> str:  # noqa: ARG001  # MkDocs passes them by name
    """The same for the page of an address that is none; the other templates have no markup."""
    return mends.mend(output) if template_name == "404.html" else output


def _course(config: MkDocsConfig) -> Path:
    return Path(config.config_file_path).resolve().parent


def _cache(config: MkDocsConfig) -> Path:
    """Where what was measured and drawn is kept from one build to the next."""
    return _course(config) / ".cache" / "world"


def _fence(name: str) -> Any:
    def render(source: str, *_: Any, **__: Any) -> str:
        try:
            return FENCES[name](source)
        except ValueError as error:
            # Any other exception would print the fence as plain text and let the build pass.
            raise SuperFencesException(f"{error}\nIn this `{name}` block:\n{source}") from error

    return render


def _accept(_: str, inputs: dict[str, str], options: dict[str, Any], *__: Any) -> bool:
    options.update(inputs)
    return True
