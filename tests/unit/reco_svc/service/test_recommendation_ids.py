from __future__ import annotations

import re
from itertools import islice

from reco_svc.service.recommendation_ids import ID_CHARACTERS, IDS_AT_ONCE, unguessable_ids


def test_no_id_comes_twice_and_each_fits_into_a_url():
    found = list(islice(unguessable_ids(), 3 * IDS_AT_ONCE + 1))
    assert len(set(found)) == len(found)
    assert all(re.fullmatch(rf"[A-Za-z0-9_-]{{{ID_CHARACTERS}}}", one) for one in found)
