"""Makes the list of common passwords anew, by hand: the service only reads what this wrote (sources: common.md).

    python -m vault.passwords.listing RANKED

RANKED is a text file of passwords, the most common first, one a line. Of it come the first ones of 12 characters or
more (ASVS 6.2.4 asks for 3,000 that match the policy), the first ones of 8 to 11 for those who allow them, and the
words that attackers' rules begin with: doubled, and followed by the most common endings.
"""

from __future__ import annotations

import gzip
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, permutations
from pathlib import Path

from vault.passwords.judging import LIST, folded

LEAST, MOST = 12, 64  # characters of what is derived or taken as long
SURE = 189_126  # places of RANKED that are repeated often enough to be anybody's
LIKELY = 460_000  # places up to which words, with at most 4 digits behind them, are still taken: no dates, no numbers
SHORT, DOUBLED, ENDED = 5_000, 1_500, 200  # how many of RANKED: short ones, words to double, words to end

_word = re.compile("[a-z]{5,11}").fullmatch
_likely = re.compile("[a-z]+[0-9]{0,4}").fullmatch
_printable = re.compile("[!-~]+").fullmatch

ENDINGS = (
    "1234", "12345", "123456", "1234567", "12345678", "123456789", "1234567890", "0123456789", "123123", "111111",
    "000000", "666666", "888888", "654321", "123321", "121212", "112233", "520520", "5201314", "1314520", "13141314",
    "123!", "1234!", "12345!", "123456!", "!@#", "!@#$", "!@#123", "@123", "@1234", "@12345", "@123456", "#123",
    "_123", "123abc", "abc123", "qwerty", "asdf",
)  # fmt: skip
YEARS = tuple(map(str, range(1990, 2031)))
# What administrators and test accounts begin with, whatever the ranked list says.
NAMES = (
    "password", "passw0rd", "p@ssw0rd", "p@ssword", "pa$$word", "pa$$w0rd", "pass", "admin", "administrator", "root",
    "welcome", "changeme", "letmein", "default", "test", "tester", "user", "guest", "login", "system", "server",
    "oracle", "mysql", "postgres", "huawei", "cisco", "company", "qwerty", "asdf", "asdfgh", "zxcvbn", "zxcvbnm",
    "abc", "abcd", "abcdef", "aa", "aaa", "a", "q", "qq", "qwe", "qaz", "asd", "zxc", "www", "iloveyou", "secret",
)  # fmt: skip
# Chinese ones (Li, Han, Xu, A Large-Scale Empirical Analysis of Chinese Web Passwords, USENIX Security 2014, found
# Pinyin and digits that sound like words): "I love you", "my password", "peace", places, services, usual names.
PINYIN = (
    "woaini", "wozuiaini", "woaiwo", "woaiziji", "woaiwojia", "woaibaba", "woaimama", "woailaopo", "woailaogong",
    "woaizhongguo", "aini", "ainiyiwannian", "woaiyou", "wodemima", "mima", "mimashi", "nihao", "nihaoma", "zhongguo",
    "zhonghua", "beijing", "shanghai", "shenzhen", "guangzhou", "hangzhou", "chengdu", "chongqing", "tianjin", "wuhan",
    "nanjing", "taiwan", "xianggang", "baobei", "laopo", "laogong", "mama", "baba", "jiayou", "kuaile", "xingfu",
    "pingan", "pinganshifu", "facai", "gongxifacai", "wanshiruyi", "yishengyishi", "yiqieshunli", "tiantian",
    "xiaoxiao", "feifei", "yangyang", "lele", "taobao", "zhifubao", "alipay", "weixin", "wechat", "tencent",
    "gongshang", "zhaoshang", "yinhang", "zhangwei", "wangwei", "wangfang", "liwei", "lina", "zhangmin", "lijing",
    "wangjing", "liuyang",
    "zhangsan", "lisi", "wangwu", "liming", "caonima", "tamade", "haohao", "haohaoxuexi", "tiantianxiangshang",
)  # fmt: skip
NUMBERS = ("520", "521", "1314", "168", "886", "147258", "159357", "789456", "7758521", "7758258", "584520")
# Runs of keys, for the rows and columns of the keyboard that China, too, uses.
ROWS = (
    "qwertyuiop", "asdfghjkl", "zxcvbnm", "1234567890", "0987654321", "poiuytrewq", "lkjhgfdsa", "mnbvcxz",
)  # fmt: skip
COLUMNS = (
    ("1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm"),
    ("qaz1", "wsx2", "edc3", "rfv4", "tgb5"),
    ("zaq1", "xsw2", "cde3", "vfr4", "bgt5"),
    ("!qaz", "@wsx", "#edc", "$rfv", "1qaz", "2wsx", "3edc"),
    ("qaz", "wsx", "edc", "rfv", "tgb", "123"),
    ("zaq", "xsw", "cde", "vfr", "bgt"),
    ("qwe", "asd", "zxc", "123", "321"),
    ("qwer", "asdf", "zxcv", "1234", "4321"),
    ("qwerty", "asdfgh", "zxcvbn", "123456", "654321"),
    ("1q2w3e", "4r5t6y", "7u8i9o", "q1w2e3", "r4t5y6", "1q2w3e4r", "5t6y7u8i", "q1w2e3r4", "t5y6u7i8"),
    ("147", "258", "369", "789", "456", "123", "159", "753", "357", "951", "147258369", "123456789", "987654321"),
)  # fmt: skip
UNITS = (
    "12", "123", "1234", "12345", "123456", "321", "01", "10", "abc", "abcd", "ab", "1a", "a1", "xyz", "qwe", "asd",
)  # fmt: skip


