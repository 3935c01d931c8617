-- How many people there are and how many of them are protected, counted as they come and go: a page that says so costs
-- the same however many they are.

-- +goose Up
-- The sums of the columns are the numbers. Each change adds a row, so that none waits for another; a job sums them up.
CREATE TABLE people_tally (
    id        TEXT    NOT NULL PRIMARY KEY,
    people    INTEGER NOT NULL,
    protected INTEGER NOT NULL
);
INSERT INTO people_tally (id, people, protected) SELECT '', COUNT(*), COUNT(mfa_since) FROM users;
