package rollout

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/web"
)

const (
	lookEvery = 5 * time.Second // how often an instance looks for what another one has left
	leaseFor  = 10 * time.Second
	// fewAtOnce is how many people a transaction has, which everybody else's writes wait for on SQLite.
	fewAtOnce = 50
	// leastPause is how long others have the database at least between two transactions; else as long as the first took.
	leastPause = 5 * time.Millisecond
)

// Keep goes on with what is under way until ctx ends.
func (r *RollOuts) Keep(ctx context.Context) {
	for ctx.Err() == nil {
		if err := r.Work(ctx); err != nil && ctx.Err() == nil {
			r.Logger.ErrorContext(ctx, "a roll-out was interrupted, and is tried again", "cause", err)
		}
		select {
		case <-ctx.Done():
		case <-r.wake:
		case <-time.After(lookEvery):
		}
	}
}

// Work does all that is under way and that no other instance is about.
func (r *RollOuts) Work(ctx context.Context) error {
	var ids []string
	err := r.Database.Read().NewSelect().Model((*row)(nil)).Column("id").
		Where("state = 'running' AND leased_until <= ?", database.At(r.Now())).OrderExpr("id").Scan(ctx, &ids)
	if err != nil {
		return fmt.Errorf("look for roll-outs: %w", err)
	}
	for _, id := range ids {
		if err := r.finish(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (r *RollOuts) finish(ctx context.Context, id string) error {
	mine := false
	err := r.Database.Write(ctx, func(ctx context.Context, tx database.Tx) (err error) {
		mine, err = lease(ctx, tx, id, tx.Now.Add(leaseFor))
		return err
	})
	for more := mine; more && err == nil; {
		if ctx.Err() != nil { // another instance need not wait for the lease to end
			return r.Database.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx database.Tx) error { return release(ctx, tx, id) })
		}
		began := time.Now() //nolint:forbidigo // how long the machine was busy, whatever the installation's clock says
		more, err = r.Step(ctx, id, fewAtOnce)
		if more && err == nil {
			pause(ctx, max(leastPause, time.Since(began))) //nolint:forbidigo // as above
		}
	}
	return err
}

func pause(ctx context.Context, long time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(long):
	}
}

// Step does the next few, and reports whether there are more.
func (r *RollOuts) Step(ctx context.Context, id string, few int) (more bool, err error) {
	mine, err := byID(ctx, r.Database.Read(), id)
	if err != nil || mine.State != running {
		return false, err
	}
	p, err := mine.plan()
	if err != nil {
		return false, err
	}
	ids, last, err := mine.next(ctx, r.Database.Read(), p, r.Now(), few)
	if err != nil {
		return false, err
	}
	// What was taken up is brought to its end though the instance stops meanwhile.
	err = r.Database.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx database.Tx) error {
		more = false
		cursor := mine.Cursor
		if len(ids) > 0 {
			cursor = ids[len(ids)-1]
		}
		moved, err := mine.move(ctx, tx, cursor, tx.Now.Add(leaseFor))
		if err != nil || !moved {
			return err
		}
		by := web.Caller{Session: &web.Session{UserID: mine.ByID}}
		if err := account.StillAdministrator(ctx, tx, by); errors.Is(err, web.ErrNotPermitted) {
			return mine.finished(ctx, tx, stopped, stoppedNotPermitted)
		} else if err != nil {
			return err
		}
		if err := r.few(ctx, tx, mine, p, ids); err != nil {
			return err
		}
		if last {
			return mine.finished(ctx, tx, done, "")
		}
		more = true
		return nil
	})
	return more && err == nil, err
}

// finished ends it in the transaction that has moved the cursor.
func (r *row) finished(ctx context.Context, tx database.Tx, state, why string) error {
	if _, err := end(ctx, tx, r.ID, state, why); err != nil {
		return err
	}
	return r.recordEnd(ctx, tx, audit.Event{}, state)
}

// few does it to some people, each of whom is held and judged anew.
func (r *RollOuts) few(ctx context.Context, tx database.Tx, mine *row, p *plan, ids []string) error {
	of, asks := &tally{}, []string{}
	for _, id := range ids {
		user, err := account.Hold(ctx, tx, id)
		if errors.Is(err, account.ErrNoUser) {
			of.count(verdict{left: leftRemoved})
			continue
		}
		if err != nil {
			return err
		}
		fate := p.judge(user, tx.Now)
		fate.mailed = fate.mailed && r.Mail.Sends()
		if fate.left == "" && p.kind != kindReminder {
			asks = append(asks, id)
		}
		if fate.left == "" && !fate.unchanged {
			if fate, err = r.do(ctx, tx, p, user, fate); err != nil {
				return err
			}
		}
		of.count(fate)
	}
	if p.kind == kindRollOut {
		if err := asked(ctx, tx, mine.ID, asks); err != nil {
			return err
		}
	}
	return mine.count(ctx, tx, of)
}

func (r *RollOuts) do(ctx context.Context, tx database.Tx, p *plan, user *account.User, fate verdict) (verdict, error) {
	by := audit.Event{Actor: p.by}
	if p.kind == kindReminder {
		sent, err := remind(ctx, tx, by, user)
		if !sent {
			fate = verdict{left: leftReminded}
		}
		return fate, err
	}
	asks := p.asks
	asks.Quiet = !fate.mailed
	return fate, r.MFA.Require(ctx, tx, by, user, asks)
}
