"""A grammar with a memory: it writes text, says why each word stands there, and knows every probability.

A *rule* names a slot and lists its outcomes: texts in which words and further `{slots}` stand, each
with its probability. An outcome may also *bind* latents (``giver="John"``), and later rules may read
them. Expanding the leftmost slot again and again writes a document from left to right.

The same rules answer the opposite question. Given the words so far, several half-expanded documents
may be possible; a `Belief` holds all of them with their probabilities, so the probability of the
next word is exact: nothing is estimated. Averaged over documents it gives the entropy of the text,
which no language model can go below.
"""

from __future__ import annotations

import math
import random
from bisect import bisect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate


class Slot(str):
    """The name of a rule, where it stands in a text."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Word:
    """A token and the slot whose outcome it stands in."""

    text: str
    role: str


Symbol = Word | Slot


class Memory(dict):
    """The latents that are bound so far. Never changed: `bind` returns another one."""

    def bind(self, latents: Mapping) -> Memory:
        return Memory({**self, **latents}) if latents else self

    def __hash__(self) -> int:
        return hash(frozenset(self.items()))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way to expand a slot: what it writes, and the latents that it binds."""

    text: str
    weight: float = 1.0
    binds: Mapping = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """One token of a document with its truth.

    ``role``: the slot whose outcome the token stands in ("giver", "opening" …). ``latents``: all that
    was bound when the token was written, this slot's own binding included.
    """

    token: str
    role: str
    latents: Memory


class Rule:
    """The outcomes of a slot: a list, or a function of the latents in ``reads``.

    ``appends``: a latent that collects what the slot writes, as a tuple of tokens.
    """

    def __init__(
        self,
        name: str,
        outcomes: Sequence[Outcome | str] | Callable[..., Sequence[Outcome | str]],
        *,
        reads: Sequence[str] = (),
        appends: str = "",
    ):
        self.name, self.reads, self.appends = name, tuple(reads), appends
        self._outcomes = outcomes
        self._tables: dict[tuple, _Table] = {}

    def table(self, memory: Memory) -> _Table:
        """The outcomes in this state of memory, ready to be drawn from or matched with a token."""
        key = tuple(memory.get(name) for name in self.reads)
        table = self._tables.get(key)
        if table is None:
            outcomes = self._outcomes(*key) if callable(self._outcomes) else self._outcomes
            table = _Table(self.name, [Outcome(o) if isinstance(o, str) else o for o in outcomes])
            if len(self._tables) < _MOST_TABLES:
                self._tables[key] = table
        return table

    def remembered(self, memory: Memory, branch: _Branch) -> Memory:
        if self.appends:
            words = tuple(symbol.text for symbol in branch.symbols)
            return memory.bind({self.appends: (*memory.get(self.appends, ()), *words)})
        return memory.bind(branch.binds)


_MOST_TABLES = 20_000


@dataclass(frozen=True, slots=True)
class _Branch:
    probability: float
    symbols: tuple[Symbol, ...]
    binds: Mapping


class _Table:
    """The outcomes of a slot, normalised; those that begin with a word are indexed by it."""

    def __init__(self, name: str, outcomes: list[Outcome]):
        if not outcomes:
            raise ValueError(f"The slot {name!r} has no outcome.")
        total = math.fsum(outcome.weight for outcome in outcomes)
        self.branches = [
            _Branch(outcome.weight / total, _symbols(outcome.text, name), outcome.binds)
            for outcome in outcomes
            if outcome.weight
        ]
        self.cumulative = list(accumulate(branch.probability for branch in self.branches))
        self.beginning_with: dict[str, list[_Branch]] = {}
        self.undecided: list[_Branch] = []
        for branch in self.branches:
            if branch.symbols and isinstance(branch.symbols[0], Word):
                self.beginning_with.setdefault(branch.symbols[0].text, []).append(branch)
            else:
                self.undecided.append(branch)

    def draw(self, rng: random.Random) -> _Branch:
        return self.branches[min(bisect(self.cumulative, rng.random()), len(self.branches) - 1)]


