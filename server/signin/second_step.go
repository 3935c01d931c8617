package signin

import (
	"context"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

// response is what somebody gives as a second step.
type response struct {
	asked      factor.Kind       // which field it was typed in: decides only what a malformed one should have looked like
	signed     factor.Challenger // whose challenge it answers; nil where it was typed
	text       string
	browserNow time.Time
}

// malformed refuses what has the shape of no code, and says what one looks like.
func (r response) malformed() *diagnosis.Diagnosis {
	refusal := &diagnosis.Diagnosis{Reason: diagnosis.Malformed, Expected: diagnosis.AppCode}
	if r.asked == "backup_code" {
		refusal.Expected = diagnosis.BackupCode
	}
	return refusal
}

// proved is an accepted second step.
type proved struct {
	kind      factor.Kind
	token     session.Token
	remaining *int // of the backup codes, where one was used
	state     string
	until     time.Time // of the fresh proof
}

// secondStep turns a pending sign-in into a session.
func (s *SignIn) secondStep(ctx context.Context, caller web.Caller, given response) (*proved, error) {
	result := &proved{state: StateSignedIn}
	p := &proving{
		came: s.Now(), SignIn: s, given: given, pending: caller.Pending, event: audit.By(caller).Is(audit.SignInSecondStep, audit.OK),
		attempt: factor.Attempt{
			UserID: caller.Pending.UserID, Ceremony: factor.SignIn, Holder: caller.Pending.ID,
			Response: given.text, Client: caller.Client, BrowserNow: given.browserNow,
		},
	}
	enter := func(ctx context.Context, tx database.Tx, user *account.User, kind factor.Kind) ([]audit.Event, error) {
		token, completed, err := s.enter(ctx, tx, caller, user, "", web.Password, string(kind))
		result.token = token
		return []audit.Event{completed}, err
	}
	if caller.Pending.Unopposed {
		p.enter = enter
	}
	p.accept = func(ctx context.Context, tx database.Tx, user *account.User, kind factor.Kind) ([]audit.Event, *diagnosis.Diagnosis, error) {
		closed, err := closePending(ctx, tx, caller.Pending.ID)
		if err != nil {
			return nil, nil, err
		}
		if !closed || !user.DisabledAt.IsZero() {
			return nil, &diagnosis.Diagnosis{Reason: diagnosis.SignInExpired}, nil
		}
		if err := account.NoteSignIn(ctx, tx, user.ID); err != nil {
			return nil, nil, err
		}
		also, err := enter(ctx, tx, user, kind)
		return also, nil, err
	}
	return result, s.run(ctx, p, result)
}

// Proof is the password and the code by which somebody proves an act as they ask for it.
type Proof struct {
	Password, Code string
	BrowserNow     time.Time
}

// ProveFor gives the caller's session fresh proof and does the act in the same transaction: where the act is refused, no
// code is spent and nothing is proved. The code is one that is good for everything.
func (s *SignIn) ProveFor(ctx context.Context, caller web.Caller, proof Proof, act func(ctx context.Context, tx database.Tx) error) (session.Token, error) {
	if one := s.Factors.For(proof.Code); one != nil && !one.Full() {
		return nil, web.ErrAppCodeRequired
	}
	done, err := s.proof(ctx, caller, proof.Password, response{asked: "totp", text: proof.Code, browserNow: proof.BrowserNow}, act)
	if err != nil {
		return nil, err
	}
	return done.token, nil
}

// nothingElse is the act of a proof that is given for itself.
func nothingElse(context.Context, database.Tx) error { return nil }

// proof gives the caller's session fresh proof, and a new token with it.
func (s *SignIn) proof(ctx context.Context, caller web.Caller, password string, given response, act func(ctx context.Context, tx database.Tx) error) (*proved, error) {
	held, came := caller.Session, s.Now()
	if held.MFA && given.text == "" {
		return nil, ErrCodeRequired
	}
	if held.MFA && given.signed == nil && s.Factors.For(given.text) == nil {
		// No code is counted for it, and a right password is not either: so it must cost no hash.
		return nil, Refused(given.malformed())
	}
	// The password comes first, so that a wrong one never spends the code sent with it.
	if err := s.CheckPassword(ctx, caller, audit.ProofGiven, password); err != nil {
		return nil, err
	}
	result := &proved{}
	event := audit.By(caller).Is(audit.ProofGiven, audit.OK)
	if !held.MFA {
		event.Method = web.Password
		result.kind = web.Password
		return result, s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) (err error) {
			result.until = tx.Now.Add(session.FreshFor)
			if result.token, err = s.Sessions.Rise(ctx, tx, held, web.Password); err != nil {
				return err
			}
			if err := audit.Record(ctx, tx, event); err != nil {
				return err
			}
			return act(ctx, tx)
		})
	}
	p := &proving{
		came: came, SignIn: s, given: given, event: event,
		attempt: factor.Attempt{
			UserID: held.UserID, Ceremony: factor.Proof, Holder: held.ID,
			Response: given.text, Client: caller.Client, BrowserNow: given.browserNow,
		},
	}
	p.accept = func(ctx context.Context, tx database.Tx, _ *account.User, kind factor.Kind) (also []audit.Event, refusal *diagnosis.Diagnosis, err error) {
		result.until = tx.Now.Add(session.FreshFor)
		if result.token, err = s.Sessions.Rise(ctx, tx, held, string(kind)); err != nil {
			return nil, nil, err
		}
		return nil, nil, act(ctx, tx)
	}
	return result, s.run(ctx, p, result)
}

func (s *SignIn) run(ctx context.Context, p *proving, result *proved) error {
	kind, refusal, err := p.run(ctx)
	if err != nil {
		return err
	}
	if refusal != nil {
		s.WarnOfClock(ctx, refusal, p.attempt.Client)
		return Refused(refusal)
	}
	s.Clock.Heard(p.attempt.BrowserNow, p.came)
	result.kind, result.remaining = kind, p.remaining
	return nil
}

// remaining says how many of a set of one-time things are left, where one was spent; nil where it was something else.
func remaining(ctx context.Context, tx database.Tx, spent factor.Finding) (*int, error) {
	counted, ok := spent.(factor.Counted)
	if !ok {
		return nil, nil
	}
	left, err := counted.Remaining(ctx, tx)
	return &left, err
}

// abandon ends a pending sign-in because the person starts again.
func (s *SignIn) abandon(ctx context.Context, caller web.Caller) error {
	return s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		closed, err := closePending(ctx, tx, caller.Pending.ID)
		if err != nil || !closed {
			return err
		}
		return audit.Record(ctx, tx, audit.By(caller).Is(audit.SignInAbandoned, audit.OK))
	})
}
