"""One id for each line: names of five kinds are joined through DepMap's ACH ids.

Projects spell one line in many ways (MCF7, MCF-7, MCF7_BREAST, BR:MCF7, COSMIC 905946,
SIDM00148). Names are compared in a normalised form, upper case without punctuation, and a name
that could mean two lines, or none, is listed and left out: nothing is guessed.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from cdp_lib.data.checks import few
from cdp_lib.errors import InputError

KINDS = ("ach", "ccle", "cosmic", "sanger", "name", "nci60")

# One spelling of each tissue: 19Q4 writes "central_nervous_system", 20Q2 "Central Nervous System";
# these two differ only in case and spaces. The OncoTree names of 22Q4 and later that mean the same
# tissue under another name stand here; all others keep their own name.
TISSUE_NAMES = {
    "cns/brain": "central_nervous_system",
    "bowel": "colorectal",
    "bladder/urinary_tract": "urinary_tract",
    "biliary_tract": "bile_duct",
    "ovary/fallopian_tube": "ovary",
    "head_and_neck": "upper_aerodigestive",
    "adrenal_gland": "adrenal_cortex",
}

# The lineages of Oncotree by our tissues, where they are not the same word.
LINEAGES = {
    "bile_duct": "Biliary Tract",
    "urinary_tract": "Bladder/Urinary Tract",
    "colorectal": "Bowel",
    "central_nervous_system": "CNS/Brain",
    "esophagus": "Esophagus/Stomach",
    "gastric": "Esophagus/Stomach",
    "esophagus/stomach": "Esophagus/Stomach",
    "upper_aerodigestive": "Head and Neck",
    "lymphocyte": "Lymphoid",
    "plasma_cell": "Lymphoid",
    "ovary": "Ovary/Fallopian Tube",
    "adrenal_cortex": "Adrenal Gland",
}
LEUKAEMIAS = {"ALL": "Lymphoid", "CLL": "Lymphoid", "AML": "Myeloid", "CML": "Myeloid"}

# Lines of one donor or ancestor, by stripped name, that a naive split would separate.
TWINS = (
    ("SNB19", "U251MG", "U251"),
    ("OVCAR8", "NCIADRRES"),
    ("M14", "MDAMB435", "MDAMB435S", "MDAN"),
    ("AU565", "SKBR3"),
    ("MCF7", "KPL1"),
    ("HEL", "HEL9217"),
    ("WM115", "WM2664"),
    ("HCC827", "HCC827GR5"),
)

NCI60_TISSUES = {
    "BR": "breast",
    "CNS": "central_nervous_system",
    "CO": "colorectal",
    "LE": "blood",
    "ME": "skin",
    "LC": "lung",
    "OV": "ovary",
    "PR": "prostate",
    "RE": "kidney",
}
# The 60 lines of CellMiner by panel, and MDA-MB-468, which the screen has in place of MDA-N.
NCI60 = {
    "BR": "MCF7, MDA-MB-231, HS 578T, BT-549, T-47D, MDA-MB-468",
    "CNS": "SF-268, SF-295, SF-539, SNB-19, SNB-75, U251",
    "CO": "COLO 205, HCC-2998, HCT-116, HCT-15, HT29, KM12, SW-620",
    "LE": "CCRF-CEM, HL-60(TB), K-562, MOLT-4, RPMI-8226, SR",
    "ME": "LOX IMVI, MALME-3M, M14, SK-MEL-2, SK-MEL-28, SK-MEL-5, UACC-257, UACC-62, "
    "MDA-MB-435, MDA-N",
    "LC": "A549, EKVX, HOP-62, HOP-92, NCI-H226, NCI-H23, NCI-H322M, NCI-H460, NCI-H522",
    "OV": "IGROV1, OVCAR-3, OVCAR-4, OVCAR-5, OVCAR-8, SK-OV-3, NCI/ADR-RES",
    "PR": "PC-3, DU-145",
    "RE": "786-0, A498, ACHN, CAKI-1, RXF 393, SN12C, TK-10, UO-31",
}
# Other spellings of these lines, in normalised form.
NCI60_SPELLINGS = {
    "A549ATCC": "A549",
    "HL60": "HL-60(TB)",
    "MDAMB231ATCC": "MDA-MB-231",
    "786O": "786-0",
    "MDAMB435S": "MDA-MB-435",
    "U251MG": "U251",
    "NIHOVCAR3": "OVCAR-3",
    "SR786": "SR",
    "ADRRES": "NCI/ADR-RES",
}


def normalised(name: object) -> str:
    """Upper case, letters and digits only: "NCI-H23" and "ncih23" are one name."""
    return re.sub(r"[^A-Z0-9]", "", str(name).upper())


def harmonised_tissue(tissue: object) -> str:
    """One spelling of a tissue; "unknown" where there is none."""
    if tissue is None or pd.isna(tissue) or not str(tissue).strip():
        return "unknown"
    name = re.sub(r"\s+", "_", str(tissue).strip().lower())
    return TISSUE_NAMES.get(name, name)


def oncotree_lineage(lines: pd.DataFrame) -> pd.Series:
    """The tissue of each line as Oncotree's lineages say it: "Bowel", "Lymphoid", "Myeloid", ...

    `lines` has the column `tissue` and, for leukaemias, `subtype`: those of lymphoid cells (ALL,
    CLL) are Lymphoid, those of myeloid cells (AML, CML) Myeloid, and others stay "Blood".
    """
    tissue = lines["tissue"].map(lambda name: LINEAGES.get(name, str(name).replace("_", " ")))
    tissue = tissue.map(lambda name: name if name in LINEAGES.values() else name.title())
    if "subtype" in lines:
        blood = (lines["tissue"] == "blood") & lines["subtype"].isin(LEUKAEMIAS)
        tissue = tissue.where(~blood, lines["subtype"].map(LEUKAEMIAS))
    return tissue.rename("lineage")


def nci60_lines() -> pd.DataFrame:
    """The NCI-60 by name: tissue, panel, donor (twins share one) and name."""
    rows = [
        (line, NCI60_TISSUES[panel], panel)
        for panel, names in NCI60.items()
        for line in names.split(", ")
    ]
    table = pd.DataFrame(rows, columns=["line", "tissue", "panel"]).set_index("line")
    twin = {name: group[0] for group in TWINS for name in group}
    donor = [twin.get(normalised(line), normalised(line)) for line in table.index]
    return table.assign(donor=donor, name=table.index)


def _nci60_keys() -> dict[str, str]:
    keys = {normalised(line): line for names in NCI60.values() for line in names.split(", ")}
    return keys | NCI60_SPELLINGS


_NCI60_KEYS = _nci60_keys()


def nci60_name(name: object) -> str | None:
    """The name of an NCI-60 line from any of its spellings ("BR:MCF7", "MDA_MB_231"), or None."""
    return _NCI60_KEYS.get(normalised(str(name).split(":")[-1]))


@dataclass(frozen=True)
class Match:
    """Names that mean one line each, and those that do not."""

    mapping: pd.Series
    unmatched: list[str]
    ambiguous: dict[str, list[str]]

    @property
    def note(self) -> str:
        total = len(self.mapping) + len(self.unmatched) + len(self.ambiguous)
        text = f"{len(self.mapping)} of {total} lines have a DepMap id"
        if self.unmatched:
            text += f", {len(self.unmatched)} have none ({few(self.unmatched)})"
        if self.ambiguous:
            text += f", {len(self.ambiguous)} are ambiguous ({few(self.ambiguous)})"
        return text

    def rename(self, table: pd.DataFrame) -> pd.DataFrame:
        """The rows that have a match, under their ACH ids; the note says which have none."""
        kept = table.loc[table.index.astype(str).isin(self.mapping.index)]
        ids = self.mapping.loc[kept.index.astype(str)].to_numpy()
        renamed = kept.set_axis(pd.Index(ids, name="line"))
        renamed.attrs["notes"] = [*table.attrs.get("notes", []), self.note]
        return renamed


class IdMap:
    """What the name tables say together: which spellings mean which ACH id.

    `models` is `cmp_models`, `annotations` is `ccle_annotations`, `samples` is one or more
    tables of `sample_info` or `rds_lines`, `details` is `gdsc_line_details`; each may be absent.
    """

    def __init__(
        self,
        samples: pd.DataFrame | Iterable[pd.DataFrame] = (),
        models: pd.DataFrame | None = None,
        annotations: pd.DataFrame | None = None,
        details: pd.DataFrame | None = None,
    ):
        self._ids: dict[str, dict[str, set[str]]] = {kind: defaultdict(set) for kind in KINDS}
        self._patients: dict[str, set[str]] = defaultdict(set)  # patient or twins -> ACH ids
        for table in [samples] if isinstance(samples, pd.DataFrame) else samples:
            self._add(
                table.assign(ach=table.index),
                {"ccle": "ccle_name", "cosmic": "cosmic", "sanger": "sanger", "name": "name"},
            )
            if "donor" in table:
                self._add_patients(table.assign(ach=table.index), "donor")
        if annotations is not None:
            self._add(
                annotations.assign(ccle_name=annotations.index),
                {"ccle": "ccle_name", "name": "name"},
            )
        if models is not None:
            self._add(
                models.assign(sanger=models.index),
                {"ccle": "ccle_name", "cosmic": "cosmic", "sanger": "sanger", "name": "name"},
            )
            self._add_patients(models, "patient")
        if details is not None:
            self._add_details(details)
        spelled = (ids for names in self._ids.values() for ids in names.values())
        self._known = {line for ids in spelled for line in ids if is_ach(line)}
        for number, twins in enumerate(TWINS):
            for name in twins:
                self._patients[f"twins {number}"] |= self._ids["name"].get(name, set())

    def _add(self, table: pd.DataFrame, columns: dict[str, str]) -> None:
        """Note which ACH ids claim each name. A line that has none claims its plain name too:
        two lines may share it (KM-H2 and KMH-2).
        """
        claims = [
            several(ach) or sorted(self._ids["sanger"].get(str(line), ()))
            for line, ach in zip(table.index, table["ach"], strict=True)
        ]
        for kind, column in columns.items():
            if column not in table:
                continue
            for line, known, names in zip(table.index, claims, table[column], strict=True):
                if not known and kind == "name":
                    known = [f"{line} (no ACH id)"]
                for name in several(names):
                    self._ids[kind][key(name, kind)].update(known)

    def _add_patients(self, table: pd.DataFrame, column: str) -> None:
        for ids, patient in zip(table["ach"], table[column], strict=True):
            for name in several(patient):
                self._patients[name].update(several(ids))

    def _add_details(self, details: pd.DataFrame) -> None:
        """GDSC's own names, where their COSMIC id is known."""
        for cosmic, name in details["name"].items():
            self._ids["name"][normalised(name)] |= self._ids["cosmic"].get(str(cosmic), set())

    def to_ach(self, names: Iterable, kind: str = "auto") -> Match:
        """ACH ids of names of one kind: "ach", "ccle", "cosmic", "sanger", "name" or "nci60".

        "auto" takes the kind that knows most of the names.
        """
        names = list(names)
        if kind == "auto":
            matches = [self.to_ach(names, kind) for kind in KINDS]
            return max(matches, key=lambda m: (len(m.mapping) + len(m.ambiguous), len(m.mapping)))
        if kind not in KINDS:
            raise InputError(f"There is no kind of name {kind!r}: choose of {', '.join(KINDS)}.")
        found: dict[str, str] = {}
        unmatched, ambiguous = [], {}
        for name in pd.unique(pd.Series(names, dtype=object).astype(str)):
            ids = sorted(self._look_up(name, kind))
            if not any(is_ach(i) for i in ids):
                unmatched.append(name)
            elif len(ids) == 1:
                found[name] = ids[0]
            else:
                ambiguous[name] = ids
        mapping = pd.Series(found, dtype=object, name="line")
        for name in mapping.index[mapping.duplicated(keep=False)]:  # two names, one line
            ambiguous[name] = [found[name]]
        return Match(mapping.drop(list(ambiguous), errors="ignore"), unmatched, ambiguous)

    def _look_up(self, name: str, kind: str) -> set[str]:
        if kind == "ach":
            return {name} & self._known
        if kind != "nci60":
            return self._ids[kind].get(key(name, kind), set())
        line = nci60_name(name)
        spellings = [s for s, known in _NCI60_KEYS.items() if known == line]
        return set().union(*(self._ids["name"].get(s, set()) for s in spellings))

    def donors(self, lines: Iterable[str]) -> pd.Series:
        """The donor of each ACH id: one label for all lines of a patient and for known twins.

        A line of unknown donor has none; a split counts it as its own group.
        """
        lines = pd.Index(list(lines), name="line")
        label: dict[str, str] = {}
        groups = {patient: {i for i in ids if is_ach(i)} for patient, ids in self._patients.items()}
        for patient in sorted(groups):
            joined = groups[patient]
            known = sorted({label[ach] for ach in joined if ach in label} | {patient})
            for other in known:
                joined = joined | {ach for ach, name in label.items() if name == other}
            label.update(dict.fromkeys(joined, known[0]))
        return pd.Series([label.get(ach) for ach in lines], index=lines, name="donor", dtype=object)


def is_ach(line: str) -> bool:
    """Whether this is an id of DepMap."""
    return line.startswith("ACH-") and "(" not in line


def key(name: str, kind: str) -> str:
    """The form in which names of a kind are compared."""
    if kind in ("cosmic", "sanger"):
        return str(name).strip().removesuffix(".0")
    return normalised(name)


def several(value: object) -> list[str]:
    """The ids in a cell, which may hold none, one, or a list split by ';'."""
    if value is None or pd.isna(value):
        return []
    return [part.strip() for part in str(value).split(";") if part.strip()]
