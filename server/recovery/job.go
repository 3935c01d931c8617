package recovery

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/ticket"
)

// How often what time brings is done, and how much of it at once.
const (
	WorkEvery = time.Minute
	atOnce    = 50
	mostTold  = 20 // administrators
)

// Work ends the requests whose time is over, and tells the administrators twice of each: as its waiting period begins, which is
// the time to make sure who it is, and when they can decide.
func (r *Recoveries) Work(ctx context.Context, tx database.Tx) error {
	over, err := due(ctx, tx, "r.state IN ('asked', 'proved', 'approved') AND r.expires_at <= ?", database.At(tx.Now))
	if err != nil {
		return err
	}
	for n := range over {
		if _, err := account.Hold(ctx, tx, over[n].UserID); err != nil {
			return err
		}
		found, err := openOf(ctx, tx, over[n].UserID)
		if err != nil {
			return err
		}
		if found == nil || found.ExpiresAt > database.At(tx.Now) {
			continue
		}
		if err := r.expire(ctx, tx, found); err != nil {
			return err
		}
	}
	begun, err := due(ctx, tx, "r.state = 'proved' AND r.begun_told_at IS NULL")
	if err != nil {
		return err
	}
	for n := range begun {
		if _, err := account.Hold(ctx, tx, begun[n].UserID); err != nil {
			return err
		}
		if err := r.write(ctx, tx, &begun[n], mail.RecoveryBegins, "begun_told_at"); err != nil {
			return err
		}
	}
	ready, err := due(ctx, tx, "r.state = 'proved' AND r.told_at IS NULL AND r.proved_at <= ?", database.At(tx.Now.Add(-r.Settings.Delay)))
	if err != nil {
		return err
	}
	for n := range ready {
		if err := r.tell(ctx, tx, &ready[n]); err != nil {
			return err
		}
	}
	return nil
}

// due reads requests in the order in which everybody holds their people.
func due(ctx context.Context, tx database.Tx, where string, args ...any) ([]recovery, error) {
	var rows []recovery
	err := tx.NewSelect().Model(&rows).ColumnExpr("r.ticket_id, r.user_id, r.asked_at, r.proved_at, r.expires_at").Where(where, args...).
		OrderExpr("r.user_id").Limit(atOnce).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for requests whose time has come: %w", err)
	}
	return rows, nil
}

// tell mails those who can decide, once for a request, and as soon as there is somebody.
func (r *Recoveries) tell(ctx context.Context, tx database.Tx, of *recovery) error {
	user, err := account.Hold(ctx, tx, of.UserID)
	if err != nil {
		return err
	}
	others, err := deciders(ctx, tx, user, of)
	if err != nil {
		return err
	}
	if refusal, err := r.undecidable(ctx, tx, of, user, others, tx.Now); err != nil || refusal != nil {
		return err
	}
	return r.write(ctx, tx, of, mail.RecoveryWaits, "told_at")
}

// write mails whoever can decide, once for a request: the column says that it is done.
func (r *Recoveries) write(ctx context.Context, tx database.Tx, of *recovery, kind mail.Kind, column string) error {
	var people []account.User
	err := tx.NewSelect().Model(&people).Column("id", "name", "email").Where(eligible, of.UserID).OrderExpr("u.id").Limit(mostTold).Scan(ctx)
	if err != nil {
		return fmt.Errorf("look for who can decide: %w", err)
	}
	if len(people) == 0 {
		return nil // as soon as there is somebody
	}
	told, err := database.Touched(tx.NewUpdate().Model((*recovery)(nil)).Set("? = ?", bun.Ident(column), database.At(tx.Now)).
		Where("ticket_id = ? AND ? IS NULL AND state = ?", of.TicketID, bun.Ident(column), Proved).Exec(ctx))
	if err != nil {
		return fmt.Errorf("note that administrators are told: %w", err)
	}
	if told != 1 {
		return nil
	}
	for n := range people {
		_, err := r.Mail.Send(ctx, tx, mail.Letter{
			UserID: people[n].ID, To: people[n].Email, Name: people[n].Name, Kind: kind,
			Path: "/parameters/tickets/" + of.TicketID + "/recovery", Until: of.ExpiresAt.Time(),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Prune deletes what ended long ago, with its ticket.
func (r *Recoveries) Prune(ctx context.Context, tx database.Tx) error {
	_, err := tx.NewDelete().Model((*ticket.Ticket)(nil)).
		Where("id IN (SELECT ticket_id FROM recoveries WHERE ended_at <= ?)", database.At(tx.Now.Add(-keptFor))).Exec(ctx)
	if err != nil {
		return fmt.Errorf("prune requests to get back in: %w", err)
	}
	return nil
}

// AfterRestore ends every request that was open when the backup was made: what became of it since, nobody knows.
func (r *Recoveries) AfterRestore(ctx context.Context, tx database.Tx) error {
	var rows []recovery
	err := tx.NewSelect().Model(&rows).ColumnExpr("r.*").Where("r.state IN ('asked', 'proved', 'approved')").OrderExpr("r.user_id").Scan(ctx)
	if err != nil {
		return fmt.Errorf("look for the open requests: %w", err)
	}
	for n := range rows {
		event := audit.FromConsole()
		event.Quiet, event.Reason = true, restored
		if err := r.end(ctx, tx, event, &rows[n], Cancelled); err != nil {
			return err
		}
	}
	return nil
}
