// Package email changes the address of a person.
//
// Invariants:
//   - nothing about an account changes before the new address is proved: its one-time link is mailed to it and to nobody
//     else, and one press of the person, signed in, in a browser of their own, spends it (security.md row 74). Who asks
//     proves themself freshly when they ask (rows 37 and 38), as with an enrolment: the press asks for no more, since it
//     needs the link and a session besides, and an administrator who asks has neither;
//   - an address that somebody has is answered like any other (row 6). Administrators, who see all of them, are told;
//   - the address of before is told when a change is asked for and when it is done, then with a link that stops it; every
//     other session and sign-in ends, and every link that was mailed before is void;
//   - of two people who are to have one address, or two presses, exactly one wins (row 80).
//
// Where no mail leaves, nobody proves an address to the product: an administrator gets the link once and hands it over, for
// somebody else and never for themself, and for those who have nobody to ask there is the console.
package email

import (
	"context"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/mail"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/recovery"
	"github.com/secondstep/secondstep/server/session"
	"github.com/secondstep/secondstep/server/signin"
	"github.com/secondstep/secondstep/server/stop"
	"github.com/secondstep/secondstep/server/web"
)

// Dependencies are what the room works with.
type Dependencies struct {
	Database *database.Database
	Sessions *session.Sessions
	Recovery *recovery.Recoveries
	Stops    *stop.Stops
	Mail     *mail.Mail
	Random   io.Reader
}

// Emails is the room.
type Emails struct{ Dependencies }

// New prepares the room.
func New(dependencies Dependencies) *Emails { return &Emails{dependencies} }

// Page is where the link leads that proves an address.
const Page = "/email"

const backupCode = "backup_code"

// askings bound the mails that a change can cause, whoever asks (row 47). An address that somebody has is counted alike.
var askings = audit.Limit{Kind: audit.EmailAsked, Most: 5, Within: time.Hour}

// asked is a change that waits, with its token where somebody has to hand it over.
type asked struct {
	email   string
	token   session.Token
	expires time.Time
}

// ask lets an address wait for its proof. With the address that waits already it is "send again".
func (e *Emails) ask(ctx context.Context, caller web.Caller, id, email string) (*asked, error) {
	email = strings.TrimSpace(email)
	if !account.ValidEmail(email) {
		return nil, account.ErrInvalid.For(problem.Field{Name: "email", Code: "email_invalid"})
	}
	key, err := account.EmailKey(email)
	if err != nil {
		return nil, account.ErrInvalid.For(problem.Field{Name: "email", Code: "email_invalid"})
	}
	own := id == caller.Session.UserID
	if own && !e.Mail.Sends() {
		return nil, mail.ErrNoServer
	}
	token, err := session.NewToken(e.Random)
	if err != nil {
		return nil, err
	}
	var made *asked
	err = e.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		made = nil
		if !own {
			if err := account.StillAdministrator(ctx, tx, caller); err != nil {
				return err
			}
		}
		user, err := account.Hold(ctx, tx, id)
		if err != nil {
			return err
		}
		if user.Invited() {
			return ErrNotJoined
		}
		if user.Email == email {
			return account.ErrInvalid.For(problem.Field{Name: "email", Code: "email_unchanged"})
		}
		has, err := account.ByEmailKey(ctx, tx, key)
		if err != nil {
			return err
		}
		taken := has != nil && has.ID != user.ID
		if taken && caller.Session.Role == account.Administrator {
			return account.ErrEmailTaken
		}
		if err := askings.Refuse(ctx, tx, user.ID); err != nil {
			return err
		}
		waits, err := account.AskEmail(ctx, tx, user.ID, email, caller.Session.UserID, token)
		if err != nil {
			return err
		}
		event := audit.By(caller).About(user.ID).Is(audit.EmailAsked, audit.OK)
		if err := audit.Record(ctx, tx, event); err != nil {
			return err
		}
		made = &asked{email: email, expires: waits.ExpiresAt.Time()}
		if taken {
			return mail.Queue(ctx, tx, mail.Notice{UserID: has.ID, Kind: mail.EmailTaken})
		}
		return e.prove(ctx, tx, caller, user, made, token)
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

// prove mails the link to the address that is to be proved, or hands it to the administrator where no mail leaves. From
// where somebody asked is nothing for an address that may be a stranger's.
func (e *Emails) prove(ctx context.Context, tx database.Tx, caller web.Caller, user *account.User, made *asked, token session.Token) error {
	var facts mail.Facts
	if user.ID != caller.Session.UserID {
		facts.By = mail.ByAdministrator
	}
	sent, err := e.Mail.Send(ctx, tx, mail.Letter{
		UserID: user.ID, To: made.email, Name: user.Name, Kind: mail.EmailProof, Facts: facts,
		Path: web.Link("", Page, token), Until: made.expires,
	})
	if err == nil && !sent && !e.Mail.Sends() {
		made.token = token
	}
	// Whether the address has had too many mails lately is not told: that would tell whose it is not.
	return err
}

// withdraw ends a change that waits.
func (e *Emails) withdraw(ctx context.Context, caller web.Caller, id string) error {
	own := id == caller.Session.UserID
	return e.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		if !own {
			if err := account.StillAdministrator(ctx, tx, caller); err != nil {
				return err
			}
		}
		user, err := account.Hold(ctx, tx, id)
		if err != nil {
			return err
		}
		waited, err := signin.WithdrawEmail(ctx, tx, audit.By(caller).About(user.ID))
		if err == nil && !waited {
			return ErrNoChange
		}
		return err
	})
}

