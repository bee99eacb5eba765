"""What happens to a file on its way: each damage takes a small file and gives the damaged bytes.

A damage that a file cannot have (a header that it lacks) is None.
"""

import gzip

from tests.unit.data.readers.small import Small

ODD_NAMES = {
    "nothing": "",
    "blanks": "  ",
    "a dash": "-",
    "NA": "NA",
    "nan": "nan",
    "None": "None",
    "#N/A": "#N/A",
    "a zero-width space": "{}\u200b",
    "a no-break space": "{}\xa0",
    "a control character": "{}\x07",
    "a web page": "<a href=x>",
    "a formula": "=1+1",
    "a million letters": "A" * 1_000_000,
}
NO_NUMBERS = (
    "abc",
    "1,5",
    "#REF!",
    "inf",
    "1e309",
    "TRUE",
    "0x1F",
    "5%",
    "1_000",
    "1.2.3",
    "--",
    "9" * 400,
)
DAMAGES = {}


def damage(function):
    DAMAGES[function.__name__.replace("_", " ")] = function
    return function


def parts(file: Small) -> tuple[list[str], list[str]]:
    lines = file.text.splitlines()
    return lines[: file.head], lines[file.head :]


def joined(*parts: list[str]) -> bytes:
    return ("\n".join(line for part in parts for line in part) + "\n").encode()


def in_cell(file: Small, row: int, column: int | None, word: str) -> bytes | None:
    """The file with another word in one cell; "{}" stands for what is there."""
    head, rows = parts(file)
    if column is None:
        return None
    cells = rows[row].split(file.sep)
    if '"' in rows[row] or not cells[column]:
        return None
    word = word.format(cells[column])
    cells[column] = f'"{word}"' if file.sep in word else word
    rows[row] = file.sep.join(cells)
    return joined(head, rows)


def changed_row(file: Small, change, row: int = 1) -> bytes:
    head, rows = parts(file)
    rows[row] = change(rows[row])
    return joined(head, rows)


def changed_header(file: Small, change) -> bytes | None:
    head, rows = parts(file)
    if not head:
        return None
    cells = change(head[-1].split(file.sep))
    return None if cells is None else joined([*head[:-1], file.sep.join(cells)], rows)


@damage
def a_cell_missing_in_a_row(file):
    return changed_row(
        file, lambda row: file.sep.join(row.split(file.sep)[:1] + row.split(file.sep)[2:])
    )


@damage
def the_last_cell_missing_in_a_row(file):
    return changed_row(file, lambda row: file.sep.join(row.split(file.sep)[:-1]))


@damage
def a_cell_too_many_in_a_row(file):
    return changed_row(file, lambda row: row + file.sep + "7")


@damage
def a_cell_too_many_in_every_row(file):
    head, rows = parts(file)
    return joined(head, [row + file.sep + "7" for row in rows]) if head else None


@damage
def a_separator_behind_every_row(file):
    head, rows = parts(file)
    return joined(head, [row + file.sep for row in rows])


@damage
def a_separator_behind_every_line(file):
    return joined([line + file.sep for line in file.text.splitlines()])


