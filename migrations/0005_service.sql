-- Who may use a service. The secret itself is nowhere: only its SHA-256, which says nothing of 256 random bits.
CREATE TABLE access_key (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    scope      TEXT NOT NULL CHECK (scope IN ('read', 'write', 'admin')),
    collection TEXT, -- the one that it is bound to by name, NULL for all
    digest     BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    created    INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;

-- What requests with an idempotency key were answered, written in the transaction that applied them.
CREATE TABLE reply (
    id          INTEGER PRIMARY KEY,
    owner       TEXT NOT NULL, -- id of the access key, empty for who has none
    key         TEXT NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32), -- of the request
    at          INTEGER NOT NULL,
    status      INTEGER NOT NULL,
    headers     TEXT NOT NULL CHECK (json_valid(headers)),
    body        TEXT, -- NULL once a document that it tells of was removed
    UNIQUE (owner, key)
) STRICT;
CREATE INDEX reply_at ON reply (at);

CREATE TABLE reply_document (
    document INTEGER NOT NULL, -- number of a document, which may be gone
    reply    INTEGER NOT NULL REFERENCES reply (id) ON DELETE CASCADE,
    PRIMARY KEY (document, reply)
) STRICT, WITHOUT ROWID;
CREATE INDEX reply_document_reply ON reply_document (reply);

-- Ingests in the background. A runner that stopped saying that it lives leaves its job interrupted.
CREATE TABLE job (
    number     INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    kind       TEXT NOT NULL,
    collection TEXT NOT NULL, -- by name
    state      TEXT NOT NULL
        CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted')),
    cancelled  INTEGER NOT NULL DEFAULT 0 CHECK (cancelled IN (0, 1)), -- somebody asked for it
    request    TEXT NOT NULL CHECK (json_valid(request)),
    within     TEXT CHECK (json_valid(within)), -- folders that its files must be in, NULL for any
    progress   TEXT NOT NULL CHECK (json_valid(progress)),
    report     TEXT CHECK (json_valid(report)),
    error      TEXT CHECK (json_valid(error)),
    runner     TEXT NOT NULL, -- names who works on it, empty for nobody yet
    seen       INTEGER NOT NULL, -- when the runner last said that it lives
    created    INTEGER NOT NULL,
    started    INTEGER,
    finished   INTEGER
) STRICT;
CREATE INDEX job_open ON job (state) WHERE state IN ('queued', 'running');

-- A page of a collection in the order of creation: an index ends with the row's number by itself.
CREATE INDEX document_collection ON document (collection);
