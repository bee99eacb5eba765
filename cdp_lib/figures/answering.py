"""A figure that answers its reader: HTML of a template, without network or script."""

from dataclasses import dataclass

from jinja2 import Environment, PackageLoader


@dataclass(frozen=True)
class Answering:
    """What `c.figure` shows; `alt_text` describes it to who cannot see it."""

    template: str
    alt_text: str
    parts: dict

    def page(self, name: str, caption: str) -> str:
        """The HTML of the figure; its ids and classes begin with the figure's name."""
        environment = Environment(
            loader=PackageLoader("cdp_lib.figures"), autoescape=True, trim_blocks=True
        )
        told = {"name": f"cdp-{name}", "caption": caption, "alt": self.alt_text}
        return environment.get_template(self.template).render(**told, **self.parts)
