-- A search that is asked again takes the place of the one before, under a new number and with its count.
ALTER TABLE search ADD COLUMN hashed INTEGER NOT NULL DEFAULT 0 CHECK (hashed IN (0, 1)); -- query and session are keyed hashes
ALTER TABLE search ADD COLUMN fingerprint TEXT; -- keyed hash of the normalised question; NULL where logged before
ALTER TABLE search ADD COLUMN asked INTEGER NOT NULL DEFAULT 1 CHECK (asked >= 1);
ALTER TABLE search ADD COLUMN first_at INTEGER; -- NULL where logged before
ALTER TABLE search ADD COLUMN session TEXT;
ALTER TABLE search ADD COLUMN reformulates INTEGER REFERENCES search (number) ON DELETE SET NULL;
ALTER TABLE search ADD COLUMN masked TEXT CHECK (json_valid(masked)); -- JSON {reason: negatives passed over}
CREATE INDEX search_fingerprint ON search (fingerprint) WHERE fingerprint IS NOT NULL;
CREATE INDEX search_session ON search (session) WHERE session IS NOT NULL;
CREATE INDEX search_reformulates ON search (reformulates) WHERE reformulates IS NOT NULL;

-- Ids of searches whose place another took: they take feedback for a while.
CREATE TABLE search_alias (
    number INTEGER PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE,
    search INTEGER NOT NULL REFERENCES search (number) ON DELETE CASCADE,
    at     INTEGER NOT NULL
) STRICT;
CREATE INDEX search_alias_search ON search_alias (search);

-- What queries and sessions are hashed with; made when it is first needed.
CREATE TABLE log_key (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    value   BLOB NOT NULL CHECK (length(value) = 32),
    made_at INTEGER NOT NULL
) STRICT;

-- As before, with one verdict more.
CREATE TABLE judged (
    id       INTEGER PRIMARY KEY,
    search   INTEGER NOT NULL REFERENCES search (number) ON DELETE CASCADE,
    document INTEGER NOT NULL REFERENCES document (number) ON DELETE CASCADE,
    chunk    INTEGER REFERENCES chunk (id) ON DELETE SET NULL,
    verdict  TEXT NOT NULL CHECK (verdict IN ('helpful', 'not_helpful', 'cited', 'opened')),
    at       INTEGER NOT NULL,
    UNIQUE (search, chunk)
) STRICT;
INSERT INTO judged SELECT id, search, document, chunk, verdict, at FROM feedback;
DROP TABLE feedback;
ALTER TABLE judged RENAME TO feedback;
CREATE INDEX feedback_document ON feedback (document);
CREATE INDEX feedback_chunk ON feedback (chunk);
