-- Postings are packed tighter and derived anew: normaliser 0 asks for that. A segment knows its lowest
-- and highest chunk id, so that a reader that kept earlier postings reads only newer segments, and how
-- many chunks lived between them when it was made, so that one of which most are gone is made anew.
DELETE FROM posting;
DELETE FROM segment;
ALTER TABLE segment ADD COLUMN first INTEGER NOT NULL DEFAULT 0;
ALTER TABLE segment ADD COLUMN last INTEGER NOT NULL DEFAULT 0;
ALTER TABLE segment ADD COLUMN chunks INTEGER NOT NULL DEFAULT 0;
UPDATE meta SET value = 0 WHERE name = 'normaliser';

-- A document's chunks have ids one after another, so that a filter finds them without a look-up each.
ALTER TABLE document ADD COLUMN first_chunk INTEGER NOT NULL DEFAULT 0;
ALTER TABLE document ADD COLUMN chunk_count INTEGER NOT NULL DEFAULT 0;
UPDATE document SET (first_chunk, chunk_count) =
    (SELECT coalesce(min(id), 0), count(*) FROM chunk WHERE chunk.document = document.number);

-- The content hash as its 32 bytes: 64 digits are half of a short document's row.
ALTER TABLE document ADD COLUMN digest BLOB NOT NULL DEFAULT x'' CHECK (length(digest) IN (0, 32));
UPDATE document SET digest = unhex(content_hash);
ALTER TABLE document DROP COLUMN content_hash;

-- Metadata as SQLite's own binary JSON: a filter over many documents need not parse each again.
ALTER TABLE document ADD COLUMN fields BLOB NOT NULL DEFAULT x'0c' CHECK (json_valid(fields, 4));
UPDATE document SET fields = jsonb(metadata) WHERE metadata <> '{}';
ALTER TABLE document DROP COLUMN metadata;
ALTER TABLE document RENAME COLUMN fields TO metadata;

INSERT INTO meta (name, value) VALUES
    ('code_cursor', 0),    -- the run of codes up to which was looked for those that are gone
    ('coder', 0),          -- version of the rules that derived the codes
    ('derived_anew', 0),   -- grows when an index is built again, so that nothing kept of it is used
    ('awaiting_count', 0); -- chunks that have no vector yet

-- Codes of vectors, two bits a component, for the scan in memory: what one commit added, or several
-- merged. Bits lie component by component, 64 to a word.
CREATE TABLE code_run (
    id      INTEGER PRIMARY KEY,
    model   INTEGER NOT NULL REFERENCES model (id),
    counter INTEGER NOT NULL, -- the change counter of the write that made the run
    level   INTEGER NOT NULL,
    late    INTEGER NOT NULL CHECK (late IN (0, 1)), -- holds chunks older than an earlier run's
    chunks  BLOB NOT NULL,    -- uint32
    factors BLOB NOT NULL,    -- float32
    high    BLOB NOT NULL,
    low     BLOB NOT NULL
) STRICT;
CREATE INDEX code_run_counter ON code_run (model, counter);

-- Chunks that were stored without a vector; `vstash embed` gives them one.
CREATE TABLE awaiting (
    chunk INTEGER PRIMARY KEY REFERENCES chunk (id) ON DELETE CASCADE
) STRICT;

-- What was embedded for a chunk, as a digest: an equal passage takes its vector from there.
CREATE TABLE passage (
    chunk  INTEGER PRIMARY KEY REFERENCES chunk (id) ON DELETE CASCADE,
    digest BLOB NOT NULL CHECK (length(digest) = 16)
) STRICT;
CREATE INDEX passage_digest ON passage (digest);
