// Package stop is "stop this": the one link of a mail that acts for whoever holds it, without signing in. It goes to the
// address that was on record before, when an account gets another one or is reset, because whoever did that may be the
// one who is signed in; and to the address on record when somebody asks for a way back in.
//
// Invariants:
//   - it only takes away, or puts back what was: sessions, pending sign-ins and links end, a changed address is again the
//     one of before. It gives no session and no factor, and changes no password;
//   - opening the link does nothing, since mail scanners open links too: a press does (POST);
//   - it is good once, within its time, for one person (security.md rows 74 and 80), and only its hash is stored;
//   - the address of before wins: with the link of one change those of later ones are void, so that whoever came between
//     does not put themself back.
package stop

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/web"
)

// What can be stopped.
const (
	Email = "email" // another address
	Reset = "reset" // a reset of 2-step verification
	// Recovery is a request for a way back in. It ends by itself alone: whoever is signed in stays.
	Recovery = "recovery"
)

// RecoveryFor is how long a request for a way back in can be stopped by its mail, and so the longest that one can take.
const RecoveryFor = 30 * 24 * time.Hour

// goodFor is how long each can be: an address for 7 days (security.md, decisions), a reset as long as its enrolment link, a
// request for as long as one can take, since its end voids the link.
var goodFor = map[string]time.Duration{Email: 7 * 24 * time.Hour, Reset: signin.LinkFor, Recovery: RecoveryFor}

// letters are the mails that carry the link.
var letters = map[string]mail.Kind{Email: mail.EmailChanged, Reset: mail.Reset, Recovery: mail.RecoveryAsked}

// Page is where the link leads.
const Page = "/stop"

// ErrLink refuses a link that stops nothing.
var ErrLink = problem.New(http.StatusGone, "stop_link_expired", "This link has been used, is too old, or there is nothing left to stop.")

// Dependencies are what the room works with.
type Dependencies struct {
	Database *database.Database
	Sessions *session.Sessions
	Mail     *mail.Mail
	// Links void the links of a person that are good for something, one kind each.
	Links []func(ctx context.Context, tx database.Tx, userID string) error
	// StopRecovery ends a person's request for a way back in, false where none is open; EndRecovery does because something
	// else is stopped.
	StopRecovery func(ctx context.Context, tx database.Tx, event audit.Event, user *account.User) (bool, error)
	EndRecovery  func(ctx context.Context, tx database.Tx, event audit.Event, user *account.User, why string) error
	Random       io.Reader
}

// Stops is the room.
type Stops struct{ Dependencies }

// New prepares the room.
func New(dependencies Dependencies) *Stops { return &Stops{dependencies} }

type row struct {
	bun.BaseModel `bun:"table:stops,alias:s"`

	TokenHash []byte           `bun:"token_hash,pk"`
	UserID    string           `bun:"user_id"`
	Kind      string           `bun:"kind"`
	Email     string           `bun:"email"`
	CreatedAt database.Instant `bun:"created_at"`
	ExpiresAt database.Instant `bun:"expires_at"`
}

// Offer mails the link by which what the event tells can be stopped, to the address of the person as they are handed in:
// that of before. Where no mail leaves, there is none.
func (s *Stops) Offer(ctx context.Context, tx database.Tx, event audit.Event, user *account.User, kind string) error {
	token, err := session.NewToken(s.Random)
	if err != nil {
		return err
	}
	until := tx.Now.Add(goodFor[kind])
	sent, err := s.Mail.Send(ctx, tx, mail.Letter{
		UserID: user.ID, To: user.Email, Name: user.Name, Kind: letters[kind], Facts: event.About(user.ID).Facts(),
		Path: web.Link("", Page, token), Until: until,
	})
	if err != nil || !sent {
		return err
	}
	hash := sha256.Sum256(token)
	offered := &row{
		TokenHash: hash[:], UserID: user.ID, Kind: kind, Email: user.Email,
		CreatedAt: database.At(tx.Now), ExpiresAt: database.At(until),
	}
	if _, err := tx.NewInsert().Model(offered).Exec(ctx); err != nil {
		return fmt.Errorf("offer to stop: %w", err)
	}
	return nil
}

// Void ends the person's offers of a kind: there is nothing left to stop.
func Void(ctx context.Context, tx database.Tx, userID, kind string) error {
	if _, err := tx.NewDelete().Model((*row)(nil)).Where("user_id = ? AND kind = ?", userID, kind).Exec(ctx); err != nil {
		return fmt.Errorf("void what stops: %w", err)
	}
	return nil
}

// Undone reports whether the person's address is again one that could be put back, and then ends the offers of that change
// and of all later ones, as pressing it would have.
func Undone(ctx context.Context, tx database.Tx, userID, emailKey string) (bool, error) {
	var offers []row
	err := tx.NewSelect().Model(&offers).Where("s.user_id = ? AND s.kind = ? AND s.expires_at > ?", userID, Email, database.At(tx.Now)).
		OrderExpr("s.created_at, s.token_hash").Scan(ctx)
	if err != nil {
		return false, fmt.Errorf("look for a change that is undone: %w", err)
	}
	for n := range offers {
		key, err := account.EmailKey(offers[n].Email)
		if err != nil {
			return false, fmt.Errorf("compare an address of before: %w", err)
		}
		if key == emailKey {
			return true, voidFrom(ctx, tx, &offers[n])
		}
	}
	return false, nil
}

