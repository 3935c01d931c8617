package authenticator

import (
	"context"
	"fmt"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/factor/totp"
)

// QuickConfirm looks for the code in the window of the secret being enrolled; false where it is not there, or spent.
func (f *Factor) QuickConfirm(enrolment *Enrolment, code string) (step int64, ok bool, err error) {
	secret, err := f.ring.Open(enrolment.Secret, enrolmentsColumn.Of(enrolment.UserID, enrolment.ID))
	if err != nil {
		return 0, false, fmt.Errorf("open a pending secret: %w", err)
	}
	now := totp.Step(f.now())
	step, ok = nearest(totp.Match(secret, code, now-f.window, now+f.window), now, enrolment.LastStep)
	return step, ok, nil
}

// ExplainConfirm says why a code does not confirm the enrolment; Match is set where it does after all.
func (f *Factor) ExplainConfirm(ctx context.Context, attempt factor.Attempt, enrolment *Enrolment, code string) (diagnosis.Result, error) {
	return f.examine(ctx, f.db.Read(), f.now(), attempt, code, enrolment.ID)
}

// Burn spends a step of an own secret that was recognised in the future, so that it is never accepted.
func (f *Factor) Burn(ctx context.Context, tx database.Tx, attempt factor.Attempt, step *diagnosis.Burn) error {
	return burn(ctx, tx, step, attempt.Client)
}
