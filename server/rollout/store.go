package rollout

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mfa"
)

// States of what was started, and why it stopped before its end.
const (
	running = "running"
	done    = "done"
	stopped = "stopped"

	stoppedByAdministrator = "administrator"
	stoppedNotPermitted    = "not_permitted" // whoever started it is no administrator any more
	stoppedRestored        = "restored"
)

type row struct {
	bun.BaseModel `bun:"table:roll_outs,alias:r"`

	ID         string           `bun:"id,pk"`
	Kind       string           `bun:"kind"`
	ByID       string           `bun:"by_id"`
	CreatedAt  database.Instant `bun:"created_at"`
	People     string           `bun:"people"`
	Query      string           `bun:"query"`
	Protection string           `bun:"protection"`
	Role       string           `bun:"role"`

	Requirement string           `bun:"requirement"`
	Deadline    database.Instant `bun:"deadline,nullzero"`
	Reason      string           `bun:"reason"`
	Message     string           `bun:"message"`

	Total       int              `bun:"total"`
	Done        int              `bun:"done"`
	Changed     int              `bun:"changed"`
	Unchanged   int              `bun:"unchanged"`
	Mailed      int              `bun:"mailed"`
	LeftOut     string           `bun:"left_out"`
	Cursor      string           `bun:"cursor"`
	LastID      string           `bun:"last_id"`
	LeasedUntil database.Instant `bun:"leased_until"`
	State       string           `bun:"state"`
	StoppedFor  string           `bun:"stopped_for"`
	EndedAt     database.Instant `bun:"ended_at,nullzero"`
}

// add stores a plan as something that is under way.
func add(ctx context.Context, tx database.Tx, p *plan, total int, lastID string) (*row, error) {
	r := &row{
		ID: tx.NewID(), Kind: p.kind, ByID: p.by, CreatedAt: database.At(tx.Now),
		Query: p.match.Text, Protection: string(p.match.Protection), Role: p.match.Role,
		Requirement: p.asks.Level, Deadline: database.At(p.asks.Deadline), Reason: p.asks.Reason,
		Total: total, LastID: lastID, LeftOut: "{}", State: running,
	}
	for _, one := range []struct {
		into *string
		list []string
	}{{&r.People, p.ids}, {&r.Message, p.message}} {
		if one.list == nil {
			continue
		}
		text, err := json.Marshal(one.list)
		if err != nil {
			return nil, fmt.Errorf("store a roll-out: %w", err)
		}
		*one.into = string(text)
	}
	if _, err := tx.NewInsert().Model(r).Exec(ctx); err != nil {
		return nil, fmt.Errorf("store a roll-out: %w", err)
	}
	return r, nil
}

// plan is what was stored.
func (r *row) plan() (*plan, error) {
	p := &plan{
		kind: r.Kind, by: r.ByID, match: account.Query{Text: r.Query, Protection: account.Protection(r.Protection), Role: r.Role},
		asks: mfa.Requirement{Level: r.Requirement, Deadline: r.Deadline.Time(), Reason: r.Reason},
	}
	if r.Kind == kindRollOut {
		p.asks.RollOut = r.ID
	}
	var err error
	if p.ids, err = texts(r.People); err != nil {
		return nil, err
	}
	p.message, err = texts(r.Message)
	return p, err
}

func texts(stored string) (list []string, err error) {
	if stored == "" {
		return nil, nil
	}
	if err := json.Unmarshal([]byte(stored), &list); err != nil {
		return nil, fmt.Errorf("read a roll-out: %w", err)
	}
	return list, nil
}

// next are the few after the cursor: who match, or who were chosen, those too who are gone since; and whether they are
// the last.
func (r *row) next(ctx context.Context, db bun.IDB, p *plan, now time.Time, few int) (ids []string, last bool, err error) {
	if p.ids != nil {
		begin, _ := slices.BinarySearch(p.ids, r.Cursor+"\x00")
		rest := p.ids[begin:]
		return rest[:min(few, len(rest))], len(rest) <= few, nil
	}
	people, err := account.Walk(ctx, db, database.At(now), p.match, account.Span{After: r.Cursor, UpTo: r.LastID, Most: few})
	if err != nil {
		return nil, false, err
	}
	for n := range people {
		ids = append(ids, people[n].ID)
	}
	return ids, len(people) < few, nil
}

func byID(ctx context.Context, db bun.IDB, id string) (*row, error) {
	var rows []row
	if err := db.NewSelect().Model(&rows).Where("r.id = ?", id).Scan(ctx); err != nil {
		return nil, fmt.Errorf("read a roll-out: %w", err)
	}
	if len(rows) == 0 {
		return nil, ErrNoRollOut
	}
	return &rows[0], nil
}

// lease takes one for this instance, for a while; false where another has it, or it is over.
func lease(ctx context.Context, tx database.Tx, id string, until time.Time) (bool, error) {
	touched, err := database.Touched(tx.NewUpdate().Model((*row)(nil)).Set("leased_until = ?", database.At(until)).
		Where("id = ? AND state = ? AND leased_until <= ?", id, running, database.At(tx.Now)).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("lease a roll-out: %w", err)
	}
	return touched == 1, nil
}

// release gives it back where this instance stops before it is over.
func release(ctx context.Context, tx database.Tx, id string) error {
	_, err := tx.NewUpdate().Model((*row)(nil)).Set("leased_until = 0").Where("id = ? AND state = ?", id, running).Exec(ctx)
	if err != nil {
		return fmt.Errorf("release a roll-out: %w", err)
	}
	return nil
}

// move moves the cursor from where it was read; false where somebody else has moved it, or has stopped it.
func (r *row) move(ctx context.Context, tx database.Tx, to string, until time.Time) (bool, error) {
	touched, err := database.Touched(tx.NewUpdate().Model((*row)(nil)).Set("cursor = ?", to).Set("leased_until = ?", database.At(until)).
		Where("id = ? AND state = ? AND cursor = ?", r.ID, running, r.Cursor).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("go on with a roll-out: %w", err)
	}
	return touched == 1, nil
}

// count adds what was done; the caller has moved the cursor.
func (r *row) count(ctx context.Context, tx database.Tx, of *tally) error {
	left, err := added(r.LeftOut, of.left)
	if err != nil {
		return err
	}
	_, err = tx.NewUpdate().Model((*row)(nil)).
		Set("done = done + ?", of.people).Set("changed = changed + ?", of.changed).Set("unchanged = unchanged + ?", of.unchanged).
		Set("mailed = mailed + ?", of.mailed).Set("left_out = ?", left).Where("id = ?", r.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("count what was done: %w", err)
	}
	return nil
}

// end ends it, once; false where it is over.
func end(ctx context.Context, tx database.Tx, id, state, why string) (bool, error) {
	touched, err := database.Touched(tx.NewUpdate().Model((*row)(nil)).
		Set("state = ?", state).Set("stopped_for = ?", why).Set("ended_at = ?", database.At(tx.Now)).
		Where("id = ? AND state = ?", id, running).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("end a roll-out: %w", err)
	}
	return touched == 1, nil
}

// asked notes whom a roll-out asked.
func asked(ctx context.Context, tx database.Tx, id string, people []string) error {
	if len(people) == 0 {
		return nil
	}
	type one struct {
		bun.BaseModel `bun:"table:roll_out_people"`

		RollOutID string `bun:"roll_out_id"`
		UserID    string `bun:"user_id"`
	}
	rows := make([]one, len(people))
	for n, user := range people {
		rows[n] = one{RollOutID: id, UserID: user}
	}
	if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
		return fmt.Errorf("note whom a roll-out asked: %w", err)
	}
	return nil
}
