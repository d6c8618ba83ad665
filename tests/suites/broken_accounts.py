"""Stores that name the people of accounts wrong: what each does, and the promise it breaks."""

BROKEN_ACCOUNTS = {
    "names the people of an account as they came": (
        """
        async def customers_of(self, account):
            return [id for id in self._people if id in self._accounts.of(account)]
        """,
        "test_people_of_an_account_are_named_in_text_order",
    ),
    "compares accounts without case": (
        """
        async def customers_of(self, account):
            keys = [key for key in self._accounts._people if key.lower() == account.lower()]
            return sorted({id for key in keys for id in self._accounts.of(key)})
        """,
        "test_people_of_another_account_are_not_named",
    ),
    "takes the account of the profile": (
        """
        async def customers_of(self, account):
            return sorted(id for id, person in self._people.items() if person.account == account)
        """,
        "test_only_the_account_of_the_log_counts",
    ),
    "takes any attribute that sounds like it": (
        """
        async def customers_of(self, account):
            logs = {id: person.facts.attributes for id, person in self._people.items()}
            found = {id for id, log in logs.items() for one in log if one.name.endswith("account")}
            return sorted(id for id in found if account in [one.value for one in logs[id]])
        """,
        "test_only_the_account_of_the_log_counts",
    ),
    "takes nothing written for nothing asked": (
        """
        async def customers_of(self, account):
            logs = {id: person.facts.attributes for id, person in self._people.items()}
            return sorted(id for id, log in logs.items() if account in [one.value for one in log] or not log)
        """,
        "test_an_account_nobody_was_written_into_has_no_people",
    ),
    "forgets who left an account": (
        """
        async def customers_of(self, account):
            found = await super().customers_of(account)
            last = {id: self._people[id].facts.attribute(ACCOUNT, FAR) for id in found}
            return [id for id in found if last[id] == account]
        """,
        "test_who_left_an_account_is_still_named",
    ),
    "overlooks who comes to an account": (
        """
        async def customers_of(self, account):
            found = await super().customers_of(account)
            return [id for id in found if self._people[id].facts.attributes[0].at < FAR]
        """,
        "test_who_comes_to_an_account_later_is_named_already",
    ),
    "names people as often as they were written": (
        """
        async def customers_of(self, account):
            logs = {id: person.facts.attributes for id, person in self._people.items()}
            return sorted(id for id, log in logs.items() for one in log if one.value == account)
        """,
        "test_who_was_written_into_an_account_often_is_named_once",
    ),
    "compares accounts as they were written": (
        """
        async def customers_of(self, account):
            logs = {id: person.facts.attributes for id, person in self._people.items()}
            return sorted(id for id, log in logs.items() if account in [one.value for one in log])
        """,
        "test_an_account_is_text_in_one_form_or_a_whole_number",
    ),
    "takes everything for text": (
        """
        async def customers_of(self, account):
            logs = {id: person.facts.attributes for id, person in self._people.items()}
            told = {id: [account_key(one.value) or str(one.value) for one in log] for id, log in logs.items()}
            return sorted(id for id, keys in told.items() if account_key(account) in keys)
        """,
        "test_an_account_is_text_in_one_form_or_a_whole_number",
    ),
    "writes people of refused changes into accounts": (
        """
        def _conflicts(self, change, absorbed):
            self._accounts.put(change.person.id, change.attributes)
            return super()._conflicts(change, absorbed)
        """,
        "test_a_refused_change_writes_nobody_into_an_account",
    ),
    "leaves the accounts of a joined customer behind": (
        """
        def _absorb(self, person, absorbed):
            kept = copy.deepcopy(self._accounts)
            try:
                return super()._absorb(person, absorbed)
            finally:
                self._accounts = kept
        """,
        "test_accounts_of_an_absorbed_customer_are_the_persons",
    ),
    "finds of a join only what was there before": (
        """
        def _absorb(self, person, absorbed):
            stored = [self._people[id].facts.attributes for id in (person.id, *absorbed)]
            super()._absorb(person, absorbed)
            self._accounts.drop(person.id, person.facts.attributes)
            for log in stored:
                self._accounts.put(person.id, log)
            return person
        """,
        "test_an_account_that_a_join_brings_along_is_found",
    ),
    "keeps the accounts of an id that was absorbed": (
        """
        def _absorb(self, person, absorbed):
            kept = [(id, self._people[id].facts.attributes) for id in absorbed]
            super()._absorb(person, absorbed)
            for id, log in kept:
                self._accounts.put(id, log)
            return person

        async def customers_of(self, account):
            return [id for id in await super().customers_of(account) if id in self._people]
        """,
        "test_an_id_that_was_absorbed_comes_back_without_its_accounts",
    ),
    "names the first page of an account": (
        """
        async def customers_of(self, account):
            return (await super().customers_of(account))[:1000]
        """,
        "test_a_great_account_is_named_whole",
    ),
}
