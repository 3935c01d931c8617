package rollout

import (
	"context"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/web"
)

// lookAtOnce is how many people are read at once for a look before.
const lookAtOnce = 5000

// look counts what would become of whom, and changes nothing.
func (r *RollOuts) look(ctx context.Context, p *plan, now time.Time) (*tally, string, error) {
	db, of := r.Database.Read(), &tally{}
	last, err := account.LastID(ctx, db)
	if err != nil {
		return nil, "", err
	}
	if p.ids != nil {
		people, err := account.Chosen(ctx, db, p.ids)
		if err != nil {
			return nil, "", err
		}
		for n := range people {
			of.count(p.judge(&people[n], now))
		}
		for range len(p.ids) - len(people) {
			of.count(verdict{left: leftRemoved})
		}
		return of, last, nil
	}
	span := account.Span{UpTo: last, Most: lookAtOnce}
	for {
		people, err := account.Walk(ctx, db, database.At(now), p.match, span)
		if err != nil {
			return nil, "", err
		}
		for n := range people {
			of.count(p.judge(&people[n], now))
		}
		if len(people) < span.Most {
			return of, last, nil
		}
		span.After = people[len(people)-1].ID
	}
}

// start begins it, unless more people match than whoever confirms it has seen.
func (r *RollOuts) start(ctx context.Context, caller web.Caller, p *plan, seen int) (*row, error) {
	if err := p.check(r.Now()); err != nil {
		return nil, err
	}
	of, last, err := r.look(ctx, p, r.Now())
	if err != nil {
		return nil, err
	}
	if of.people > seen {
		return nil, ErrSelectionChanged
	}
	return r.begin(ctx, caller, p, of.people, last)
}

// remindAll begins to remind everybody whose deadline is near or has passed.
func (r *RollOuts) remindAll(ctx context.Context, caller web.Caller) (*row, error) {
	if !r.Mail.Sends() {
		return nil, mail.ErrNoServer
	}
	p := &plan{kind: kindReminder, by: caller.Session.UserID, match: account.Query{Protection: account.ProtectionDue}}
	of, last, err := r.look(ctx, p, r.Now())
	if err != nil {
		return nil, err
	}
	return r.begin(ctx, caller, p, of.people, last)
}

func (r *RollOuts) begin(ctx context.Context, caller web.Caller, p *plan, people int, last string) (begun *row, err error) {
	err = r.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if err := account.StillAdministrator(ctx, tx, caller); err != nil {
			return err
		}
		if begun, err = add(ctx, tx, p, people, last); err != nil || p.kind == kindReminder {
			return err
		}
		event := audit.By(caller).About("").Is(audit.RollOutStarted, audit.OK)
		event.Data = map[string]any{"roll_out": begun.ID, "to": p.asks.Level, "people": people}
		if p.asks.Reason != "" {
			event.Data["why"] = p.asks.Reason
		}
		return audit.Record(ctx, tx, event)
	})
	if err != nil {
		return nil, err
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
	return begun, nil
}

// stop ends it before its end. Whoever it has come to keeps what they were asked.
func (r *RollOuts) stop(ctx context.Context, caller web.Caller, id string) error {
	return r.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if err := account.StillAdministrator(ctx, tx, caller); err != nil {
			return err
		}
		mine, err := byID(ctx, tx, id)
		if err != nil {
			return err
		}
		ended, err := end(ctx, tx, id, stopped, stoppedByAdministrator)
		if err != nil {
			return err
		}
		if !ended {
			return ErrNotRunning
		}
		return mine.recordEnd(ctx, tx, audit.By(caller).About(""), stopped)
	})
}

// recordEnd puts on record how it ended; reminders are on record by themselves.
func (r *row) recordEnd(ctx context.Context, tx database.Tx, by audit.Event, how string) error {
	if r.Kind == kindReminder {
		return nil
	}
	now, err := byID(ctx, tx, r.ID)
	if err != nil {
		return err
	}
	event := by.Is(audit.RollOutEnded, audit.OK)
	event.Data = map[string]any{"roll_out": r.ID, "to": r.Requirement, "people": now.Changed, "how": how}
	return audit.Record(ctx, tx, event)
}
