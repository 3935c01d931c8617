package signin

import (
	"context"
	"net/http"
	"time"

	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/web"
)

// The troubleshooter's test of a code. What holds:
//   - a test opens nothing and proves nothing: no session, no proof, no token, and no wrong code is forgotten for it;
//   - it goes through proving like every other code, so it is counted before it is looked at, under the one budget of
//     the account and of the pending sign-in, and makes no step good again: a right step is spent (rows 11, 12 and 41-44);
//   - a backup code is told and not used up, and costs a try even where it is right: that is what keeps a test from being
//     a way to look for one;
//   - a session asks for no password before it, so whoever got hold of one could use the account's tries up and keep the
//     owner out. Therefore tests stop while some are left: they bring about neither a delay nor the lock.
//
// What somebody with the password or a session gains by it is what signing in would have told them as well, at the
// same price, and without getting in.
type test struct {
	told *factor.Tested
}

// look is what a test does with what was found, in the place where a code is spent.
func (t *test) look(ctx context.Context, tx database.Tx, finding factor.Finding) (*diagnosis.Diagnosis, error) {
	testable, ok := finding.(factor.Testable)
	if !ok {
		return &diagnosis.Diagnosis{Reason: diagnosis.WrongCode}, nil
	}
	told, refusal, err := testable.Test(ctx, tx)
	t.told = told
	return refusal, err
}

// checkCode says what a code is, in a pending sign-in or a session.
func (s *SignIn) checkCode(ctx context.Context, caller web.Caller, code string, browserNow time.Time) (factor.Kind, *factor.Tested, error) {
	looked := &test{}
	p := &proving{
		came: s.Now(), SignIn: s, given: response{asked: "totp", text: code, browserNow: browserNow}, pending: caller.Pending, test: looked,
		attempt: factor.Attempt{Response: code, Client: caller.Client, BrowserNow: browserNow},
	}
	if caller.Pending != nil {
		p.event = audit.By(caller).Is(audit.SignInCodeTested, audit.OK)
		p.attempt.UserID, p.attempt.Ceremony, p.attempt.Holder = caller.Pending.UserID, factor.SignIn, caller.Pending.ID
	} else {
		p.event = audit.By(caller).Is(audit.SessionCodeTested, audit.OK)
		p.attempt.UserID, p.attempt.Ceremony, p.attempt.Holder = caller.Session.UserID, factor.Proof, caller.Session.ID
	}
	done := &proved{}
	if err := s.run(ctx, p, done); err != nil {
		return "", nil, err
	}
	return done.kind, looked.told, nil
}

// Checked is what a right code is.
type Checked struct {
	Accepted             bool        `json:"accepted" enum:"true"`
	Factor               factor.Kind `json:"factor" doc:"Which kind of factor the code is of."`
	Name                 string      `json:"name,omitempty" doc:"What the person calls the authenticator app."`
	Label                string      `json:"label,omitempty" doc:"The entry in the app."`
	OffsetSeconds        *int        `json:"offset_seconds,omitempty" doc:"Of the phone's clock, in whole periods and within what is accepted; minus is behind."`
	NextCodeInSeconds    *int        `json:"next_code_in_seconds,omitempty" doc:"The step is spent: until the next one that can be accepted."`
	Number               *int        `json:"number,omitempty" doc:"Which of the backup codes it is. It is not used up."`
	BackupCodesRemaining *int        `json:"backup_codes_remaining,omitempty" doc:"How many are left, this one among them."`
}

type checkedOutput struct {
	Body Checked
}

// registerCodeCheck adds the troubleshooter's calls.
func (s *SignIn) registerCodeCheck(api *web.API, operation describe) {
	check := func(ctx context.Context, caller web.Caller, in *codeInput) (*checkedOutput, error) {
		kind, told, err := s.checkCode(ctx, caller, in.Body.Code, moment(in.Body.BrowserNow))
		if err != nil {
			return nil, err
		}
		return &checkedOutput{Body: Checked{
			Accepted: true, Factor: kind, Name: told.Name, Label: told.Label, OffsetSeconds: told.OffsetSeconds,
			NextCodeInSeconds: told.NextCodeInSeconds, Number: told.Number, BackupCodesRemaining: told.Remaining,
		}}, nil
	}
	web.Register(api, web.Pending, operation("check-code", http.MethodPost, "/api/v1/sign-in/code-check",
		"Say what a code is, without signing in"), check)
	web.Register(api, web.SignedIn, operation("check-own-code", http.MethodPost, "/api/v1/session/code-check",
		"Say what a code is, without proving anything"), check)
}
