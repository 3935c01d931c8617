// Package factor says what something that can prove the second step is to the rest of the product.
//
// Signing in, fresh proof and the Security page go through Factor and through nothing else; each implementation has a
// folder of its own with its rules and its rows, and one line of wiring in server.go.
package factor

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/factor/diagnosis"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/web"
)

// Kind is the machine name of a factor, as it stands in methods, events and sessions.
type Kind string

// Ceremony is what somebody proves the second step for.
type Ceremony string

// The ceremonies there are.
const (
	SignIn Ceremony = "sign_in"
	Proof  Ceremony = "proof"
)

// Attempt is one thing that a person sent as a second step.
type Attempt struct {
	UserID     string
	Ceremony   Ceremony
	Holder     string // the pending sign-in or the session that it is for, by the id that stays
	Response   string // as it was sent; empty where a challenge is asked for
	Client     web.Client
	BrowserNow time.Time // what the browser's clock said, for the diagnosis alone; zero when it did not say
}

// Factor is one way to prove the second step.
type Factor interface {
	Kind() Kind
	// Asks is what the person is asked for, as the API's document says it: "a backup code".
	Asks() string
	// Full reports whether a proof by it is good for everything. One that is not is good for what is ordinary and for
	// putting a new factor in a lost one's place (security.md, a session opened by a backup code).
	Full() bool
	// Recognises reports whether what was typed has the shape of this factor's. It reads nothing.
	Recognises(response string) bool
	// Quick looks for what the attempt would spend, where that is cheap. Nil means: not found, or not cheap; the try
	// is then counted before Examine is called.
	Quick(ctx context.Context, attempt Attempt) (Finding, error)
	// Examine does the work that a counted try has paid for, outside any transaction.
	Examine(ctx context.Context, attempt Attempt) (Finding, error)
	// Held lists what the person can prove the second step with; nothing that is pending or over.
	Held(ctx context.Context, db bun.IDB, userID string) ([]Held, error)
	// Rename calls one held thing otherwise; false where the person holds no such thing of this kind.
	Rename(ctx context.Context, tx database.Tx, userID, id, name string) (bool, error)
	// Remove ends one held thing; false where the person holds no such thing of this kind.
	Remove(ctx context.Context, tx database.Tx, userID, id string) (bool, error)
	// Retire ends everything of the person's that is in force, because they have enrolled anew after a reset, and leaves
	// what is on its way in.
	Retire(ctx context.Context, tx database.Tx, userID string) error
	// Forget ends everything of the person's that this factor keeps, because 2-step verification goes off.
	Forget(ctx context.Context, tx database.Tx, userID string) error
	// Abandon ends what is on its way in and proves nothing yet, because whoever is kept out from now on may have begun it.
	Abandon(ctx context.Context, tx database.Tx, userID string) error
	// AfterRestore sees to it that nothing that may have been used up since the backup was made is good again, and that
	// nothing that was begun goes on. It answers whose things it took away, to be asked for new ones.
	AfterRestore(ctx context.Context, tx database.Tx) (bereft []string, err error)
	// Prune deletes rows whose time is over.
	Prune(ctx context.Context, tx database.Tx) error
}

// Challenger is a factor that signs a challenge instead of being typed. It leaves nothing to guess: its answers are
// examined while codes are delayed or locked, and a right one lifts both (security.md, wrong second steps).
type Challenger interface {
	Factor
	// Challenge begins a ceremony that the attempt's person finishes in the attempt's place, once, and answers what the
	// browser is to be given.
	Challenge(ctx context.Context, attempt Attempt) (json.RawMessage, error)
}

// Changed ends what was open under the factors of before, for the reason given, and answers the new token of the
// session that changed them (security.md rows 31 and 34).
type Changed func(ctx context.Context, tx database.Tx, caller web.Caller, why string) (session.Token, error)

// Enrollable is a factor that a person adds by calls of its own.
type Enrollable interface {
	Factor
	Register(api *web.API, changed Changed)
}

// Finding is what an examination found: something to spend, or why there is nothing.
type Finding interface {
	// Spend makes the one-way change of an accepted response, or answers why it is refused, within the transaction
	// that also counts it and opens what it opens. It may be run again.
	Spend(ctx context.Context, tx database.Tx) (*diagnosis.Diagnosis, error)
}

// Counted is a finding of a factor that is a set of one-time things.
type Counted interface {
	Finding
	// Remaining says how many of them are left, after one was spent.
	Remaining(ctx context.Context, tx database.Tx) (int, error)
}

