"""Small faults that somebody could have made: every way to change one place of a module's syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, replace

__all__ = ["Mutant", "mutants_of", "tree_with"]

BOUNDARIES: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
# What only the type checker or the interpreter's start looks at; and `strict` of zip, which guards against a slip that
# none of our callers makes, so nothing they do can show that it has gone.
UNSEEN_FIELDS = {"decorator_list", "returns", "annotation", "type_params", "format_spec"}
UNSEEN_CALLS = {"cast", "TypeVar", "ParamSpec"}
NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
STATEMENTS = (ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete, ast.Assert)


@dataclass(frozen=True)
class Mutant:
    """One change. place: the function or class it is in. index, variant: which node of the tree, and which of its faults.

    at_import: it is in what runs when the module is imported, not when a function is called.
    """

    place: str
    line: int
    was: str
    now: str
    index: int
    variant: int
    at_import: bool

    @property
    def words(self) -> str:
        return f"{self.was} -> {self.now}"


def mutants_of(source: str) -> list[Mutant]:
    """Every fault that one change makes, in the order of the text."""
    return [
        Mutant(spot.place, spot.line, _text(spot.node), _text(fault), index, variant, spot.at_import)
        for index, spot in enumerate(_spots(ast.parse(source), _Spot(ast.Pass())))
        for variant, fault in enumerate(spot.faults())
    ]


def tree_with(source: str, mutant: Mutant) -> ast.Module:
    """The module with this one fault in it."""
    tree = ast.parse(source)
    spot = list(_spots(tree, _Spot(ast.Pass())))[mutant.index]
    _Replace(spot.node, list(spot.faults())[mutant.variant]).visit(tree)
    return ast.fix_missing_locations(tree)


class _Replace(ast.NodeTransformer):
    def __init__(self, target: ast.AST, fault: ast.AST) -> None:
        self._target = target
        self._fault = fault

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self._target:
            return ast.copy_location(self._fault, node)
        return self.generic_visit(node)


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:90]


@dataclass(frozen=True)
class _Spot:
    """A node and where it is: in the text, by name, and in time."""

    node: ast.AST
    place: str = "module"
    line: int = 0
    at_import: bool = True
    may_be_none: bool = True  # what the function around it returns, as far as the type checker knows
    in_text: bool = False  # it is a piece of an f-string

    def below(self, name: str, child: ast.AST) -> _Spot:
        """A child that is in this field of the node."""
        place = f"{self.place}.{self.node.name}".removeprefix("module.") if isinstance(self.node, NAMED) else self.place
        inside = isinstance(self.node, FUNCTIONS) and name == "body"
        may_be_none = self.may_be_none
        if isinstance(self.node, ast.FunctionDef | ast.AsyncFunctionDef) and self.node.returns is not None:
            may_be_none = "None" in ast.unparse(self.node.returns)
        return _Spot(
            child,
            place,
            getattr(child, "lineno", self.line),
            self.at_import and not inside,
            may_be_none,
            isinstance(self.node, ast.JoinedStr),
        )

    def faults(self) -> Iterator[ast.AST]:
        """What could stand here. Not what the type checker refuses: None where it is never returned."""
        match self.node:
            case ast.Constant(value=str(text)) if self.in_text:
                if text.strip() == text:
                    yield ast.Constant("")
            case ast.Return() if not self.may_be_none:
                return
            case _:
                yield from _faults(self.node)


def _spots(node: ast.AST, here: _Spot) -> Iterator[_Spot]:
    """What may be changed below a node."""
    here = replace(here, node=node)
    for name, value in ast.iter_fields(node):
        if name in UNSEEN_FIELDS:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_unseen(child):
                spot = here.below(name, child)
                yield spot
                yield from _spots(child, spot)


def _is_unseen(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Import() | ast.ImportFrom():
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.Subscript(value=ast.Name(id="Literal")) | ast.keyword(arg="strict", value=ast.Constant(value=True)):
            return True
        case ast.Call(func=ast.Name(id=name)) if name in UNSEEN_CALLS:
            return True
    return False


def _faults(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare():
            yield from _comparisons(node)
        case ast.BoolOp() | ast.BinOp() | ast.UnaryOp():
            yield from _operations(node)
        case ast.Constant():
            yield from _constants(node)
        case ast.Return(value=ast.expr() as value) if not _is_none(value):
            yield ast.Return(ast.Constant(None))
        case ast.Expr():
            yield ast.Pass()
        case ast.If() | ast.While() | ast.IfExp():
            yield from _negated(node)
        case ast.comprehension():
            yield from _unfiltered(node)
    if isinstance(node, STATEMENTS):
        yield ast.Pass()


def _comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    for place, operator in enumerate(node.ops):
        for other in BOUNDARIES[type(operator)]:
            yield ast.Compare(node.left, [*node.ops[:place], other(), *node.ops[place + 1 :]], node.comparators)


def _operations(node: ast.BoolOp | ast.BinOp | ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif type(node.op) in ARITHMETIC:
        yield ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)


def _constants(node: ast.Constant) -> Iterator[ast.AST]:
    """Another value. Sentences are for people, and tests do not hold their every word."""
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        yield ast.Constant(value + 1)
    elif isinstance(value, str) and value and not any(letter.isspace() for letter in value):
        yield ast.Constant(f"XX{value}")


def _negated(node: ast.If | ast.While | ast.IfExp) -> Iterator[ast.AST]:
    """The other branch, where no other fault of the condition does the same."""
    if isinstance(node.test, ast.Compare | ast.BoolOp | ast.UnaryOp | ast.Constant):
        return
    changed = deepcopy(node)
    changed.test = ast.UnaryOp(ast.Not(), node.test)
    yield changed


def _unfiltered(node: ast.comprehension) -> Iterator[ast.AST]:
    for place in range(len(node.ifs)):
        yield ast.comprehension(node.target, node.iter, [*node.ifs[:place], *node.ifs[place + 1 :]], node.is_async)


def _is_none(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is None
