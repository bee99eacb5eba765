"""What is kept of the figures that a chapter shows."""

from matplotlib.figure import Figure

from cdp_lib import chapter


def test_a_record_keeps_no_figure_of_another_edition(monkeypatch):
    kept = {}
    monkeypatch.setattr(chapter, "_show", lambda bundle, metadata=None: kept.update(metadata or {}))
    c = chapter.Chapter("01_specimen", "quick", "pocket", 0, "cpu")
    c.figure(Figure(), "drawn", "Drawn from a simulation.", data="teaching")
    assert kept == {}
    c.figure(Figure(), "measured", "Measured.")
    assert kept["cdp"] == {"name": "measured", "caption": "Measured.", "alt": "Measured."}
