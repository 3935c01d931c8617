package signin

import (
	"context"
	"errors"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/hashing"
	"github.com/secondstep/secondstep/server/web"
)

// proving is one second step on its way through the budget, the factor and the change that it opens. Signing in and
// fresh proof both go through it and through nothing else.
type proving struct {
	*SignIn
	attempt factor.Attempt
	given   response
	came    time.Time // when it was asked for: whatever it waits for afterwards, the browser's clock spoke then
	pending *web.PendingSignIn
	event   audit.Event
	// accept opens what is proved, or says why not after all; also are events besides the second step's own.
	accept func(ctx context.Context, tx database.Tx, user *account.User, kind factor.Kind) (also []audit.Event, refusal *diagnosis.Diagnosis, err error)
	// enter is the part of accept that a pending sign-in's end leaves to do; nil where unopposed is not to be tried: in a
	// session, in a test of a code, and where something is known to stand against the second step.
	enter     func(ctx context.Context, tx database.Tx, user *account.User, kind factor.Kind) (also []audit.Event, err error)
	remaining *int // of a set of one-time things, where one was spent
	// test is set where the code is to open nothing: it takes accept's place.
	test *test
}

// run answers the kind of the accepted factor, or why it was refused.
func (p *proving) run(ctx context.Context) (factor.Kind, *diagnosis.Diagnosis, error) {
	one := p.factor()
	if one == nil {
		// It was compared with nothing: nothing was learnt, so nothing is counted and nothing is on record.
		return "", p.given.malformed(), nil
	}
	p.event.Method = string(one.Kind())
	kind, refusal, err := p.with(ctx, one)
	p.noteFault(ctx, p.event, err)
	return kind, refusal, err
}

// factor is the one that the response is for: by the call where it is signed, by its shape where it was typed.
func (p *proving) factor() factor.Factor {
	if p.given.signed != nil {
		return p.given.signed
	}
	return p.Factors.For(p.attempt.Response)
}

// triesLeft is how many more codes are looked at, and what is behind them: a break for the account, or in a pending sign-in
// no more than to begin again.
type triesLeft struct {
	count     int
	thenBreak bool
}

// guessable reports whether trying often gets anybody anywhere. A signature it does not: it is looked at past a delay or
// the lock, which are there for codes, so that who holds a security key is not kept out by who guesses codes.
func (p *proving) guessable() bool { return p.given.signed == nil }

func (p *proving) with(ctx context.Context, one factor.Factor) (factor.Kind, *diagnosis.Diagnosis, error) {
	finding, err := one.Quick(ctx, p.attempt)
	if err != nil {
		return "", nil, err
	}
	counted := finding == nil && p.guessable()
	var left triesLeft
	if counted {
		var refusal *diagnosis.Diagnosis
		if left, refusal, err = p.count(ctx); err != nil || refusal != nil {
			return "", refusal, err
		}
	}
	if finding == nil {
		if finding, err = one.Examine(ctx, p.attempt); err != nil {
			return "", nil, p.uncount(ctx, err, counted)
		}
	}
	if p.enter != nil && !counted {
		err := p.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
			return p.unopposed(ctx, tx, one.Kind(), finding)
		})
		if !errors.Is(err, errOpposed) {
			return one.Kind(), nil, err
		}
	}
	var refusal *diagnosis.Diagnosis
	err = p.Database.Write(ctx, func(ctx context.Context, tx database.Tx) (err error) {
		refusal, err = p.settle(ctx, tx, one.Kind(), finding, counted, left)
		return err
	})
	if err != nil || refusal != nil {
		return "", refusal, err
	}
	return one.Kind(), nil, nil
}

// count reserves a try in a commit of its own, since what follows is expensive or tells something.
func (p *proving) count(ctx context.Context) (left triesLeft, refusal *diagnosis.Diagnosis, err error) {
	err = p.Database.Write(ctx, func(ctx context.Context, tx database.Tx) (err error) {
		user, err := account.Hold(ctx, tx, p.attempt.UserID)
		if err != nil {
			return err
		}
		if user.Reset() {
			return ErrEnrolmentLinkRequired
		}
		left, refusal, err = p.reserve(ctx, tx)
		if err != nil || refusal == nil {
			return err
		}
		return p.noteRefusal(ctx, tx, refusal)
	})
	return left, refusal, err
}

// uncount takes the try back where the server was too busy to look at it; after any other fault it stays counted.
func (p *proving) uncount(ctx context.Context, cause error, counted bool) error {
	if !counted || !errors.Is(cause, hashing.ErrBusy) {
		return cause
	}
	return errors.Join(cause, p.Database.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx database.Tx) error {
		if p.pending != nil {
			if err := releasePending(ctx, tx, p.pending.ID); err != nil {
				return err
			}
		}
		return releaseCode(ctx, tx, p.attempt.UserID)
	}))
}

// reserve counts a try, or refuses it and changes nothing. The account is asked first: while it is delayed or locked no
// row may tell a wrong code, which is counted, from a right one, which is not (rows 41 and 42).
func (p *proving) reserve(ctx context.Context, tx database.Tx) (left triesLeft, refusal *diagnosis.Diagnosis, err error) {
	if p.guessable() {
		tries, err := readCodeTries(ctx, tx, p.attempt.UserID)
		if err != nil {
			return left, nil, err
		}
		if refusal = p.refusal(tries, tx.Now); refusal != nil {
			return left, refusal, nil
		}
	}
	here := codesAnHour
	if p.pending != nil {
		if here, refusal, err = reservePending(ctx, tx, p.pending.ID); err != nil || refusal != nil {
			return left, refusal, err
		}
	}
	inHour, refusal, err := reserveCode(ctx, tx, p.attempt.UserID)
	if err != nil || refusal != nil {
		return left, refusal, err
	}
	left.thenBreak = p.pending != nil && inHour <= here
	if p.test != nil {
		inHour = max(0, inHour-(codesAnHour-testsAnHour)) // the rest is kept from it
	}
	left.count = min(here, inHour)
	return left, nil, nil
}

