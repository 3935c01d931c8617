package mail

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
)

// What an address is sent within an hour. Of one kind few, so that nobody who can cause one floods a mailbox; of all
// kinds more, so that the noise of one does not hide another. What is over stays in the events.
const (
	mostOfKind = 5
	mostInAll  = 20
	within     = time.Hour
)

const (
	tryFor  = 3 * 24 * time.Hour  // then a mail is given up
	keepFor = 30 * 24 * time.Hour // then it is deleted
)

type row struct {
	bun.BaseModel `bun:"table:outbox"`

	ID      string `bun:"id,pk"`
	UserID  string `bun:"user_id"`
	Address string `bun:"address"` // as it was on record
	Name    string `bun:"name"`
	Kind    Kind   `bun:"kind"`
	Facts   string `bun:"facts"`
	Link    []byte `bun:"link"`
	Times   int    `bun:"times"` // how often it happened
	Tries   int    `bun:"tries"`

	At        database.Instant `bun:"at"` // when it happened, the last time
	CreatedAt database.Instant `bun:"created_at"`
	DueAt     database.Instant `bun:"due_at"` // not to be sent before
	NextAt    database.Instant `bun:"next_at"`
	GoodUntil database.Instant `bun:"good_until,nullzero"` // of its link
}

// end is until when it is tried.
func (r *row) end() time.Time {
	end := r.DueAt.Time().Add(tryFor)
	if good := r.GoodUntil.Time(); !good.IsZero() && good.Before(end) {
		return good
	}
	return end
}

// stale reports whether nobody wants it any more: its link is dead, or no mail was sent for days.
func (r *row) stale(now time.Time) bool {
	return !r.GoodUntil.IsZero() && !now.Before(r.GoodUntil.Time()) || now.Sub(r.DueAt.Time()) > tryFor+longestWait
}

// add queues a mail to whoever it is about, if the installation sends mail and the address has not had too many. An
// empty address is the one on record.
var add = database.Prepare(`INSERT INTO outbox (id, user_id, address, name, kind, facts, times, at, created_at, due_at, next_at)
	SELECT CAST(? AS TEXT), u.id, u.address, u.name, CAST(? AS TEXT), CAST(? AS TEXT), CAST(? AS INTEGER),
		CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT), CAST(? AS BIGINT)
	FROM (SELECT id, name, COALESCE(NULLIF(CAST(? AS TEXT), ''), email) AS address FROM users) u, installation i WHERE u.id = ? AND i.mails
		AND (SELECT count(*) FROM outbox o WHERE o.address = u.address AND o.created_at > ?) < ?
		AND (SELECT count(*) FROM outbox o WHERE o.address = u.address AND o.created_at > ? AND o.kind = ?) < ?`)

// Queue lets a mail be sent to the person once the transaction is committed.
func Queue(ctx context.Context, tx database.Tx, notice Notice) error {
	return queue(ctx, tx, notice, 1, tx.Now)
}

func queue(ctx context.Context, tx database.Tx, notice Notice, times int, due time.Time) error {
	facts, err := json.Marshal(notice.Facts)
	if err != nil {
		return fmt.Errorf("queue mail %s: %w", notice.Kind, err)
	}
	before, err := former(ctx, tx, notice.UserID)
	if err != nil {
		return err
	}
	now, since := int64(database.At(tx.Now)), int64(database.At(tx.Now.Add(-within)))
	addresses := before
	if notice.Kind != RecoveryTold { // the address on record gets letters of its own of it
		addresses = append([]string{""}, before...)
	}
	for _, address := range addresses {
		_, err = add.Exec(ctx, tx, tx.NewID(), string(notice.Kind), string(facts), times, now, now, int64(database.At(due)), int64(database.At(due)),
			address, notice.UserID, since, mostFor(notice.Kind), since, string(notice.Kind), mostOfKind)
		if err != nil {
			return fmt.Errorf("queue mail %s: %w", notice.Kind, err)
		}
	}
	return nil
}

// former are the addresses that the person had lately and that can still stop the change: they are told whatever happens
// next, since whoever changed the address may not have been the person (security.md row 73).
func former(ctx context.Context, tx database.Tx, userID string) ([]string, error) {
	var addresses []string
	err := tx.NewRaw(`SELECT DISTINCT s.email FROM stops s, users u
		WHERE s.user_id = ? AND s.kind = 'email' AND s.expires_at > ? AND u.id = s.user_id AND u.email <> s.email`,
		userID, database.At(tx.Now)).Scan(ctx, &addresses)
	if err != nil {
		return nil, fmt.Errorf("look for the addresses of before: %w", err)
	}
	return addresses, nil
}

// QueueRepeated is Queue for what somebody else can do to a person again and again: one mail an hour, which says how
// often it was. First is how often it has happened when it is told for the first time. It counts exactly where the
// transaction holds the person.
func QueueRepeated(ctx context.Context, tx database.Tx, notice Notice, first int) error {
	facts, err := json.Marshal(notice.Facts)
	if err != nil {
		return fmt.Errorf("queue mail %s: %w", notice.Kind, err)
	}
	now := database.At(tx.Now)
	waiting, err := database.Touched(tx.NewUpdate().Model((*row)(nil)).
		Set("times = times + 1").Set("facts = ?", string(facts)).Set("at = ?", now).
		Where("user_id = ? AND kind = ?", notice.UserID, notice.Kind).
		Where("sent_at IS NULL AND given_up_at IS NULL AND claimed_until <= ?", now).Exec(ctx))
	if err != nil {
		return fmt.Errorf("count into mail %s: %w", notice.Kind, err)
	}
	if waiting > 0 {
		return nil
	}
	var last sql.NullInt64
	err = tx.NewSelect().Model((*row)(nil)).ColumnExpr("max(due_at)").
		Where("user_id = ? AND kind = ?", notice.UserID, notice.Kind).Scan(ctx, &last)
	if err != nil {
		return fmt.Errorf("look for the last mail %s: %w", notice.Kind, err)
	}
	if next := database.Instant(last.Int64).Time().Add(within); last.Valid && next.After(tx.Now) {
		return queue(ctx, tx, notice, 1, next)
	}
	return queue(ctx, tx, notice, first, tx.Now)
}

