package protection

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
)

const (
	// afterwards is the time in which whoever was refused got in after all, or was refused again for the same reason, which
	// is the same trouble.
	afterwards = 10 * time.Minute
	// refusalDays is how far back refusals are told.
	refusalDays = 30
	// keptDays is for how long they stay counted.
	keptDays = 90
	// atOnce is how many refusals are counted in one transaction: few, for on SQLite those who sign in wait that long.
	atOnce = 100
	// atMost is how much is read of what happened to somebody in ten minutes: the limits let no more happen.
	atMost = 200

	day = int64(24 * time.Hour / time.Millisecond)
)

// trouble is a refused second step as it is counted.
type trouble struct {
	ID      string           `bun:"id"`
	At      database.Instant `bun:"at"`
	Kind    string           `bun:"kind"`
	Subject string           `bun:"subject_id"`
	Reason  string           `bun:"reason"`
}

// count is what a reason did on a day.
type count struct {
	bun.BaseModel `bun:"table:refusals,alias:refusals"`

	Day    int64  `bun:"day,pk"`
	Reason string `bun:"reason,pk"`
	Codes  int    `bun:"codes"`
	Stops  int    `bun:"stops"`
	GotIn  int    `bun:"got_in"`
}

// CountRefusals counts the second steps that were refused since it last did and of which it is known by now how they went
// on, each once. It is a job of the upkeep: what it does costs by the refusals since then, and not by all events.
func CountRefusals(ctx context.Context, tx database.Tx) error {
	after, err := countedUntil(ctx, tx)
	if err != nil {
		return err
	}
	if first := database.FirstID(tx.Now.AddDate(0, 0, -refusalDays)); after < first {
		after = first
	}
	until := database.FirstID(tx.Now.Add(-afterwards))
	if until <= after {
		return nil
	}
	var found []trouble
	if err := refusedBetween(tx, after, until).Scan(ctx, &found); err != nil {
		return fmt.Errorf("look for refusals: %w", err)
	}
	if len(found) == atOnce {
		until = found[atOnce-1].ID // the rest is the next turn's
	}
	counts := map[[2]any]*count{}
	for _, one := range found {
		if one.Kind != audit.SignInSecondStep || one.Subject == "" {
			continue
		}
		key := [2]any{int64(one.At) / day, one.Reason}
		if counts[key] == nil {
			counts[key] = &count{Day: int64(one.At) / day, Reason: one.Reason}
		}
		if err := counts[key].add(ctx, tx, one); err != nil {
			return err
		}
	}
	for _, one := range counts {
		_, err := tx.NewInsert().Model(one).On("CONFLICT (day, reason) DO UPDATE").
			Set("codes = refusals.codes + EXCLUDED.codes").Set("stops = refusals.stops + EXCLUDED.stops").
			Set("got_in = refusals.got_in + EXCLUDED.got_in").Exec(ctx)
		if err != nil {
			return fmt.Errorf("count refusals: %w", err)
		}
	}
	_, err = tx.NewRaw("INSERT INTO refusals_until (id, event_id) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET event_id = EXCLUDED.event_id", until).Exec(ctx)
	if err != nil {
		return fmt.Errorf("count refusals: %w", err)
	}
	_, err = tx.NewDelete().Model((*count)(nil)).Where("day < ?", int64(database.At(tx.Now))/day-keptDays).Exec(ctx)
	if err != nil {
		return fmt.Errorf("forget refusals: %w", err)
	}
	return nil
}

// add counts a refusal. Somebody who is refused again and again for one reason is stopped once: by the last of them, for
// there it is known how it went on.
func (c *count) add(ctx context.Context, tx database.Tx, one trouble) error {
	c.Codes++
	var after []step
	if err := nextOf(tx, one).Scan(ctx, &after); err != nil {
		return fmt.Errorf("how a refusal went on: %w", err)
	}
	for _, next := range after {
		switch {
		case next.Kind == audit.SignInCompleted && next.Result == audit.OK:
			c.Stops++
			c.GotIn++
			return nil
		case next.Kind == audit.SignInSecondStep && next.Result == audit.Refused && next.Reason == one.Reason:
			return nil
		}
	}
	c.Stops++
	return nil
}

// step is what happened to somebody next.
type step struct {
	Kind   string `bun:"kind"`
	Result string `bun:"result"`
	Reason string `bun:"reason"`
}

// refusedBetween reads what was refused, of whatever kind, along the index of what was not ok.
func refusedBetween(db bun.IDB, after, until string) *bun.SelectQuery {
	return db.NewSelect().TableExpr("events").ColumnExpr("id, at, kind, COALESCE(subject_id, '') AS subject_id, COALESCE(reason, '') AS reason").
		Where("result = ? AND result <> 'ok'", audit.Refused). // as the partial index says it
		Where("id > ? AND id < ?", after, until).OrderExpr("id").Limit(atOnce)
}

// nextOf reads what happened to the person in the ten minutes after, and no more. It asks for no kind, for which there is an
// index that a database which knows little of its tables takes for the better one.
func nextOf(db bun.IDB, one trouble) *bun.SelectQuery {
	return db.NewSelect().TableExpr("events").ColumnExpr("kind, result, COALESCE(reason, '') AS reason").
		Where("subject_id = ? AND id > ? AND id < ?", one.Subject, one.ID, database.FirstID(one.At.Time().Add(afterwards))).
		OrderExpr("id").Limit(atMost)
}

// countedUntil is the event up to which refusals are counted; empty before the first time.
func countedUntil(ctx context.Context, db bun.IDB) (string, error) {
	var until string
	err := db.NewSelect().TableExpr("refusals_until").ColumnExpr("event_id").Scan(ctx, &until)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("up to where refusals are counted: %w", err)
	}
	return until, nil
}
