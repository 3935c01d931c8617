-- How it is made sure who asks to get back in, whom a request waited for, and how requests are found.

-- +goose Up
-- The lines of the checklist, as a list; empty while nobody has changed them.
ALTER TABLE installation ADD COLUMN recovery_checklist TEXT NOT NULL DEFAULT '';
-- When administrators were told that they can decide.
ALTER TABLE recoveries ADD COLUMN told_at BIGINT;
-- What somebody who signs in is shown, and what goes with a person.
CREATE INDEX recoveries_of_user ON recoveries (user_id, asked_at);
CREATE INDEX recoveries_by_end ON recoveries (ended_at) WHERE ended_at IS NOT NULL;