// urgent are the mails that tell somebody of their own account what they may have to act on. The others go to many at
// once, and nobody waits behind them. It is as the index of migration 0021 says it.
const urgent = " AND kind NOT IN ('roll_out', 'reminder', 'ticket_proof')"

// claim takes a mail that is due for this instance, an urgent one before any other; nil where there is none. Of several
// instances one gets it, and whoever dies with it gives it back when the claim is over.
func claim(ctx context.Context, tx database.Tx) (*row, error) {
	mine, err := claimOf(ctx, tx, urgent)
	if err != nil || mine != nil {
		return mine, err
	}
	return claimOf(ctx, tx, "")
}

func claimOf(ctx context.Context, tx database.Tx, which string) (*row, error) {
	now := database.At(tx.Now)
	var rows []row
	err := tx.NewRaw(`UPDATE outbox SET claimed_until = ?, tries = tries + 1
		WHERE id = (SELECT id FROM outbox WHERE sent_at IS NULL AND given_up_at IS NULL AND next_at <= ? AND claimed_until <= ?`+which+`
			ORDER BY next_at, id LIMIT 1)
			AND sent_at IS NULL AND given_up_at IS NULL AND next_at <= ? AND claimed_until <= ?
		RETURNING id, user_id, address, name, kind, facts, link, times, at, due_at, good_until, tries`,
		database.At(tx.Now.Add(claimFor)), now, now, now, now).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("claim a mail: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	return &rows[0], nil
}

// due reports whether a mail waits to be claimed, so that looking for one writes nothing.
func due(ctx context.Context, db bun.IDB, now time.Time) (bool, error) {
	at := database.At(now)
	found, err := db.NewSelect().Model((*row)(nil)).
		Where("sent_at IS NULL AND given_up_at IS NULL AND next_at <= ? AND claimed_until <= ?", at, at).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for mail: %w", err)
	}
	return found, nil
}

func markSent(ctx context.Context, tx database.Tx, id string) error {
	_, err := tx.NewUpdate().Model((*row)(nil)).Set("sent_at = ?", database.At(tx.Now)).Set("problem = ''").Set("link = ''").
		Where("id = ? AND sent_at IS NULL", id).Exec(ctx)
	if err != nil {
		return fmt.Errorf("mark a mail as sent: %w", err)
	}
	return nil
}

// postpone gives a mail back until it is tried again.
func postpone(ctx context.Context, tx database.Tx, of *row, problem string) error {
	next := tx.Now.Add(wait(of.Tries))
	if last := of.end(); next.After(last) {
		next = last
	}
	_, err := tx.NewUpdate().Model((*row)(nil)).Set("next_at = ?", database.At(next)).Set("claimed_until = 0").Set("problem = ?", problem).
		Where("id = ? AND tries = ? AND sent_at IS NULL AND given_up_at IS NULL", of.ID, of.Tries).Exec(ctx)
	if err != nil {
		return fmt.Errorf("postpone a mail: %w", err)
	}
	return nil
}

// giveBack undoes a claim that came to nothing because this instance stops.
func giveBack(ctx context.Context, tx database.Tx, of *row) error {
	_, err := tx.NewUpdate().Model((*row)(nil)).Set("claimed_until = 0").Set("tries = tries - 1").
		Where("id = ? AND tries = ? AND sent_at IS NULL AND given_up_at IS NULL", of.ID, of.Tries).Exec(ctx)
	if err != nil {
		return fmt.Errorf("give a mail back: %w", err)
	}
	return nil
}

// giveUp ends a mail that nobody took; false where another instance has ended it.
func giveUp(ctx context.Context, tx database.Tx, id, problem string) (bool, error) {
	touched, err := database.Touched(tx.NewUpdate().Model((*row)(nil)).Set("given_up_at = ?", database.At(tx.Now)).
		Set("problem = CASE WHEN ? = '' THEN problem ELSE ? END", problem, problem).Set("link = ''").
		Where("id = ? AND sent_at IS NULL AND given_up_at IS NULL", id).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("give a mail up: %w", err)
	}
	return touched == 1, nil
}

// Prune deletes mails that are long over, sent or not.
func Prune(ctx context.Context, tx database.Tx) error {
	_, err := tx.NewDelete().Model((*row)(nil)).Where("created_at <= ?", database.At(tx.Now.Add(-keepFor))).Exec(ctx)
	if err != nil {
		return fmt.Errorf("prune mails: %w", err)
	}
	return nil
}

// AfterRestore forgets the mails that waited when the backup was made: they were sent since, or are stale.
func AfterRestore(ctx context.Context, tx database.Tx) error {
	_, err := tx.NewDelete().Model((*row)(nil)).Where("sent_at IS NULL").Exec(ctx)
	if err != nil {
		return fmt.Errorf("forget the mails that waited: %w", err)
	}
	return nil
}
