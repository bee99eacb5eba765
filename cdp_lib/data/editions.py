"""The editions of the data, nearest to the papers' own first, and what each holds."""

EDITIONS = {
    "official": "real measurements (the full official releases)",
    "pocket": "real measurements in pocket size (public files, about 40 MB)",
    "own": "tables of one's own",
    "teaching": "simulated data (the teaching cohort, made by a known model)",
}
DOWNLOADED = ("pocket", "official")  # in the catalogue; the teaching edition is made, not fetched
LOADED = ("teaching", *DOWNLOADED)  # what `load` and a chapter know