// voidFrom ends an offer and those of its kind that came after it.
func voidFrom(ctx context.Context, tx database.Tx, first *row) error {
	_, err := tx.NewDelete().Model((*row)(nil)).
		Where("user_id = ? AND kind = ? AND created_at >= ?", first.UserID, first.Kind, first.CreatedAt).Exec(ctx)
	if err != nil {
		return fmt.Errorf("void what came after: %w", err)
	}
	return nil
}

// VoidLinks ends every link of the person that is good for something.
func (s *Stops) VoidLinks(ctx context.Context, tx database.Tx, userID string) error {
	for _, void := range s.Links {
		if err := void(ctx, tx, userID); err != nil {
			return err
		}
	}
	return nil
}

// find reads what a link stops; ErrLink where that is nothing.
func find(ctx context.Context, db bun.IDB, link string, now time.Time) (*row, error) {
	token, ok := web.Token(link)
	if !ok {
		return nil, ErrLink
	}
	hash := sha256.Sum256(token)
	found := new(row)
	err := db.NewSelect().Model(found).Where("s.token_hash = ? AND s.expires_at > ?", hash[:], database.At(now)).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrLink
	}
	if err != nil {
		return nil, fmt.Errorf("look up what a link stops: %w", err)
	}
	return found, nil
}

// stopped is what was stopped.
type stopped struct {
	kind     string
	restored bool // the address is again the one of before
}

// press stops what the link is for.
func (s *Stops) press(ctx context.Context, caller web.Caller, link string) (*stopped, error) {
	var done *stopped
	err := s.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		found, err := find(ctx, tx, link, tx.Now)
		if err != nil {
			return err
		}
		user, err := account.Hold(ctx, tx, found.UserID)
		if errors.Is(err, account.ErrNoUser) {
			return ErrLink
		}
		if err != nil {
			return err
		}
		if err := spend(ctx, tx, found); err != nil {
			return err
		}
		done = &stopped{kind: found.Kind}
		event := audit.From(caller.Client).About(user.ID)
		if found.Kind == Recovery {
			stopped, err := s.StopRecovery(ctx, tx, event, user)
			if err == nil && !stopped {
				err = ErrLink
			}
			return err
		}
		told := event.Is(audit.ResetStopped, audit.OK)
		if found.Kind == Email {
			if done.restored, err = putBack(ctx, tx, user, found.Email); err != nil {
				return err
			}
			told = event.Is(audit.EmailStopped, audit.OK)
			told.Data = map[string]any{"restored": done.restored}
		}
		if err := s.EndRecovery(ctx, tx, event, user, "stopped"); err != nil {
			return err
		}
		if err := s.VoidLinks(ctx, tx, user.ID); err != nil {
			return err
		}
		if err := signin.EndPending(ctx, tx, user.ID); err != nil {
			return err
		}
		if err := audit.Record(ctx, tx, told); err != nil {
			return err
		}
		_, err = s.Sessions.EndOthers(ctx, tx, event, user.ID, "", "stopped")
		return err
	})
	if err != nil {
		return nil, err
	}
	return done, nil
}

// spend uses the link, and voids those of its kind that came after it: one conditional write, so that of two at once one
// finds it gone.
func spend(ctx context.Context, tx database.Tx, found *row) error {
	spent, err := database.Touched(tx.NewDelete().Model((*row)(nil)).Where("token_hash = ?", found.TokenHash).Exec(ctx))
	if err != nil {
		return fmt.Errorf("spend what stops: %w", err)
	}
	if spent != 1 {
		return ErrLink
	}
	return voidFrom(ctx, tx, found)
}

// putBack gives the person the address of before; false where somebody else has got it meanwhile. All else ends then too.
func putBack(ctx context.Context, tx database.Tx, user *account.User, email string) (bool, error) {
	key, err := account.EmailKey(email)
	if err != nil {
		return false, fmt.Errorf("put an address back: %w", err)
	}
	has, err := account.ByEmailKey(ctx, tx, key)
	if err != nil {
		return false, err
	}
	if has != nil && has.ID != user.ID {
		return false, nil
	}
	return true, account.SetEmail(ctx, tx, user, email)
}

// Prune deletes what is too old.
func (s *Stops) Prune(ctx context.Context, tx database.Tx) error {
	if _, err := tx.NewDelete().Model((*row)(nil)).Where("expires_at <= ?", database.At(tx.Now)).Exec(ctx); err != nil {
		return fmt.Errorf("prune what stops: %w", err)
	}
	return nil
}

// AfterRestore voids every link: one that was used after the backup was made must not live again.
func (s *Stops) AfterRestore(ctx context.Context, tx database.Tx) error {
	if _, err := tx.NewDelete().Model((*row)(nil)).Where("TRUE").Exec(ctx); err != nil {
		return fmt.Errorf("void all that stops: %w", err)
	}
	return nil
}
