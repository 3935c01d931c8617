-- What administrators set for the installation as a whole, and whether its keys are kept elsewhere too.

-- +goose Up
-- An empty brand or accent is the product's own. new_days is until the deadline of somebody new; with required alone.
ALTER TABLE installation ADD COLUMN brand TEXT NOT NULL DEFAULT '';
ALTER TABLE installation ADD COLUMN accent TEXT NOT NULL DEFAULT '';
ALTER TABLE installation ADD COLUMN new_requirement TEXT NOT NULL DEFAULT 'allowed' CHECK (new_requirement IN ('off', 'allowed', 'required'));
ALTER TABLE installation ADD COLUMN new_days INTEGER;

-- When somebody said, or a backup with keys showed, that this key is kept elsewhere; NULL: nobody knows.
ALTER TABLE data_keys ADD COLUMN kept_elsewhere_at BIGINT;
