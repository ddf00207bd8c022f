"""What a subscription has each of its invoices say and be taxed by, copied onto an invoice when it is drawn."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomField:
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceTerms:
    description: str | None = None
    footer: str | None = None
    custom_fields: tuple[CustomField, ...] = ()
    account_tax_ids: tuple[str, ...] = ()
    default_tax_rates: tuple[str, ...] = ()
    has_automatic_tax: bool = False

    @property
    def is_taxed(self) -> bool:
        return self.has_automatic_tax or bool(self.default_tax_rates)


NO_TERMS = InvoiceTerms()
