"""The exported suite of the port Audience: whoever writes an executor of sets proves it by these promises.

    class TestMine(AudienceSuite):
        def open_audience(self, facts, *, max_rows=1_000_000):
            return MyAudience(load(facts), max_rows=max_rows)

``crmsdk.testing.audience_rows`` gives facts as rows to fill tables with. The reference decides what is right:
every kind of question, over people drawn from the edges.
"""

from crmsdk.testing._audience_promises import AudiencePromises

__all__ = ["AudienceSuite"]


class AudienceSuite(AudiencePromises):
    """All promises of the port; an adapter gives ``open_audience`` and nothing else."""
