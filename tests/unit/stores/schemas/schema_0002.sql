BEGIN TRANSACTION;
CREATE TABLE attribute_write (
    seq INTEGER PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES person (id),
    at INTEGER NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    source TEXT NOT NULL
) STRICT;
CREATE TABLE consent (
    seq INTEGER PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES person (id),
    at INTEGER NOT NULL,
    id TEXT NOT NULL,
    channel TEXT NOT NULL,
    purpose TEXT NOT NULL,
    state TEXT NOT NULL,
    basis TEXT NOT NULL,
    source TEXT NOT NULL,
    evidence TEXT NOT NULL
) STRICT;
CREATE TABLE definition (
    seq INTEGER PRIMARY KEY,
    hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE TABLE enrollment (
    seq INTEGER PRIMARY KEY,
    owner TEXT NOT NULL REFERENCES person (id),
    id TEXT NOT NULL,
    journey TEXT NOT NULL,
    definition TEXT NOT NULL,
    customer TEXT NOT NULL,
    key TEXT NOT NULL,
    key_name TEXT,
    key_value TEXT NOT NULL,
    position_at INTEGER NOT NULL,
    position_id TEXT NOT NULL,
    entered INTEGER NOT NULL,
    "values" TEXT NOT NULL,
    control INTEGER NOT NULL,
    cursor INTEGER NOT NULL,
    phase TEXT NOT NULL,
    since INTEGER NOT NULL,
    due INTEGER,
    token INTEGER NOT NULL,
    waits_for TEXT NOT NULL,
    paused INTEGER NOT NULL,
    wake INTEGER,
    goal_at INTEGER,
    goal_open INTEGER NOT NULL,
    ended INTEGER,
    outcome TEXT NOT NULL,
    error TEXT NOT NULL,
    UNIQUE (owner, id)
) STRICT;
INSERT INTO "enrollment" VALUES(1,'ann','r1','welcome','d1','ann','',NULL,'null',1774785600000000,'e',1774785600000000,'{"cart_id":7}',0,0,'waiting',1774785600000000,NULL,0,'',0,1774789200000000,NULL,1,NULL,'','');
CREATE TABLE event (
    id TEXT NOT NULL UNIQUE,
    customer TEXT NOT NULL REFERENCES person (id),
    at INTEGER NOT NULL,
    name TEXT NOT NULL,
    received INTEGER NOT NULL,
    properties TEXT NOT NULL,
    source TEXT NOT NULL,
    PRIMARY KEY (customer, at, id)
) STRICT, WITHOUT ROWID;
INSERT INTO "event" VALUES('e1','ann',1774785600000000,'seen',1774785600000000,'{"city":"Тула"}','');
CREATE TABLE identifier (
    seq INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    customer TEXT NOT NULL REFERENCES person (id),
    UNIQUE (kind, value)
) STRICT;
CREATE TABLE journey_state (
    journey TEXT PRIMARY KEY,
    paused INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE message (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    customer TEXT NOT NULL REFERENCES person (id),
    template TEXT NOT NULL,
    channels TEXT NOT NULL,
    kind TEXT NOT NULL,
    purpose TEXT NOT NULL,
    due INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    journey TEXT NOT NULL,
    definition TEXT NOT NULL,
    enrollment TEXT,
    step TEXT NOT NULL,
    topic TEXT NOT NULL,
    campaign TEXT NOT NULL,
    sender TEXT NOT NULL,
    priority INTEGER NOT NULL,
    score REAL NOT NULL,
    payload TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    channel TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    lease INTEGER,
    worker TEXT NOT NULL,
    provider_id TEXT NOT NULL,
    content TEXT NOT NULL,
    seed INTEGER NOT NULL,
    control INTEGER NOT NULL,
    free INTEGER,
    queue INTEGER
) STRICT;
INSERT INTO "message" VALUES(1,'m1','ann','hello','["email", "sms"]','trigger','welcome',1774785600000000,1774785600000000,1774872000000000,'welcome','','r1','','','','',50,0.0,'{}','pending','','',0,NULL,'','','',0,0,1774785600000000,0);
CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('schema','2');
CREATE TABLE note (
    seq INTEGER PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES person (id),
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    journey TEXT NOT NULL,
    enrollment TEXT NOT NULL,
    step TEXT NOT NULL,
    message TEXT NOT NULL,
    text TEXT NOT NULL,
    data TEXT NOT NULL
) STRICT;
INSERT INTO "note" VALUES(1,'ann',1774785600000000,'step','','','','','x','{}');
CREATE TABLE person (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    wake INTEGER,
    created INTEGER NOT NULL,
    zone TEXT,
    locale TEXT,
    audience TEXT NOT NULL,
    account TEXT
) STRICT, WITHOUT ROWID;
INSERT INTO "person" VALUES('ann',1,1774789200000000,1774785600000000,NULL,'ru','',NULL);
CREATE TABLE task (
    id TEXT PRIMARY KEY,
    customer TEXT NOT NULL REFERENCES person (id),
    journey TEXT NOT NULL,
    enrollment TEXT NOT NULL,
    step TEXT NOT NULL,
    title TEXT NOT NULL,
    "to" TEXT NOT NULL,
    opened INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    done INTEGER,
    answer TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE watch (
    owner TEXT NOT NULL REFERENCES person (id),
    kind TEXT NOT NULL,
    journey TEXT NOT NULL,
    slot INTEGER NOT NULL,
    key TEXT NOT NULL,
    due INTEGER,
    matched INTEGER NOT NULL,
    position_at INTEGER,
    position_id TEXT,
    value TEXT NOT NULL,
    PRIMARY KEY (owner, kind, journey, slot, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_by_wake ON person (wake, id) WHERE wake IS NOT NULL;
CREATE INDEX identifier_by_customer ON identifier (customer);
CREATE INDEX attribute_write_by_customer ON attribute_write (customer, at, id);
CREATE INDEX consent_by_customer ON consent (customer);
CREATE INDEX enrollment_living ON enrollment (journey, owner) WHERE phase <> 'ended';
CREATE INDEX message_by_customer ON message (customer, due, id);
CREATE INDEX message_by_free ON message (queue, free, journey) WHERE queue IS NOT NULL;
CREATE INDEX message_in_order ON message (due, priority DESC, score DESC, id, free, journey) WHERE queue = 1;
CREATE INDEX task_by_customer ON task (customer, deadline, id);
CREATE INDEX task_open ON task (deadline, id) WHERE done IS NULL;
CREATE INDEX note_by_customer ON note (customer, at);
CREATE INDEX attribute_write_by_account ON attribute_write (value, customer) WHERE name = 'crmsdk.account';
COMMIT;
