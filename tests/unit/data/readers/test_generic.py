"""Formats that many projects share."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cdp_lib.data import readers
from cdp_lib.errors import InputError

UPSTREAM = Path(__file__).parents[3] / "data" / "upstream"


def test_gct_takes_symbols_and_keeps_the_first_of_each():
    table = readers.gct(UPSTREAM / "tiny.gct")
    assert table.loc["MCF7_BREAST"].to_dict() == {"DDX11L1": 0.25, "KRAS": 12.5}
    assert "KRAS" in table.attrs["notes"][0]


def test_gct_of_another_size(tmp_path):
    (tmp_path / "x.gct").write_text((UPSTREAM / "tiny.gct").read_text().replace("3\t2", "4\t2"))
    with pytest.raises(InputError, match="announces 4 genes"):
        readers.gct(tmp_path / "x.gct")


def test_gct_without_a_size(tmp_path):
    (tmp_path / "x.gct").write_text((UPSTREAM / "tiny.gct").read_text().replace("3\t2", "foo bar"))
    with pytest.raises(InputError, match="gct file"):
        readers.gct(tmp_path / "x.gct")


@pytest.mark.parametrize(
    ("reader", "text", "fact"),
    [
        (readers.zinc_substances, "smiles,logP\n,1.5\n", "without smiles"),
        (readers.zinc_substances, "smiles,logP\n7,1.5\n", "'7' in row 1"),
        (readers.ccle_genes_by_lines, "gene\tMCF7_BREAST\n7\t1.5\n", "'7' in row 1"),
    ],
)
def test_a_column_of_words_holds_words(tmp_path, reader, text, fact):
    (tmp_path / "x.txt").write_text(text)
    with pytest.raises(InputError, match=fact):
        reader(tmp_path / "x.txt")


def test_hint_interactions_stand_once():
    table = readers.hint_binary(UPSTREAM / "HomoSapiens_binary_hq.txt")
    assert table.to_numpy().tolist() == [["KRAS", "RAF1"], ["MDM2", "TP53"]]
    assert len(table.attrs["notes"]) == 2


def test_edges_by_number():
    table = readers.edge_list(UPSTREAM / "tiny_edge_list", UPSTREAM / "tiny_index_gene")
    assert table.to_numpy().tolist() == [["A1BG", "KRAS"]]


def test_a_number_of_two_genes_is_refused(tmp_path):
    (tmp_path / "edges").write_text("1 2 1\n")
    (tmp_path / "index").write_text("1 TP53\n2 A1BG\n2 A1BG\n1 KRAS\n")
    with pytest.raises(InputError, match="1 number"):
        readers.edge_list(tmp_path / "edges", tmp_path / "index")


def test_edges_of_another_index(tmp_path):
    (tmp_path / "edges").write_text("1 2 1\n1 77 1\n")
    with pytest.raises(InputError, match="first in row 2"):
        readers.edge_list(tmp_path / "edges", UPSTREAM / "tiny_index_gene")


def test_real_network_and_gene_sets(mirror):
    folder = mirror / "hint-hi2012"
    edges = readers.edge_list(folder / "hint+hi2012_edge_list", folder / "hint+hi2012_index_gene")
    assert len(edges) == 40_671
    assert edges.attrs["notes"] == ["34 interaction(s) without a gene name dropped"]
    sets = readers.gmt(mirror / "msigdb-hallmark" / "h.all.v5.1.symbols.gmt")
    assert len(sets) == 50
    genes = readers.rds_dependency(mirror / "depmap-20q2-pocket" / "20Q2_achilles.Rds").columns
    assert sum(len(set(genes) & set(members)) >= 5 for members in sets.values()) == 5


def test_a_gene_set_without_genes(tmp_path):
    (tmp_path / "x.gmt").write_text("A\thttp\tKRAS\nB\n")
    with pytest.raises(InputError, match="line 2"):
        readers.gmt(tmp_path / "x.gmt")


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(*[st.sampled_from("ABCDE")] * 2), max_size=30))
def test_any_interactions_come_out_unordered_and_once(pairs):
    import pandas as pd

    from cdp_lib.data.readers.generic import interactions

    ends = pd.DataFrame(pairs, columns=["a", "b"], dtype=object)
    table = interactions(ends["a"], ends["b"])
    expected = {frozenset(p) for p in pairs if p[0] != p[1]}
    assert {frozenset(p) for p in table.to_numpy().tolist()} == expected
    assert len(table) == len(expected)


def test_real_ccle_tables(mirror):
    folder = mirror / "ccle-expression-pocket"
    cancer = readers.ccle_genes_by_lines(
        folder / "CCLE_gene_expression_train(v4+eliminated_for_tsne_30)(1).txt"
    )
    breast = readers.ccle_genes_by_lines(folder / "CCLE_gene_expression_train(v1).zip")
    assert (cancer.shape, breast.shape) == ((807, 642), (51, 57820))
    assert breast.columns[0] == "ENSG00000000003"
    rppa = readers.ccle_rppa(mirror / "ccle-2019" / "CCLE_RPPA_20181003.csv")
    metabolites = readers.ccle_metabolomics(mirror / "ccle-2019" / "CCLE_metabolomics_20190502.csv")
    assert (rppa.shape, metabolites.shape) == ((899, 214), (928, 225))
    assert rppa.loc["DMS53_LUNG", "14-3-3_epsilon_Caution"] == np.float32(0.060414)


def test_real_molecules(mirror):
    folder = mirror / "zinc-pocket"
    assert len(readers.zinc_substances(folder / "substances.csv")) == 11_903
    assert [
        len(readers.smiles_lines(folder / f"{name}.txt")) for name in ("test", "valid", "vocab")
    ] == [5000, 24445, 780]


def test_zinc_250k_writes_a_line_break_into_each_smiles(tmp_path):
    text = ',smiles,logP,qed,SAS\n0,"CCO\n",-0.1,0.4,1.9\n'
    (tmp_path / "250k.csv").write_text(text)
    table = readers.zinc_substances(tmp_path / "250k.csv")
    assert table["smiles"].tolist() == ["CCO"]
    assert list(table.columns) == ["smiles", "logP", "qed", "SAS"]


def test_a_table_of_other_names():
    with pytest.raises(InputError, match="MCF7_BREAST"):
        readers.ccle_rppa(UPSTREAM / "CRISPRGeneEffect.csv")