// confirm gives the caller the address whose link they hold, ends what is open elsewhere, and gives this session a new
// token.
func (e *Emails) confirm(ctx context.Context, caller web.Caller, link string) (email string, rekeyed session.Token, ended int, err error) {
	token, ok := web.Token(link)
	if !ok {
		return "", nil, 0, ErrLink
	}
	held := caller.Session
	if byBackupCodeAlone(held) {
		return "", nil, 0, web.ErrAppCodeRequired
	}
	err = e.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, held.UserID)
		if err != nil {
			return err
		}
		if email, err = account.ProveEmail(ctx, tx, user.ID, token); err != nil {
			return err
		}
		if email == "" {
			return ErrLink
		}
		if ended, err = e.set(ctx, tx, audit.By(caller), user, email, held.ID); err != nil {
			return err
		}
		rekeyed, err = e.Sessions.Rekey(ctx, tx, held)
		return err
	})
	return email, rekeyed, ended, err
}

// byBackupCodeAlone reports whether no better factor than a backup code was given in the session (row 38).
func byBackupCodeAlone(held *web.Session) bool {
	better := func(way string) bool { return way != web.Password && way != backupCode }
	return slices.Contains(held.SignedInWith, backupCode) && !slices.ContainsFunc(held.SignedInWith, better)
}

// SetOnConsole gives a person an address that whoever runs the server vouches for.
func (e *Emails) SetOnConsole(ctx context.Context, userID, email string) error {
	return e.Database.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		user, err := account.Hold(ctx, tx, userID)
		if err != nil {
			return err
		}
		if user.Invited() {
			return ErrNotJoined
		}
		if user.Email == strings.TrimSpace(email) {
			return account.ErrInvalid.For(problem.Field{Name: "email", Code: "email_unchanged"})
		}
		_, err = e.set(ctx, tx, audit.FromConsole(), user, email, "")
		return err
	})
}

// set changes the address of a person, who is held. The new one is told by the event; the one of before is told apart,
// with what stops it, and from then on for as long as that is good.
func (e *Emails) set(ctx context.Context, tx database.Tx, event audit.Event, user *account.User, email, keep string) (ended int, err error) {
	if err := e.Recovery.Supersede(ctx, tx, event, user, "email_changed"); err != nil {
		return 0, err
	}
	before := *user
	if err := account.SetEmail(ctx, tx, user, email); err != nil {
		return 0, err
	}
	if err := e.Stops.VoidLinks(ctx, tx, user.ID); err != nil {
		return 0, err
	}
	if err := signin.EndPending(ctx, tx, user.ID); err != nil {
		return 0, err
	}
	if err := audit.Record(ctx, tx, event.About(user.ID).Is(audit.EmailChanged, audit.OK)); err != nil {
		return 0, err
	}
	// Who goes back to an address of before has undone the change themself: the address that they leave, which may be a
	// thief's, gets nothing to stop that with.
	undone, err := stop.Undone(ctx, tx, user.ID, user.EmailKey)
	if err != nil {
		return 0, err
	}
	if !undone {
		if err := e.Stops.Offer(ctx, tx, event, &before, stop.Email); err != nil {
			return 0, err
		}
	}
	return e.Sessions.EndOthers(ctx, tx, event, user.ID, keep, "email_changed")
}

// Prune deletes what is over in this room's table.
func (e *Emails) Prune(ctx context.Context, tx database.Tx) error {
	return account.PruneEmailChanges(ctx, tx)
}

// AfterRestore voids every change that waited when the backup was made.
func (e *Emails) AfterRestore(ctx context.Context, tx database.Tx) error {
	return account.VoidEmailChanges(ctx, tx)
}
