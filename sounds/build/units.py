"""The list of texts the bank speaks, with its own reader of numbers (north; rules in the project's READING notes).

A unit is a text, its take (mid: the sentence goes on; end: it closes) and a file name. Every unit can be
generated whole. Some also name two other units that together hold the same words at the same places of the
sentence, and where to join them: that is the quick way (`bank.py --draft`).
"""

import re
from dataclasses import dataclass, replace

DIGITS = ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"]

LETTERS = {
    "A": "a", "B": "bê", "C": "xê", "D": "dê", "Đ": "đê", "E": "e", "F": "ép", "G": "giê", "H": "hát",
    "I": "i", "J": "gi", "K": "ca", "L": "e-lờ", "M": "em-mờ", "N": "en-nờ", "O": "o", "P": "pê",
    "Q": "quy", "R": "e-rờ", "S": "ét-sì", "T": "tê", "U": "u", "V": "vê", "W": "vê-kép", "X": "ích-xì",
    "Y": "i-dài", "Z": "dét",
}

OPENERS = {"moi": "mời", "kinh-moi": "kính mời", "xin-moi": "xin mời"}
PEOPLE = {"cong-dan": "công dân", "khach-hang": "khách hàng", "nguoi-benh": "người bệnh"}

PLACES = {"quay": ("quầy", 60), "phong": ("phòng", 30), "ban": ("bàn", 30), "cua": ("cửa", 30)}

LANES = {
    "cao-tuoi": "người cao tuổi", "co-cong": "người có công", "khuyet-tat": "người khuyết tật",
    "mang-thai": "phụ nữ mang thai", "tre-em": "trẻ em", "uy-quyen": "người được ủy quyền",
    "chinh-chu": "chính chủ", "dat-lich": "đã đặt lịch",
}

PHRASES_MID = {
    "nhac-lai": "nhắc lại", "xin-nhac-lai": "xin nhắc lại", "thong-bao": "thông báo",
    "thong-bao-khan": "thông báo khẩn", "moi-cong-dan": "mời công dân",
}
PHRASES_END = {
    "xem-bang": "mời công dân xem bảng", "theo-doi-bang": "mời công dân theo dõi bảng thông báo",
    "het-gio": "đã hết giờ làm việc", "het-so": "hôm nay đã hết số", "cam-on": "xin cảm ơn",
    "vang-mat": "vắng mặt", "tam-dung": "quầy tạm dừng phục vụ",
    "thoat-hiem": "mời công dân di chuyển theo lối thoát hiểm gần nhất theo hướng dẫn của cán bộ",
}


def below_hundred(n):
    tens, unit = divmod(n, 10)
    if tens == 0:
        return DIGITS[unit]
    if tens == 1:
        return "mười" + {0: "", 5: " lăm"}.get(unit, " " + DIGITS[unit])
    return f"{DIGITS[tens]} mươi" + {0: "", 1: " mốt", 4: " tư", 5: " lăm"}.get(unit, " " + DIGITS[unit])


def below_thousand(n):
    """0 to 999, as a hall in the north reads them: 105 is một trăm linh năm."""
    hundreds, rest = divmod(n, 100)
    if hundreds == 0:
        return below_hundred(rest)
    return f"{DIGITS[hundreds]} trăm{after_hundred(rest)}"


def after_hundred(rest):
    if rest == 0:
        return ""
    return f" linh {DIGITS[rest]}" if rest < 10 else " " + below_hundred(rest)


def digits(code):
    return " ".join(DIGITS[int(c)] for c in code)


@dataclass(frozen=True)
class Join:
    """The words of `head` (if any) before number `head_word`, then those of `tail` from number `tail_word`."""

    head: str
    head_word: int
    tail: str
    tail_word: int


@dataclass(frozen=True)
class Unit:
    take: str  # mid or end
    text: str
    file: str
    urgent: bool  # wanted in the first, small bank
    join: Join | None = None

    @property
    def kind(self):
        return self.file.split("/")[0]


def _openers():
    for file, word in OPENERS.items():
        for group, people in PEOPLE.items():
            text = f"{word} {people} có số thứ tự"
            urgent = (file, group) == ("moi", "cong-dan")
            yield Unit("mid", text, f"open/{file}-{group}", urgent)
            for letter, name in LETTERS.items():
                # the s of "số" has no voice, a good place to join
                join = Join(text, text.split().index("số"), f"mời công dân có số thứ tự {name}", 4)
                yield Unit(
                    "mid", f"{text} {name}", f"open/{file}-{group}-{_safe(letter)}", urgent, None if urgent else join
                )
    yield Unit("mid", "số", "short/so", True)
    for letter, name in LETTERS.items():
        yield Unit("mid", f"số {name}", f"short/so-{_safe(letter)}", True)
    for letter, name in LETTERS.items():
        yield Unit("mid", name, f"letter/{_safe(letter)}", True, Join("", 0, f"số {name}", 1))


