"""The same application's handle for sync code: scripts, web frameworks without a loop, notebooks.

    from crmsdk.blocking import Crm

    with Crm.open("sqlite:///crm.db", zone="Europe/Moscow") as crm:
        crm.track("ann", "purchase", {"amount": 90})

All work is done in one thread with its own event loop, so it also works where a loop runs already. Several
threads may share one Crm. A process that forks opens one in each process: the parent's is refused there.
"""

from crmsdk.blocking.crm import Crm

__all__ = ["Crm"]
