package signin

import (
	"context"
	"errors"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
)

// errOpposed undoes what unopposed has written.
var errOpposed = errors.New("sign in: something stands against the second step")

// unopposed is settle for the second step that nothing stands against, as nearly every one is: no wrong code, no reset, no
// recovery, and nobody who was first. It asks nothing beforehand, for each of its writes tells by what it touches that this is
// so; where it is not, all is undone (errOpposed), and settle finds out what stands against it and says so. It holds the person
// as settle does, by its first write. What is one of a set of one-time things was counted before, and never comes here.
func (p *proving) unopposed(ctx context.Context, tx database.Tx, kind factor.Kind, finding factor.Finding) error {
	user, err := account.HoldSignIn(ctx, tx, p.attempt.UserID)
	if err != nil {
		return err
	}
	if user.Reset() || user.Recovery != "" || !user.DisabledAt.IsZero() {
		return errOpposed
	}
	closed, err := closeUnopposed(ctx, tx, p.pending.ID)
	if err != nil {
		return err
	}
	if !closed {
		return errOpposed
	}
	refusal, err := finding.Spend(ctx, tx)
	if err != nil {
		return err
	}
	if refusal != nil {
		return errOpposed
	}
	also, err := p.enter(ctx, tx, user, kind)
	if err != nil {
		return err
	}
	return audit.Record(ctx, tx, append([]audit.Event{p.event.Is(p.event.Kind, audit.OK)}, also...)...)
}