// settle spends the finding and opens what it opens, or records why not. The refusal commits. It holds the person, as
// every counted try does: a right code that was not counted waits for the wrong ones on their way, and is refused
// where they have used the budget up. Else it would overtake them, however many were sent at once.
func (p *proving) settle(ctx context.Context, tx database.Tx, kind factor.Kind, finding factor.Finding, counted bool, left triesLeft) (*diagnosis.Diagnosis, error) {
	user, err := account.Hold(ctx, tx, p.attempt.UserID)
	if err != nil {
		return nil, err
	}
	if user.Reset() {
		return nil, ErrEnrolmentLinkRequired // whatever was given is of before
	}
	clean, refusal, err := p.admit(ctx, tx, user, counted)
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		return refusal, p.noteRefusal(ctx, tx, refusal)
	}
	if p.test != nil {
		refusal, err = p.test.look(ctx, tx, finding)
	} else {
		refusal, err = finding.Spend(ctx, tx)
	}
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		if refusal, err = p.weigh(ctx, tx, refusal, counted, left); err != nil {
			return nil, err
		}
		return refusal, p.noteRefusal(ctx, tx, refusal)
	}
	if p.test != nil {
		// Neither the row of failures nor the try itself is taken back: nothing was proved.
		return nil, audit.Record(ctx, tx, p.event.Is(p.event.Kind, audit.OK))
	}
	if !clean || counted {
		if err := acceptCode(ctx, tx, p.attempt.UserID, counted); err != nil {
			return nil, err
		}
	}
	also, refusal, err := p.accept(ctx, tx, user, kind)
	if err != nil {
		return nil, err
	}
	if refusal != nil {
		return refusal, p.noteRefusal(ctx, tx, refusal)
	}
	if user.Recovery != "" && p.Recovered != nil {
		if err := p.Recovered(ctx, tx, p.event, user); err != nil {
			return nil, err
		}
	}
	if p.remaining, err = remaining(ctx, tx, finding); err != nil {
		return nil, err
	}
	return nil, audit.Record(ctx, tx, append([]audit.Event{p.event.Is(p.event.Kind, audit.OK)}, also...)...)
}

// weigh says with a refusal how many tries are left, and counts one that was found and then refused all the same: a code
// that somebody else has spent in between, or a signature that is not right.
func (p *proving) weigh(ctx context.Context, tx database.Tx, refusal *diagnosis.Diagnosis, counted bool, left triesLeft) (*diagnosis.Diagnosis, error) {
	if !counted {
		var over *diagnosis.Diagnosis
		var err error
		if left, over, err = p.reserve(ctx, tx); err != nil {
			return nil, err
		}
		if over != nil && p.guessable() {
			return over, nil
		}
		if over != nil {
			return refusal, nil // codes are delayed, and a security key has no part in that
		}
	}
	refusal.AttemptsLeft, refusal.BreakNext = &left.count, left.thenBreak
	return refusal, nil
}

// admit refuses what nothing may be spent for: a delayed account, unless the try was counted before the delay began, and
// a sign-in that is over. It counts nothing. Clean says that no wrong code stands against the person, so that a right
// one has nothing to take back.
func (p *proving) admit(ctx context.Context, tx database.Tx, user *account.User, counted bool) (clean bool, refusal *diagnosis.Diagnosis, err error) {
	on := ""
	if p.pending != nil {
		on = p.pending.ID
	}
	tries, pending, err := standing(ctx, tx, user.ID, on)
	if err != nil {
		return false, nil, err
	}
	clean = tries == nil || tries.InARow == 0
	if !counted && p.guessable() {
		if p.test != nil {
			if tries, err = readCodeTries(ctx, tx, user.ID); err != nil {
				return false, nil, err
			}
		}
		if refusal = p.refusal(tries, tx.Now); refusal != nil {
			return clean, refusal, nil
		}
	}
	if !user.DisabledAt.IsZero() {
		return clean, &diagnosis.Diagnosis{Reason: diagnosis.SignInExpired}, nil
	}
	if p.pending != nil {
		refusal = pending.refusal(counted)
	}
	return clean, refusal, nil
}

// refusal is why the account takes no code now; nil while it does.
func (p *proving) refusal(tries *codeTries, now time.Time) *diagnosis.Diagnosis {
	if p.test != nil {
		return tries.keptFromTests(now)
	}
	return tries.refusal(now)
}

// noteRefusal puts a refusal on record, but for those of the limits: nothing was looked at, they cost whoever sends them
// nothing, and would fill the table. The log has them.
func (p *proving) noteRefusal(ctx context.Context, tx database.Tx, why *diagnosis.Diagnosis) error {
	if why.Reason == diagnosis.TooManyAttempts {
		return nil
	}
	return audit.Record(ctx, tx, p.refused(why))
}

func (p *proving) refused(why *diagnosis.Diagnosis) audit.Event {
	event := p.event.Is(p.event.Kind, audit.Refused)
	event.Reason, event.Data = string(why.Reason), why.Facts()
	return event
}