@damage
def cut_in_a_middle_row(file):
    head, rows = parts(file)
    return joined(head, rows[:1], [rows[1][: len(rows[1]) // 2] + rows[2]], rows[3:])


@damage
def cut_in_the_last_row(file):
    return file.text[: -1 - len(file.text.splitlines()[-1]) // 2].encode()


@damage
def cut_in_the_last_cell(file):
    return file.text[:-2].encode()


@damage
def bytes_lost_in_the_middle(file):
    at = len(file.text) // 2
    return (file.text[:at] + file.text[at + 37 :]).encode()


@damage
def bytes_doubled_in_the_middle(file):
    at = len(file.text) // 2
    return (file.text[:at] + file.text[max(0, at - 90) :]).encode()


@damage
def empty_bytes_in_the_middle(file):
    at = len(file.text) // 2
    return (file.text[:at] + "\0" * 40 + file.text[at + 40 :]).encode()


@damage
def empty_bytes_at_the_end(file):
    return file.text.encode() + b"\0" * 60


@damage
def an_end_mark_of_dos(file):
    return file.text.encode() + b"\x1a"


@damage
def a_byte_order_mark(file):
    return b"\xef\xbb\xbf" + file.text.encode()


@damage
def line_ends_of_windows(file):
    return file.text.replace("\n", "\r\n").encode()


@damage
def line_ends_of_old_macs(file):
    return file.text.replace("\n", "\r").encode()


@damage
def one_other_line_end_in_a_row(file):
    return changed_row(file, lambda row: row[: len(row) // 2] + "\r" + row[len(row) // 2 :])


@damage
def utf_16(file):
    return file.text.encode("utf-16")


@damage
def utf_16_without_a_mark(file):
    return file.text.encode("utf-16-le")


@damage
def latin_1(file):
    return changed_row(file, lambda row: row + "\xe9").decode().encode("latin-1")


@damage
def every_cell_in_quotes(file):
    if file.head == 0 or file.text.startswith("#"):
        return None
    lines = file.text.splitlines()
    if any('"' in line for line in lines):
        return None
    return joined([file.sep.join(f'"{cell}"' for cell in line.split(file.sep)) for line in lines])


@damage
def a_stray_quote_in_a_row(file):
    return changed_row(file, lambda row: row[:3] + '"' + row[3:])


@damage
def a_quote_that_opens_in_two_rows(file):
    head, rows = parts(file)
    return joined(head, ['"' + row if n in (0, 2) else row for n, row in enumerate(rows)])


@damage
def a_quote_that_swallows_rows(file):
    head, rows = parts(file)
    first, *rest = rows[2].split(file.sep)
    return joined(head, ['"' + rows[0], rows[1], file.sep.join([first + '"', *rest])], rows[3:])


@damage
def the_last_cell_of_a_row_opens_a_quote(file):
    def opens(row):
        *cells, last = row.split(file.sep)
        return file.sep.join([*cells, '"' + last])

    return changed_row(file, opens)


@damage
def a_header_twice_the_same(file):
    return changed_header(file, lambda cells: [*cells[:-1], cells[-2]])


@damage
def an_empty_header(file):
    return changed_header(file, lambda cells: [*cells[:-1], ""])


@damage
def a_header_with_a_blank_behind(file):
    return changed_header(file, lambda cells: [*cells[:-1], cells[-1] + " "])


@damage
def a_header_with_a_zero_width_space(file):
    return changed_header(file, lambda cells: [*cells[:-1], cells[-1] + "\u200b"])


@damage
def a_header_that_lacks_its_last_name(file):
    return changed_header(file, lambda cells: cells[:-1])


@damage
def a_header_that_lacks_its_first_name(file):
    return changed_header(file, lambda cells: cells[1:])


@damage
def a_header_in_lower_case(file):
    change = changed_header(file, lambda cells: [cell.lower() for cell in cells])
    return None if change == file.text.encode() else change


@damage
def no_header(file):
    head, rows = parts(file)
    return joined(head[:-1], rows) if head else None


@damage
def the_header_twice(file):
    head, rows = parts(file)
    return joined(head, rows[:2], head[-1:], rows[2:]) if head else None


@damage
def two_files_in_one(file):
    return file.text.encode() * 2


@damage
def two_files_in_one_under_one_header(file):
    head, rows = parts(file)
    return joined(head, rows, rows)


@damage
def a_row_twice(file):
    head, rows = parts(file)
    return joined(head, rows, rows[:1])


@damage
def an_empty_line_in_the_middle(file):
    head, rows = parts(file)
    return joined(head, rows[:2], [""], rows[2:])


@damage
def empty_lines_at_the_end(file):
    return file.text.encode() + b"\n\n"


@damage
def a_row_of_separators_at_the_end(file):
    head, rows = parts(file)
    return joined(head, rows, [file.sep * rows[0].count(file.sep)])


@damage
def an_id_with_blanks_around(file):
    return in_cell(file, 1, file.ids, " {} ")


@damage
def an_id_of_another_case(file):
    head, rows = parts(file)
    word = rows[0].split(file.sep)[file.ids]
    if word.swapcase() == word or '"' in rows[1]:
        return None
    return in_cell(file, 1, file.ids, word.swapcase().replace("{", "{{").replace("}", "}}"))


@damage
def an_id_of_another_row(file):
    head, rows = parts(file)
    return in_cell(file, 1, file.ids, rows[0].split(file.sep)[file.ids])


@damage
def an_id_with_a_fraction(file):
    return in_cell(file, 1, file.ids, "9900001.5")


@damage
def an_id_that_became_a_date(file):
    return in_cell(file, 1, file.ids, "2020-01-01 00:00:00")


@damage
def a_measured_column_of_truth(file):
    head, rows = parts(file)
    if file.measured is None:
        return None
    rows = [row.split(file.sep) for row in rows]
    if any('"' in cell for row in rows for cell in row):
        return None
    for row in rows:
        row[file.measured] = "TRUE"
    return joined(head, [file.sep.join(row) for row in rows])


def odd_name(word):
    return lambda file: in_cell(file, 1, file.ids, word)


def no_number(word):
    return lambda file: in_cell(file, 1, file.measured, word)


DAMAGES |= {f"the id is {what}": odd_name(word) for what, word in ODD_NAMES.items()}
DAMAGES |= {f"the number is {word[:8]}": no_number(word) for word in NO_NUMBERS}


@damage
def a_cut_gzip(file):
    return gzip.compress(file.text.encode())[:-12]


@damage
def a_gzip_with_a_flipped_byte(file):
    packed = bytearray(gzip.compress(file.text.encode()))
    packed[len(packed) // 2] ^= 0x55
    return bytes(packed)


@damage
def a_web_page(file):
    return b"\n<!DOCTYPE html><html><body>403 Forbidden</body></html>"


@damage
def json_with_a_message(file):
    return b'{\n"error": "sign in",\n"code": 403\n}\n'


@damage
def nothing(file):
    return b""


@damage
def nothing_but_empty_bytes(file):
    return b"\0" * 64


@damage
def one_letter(file):
    return b"x"


@damage
def only_a_header(file):
    head, _ = parts(file)
    return joined(head) if head else None


@damage
def another_separator(file):
    return file.text.replace(file.sep, ";").encode() if file.sep in file.text else None
