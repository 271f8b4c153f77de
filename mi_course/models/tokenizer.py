"""Text into numbers and back, with errors in words.

Both kinds of vocabulary that the course meets go through the light ``tokenizers`` library: whole words
(the tiny world) and GPT-2's byte pairs (Sennrich et al. 2016; Radford et al. 2019).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from mi_course.errors import CourseError
from mi_course.whole_file import write_whole

if TYPE_CHECKING:
    import tokenizers

END_OF_TEXT = "<|endoftext|>"


class Tokenizer:
    """Gives every piece of a text its number in the vocabulary.

    ``end``: the token that stands before a text, between texts and behind them, as in GPT-2.
    """

    def __init__(self, backend: tokenizers.Tokenizer, end: str = END_OF_TEXT):
        self.backend = backend
        self.end = end
        end_id = backend.token_to_id(end)
        if end_id is None:
            raise CourseError(f"This tokenizer has no token {end!r}, with which texts begin and end.")
        self.bos_id = self.eos_id = end_id

    @classmethod
    def from_folder(cls, folder: str | Path) -> Tokenizer:
        """Read ``tokenizer.json``, or GPT-2's pair of files ``vocab.json`` and ``merges.txt``."""
        import tokenizers

        folder = Path(folder)
        whole, vocab, merges = (folder / name for name in ("tokenizer.json", "vocab.json", "merges.txt"))
        try:
            if whole.is_file():
                return cls(tokenizers.Tokenizer.from_file(str(whole)))
            if vocab.is_file() and merges.is_file():
                return cls(_byte_pairs(vocab, merges))
        except CourseError:
            raise
        except Exception as error:  # the library raises bare Exceptions
            raise CourseError(f"The tokenizer in {folder} cannot be read: {error}") from None
        raise CourseError(f"{folder} has no tokenizer: no tokenizer.json, and no vocab.json with merges.txt.")

    @classmethod
    def from_hf(cls, tokenizer) -> Tokenizer:
        """The same tokenizer as a fast one of ``transformers``."""
        backend = getattr(tokenizer, "backend_tokenizer", None)
        if backend is None:
            raise CourseError(f"{type(tokenizer).__name__} is not one of transformers' fast tokenizers.")
        return cls(backend, end=tokenizer.bos_token or tokenizer.eos_token or END_OF_TEXT)

    def __len__(self) -> int:
        return self.backend.get_vocab_size()

    def __deepcopy__(self, memo: dict) -> Tokenizer:
        return self  # nothing in it changes: copies of a model share it

    def __repr__(self) -> str:
        return f"Tokenizer({type(self.backend.model).__name__}, {len(self)} tokens)"

    @cached_property
    def vocab(self) -> dict[str, int]:
        """Every token as it is written in the file, with its number, in the order of the numbers."""
        return dict(sorted(self.backend.get_vocab().items(), key=lambda item: item[1]))

    def encode(self, text: str) -> list[int]:
        """The numbers of the pieces of ``text``, nothing added. Raises CourseError for an unknown word."""
        if not isinstance(text, str):
            raise CourseError(f"A tokenizer takes text, not {type(text).__name__}: {text!r}")
        encoding = self.backend.encode(text, add_special_tokens=False)
        unknown = getattr(self.backend.model, "unk_token", None)
        unknown_id = None if unknown is None else self.backend.token_to_id(unknown)
        if unknown_id is not None and unknown_id in encoding.ids:
            found = (text[a:b] for id, (a, b) in zip(encoding.ids, encoding.offsets) if id == unknown_id)
            words = [word for word in dict.fromkeys(found) if word != unknown]
            if words:
                raise CourseError(self._about_unknown(words))
        return encoding.ids

    def decode(self, tokens: Iterable[int]) -> str:
        """The text of the tokens. Raises CourseError for a number that is not in the vocabulary."""
        tokens = list(tokens)
        for token in tokens:
            self._check(token)
        return self.backend.decode(tokens, skip_special_tokens=False)

    def token_text(self, token: int) -> str:
        """The text of one token by itself; bytes that are only part of a character are shown as �."""
        return self.decode([token])

    def save(self, folder: str | Path) -> None:
        """Write ``tokenizer.json``, and the ``tokenizer_config.json`` that transformers' AutoTokenizer reads."""
        special = {"bos_token": self.end, "eos_token": self.end}
        unknown = getattr(self.backend.model, "unk_token", None)
        if unknown:
            special["unk_token"] = unknown
        config = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            **special,
            "add_bos_token": False,
            "clean_up_tokenization_spaces": False,
        }
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / "tokenizer.json", self.backend.to_str(pretty=True).encode("utf-8"))
        write_whole(folder / "tokenizer_config.json", json.dumps(config, indent=1).encode("utf-8"))

    def _check(self, token: int) -> None:
        if not 0 <= token < len(self):
            raise CourseError(
                f"There is no token {token}: the vocabulary has the tokens 0 to {len(self) - 1}."
            )

    def _about_unknown(self, words: Sequence[str]) -> str:
        lines = []
        for word in words[:5]:
            near = self._near(word)
            lines.append(f"{word!r} is not in the model's vocabulary.")
            if near:
                lines[-1] += " Near it are: " + ", ".join(repr(known) for known in near) + "."
        if len(words) > 5:
            lines.append(f"Nor are {len(words) - 5} other words.")
        return "\n".join(lines) + f"\nIt knows {len(self)} words: list(model.tokenizer.vocab) shows them."

    def _near(self, word: str) -> list[str]:
        other_case = [known for known in self.vocab if known.lower() == word.lower()]
        similar = difflib.get_close_matches(word, self.vocab, n=3, cutoff=0.6)
        return list(dict.fromkeys([*other_case, *similar]))[:3]


def _byte_pairs(vocab: Path, merges: Path) -> tokenizers.Tokenizer:
    import tokenizers

    backend = tokenizers.Tokenizer(tokenizers.models.BPE.from_file(str(vocab), str(merges)))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = tokenizers.decoders.ByteLevel()
    backend.add_special_tokens([END_OF_TEXT])
    return backend
