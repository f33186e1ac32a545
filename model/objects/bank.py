"""Money: a bank of accounts, and a single account.

Maps are recorded as tuples of pairs in order of the keys.
"""

from __future__ import annotations

from scrutator.model.objects.register import read
from scrutator.model.objects.sequential import (
    Object,
    Value,
    given,
    in_order,
    number,
    or_done,
    or_unnoted,
    returned,
    success,
)

Balances = tuple[tuple[Value, float], ...]
Transfer = tuple[tuple[str, Value], tuple[str, Value], tuple[str, Value]]


def an_order(argument: Value) -> bool:
    """(("amount", how much), ("from", account), ("to", account))"""
    if not isinstance(argument, tuple) or not all(isinstance(p, tuple) and len(p) == 2 for p in argument):
        return False
    order = dict(argument)
    return set(order) == {"amount", "from", "to"} and number(order["amount"]) and order["amount"] >= 0


def _order_text(argument: Value) -> str:
    if not an_order(argument):
        return given(argument)
    assert isinstance(argument, tuple)
    order = dict(argument)
    return f"{order['amount']} from {order['from']!r} to {order['to']!r}"


def _balances_text(balances: Value) -> str:
    if not isinstance(balances, tuple):
        return returned(balances)
    return f" -> {{{', '.join(f'{account!r}: {balance!r}' for account, balance in balances)}}}"


# As Jepsen's tests begin, where they do not say otherwise.
BANK = Object("bank", ((0, 100), *((k, 0) for k in range(1, 8))), doc="Accounts, none of them ever below zero.")
BANK.method("r", reads_only=True, result_text=_balances_text)(read)


@BANK.method(takes=an_order, agrees=or_done, argument_text=_order_text, result_text=success)
def transfer(state: Balances, order: Transfer) -> tuple[Value, Balances]:
    """Move money from an account to another; return whether the one had enough, and the other exists."""
    found = dict(order)
    enough = dict(state).get(found["from"], 0) >= found["amount"]  # type: ignore[operator]
    return transfer_anyway(state, order) if enough else (False, state)


OVERDRAFT_BANK = Object("overdraft-bank", BANK.initial, doc="Accounts, which may be overdrawn.")
OVERDRAFT_BANK.method("r", reads_only=True, result_text=_balances_text)(read)


@OVERDRAFT_BANK.method(takes=an_order, agrees=or_done, argument_text=_order_text, result_text=success, name="transfer")
def transfer_anyway(state: Balances, order: Transfer) -> tuple[Value, Balances]:
    """Move money from an account to another; return whether both exist."""
    balances, found = dict(state), dict(order)
    if found["from"] not in balances or found["to"] not in balances:
        return False, state
    balances[found["from"]] -= found["amount"]  # type: ignore[operator]
    balances[found["to"]] += found["amount"]  # type: ignore[operator]
    return True, in_order(balances.items())  # type: ignore[return-value]


ACCOUNT = Object("account", 0, doc="One account, which may be overdrawn.")
ACCOUNT.method("read-balance", "balance", "r", reads_only=True)(read)


@ACCOUNT.method("deposit", takes=number, agrees=or_unnoted)
def credit(state: float, amount: float) -> tuple[Value, float]:
    """Add money; return the new balance."""
    return state + amount, state + amount


@ACCOUNT.method("withdraw", takes=number, agrees=or_unnoted)
def debit(state: float, amount: float) -> tuple[Value, float]:
    """Take money; return the new balance."""
    return state - amount, state - amount