def _symbols(text: str, role: str) -> tuple[Symbol, ...]:
    return tuple(Slot(part[1:-1]) if part[0] == "{" else Word(part, role) for part in text.split())


class Grammar:
    """Rules by the name of their slot."""

    def __init__(self, rules: Sequence[Rule]):
        self.rules = {rule.name: rule for rule in rules}
        if len(self.rules) != len(rules):
            names = [rule.name for rule in rules]
            raise ValueError(f"Two rules share a name: {sorted({n for n in names if names.count(n) > 1})}")

    def write(self, rng: random.Random, start: str, latents: Mapping | None = None) -> list[Written]:
        """One document: expand ``start`` until only words are left."""
        memory = Memory(latents or {})
        stack: list[Symbol] = [Slot(start)]
        written = []
        while stack:
            symbol = stack.pop()
            if isinstance(symbol, Word):
                written.append(Written(symbol.text, symbol.role, memory))
            else:
                rule = self.rules[symbol]
                branch = rule.table(memory).draw(rng)
                memory = rule.remembered(memory, branch)
                stack.extend(reversed(branch.symbols))
        return written

    def belief(self, start: str, latents: Mapping | None = None) -> Belief:
        """What is possible before the first word."""
        return Belief(self, {((Slot(start),), Memory(latents or {})): 1.0})


class Belief:
    """Every half-written document that agrees with the words so far, with its probability."""

    END = ""
    """Stands for the end of the document, where a token is asked for."""

    def __init__(self, grammar: Grammar, hypotheses: dict[tuple[tuple[Symbol, ...], Memory], float]):
        self._grammar = grammar
        self.hypotheses = hypotheses

    def after(self, token: str) -> tuple[float, Belief]:
        """The probability that ``token`` comes next (`END`: that nothing does), and the belief after it."""
        found: dict = {}
        for (stack, memory), probability in self.hypotheses.items():
            self._derive(stack, memory, probability, token, found)
        total = math.fsum(found.values())
        normalised = {state: p / total for state, p in found.items()} if total else {}
        return min(total, 1.0), Belief(self._grammar, normalised)

    def next_tokens(self) -> dict[str, float]:
        """The probability of every token that can come next, `END` among them."""
        found: dict[str, float] = {}
        for (stack, memory), probability in self.hypotheses.items():
            self._spread(stack, memory, probability, found)
        return found

    def posterior(self, latent: str) -> dict:
        """The probability of each value of a latent, given the words so far; None: not yet bound."""
        found: dict = {}
        for (_, memory), probability in self.hypotheses.items():
            value = memory.get(latent)
            found[value] = found.get(value, 0.0) + probability
        return found

    def _derive(self, stack, memory, probability, token, found) -> None:
        if not stack:
            if token == self.END:
                found[(stack, memory)] = found.get((stack, memory), 0.0) + probability
            return
        first, rest = stack[0], stack[1:]
        if isinstance(first, Word):
            if first.text == token:
                found[(rest, memory)] = found.get((rest, memory), 0.0) + probability
            return
        rule = self._grammar.rules[first]
        table = rule.table(memory)
        for branch in (*table.beginning_with.get(token, ()), *table.undecided):
            self._derive(
                branch.symbols + rest,
                rule.remembered(memory, branch),
                probability * branch.probability,
                token,
                found,
            )

    def _spread(self, stack, memory, probability, found) -> None:
        if not stack or isinstance(stack[0], Word):
            token = stack[0].text if stack else self.END
            found[token] = found.get(token, 0.0) + probability
            return
        rule = self._grammar.rules[stack[0]]
        for branch in rule.table(memory).branches:
            left = branch.symbols + stack[1:]
            self._spread(left, rule.remembered(memory, branch), probability * branch.probability, found)
