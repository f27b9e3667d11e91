-- What each hybrid search told of its collection, without any label: a new process starts from there.
-- NULL where it told nothing, as of searches logged before.
ALTER TABLE search ADD COLUMN gap REAL;
ALTER TABLE search ADD COLUMN best REAL;
ALTER TABLE search ADD COLUMN agreed INTEGER CHECK (agreed IN (0, 1));

-- How relevance follows from what both legs say, by model: what `vstash calibrate` learnt of this file.
CREATE TABLE calibration (
    model      INTEGER PRIMARY KEY REFERENCES model (id),
    weights    TEXT NOT NULL CHECK (json_valid(weights)), -- JSON array, the intercept last
    queries    INTEGER NOT NULL, -- how many probes it was fitted on
    fitted_at  INTEGER NOT NULL
) STRICT;
