-- What is counted of strangers stands in one table.

-- +goose Up
-- How often a network, an address or an account has done something within an hour; key is a hash. What was counted before is
-- forgotten: it was an hour's.
CREATE TABLE budgets (
    key   BYTEA   NOT NULL PRIMARY KEY,
    spent INTEGER NOT NULL,
    since BIGINT  NOT NULL
);
CREATE INDEX budgets_by_time ON budgets (since);
DROP TABLE ticket_budgets;
DROP TABLE password_ask_budgets;
