-- Who was ever written into which account.

CREATE INDEX attribute_write_by_account ON attribute_write (value, customer) WHERE name = 'crmsdk.account';
