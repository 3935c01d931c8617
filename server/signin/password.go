package signin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/hashing"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

// States of a sign-in after a step of it.
const (
	StateSignedIn          = "signed_in"
	StateSecondStep        = "second_step"
	StateEnrolmentRequired = "enrolment_required"
	StateLinkRequired      = "enrolment_link_required"
)

// errNoFactor refuses to sign somebody in whose factors are gone though 2-step verification is on: never downgraded.
var errNoFactor = errors.New("2-step verification is on, but nothing is stored that could prove it")

// errFactorsLeft refuses the opposite.
var errFactorsLeft = errors.New("2-step verification is off, but factors are stored that are in force")

// step is how far a sign-in came.
type step struct {
	state   string
	token   session.Token
	asked   *asked    // with StateSecondStep
	request string    // of a recovery that is under way
	ended   string    // of the last one, where there is none under way
	locked  bool      // no code is taken
	expires time.Time // of a sign-in that is pending
}

// asked is what the second step can be proved with.
type asked struct {
	methods []factor.Kind
	labels  []string // the entries to look for in the authenticator app
}

// password checks the first step. It does the same work for a name that nobody has (security.md row 6).
func (s *SignIn) password(ctx context.Context, caller web.Caller, email, password string) (*step, error) {
	if err := s.Passwords.Pool.Admit(); err != nil {
		return nil, err // before two commits are spent on counting it and taking it back
	}
	event := audit.From(caller.Client).Is(audit.SignInPassword, audit.Refused)
	event.Method = web.Password

	name, err := account.EmailKey(email)
	if err != nil {
		name = "" // nobody's address; it is throttled and checked like any other
	}
	user, err := account.ByEmailKey(ctx, s.Database.Read(), name)
	if err != nil {
		return nil, err
	}
	if user != nil {
		event = event.About(user.ID)
	}
	key := passwordKey(passwordBudget(user, name), caller.Network)
	right, err := s.verify(ctx, event, key, user, password)
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, ErrBadCredentials
	}
	upgraded, err := s.Passwords.Upgrade(ctx, user, password)
	if err != nil && !errors.Is(err, hashing.ErrBusy) { // while the pool is busy the old hash does, until the next sign-in
		return nil, s.uncounted(ctx, key, err)
	}
	came, err := s.afterPassword(ctx, caller, user, event, key, upgraded)
	s.noteFault(ctx, event, err)
	return came, err
}

// uncounted is a fault that a right password has met. It is nobody's wrong password, so the failures are forgotten.
func (s *SignIn) uncounted(ctx context.Context, key []byte, fault error) error {
	return errors.Join(fault, s.forgetTries(ctx, key))
}

// forgetTries is clearPasswords in a commit of its own.
func (s *SignIn) forgetTries(ctx context.Context, key []byte) error {
	return s.Database.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx database.Tx) error {
		return clearPasswords(ctx, tx, key)
	})
}

// verify counts the password, checks it, and records a wrong one. A right one is for the caller to clear the counter after.
func (s *SignIn) verify(ctx context.Context, event audit.Event, key []byte, user *account.User, password string) (bool, error) {
	var wait time.Duration
	err := s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) (err error) {
		// Refused unlooked at, it leaves no event: else anybody could fill the table. The log has it.
		wait, err = reservePassword(ctx, tx, key)
		return err
	})
	if err != nil {
		return false, err
	}
	if wait > 0 {
		return false, ErrTooManyPasswords.After(wait)
	}
	right, err := s.Passwords.Verify(ctx, user, password)
	if err != nil {
		// It was not checked, so it must not count; an overloaded server is nobody's wrong password.
		if errors.Is(err, hashing.ErrBusy) {
			release := func(ctx context.Context, tx database.Tx) error { return releasePassword(ctx, tx, key) }
			err = errors.Join(err, s.Database.Write(context.WithoutCancel(ctx), release))
		}
		return false, err
	}
	if right {
		return true, nil
	}
	return false, s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		wrong := event
		wrong.Reason = ErrBadCredentials.Code
		return audit.Record(ctx, tx, wrong)
	})
}

// afterPassword decides within one transaction, from the person as they are now, what the right password opens.
func (s *SignIn) afterPassword(ctx context.Context, caller web.Caller, checked *account.User, event audit.Event, key []byte, upgraded string) (*step, error) {
	var opened step
	var refusal error
	err := s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		opened, refusal = step{}, nil
		event := event
		if err := clearPasswords(ctx, tx, key); err != nil {
			return err
		}
		user, err := account.Hold(ctx, tx, checked.ID)
		if errors.Is(err, account.ErrNoUser) {
			refusal = ErrBadCredentials
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case user.PasswordChangedAt != checked.PasswordChangedAt: // changed while it was checked
			refusal, event.Reason = ErrBadCredentials, ErrBadCredentials.Code
		case !user.DisabledAt.IsZero():
			refusal, event.Reason = ErrDisabled, ErrDisabled.Code
		}
		if refusal != nil {
			return audit.Record(ctx, tx, event)
		}
		if err := account.StoreUpgrade(ctx, tx, user, upgraded); err != nil {
			return err
		}
		event = event.Is(audit.SignInPassword, audit.OK)
		if user.Reset() || user.AsksSecondStep() {
			if err := audit.Record(ctx, tx, event); err != nil {
				return err
			}
			return s.askSecondStep(ctx, tx, caller, user, &opened)
		}
		if err := s.nothingLeft(ctx, tx, user); err != nil {
			return err
		}
		opened.state = StateSignedIn
		if user.MustEnrol(tx.Now) {
			opened.state = StateEnrolmentRequired
		}
		token, completed, err := s.open(ctx, tx, caller, user, "", web.Password)
		if err != nil {
			return err
		}
		opened.token = token
		return audit.Record(ctx, tx, event, completed)
	})
	if err != nil {
		return nil, s.uncounted(ctx, key, err)
	}
	if refusal != nil {
		return nil, refusal
	}
	return &opened, nil
}

