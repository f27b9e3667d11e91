-- Queries made from the corpus, or given with judgements: which chunk answers each is known.
CREATE TABLE made_query (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    document     INTEGER NOT NULL REFERENCES document (number) ON DELETE CASCADE,
    positive     INTEGER NOT NULL REFERENCES chunk (id) ON DELETE CASCADE,
    form         TEXT NOT NULL, -- title, heading, first_sentence, keyphrase, cloze, asked, labelled
    query        TEXT NOT NULL,
    disagreement REAL NOT NULL,
    vector_leg   TEXT NOT NULL, -- JSON [[chunk, cosine], ...]
    keyword_leg  TEXT NOT NULL, -- JSON [[chunk, bm25], ...]
    masked       TEXT CHECK (json_valid(masked)), -- JSON {reason: negatives passed over}
    made_at      INTEGER NOT NULL,
    UNIQUE (positive, form, query)
) STRICT;
CREATE INDEX made_query_document ON made_query (document);

CREATE TABLE made_triple (
    id       INTEGER PRIMARY KEY,
    made     INTEGER NOT NULL REFERENCES made_query (number) ON DELETE CASCADE,
    negative INTEGER NOT NULL REFERENCES chunk (id) ON DELETE CASCADE,
    kind     TEXT NOT NULL,
    evidence TEXT NOT NULL CHECK (json_valid(evidence))
) STRICT;
CREATE INDEX made_triple_made ON made_triple (made);
CREATE INDEX made_triple_negative ON made_triple (negative);

-- How far queries were made: all documents of a collection up to this number.
CREATE TABLE mining (
    collection INTEGER NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
    form       TEXT NOT NULL,
    upto       INTEGER NOT NULL,
    PRIMARY KEY (collection, form)
) STRICT, WITHOUT ROWID;

-- What was learnt of a collection, with the evidence by which the gate took or refused it.
CREATE TABLE learned (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    learner    TEXT NOT NULL CHECK (learner IN ('fusion', 'adapter')),
    collection INTEGER NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
    model      INTEGER NOT NULL REFERENCES model (id) ON DELETE CASCADE, -- whose vectors it was learnt with
    made_at    INTEGER NOT NULL,
    parameters BLOB NOT NULL,
    decision   TEXT NOT NULL CHECK (json_valid(decision)),
    accepted   INTEGER NOT NULL CHECK (accepted IN (0, 1)),
    active     INTEGER NOT NULL DEFAULT 0 CHECK (active IN (0, 1))
) STRICT;
CREATE UNIQUE INDEX learned_active ON learned (learner, collection, model) WHERE active = 1;
CREATE INDEX learned_collection ON learned (collection);
CREATE INDEX learned_model ON learned (model);

-- Each time another one became the active one, so that the one before can come back.
CREATE TABLE learned_switch (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    learner    TEXT NOT NULL,
    collection INTEGER NOT NULL REFERENCES collection (id) ON DELETE CASCADE,
    model      INTEGER NOT NULL REFERENCES model (id) ON DELETE CASCADE,
    at         INTEGER NOT NULL,
    before     INTEGER REFERENCES learned (number) ON DELETE SET NULL, -- NULL for the built-in
    after      INTEGER REFERENCES learned (number) ON DELETE SET NULL, -- NULL for the built-in
    why        TEXT NOT NULL CHECK (why IN ('gate', 'promote', 'rollback'))
) STRICT;
CREATE INDEX learned_switch_collection ON learned_switch (collection);
CREATE INDEX learned_switch_model ON learned_switch (model);
CREATE INDEX learned_switch_before ON learned_switch (before);
CREATE INDEX learned_switch_after ON learned_switch (after);