// Testable is a finding of a factor that is typed, and can be told about without proving anything (signin, code_check.go).
type Testable interface {
	Finding
	// Test says what the code is, or why it would be refused. A code that says when it was made is spent by it; one that
	// is not stays what it is. It may be run again.
	Test(ctx context.Context, tx database.Tx) (*Tested, *diagnosis.Diagnosis, error)
}

// Tested is what a right code turned out to be.
type Tested struct {
	Name              string // what the person calls the thing that it is of
	Label             string // the entry in an authenticator app
	OffsetSeconds     *int   // of the clock that made it, in whole periods, within what is accepted; minus is behind
	NextCodeInSeconds *int   // this one is spent: until the first that can be accepted
	Number            *int   // which of a set of one-time things
	Remaining         *int   // how many of them are left, this one among them
}

// Held is something that a person holds.
type Held struct {
	ID         string
	Kind       Kind
	Name       string
	Label      string // what the person sees elsewhere, such as the entry in an authenticator app; may be empty
	AddedAt    database.Instant
	LastUsedAt database.Instant // zero: never
	Remaining  int              // of Total, where the factor is a set of one-time things
	Total      int
}

// Set are the factors of the installation, in the order in which they are asked for.
type Set []Factor

// Abandon ends what is on its way in, of whatever kind.
func (s Set) Abandon(ctx context.Context, tx database.Tx, userID string) error {
	for _, one := range s {
		if err := one.Abandon(ctx, tx, userID); err != nil {
			return err
		}
	}
	return nil
}

// For answers the factor whose shape the response has; nil where it has none's.
func (s Set) For(response string) Factor {
	for _, one := range s {
		if one.Recognises(response) {
			return one
		}
	}
	return nil
}

// Full are the kinds whose proof is good for everything.
func (s Set) Full() []string {
	var kinds []string
	for _, one := range s {
		if one.Full() {
			kinds = append(kinds, string(one.Kind()))
		}
	}
	return kinds
}

// Challenger is the factor that signs challenges; nil where the set has none.
func (s Set) Challenger() Challenger {
	for _, one := range s {
		if challenger, ok := one.(Challenger); ok {
			return challenger
		}
	}
	return nil
}

// Register adds the calls by which factors are added that have calls of their own.
func (s Set) Register(api *web.API, changed Changed) {
	for _, one := range s {
		if enrollable, ok := one.(Enrollable); ok {
			enrollable.Register(api, changed)
		}
	}
}

// Held lists everything that the person holds, in the order in which it is asked for.
func (s Set) Held(ctx context.Context, db bun.IDB, userID string) ([]Held, error) {
	var all []Held
	for _, one := range s {
		held, err := one.Held(ctx, db, userID)
		if err != nil {
			return nil, err
		}
		all = append(all, held...)
	}
	return all, nil
}

// Methods are the kinds that can prove a second step with what is held, each once.
func Methods(held []Held) []Kind {
	var kinds []Kind
	for _, one := range held {
		if one.Total > 0 && one.Remaining == 0 {
			continue
		}
		if len(kinds) == 0 || kinds[len(kinds)-1] != one.Kind {
			kinds = append(kinds, one.Kind)
		}
	}
	return kinds
}

// Rename calls one thing that the person holds otherwise; false where there is no such thing.
func (s Set) Rename(ctx context.Context, tx database.Tx, userID, id, name string) (bool, error) {
	for _, one := range s {
		if done, err := one.Rename(ctx, tx, userID, id, name); err != nil || done {
			return done, err
		}
	}
	return false, nil
}

// Remove ends one thing that the person holds and answers its kind; empty where there is no such thing.
func (s Set) Remove(ctx context.Context, tx database.Tx, userID, id string) (Kind, error) {
	for _, one := range s {
		if done, err := one.Remove(ctx, tx, userID, id); err != nil || done {
			return one.Kind(), err
		}
	}
	return "", nil
}

// AfterRestore asks it of every factor, and answers whose things were taken away, each once.
func (s Set) AfterRestore(ctx context.Context, tx database.Tx) ([]string, error) {
	var bereft []string
	for _, one := range s {
		theirs, err := one.AfterRestore(ctx, tx)
		if err != nil {
			return nil, err
		}
		bereft = append(bereft, theirs...)
	}
	slices.Sort(bereft)
	return slices.Compact(bereft), nil
}

// Retire ends every factor of the person that is in force.
func (s Set) Retire(ctx context.Context, tx database.Tx, userID string) error {
	for _, one := range s {
		if err := one.Retire(ctx, tx, userID); err != nil {
			return err
		}
	}
	return nil
}

// Forget ends every factor of the person.
func (s Set) Forget(ctx context.Context, tx database.Tx, userID string) error {
	for _, one := range s {
		if err := one.Forget(ctx, tx, userID); err != nil {
			return err
		}
	}
	return nil
}
