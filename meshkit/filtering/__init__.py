"""Filter expressions (AIP-160), the same string in REST and gRPC: grammar, tree, predicate.

`parse(text, FIELDS)` checks names and types and gives a tree of `ast` nodes (None for a blank text); each store
compiles the tree in its own adapter (SQL, MongoDB, NumPy columns); `predicate` is the readable exact reference they are
all tested against. `docs/filters.md` says what the expressions mean.
"""

from meshkit.filtering.ast import And, Comparison, Expression, FieldKind, Not, Operator, Or, Value
from meshkit.filtering.fields import PREFERENCE_FIELDS, PRODUCT_FIELDS, FieldSet
from meshkit.filtering.parsing import parse
from meshkit.filtering.printing import to_text
from meshkit.filtering.reference import predicate
from meshkit.filtering.text import PATH_SEPARATOR, fold, folded_path, normal_path, path_keys, text_pattern, word_text

__all__ = [
    "PATH_SEPARATOR",
    "PREFERENCE_FIELDS",
    "PRODUCT_FIELDS",
    "And",
    "Comparison",
    "Expression",
    "FieldKind",
    "FieldSet",
    "Not",
    "Operator",
    "Or",
    "Value",
    "fold",
    "folded_path",
    "normal_path",
    "parse",
    "path_keys",
    "predicate",
    "text_pattern",
    "to_text",
    "word_text",
]
