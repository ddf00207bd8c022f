"""A look at every instant of the story: what its final invoices lack is in an alarm then, not only in the end.

An alarm that comes a day late, or goes while nothing is decided, leaves no trace in the end, when the units are on an
invoice or in an alarm again. What is on trial is told all the while, until its invoice is final.
"""

from dataclasses import dataclass, field
from datetime import datetime

from chaos.periods.alarms import Alarm, missing, of_span, open_alarms, units_by_kind
from chaos.periods.invoices import Invoices
from chaos.periods.story import BILLED, FREE, Span, Story


@dataclass(kw_only=True)
class Looks:
    """`wrong` is a sentence for each span of which something was missed or told twice, and when that was seen first."""

    story: Story
    invoices: Invoices
    wrong: list[str] = field(default_factory=list)
    looks: int = 0
    _seen: set[tuple[Span, str]] = field(default_factory=set)

    def look(self, now: datetime) -> None:
        """To be called once everybody has done what there is to do at this instant.

        `invoices` are to be read before that: what we finalize ourselves at this instant is heard of at the next.
        """
        alarms, told = open_alarms(self.story.place), self.story.told_by_span()
        day = round((now - self.story.place.base).total_seconds() / 86_400, 3)
        for span in self.story.spans:
            said = self._said(span, told=told[span], alarms=of_span(alarms, self.story.place, span))
            if said and (span, said) not in self._seen:
                self._seen.add((span, said))
                self.wrong.append(f"on day {day:g}, {span.where}: {said}")
        self.looks += 1

    def _said(self, span: Span, *, told: int, alarms: list[Alarm]) -> str:
        billed, units = self.invoices.of(span), units_by_kind(alarms)
        if billed is None:
            is_told = span.fate != FREE or units["trial"] == told
            return "" if is_told else f"{told} used on trial, {units['trial']} told"
        if span.fate != BILLED or told == billed + missing(units):
            return ""
        return f"{told} used, {billed} on an invoice, {missing(units)} alarmed"
