package authenticator

import (
	"context"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
)

// QuickConfirm looks for the code in the window of the secret being enrolled; false where it is not there, or spent.
func (f *Factor) QuickConfirm(ctx context.Context, enrolment *Enrolment, code string) (step int64, ok bool, err error) {
	pending := enrolment.known()
	if pending.Key, err = PendingSecret(f.ring, enrolment); err != nil {
		return 0, false, err
	}
	match, err := f.acceptable(ctx, diagnosis.Question{Code: code, Secrets: []diagnosis.Secret{pending}, Enrolling: enrolment.ID})
	if err != nil || match == nil {
		return 0, false, err
	}
	return match.Step, true, nil
}

// ExplainConfirm says why a code does not confirm the enrolment; Match is set where it does after all.
func (f *Factor) ExplainConfirm(ctx context.Context, attempt factor.Attempt, enrolment *Enrolment, code string) (diagnosis.Result, error) {
	return f.examine(ctx, f.db.Read(), f.now(), attempt, code, enrolment.ID)
}

// Burn spends a step of an own secret that was recognised in the future, so that it is never accepted.
func (f *Factor) Burn(ctx context.Context, tx database.Tx, attempt factor.Attempt, step *diagnosis.Burn) error {
	return burn(ctx, tx, step, attempt.Client)
}
