-- What callers said of the chunks that searches returned. Replacing a document ends its chunks; what was
-- said of it stays, without the chunk, since its key still names the answer. Removing it removes that too.
CREATE TABLE feedback (
    id       INTEGER PRIMARY KEY,
    search   INTEGER NOT NULL REFERENCES search (number) ON DELETE CASCADE,
    document INTEGER NOT NULL REFERENCES document (number) ON DELETE CASCADE,
    chunk    INTEGER REFERENCES chunk (id) ON DELETE SET NULL,
    verdict  TEXT NOT NULL CHECK (verdict IN ('helpful', 'not_helpful', 'cited')),
    at       INTEGER NOT NULL,
    UNIQUE (search, chunk)
) STRICT;
CREATE INDEX feedback_document ON feedback (document);
CREATE INDEX feedback_chunk ON feedback (chunk);
