-- The first schema. Times are integer microseconds since the epoch, UTC. Offsets count characters.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (name, value) VALUES
    ('chunk_count', 0),    -- kept by every write, so that no search counts rows
    ('change_counter', 0), -- grows with every write, so that other processes see it
    ('normaliser', 0);     -- version of the rules that derived the words of the keyword index

CREATE TABLE migration (
    version    INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    sha256     TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT;

CREATE TABLE model (
    id                   INTEGER PRIMARY KEY,
    name                 TEXT NOT NULL,
    dimension            INTEGER NOT NULL CHECK (dimension > 0),
    sha256               TEXT NOT NULL UNIQUE,
    max_tokens           INTEGER NOT NULL,
    pooling              TEXT NOT NULL,
    query_prefix         TEXT NOT NULL,
    passage_prefix       TEXT NOT NULL,
    background_mean      REAL NOT NULL,
    background_deviation REAL NOT NULL,
    active               INTEGER NOT NULL CHECK (active IN (0, 1))
) STRICT;
CREATE UNIQUE INDEX model_active ON model (active) WHERE active = 1;

CREATE TABLE collection (
    id   INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;
INSERT INTO collection (id, name) VALUES (1, 'default');

CREATE TABLE document (
    number          INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT NOT NULL UNIQUE,
    collection      INTEGER NOT NULL REFERENCES collection (id),
    key             TEXT NOT NULL,
    title           TEXT NOT NULL,
    metadata        TEXT NOT NULL CHECK (json_valid(metadata)),
    media_type      TEXT NOT NULL,
    content_hash    TEXT NOT NULL,
    char_count      INTEGER NOT NULL,
    created         INTEGER NOT NULL,
    updated         INTEGER NOT NULL,
    expires_at      INTEGER,
    source_size     INTEGER, -- of the file that was read, bytes; NULL for remembered text
    source_mtime_ns INTEGER,
    UNIQUE (collection, key)
) STRICT;
CREATE INDEX document_expires ON document (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE tag (
    document INTEGER NOT NULL REFERENCES document (number) ON DELETE CASCADE,
    tag      TEXT NOT NULL,
    PRIMARY KEY (document, tag)
) STRICT, WITHOUT ROWID;
CREATE INDEX tag_name ON tag (tag, document);

-- The text of a document, once, in parts of bounded size: reading a chunk of a long book costs a
-- part or two, not the book.
CREATE TABLE text_part (
    id       INTEGER PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES document (number) ON DELETE CASCADE,
    start    INTEGER NOT NULL,
    text     TEXT NOT NULL,
    UNIQUE (document, start)
) STRICT;

CREATE TABLE chunk (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES document (number) ON DELETE CASCADE,
    seq      INTEGER NOT NULL,
    start    INTEGER NOT NULL,
    "end"    INTEGER NOT NULL,
    heading  TEXT NOT NULL, -- JSON array, outermost first
    tokens   INTEGER NOT NULL,
    UNIQUE (document, seq),
    CHECK (0 <= start AND start < "end")
) STRICT;

-- Holds tokens that vstash derived; the tokenizer only splits at spaces, since every ASCII
-- punctuation mark counts as part of a token.
CREATE VIRTUAL TABLE keyword USING fts5 (
    title, heading, body,
    content = '', contentless_delete = 1,
    tokenize = 'ascii tokenchars ''!"#$%&()*+,-./:;<=>?@[\]^_`{|}~'''
);
CREATE VIRTUAL TABLE keyword_row USING fts5vocab (keyword, 'row');
CREATE VIRTUAL TABLE keyword_instance USING fts5vocab (keyword, 'instance');

-- Packed postings, derived from the same tokens: ids are uint32 and counts uint8, side by side. A
-- segment is what one commit added, or several merged; while merge_into is set, its words are on
-- their way to that segment.
CREATE TABLE segment (
    id         INTEGER PRIMARY KEY,
    level      INTEGER NOT NULL,
    merge_into INTEGER
) STRICT;

CREATE TABLE posting (
    segment INTEGER NOT NULL REFERENCES segment (id),
    word    TEXT NOT NULL,
    ids     BLOB NOT NULL,
    counts  BLOB NOT NULL,
    PRIMARY KEY (segment, word)
) STRICT, WITHOUT ROWID;

-- Words in each chunk, as uint16 by chunk id, 4,096 a row; 0 where there is no chunk.
CREATE TABLE length_block (
    block   INTEGER PRIMARY KEY,
    changed INTEGER NOT NULL, -- the change counter of the write that touched it last
    lengths BLOB NOT NULL
) STRICT;

CREATE TABLE search (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    at           INTEGER NOT NULL,
    query        TEXT NOT NULL,
    collection   TEXT NOT NULL,
    mode         TEXT NOT NULL,
    strategy     TEXT NOT NULL,
    weights      TEXT NOT NULL, -- JSON [vector, keyword]
    k            INTEGER NOT NULL,
    disagreement REAL NOT NULL,
    vector_leg   TEXT NOT NULL, -- JSON [[chunk, cosine], ...]
    keyword_leg  TEXT NOT NULL  -- JSON [[chunk, bm25], ...]
) STRICT;
CREATE INDEX search_at ON search (at);

CREATE TABLE triple (
    id       INTEGER PRIMARY KEY,
    search   INTEGER NOT NULL REFERENCES search (number) ON DELETE CASCADE,
    positive INTEGER NOT NULL REFERENCES chunk (id) ON DELETE CASCADE,
    negative INTEGER NOT NULL REFERENCES chunk (id) ON DELETE CASCADE,
    kind     TEXT NOT NULL,
    evidence TEXT NOT NULL
) STRICT;
CREATE INDEX triple_search ON triple (search);
CREATE INDEX triple_positive ON triple (positive);
CREATE INDEX triple_negative ON triple (negative);