// nothingLeft refuses to let somebody in by the password alone whose row says that 2-step verification is off while
// factors are in force: where the two disagree signing in is refused, never made easier (row 5).
func (s *SignIn) nothingLeft(ctx context.Context, tx database.Tx, user *account.User) error {
	if user.MFA() {
		return nil // it is on, and the requirement says not to ask
	}
	held, err := s.Factors.Held(ctx, tx, user.ID)
	if err != nil {
		return err
	}
	if len(held) > 0 {
		return fmt.Errorf("sign in with a password: %w", errFactorsLeft)
	}
	return nil
}

func (s *SignIn) askSecondStep(ctx context.Context, tx database.Tx, caller web.Caller, user *account.User, opened *step) error {
	waits, err := s.waitsFor(ctx, tx, user)
	if err != nil {
		return err
	}
	if waits.token, waits.expires, err = s.openPending(ctx, tx, user.ID, caller.Client); err != nil {
		return err
	}
	*opened = *waits
	return nil
}

// waitsFor says what a pending sign-in of the person's wants: a second step, or after a reset the enrolment link.
func (s *SignIn) waitsFor(ctx context.Context, db bun.IDB, user *account.User) (*step, error) {
	if user.Reset() {
		return &step{state: StateLinkRequired}, nil
	}
	asks, err := s.asks(ctx, db, user.ID)
	if err != nil {
		return nil, err
	}
	waits := &step{state: StateSecondStep, asked: asks, request: user.RecoveryAt(s.Now())}
	blocked, err := CodesBlocked(ctx, db, user.ID, s.Now())
	if err != nil {
		return nil, err
	}
	waits.locked = blocked != nil && blocked.Locked
	if waits.request == "" && s.LastRecovery != nil {
		waits.ended, err = s.LastRecovery(ctx, db, user)
	}
	return waits, err
}

// asks reads what the person can prove the second step with.
func (s *SignIn) asks(ctx context.Context, db bun.IDB, userID string) (*asked, error) {
	held, err := s.Factors.Held(ctx, db, userID)
	if err != nil {
		return nil, err
	}
	asks := &asked{methods: factor.Methods(held)}
	if len(asks.methods) == 0 {
		return nil, fmt.Errorf("ask for a second step: %w", errNoFactor)
	}
	for _, one := range held {
		if one.Label != "" {
			asks.labels = append(asks.labels, one.Label)
		}
	}
	return asks, nil
}

// open makes the session that the sign-in ends with, confined where that is said, and gives the event to put on record
// behind that of the last step.
func (s *SignIn) open(ctx context.Context, tx database.Tx, caller web.Caller, user *account.User, confined string, with ...string) (session.Token, audit.Event, error) {
	if err := account.NoteSignIn(ctx, tx, user.ID); err != nil {
		return nil, audit.Event{}, err
	}
	return s.enter(ctx, tx, caller, user, confined, with...)
}

// enter is open for a sign-in that is noted.
func (s *SignIn) enter(ctx context.Context, tx database.Tx, caller web.Caller, user *account.User, confined string, with ...string) (session.Token, audit.Event, error) {
	event := audit.From(caller.Client).About(user.ID).Is(audit.SignInCompleted, audit.OK)
	token, opened, err := s.Sessions.Open(ctx, tx, session.Opened{User: user, With: with, ConfinedTo: confined, Client: caller.Client})
	if err != nil {
		return nil, event, err
	}
	event.Actor, event.Session, event.Method = user.ID, opened.ID, with[len(with)-1]
	news, err := session.NoteBrowser(ctx, tx, user.ID, caller.BrowserID)
	if news {
		event.Data = map[string]any{"new_browser": true}
	}
	return token, event, err
}

// CheckPassword checks the password of somebody who is signed in, under the same budget as signing in. A wrong one is
// ErrWrongPassword.
func (s *SignIn) CheckPassword(ctx context.Context, caller web.Caller, kind, password string) error {
	user, err := account.ByID(ctx, s.Database.Read(), caller.Session.UserID)
	if err != nil {
		return err
	}
	event := audit.By(caller).Is(kind, audit.Refused)
	event.Method = web.Password
	key := passwordKey(passwordBudget(user, caller.Session.UserID), caller.Network)
	right, err := s.verify(ctx, event, key, user, password)
	if err != nil {
		return err
	}
	if !right {
		return ErrWrongPassword
	}
	return s.forgetTries(ctx, key)
}