def _safe(letter):
    return "dd" if letter == "Đ" else letter.lower()


def _digits():
    for n in range(10):
        yield Unit("mid", DIGITS[n], f"digits/{n}", True)
    for n in range(1000):
        code = f"{n:03d}"
        join = None
        if n >= 100 and code[2] != "0":
            join = Join(digits(code[:2] + "0"), 2, digits("0" + code[1:]), 2)
        yield Unit("mid", digits(code), f"digits/{code}", n < 200, join)
    for n in range(100):
        code = f"{n:02d}"
        yield Unit("mid", digits(code), f"digits/{code}", True, Join("", 0, digits("0" + code), 1))


def _numbers():
    for n in range(1000):
        join = None
        if 10 <= n < 100:
            join = Join("", 0, below_thousand(100 + n), 2)
        elif n >= 200 and n % 100 not in (0, 21):
            join = Join(below_thousand(n // 100 * 100 + 21), 2, below_thousand(100 + n % 100), 2)
        yield Unit("mid", below_thousand(n), f"number/{n}", n < 200, join)
    for n in range(1, 100):
        yield Unit("mid", f"{below_hundred(n)} nghìn", f"number/{n}-nghin", n < 10)
    for n in range(1, 100):
        join = None if n == 21 else Join("không trăm hai mươi mốt", 2, below_thousand(100 + n), 2)
        yield Unit("mid", f"không trăm{after_hundred(n)}", f"number/khong-tram-{n}", True, join)
    yield Unit("mid", "nghìn", "number/nghin", True)
    yield Unit("mid", "trăm", "number/tram", True)
    for n in range(1, 201):
        join = Join("", 0, f"đến quầy số {below_hundred(n)}", 3) if n <= 60 else None
        yield Unit("end", below_thousand(n), f"number-end/{n}", False, join)


def _places():
    for file, (noun, most) in PLACES.items():
        desk = file == "quay"
        for n in range(1, most + 1):
            number = below_hundred(n)
            join = None if desk or n == 1 else Join(f"đến {noun} số một", 2, f"đến quầy số {number}", 2)
            yield Unit("end", f"đến {noun} số {number}", f"dest/{file}-{n}", desk and n <= 20, join)
        for letter in "ABCDEFGH":
            yield Unit("end", f"đến {noun} {LETTERS[letter]}", f"dest/{file}-{_safe(letter)}", False)
        yield Unit("mid", f"đến {noun} số", f"dest/{file}-so", desk)
        for n in range(1, most + 1):
            number = below_hundred(n)
            join = None if n == 2 else Join(f"{noun} hai", 1, f"đến quầy số {number}", 3)
            yield Unit("end", f"{noun} {number}", f"place/{file}-{n}", desk and n <= 20, join)


def _lettered_places():
    """The short form of a counter that has a letter for a name: quầy a."""
    for file, (noun, _) in PLACES.items():
        for letter in "ABCDEFGH":
            yield Unit("end", f"{noun} {LETTERS[letter]}", f"place-letter/{file}-{_safe(letter)}", False)


def _phrases():
    for file, text in LANES.items():
        yield Unit("mid", text, f"lane/{file}", True)
    for file, text in PHRASES_MID.items():
        yield Unit("mid", text, f"phrase/{file}", True)
    for file, text in PHRASES_END.items():
        yield Unit("end", text, f"phrase/{file}", True)


def all_units():
    """Every unit once (equal texts of one take are one clip), the urgent ones first, those with a join last."""
    seen, units = set(), []
    for unit in [*_phrases(), *_openers(), *_places(), *_digits(), *_numbers(), *_lettered_places()]:
        key = (unit.take, unit.text)
        if key not in seen:
            seen.add(key)
            units.append(unit)
    return sorted(units, key=lambda u: (not u.urgent, u.join is not None))


def southern(text):
    """The same number as the south says it."""
    return re.sub(r"\bmươi tư\b", "mươi bốn", text).replace("linh", "lẻ").replace("nghìn", "ngàn")


def south_units():
    """Only what the south says otherwise; the bank of the north has the rest."""
    return [replace(u, text=southern(u.text), join=None) for u in all_units() if southern(u.text) != u.text]


if __name__ == "__main__":
    units = all_units()
    print(len(units), "clips,", sum(u.urgent for u in units), "in the first group,", sum(u.join is not None for u in units), "can be joined")
