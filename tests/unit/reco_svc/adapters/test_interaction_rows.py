import pytest

from reco_svc.adapters.interaction_rows import array_literals


@pytest.mark.parametrize(
    ("column", "literal"),
    [
        (("a", "a"), '{"a","a"}'),
        (("", ""), '{"",""}'),
        (("a", "b,c}"), '{"a","b,c}"}'),
        (('say "hi"', "b"), r'{"say \"hi\"","b"}'),
        (("a\\", "b"), r'{"a\\","b"}'),
        (('","', "b"), r'{"\",\"","b"}'),
        (("NULL", ""), '{"NULL",""}'),
        ((None, None), "{NULL,NULL}"),
        ((None, 2.5), "{NULL,2.5}"),
        ((1, 2), "{1,2}"),
        ((0.1,), "{0.1}"),
    ],
)
def test_a_column_is_written_as_postgresql_reads_it(column: tuple[object, ...], literal: str) -> None:
    assert array_literals([(value,) for value in column]) == [literal]