def listed(ranked: Sequence[str]) -> list[str]:
    """Return the list, sorted: what is taken of `ranked` and what is derived."""
    folds = [folded(one) for one in ranked if _printable(one)]
    taken = (one for one in folds[:SURE] if LEAST <= len(one) <= MOST)
    likely = (one for one in folds[SURE:LIKELY] if LEAST <= len(one) <= MOST and _likely(one))
    short = islice(dict.fromkeys(one for one in folds if 8 <= len(one) < LEAST), SHORT)
    words = list(dict.fromkeys(one for one in folds[:SURE] if _word(one)))
    return sorted({*taken, *likely, *short, *derived(words)})


def derived(words: Sequence[str]) -> set[str]:
    """Return what is made of words, of runs of keys and of digits, 12 to 64 characters each."""
    made = (_doubled(words[:DOUBLED]), _ended([*NAMES, *PINYIN, *words[:ENDED]]), _walks(), _repeats())
    return {folded(one) for some in made for one in some if LEAST <= len(one) <= MOST}


def _doubled(words: Iterable[str]) -> Iterator[str]:
    yield from (word * 2 for word in (*words, *PINYIN, *NAMES))
    yield from (word * 3 for word in (*PINYIN, *NAMES))


def _ended(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        yield word
        yield from (word + end for end in (*ENDINGS, *NUMBERS))
        yield from (f"{word}{mark}{year}" for mark in ("", "@") for year in YEARS)


def _walks() -> Iterator[str]:
    yield from (row * times for row in ROWS for times in (1, 2))
    yield from (first + then for first, then in permutations(ROWS, 2))
    yield from (first[:n] + then[:n] for first, then in permutations(ROWS, 2) for n in (6, 7, 8, 9))
    for runs in COLUMNS:
        longest = 4 if len(runs) <= 7 else 2
        for count in range(2, longest + 1):
            yield from ("".join(some) for some in permutations(runs, count))
        yield from (run * times for run in runs for times in range(2, 6))


def _repeats() -> Iterator[str]:
    signs = "0123456789abcdefghijklmnopqrstuvwxyz!@*."
    yield from (sign * length for sign in signs for length in range(LEAST, 21))
    for unit in (*UNITS, *NUMBERS):
        yield from ((unit * 12)[:length] for length in range(LEAST, 21))
    yield from (first + then for first, then in permutations((*NUMBERS, "5201314", *ENDINGS[:10]), 2))


def main(source: str) -> None:
    """Write the list of what is in the file `source` beside this module."""
    lines = Path(source).read_text(encoding="utf-8", errors="replace").splitlines()
    text = "\n".join(listed(lines))
    (Path(__file__).parent / LIST).write_bytes(gzip.compress(text.encode("ascii"), compresslevel=9, mtime=0))


if __name__ == "__main__":
    main(sys.argv[1])
