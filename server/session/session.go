// Package session keeps who is signed in, in which browser, how they proved it, and for how long.
//
// Invariants:
//   - only the SHA-256 of a session's token is stored; the token changes at every rise of what it may do, the row's
//     id stays, so that what is bound to a session survives the change (security.md rows 30 and 31);
//   - idle and absolute life are decided from the row on every request; a row that was read before is used again only where
//     the database says that nothing has been committed since, whoever wrote (rows 32 and 33);
//   - fresh proof belongs to one row and never moves to another (row 40).
package session

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"

	"github.com/secondstep/secondstep/server/account"
	"github.com/secondstep/secondstep/server/audit"
	"github.com/secondstep/secondstep/server/database"
	"github.com/secondstep/secondstep/server/problem"
	"github.com/secondstep/secondstep/server/web"
)

// FreshFor is how long a proof opens the acts that need one (security.md, fresh proof).
const FreshFor = 10 * time.Minute

// seenEvery is how exactly the last use is kept. A session may so end up to this much before its idle time is over,
// never after it, and a busy one costs one write a minute.
const seenEvery = time.Minute

// Life says how long sessions of one role live: without use, and at the most.
type Life struct {
	Idle, Absolute time.Duration
}

// Settings are the lives by role.
type Settings struct {
	Member, Administrator Life
}

func (s Settings) of(role string) Life {
	if role == account.Administrator {
		return s.Administrator
	}
	return s.Member
}

// Sessions is the room.
type Sessions struct {
	db       *database.Database
	settings Settings
	now      func() time.Time
	random   io.Reader
	lookUp   *database.Lookup[[sha256.Size]byte, *held]
}

// New prepares the room.
func New(db *database.Database, settings Settings, now func() time.Time, random io.Reader) *Sessions {
	return &Sessions{db: db, settings: settings, now: now, random: random, lookUp: database.NewLookup(db, lookUp, scanHeld).Remembering()}
}

type row struct {
	bun.BaseModel `bun:"table:sessions,alias:s"`

	ID           string           `bun:"id,pk"`
	TokenHash    []byte           `bun:"token_hash"`
	UserID       string           `bun:"user_id"`
	CreatedAt    database.Instant `bun:"created_at"`
	LastSeenAt   database.Instant `bun:"last_seen_at"`
	ExpiresAt    database.Instant `bun:"expires_at"`
	ConfinedTo   string           `bun:"confined_to,nullzero"`
	SignedInWith string           `bun:"signed_in_with"`
	ProofAt      database.Instant `bun:"proof_at,nullzero"`
	ProofWith    string           `bun:"proof_with"`
	Browser      string           `bun:"browser"`
	BrowserID    []byte           `bun:"browser_id,nullzero"`
	Address      string           `bun:"address"`
}

// lookUp is asked by every request of somebody who is signed in.
const lookUp = `SELECT s.token_hash, s.id, s.user_id, s.created_at, s.last_seen_at, s.expires_at,
	COALESCE(s.confined_to, ''), s.signed_in_with, COALESCE(s.proof_at, 0), s.proof_with,
	u.name, u.email, u.role, u.requirement, COALESCE(u.deadline, 0), COALESCE(u.mfa_since, 0), COALESCE(u.disabled_at, 0),
	COALESCE(u.reset_at, 0), u.recovery, COALESCE(u.recovery_until, 0)
	FROM sessions AS s JOIN users AS u ON u.id = s.user_id WHERE s.token_hash IN (?)`

// held is a session with its person, and the answer that was last written of it.
type held struct {
	session row
	user    account.User
	written atomic.Pointer[written]
}

func scanHeld(rows *sql.Rows) (hash [sha256.Size]byte, found *held, err error) {
	found = &held{}
	session, user := &found.session, &found.user
	var token sql.RawBytes
	err = rows.Scan(&token, &session.ID, &session.UserID, &session.CreatedAt, &session.LastSeenAt, &session.ExpiresAt,
		&session.ConfinedTo, &session.SignedInWith, &session.ProofAt, &session.ProofWith,
		&user.Name, &user.Email, &user.Role, &user.Requirement, &user.Deadline, &user.MFASince, &user.DisabledAt, &user.ResetAt, &user.Recovery, &user.RecoveryUntil)
	copy(hash[:], token)
	return hash, found, err
}

// Session answers web's question who presents this token: nil when nobody that is still signed in.
func (s *Sessions) Session(ctx context.Context, token []byte) (*web.Session, error) {
	hash := sha256.Sum256(token)
	rows, err := s.lookUp.Find(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("look up a session: %w", err)
	}
	if len(rows) == 0 {
		return nil, nil
	}
	found, user := &rows[0].session, &rows[0].user // others are given the same
	now := s.now()
	life := s.settings.of(user.Role)
	ends := min(found.ExpiresAt, found.CreatedAt+database.Instant(life.Absolute.Milliseconds()))
	idle := found.LastSeenAt + database.Instant(life.Idle.Milliseconds())
	at := database.At(now)
	if at >= ends || at >= idle || !user.DisabledAt.IsZero() {
		return nil, nil
	}
	if user.Reset() && found.ConfinedTo == "" {
		return nil, nil // only what an enrolment link has opened lives beside a reset
	}
	if found.ConfinedTo != "" && !user.EnrolsByLink(now) {
		return nil, nil // what it was opened for is over
	}
	if at >= found.LastSeenAt+database.Instant(seenEvery.Milliseconds()) {
		if err := s.seen(ctx, found.ID); err != nil {
			return nil, err
		}
	}
	session := describe(found, user, ends, now)
	session.TokenHash, session.Held = hash, rows[0]
	return session, nil
}

func describe(found *row, user *account.User, ends database.Instant, now time.Time) *web.Session {
	session := &web.Session{
		ID: found.ID, UserID: found.UserID, Name: user.Name, Email: user.Email, Role: user.Role,
		MFA: user.MFA(), Requirement: user.Requirement, ConfinedTo: found.ConfinedTo, SignedInWith: strings.Split(found.SignedInWith, ","),
		FreshWith: found.ProofWith, ExpiresAt: ends.Time(), Recovery: user.RecoveryAt(now),
	}
	if found.ConfinedTo != "" { // on record so by an enrolment link alone: the factors of before are lost
		session.Anew, session.MFA, session.Recovery = true, false, ""
	}
	if !user.Deadline.IsZero() {
		session.Deadline = user.Deadline.Time()
	}
	if user.MustEnrol(now) {
		session.ConfinedTo = web.ConfinedToEnrolment
	}
	// Where there is a second step, a proof without one proves nothing (row 37).
	if !found.ProofAt.IsZero() && (!session.MFA || found.ProofWith != web.Password) {
		session.FreshUntil = found.ProofAt.Time().Add(FreshFor)
	}
	return session
}

// seen moves the last use forward. Two requests at once need one of them only.
func (s *Sessions) seen(ctx context.Context, id string) error {
	return s.db.Write(ctx, func(ctx context.Context, tx database.Tx) error {
		_, err := tx.NewUpdate().Model((*row)(nil)).Set("last_seen_at = ?", database.At(tx.Now)).
			Where("id = ? AND last_seen_at < ?", id, database.At(tx.Now)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("note the use of a session: %w", err)
		}
		return nil
	})
}

// Opened is what a new session starts with.
type Opened struct {
	User       *account.User
	With       []string // how the person signed in: web.Password, then the kind of factor
	ConfinedTo string   // empty, or all that the session is good for
	Client     web.Client
}

// errEnded refuses what needs a session that another request has ended meanwhile.
var errEnded = problem.New(http.StatusUnauthorized, "session_ended", "This session has ended. Sign in again.")

// Token is a session's secret, for its cookie alone.
type Token []byte

var add = database.Prepare(`INSERT INTO sessions (id, token_hash, user_id, created_at, last_seen_at, expires_at,
	confined_to, signed_in_with, proof_at, proof_with, browser, browser_id, address) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)

// Open makes a session within the transaction that proved who it is, and gives its token.
func (s *Sessions) Open(ctx context.Context, tx database.Tx, opened Opened) (Token, *web.Session, error) {
	token, err := NewToken(s.random)
	if err != nil {
		return nil, nil, err
	}
	life := s.settings.of(opened.User.Role)
	hash := sha256.Sum256(token)
	at := database.At(tx.Now)
	added := row{
		ID: tx.NewID(), TokenHash: hash[:], UserID: opened.User.ID, CreatedAt: at, LastSeenAt: at,
		ExpiresAt:    at + database.Instant(life.Absolute.Milliseconds()),
		ConfinedTo:   opened.ConfinedTo,
		SignedInWith: strings.Join(opened.With, ","), ProofAt: at, ProofWith: opened.With[len(opened.With)-1],
		Browser: opened.Client.Browser, BrowserID: opened.Client.BrowserID, Address: opened.Client.Address.String(),
	}
	_, err = add.Exec(ctx, tx, added.ID, added.TokenHash, added.UserID, int64(at), int64(at), int64(added.ExpiresAt),
		orNull(added.ConfinedTo), added.SignedInWith, int64(at), added.ProofWith, added.Browser, added.BrowserID, added.Address)
	if err != nil {
		return nil, nil, fmt.Errorf("open a session: %w", err)
	}
	session := describe(&added, opened.User, added.ExpiresAt, tx.Now)
	session.TokenHash = hash
	return token, session, nil
}

// Rise gives the session a new token, because from now on it may do more; the old one is dead. With names what was
// proved just now and becomes its fresh proof. A request that was on its way when the session got another token, and that
// another one may have sent, is refused: it would take the session along.
func (s *Sessions) Rise(ctx context.Context, tx database.Tx, held *web.Session, with string) (Token, error) {
	token, err := NewToken(s.random)
	if err != nil {
		return nil, err
	}
	ways := held.SignedInWith
	hash := sha256.Sum256(token)
	update := tx.NewUpdate().Model((*row)(nil)).
		Set("token_hash = ?", hash[:]).Set("proof_at = ?", database.At(tx.Now)).Set("proof_with = ?", with).
		Set("last_seen_at = ?", database.At(tx.Now)).
		Where("id = ? AND user_id = ? AND token_hash = ?", held.ID, held.UserID, held.TokenHash[:])
	if with != web.Password {
		if !slices.Contains(ways, with) {
			ways = append(slices.Clone(ways), with)
		}
		// What an enrolment link has opened stays confined: a code of an app on its way in frees nobody (Free does).
		update = update.Set("signed_in_with = ?", strings.Join(ways, ","))
	}
	touched, err := database.Touched(update.Exec(ctx))
	if err != nil {
		return nil, fmt.Errorf("raise a session: %w", err)
	}
	if touched != 1 {
		return nil, errEnded
	}
	return token, nil
}

// Free lets a session do everything, because what it was confined to is done.
func (s *Sessions) Free(ctx context.Context, tx database.Tx, held *web.Session) error {
	_, err := tx.NewUpdate().Model((*row)(nil)).Set("confined_to = NULL").Where("id = ? AND user_id = ?", held.ID, held.UserID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("free a session: %w", err)
	}
	return nil
}

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// Rekey gives the session a new token and leaves its proof as it is: what it is bound to has changed, and the token
// from before must not go on (rows 31 and 34).
func (s *Sessions) Rekey(ctx context.Context, tx database.Tx, held *web.Session) (Token, error) {
	token, err := NewToken(s.random)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(token)
	touched, err := database.Touched(tx.NewUpdate().Model((*row)(nil)).Set("token_hash = ?", hash[:]).
		Where("id = ? AND user_id = ? AND token_hash = ?", held.ID, held.UserID, held.TokenHash[:]).Exec(ctx))
	if err != nil {
		return nil, fmt.Errorf("rekey a session: %w", err)
	}
	if touched != 1 {
		return nil, errEnded
	}
	return token, nil
}

// EndOthers signs the person out everywhere but in the session named (empty: everywhere) and answers how many sessions
// that were. It is part of the transaction of what makes it necessary (row 34).
func (s *Sessions) EndOthers(ctx context.Context, tx database.Tx, event audit.Event, userID, keep, why string) (int, error) {
	ended, err := database.Touched(tx.NewDelete().Model((*row)(nil)).Where("user_id = ? AND id <> ?", userID, keep).Exec(ctx))
	if err != nil {
		return 0, fmt.Errorf("end sessions: %w", err)
	}
	if ended == 0 {
		return 0, nil
	}
	event.Reason, event.Data = why, map[string]any{"sessions": ended}
	return int(ended), audit.Record(ctx, tx, event.About(userID).Is(audit.SessionEnded, audit.OK))
}

// End signs one session of the person's out, for the reason given; false where they have no such session.
func (s *Sessions) End(ctx context.Context, tx database.Tx, caller web.Caller, userID, id, why string) (bool, error) {
	ended, err := database.Touched(tx.NewDelete().Model((*row)(nil)).Where("id = ? AND user_id = ?", id, userID).Exec(ctx))
	if err != nil {
		return false, fmt.Errorf("end a session: %w", err)
	}
	if ended == 0 {
		return false, nil
	}
	event := audit.By(caller).About(userID).Is(audit.SessionEnded, audit.OK)
	event.Reason = why
	if id != caller.Session.ID {
		event.Data = map[string]any{"sessions": 1}
	}
	return true, audit.Record(ctx, tx, event)
}

// EndConfined ends the sessions of the person's that an enrolment link has opened, and answers how many that were.
func (s *Sessions) EndConfined(ctx context.Context, tx database.Tx, event audit.Event, userID, why string) (int, error) {
	ended, err := database.Touched(tx.NewDelete().Model((*row)(nil)).Where("user_id = ? AND confined_to IS NOT NULL", userID).Exec(ctx))
	if err != nil {
		return 0, fmt.Errorf("end what a link has opened: %w", err)
	}
	if ended == 0 {
		return 0, nil
	}
	event.Method, event.Reason, event.Data = "", why, map[string]any{"sessions": ended}
	return int(ended), audit.Record(ctx, tx, event.About(userID).Is(audit.SessionEnded, audit.OK))
}

// Alive reports whether a session is there that was not ended since the request began.
func (s *Sessions) Alive(ctx context.Context, tx database.Tx, id string) (bool, error) {
	alive, err := tx.NewSelect().Model((*row)(nil)).Where("s.id = ? AND s.expires_at > ?", id, database.At(tx.Now)).Exists(ctx)
	if err != nil {
		return false, fmt.Errorf("look for a session: %w", err)
	}
	return alive, nil
}

// StillOpen refuses a session that was ended while its request was on its way: what ends sessions throws away what was begun in
// them, and nothing of the kind may come after that. The caller holds the person.
func (s *Sessions) StillOpen(ctx context.Context, tx database.Tx, id string) error {
	alive, err := s.Alive(ctx, tx, id)
	if err == nil && !alive {
		return errEnded
	}
	return err
}

// AfterRestore ends every session of before.
func (s *Sessions) AfterRestore(ctx context.Context, tx database.Tx) error {
	if _, err := tx.NewDelete().Model((*row)(nil)).Where("TRUE").Exec(ctx); err != nil {
		return fmt.Errorf("end all sessions: %w", err)
	}
	return nil
}

// Prune deletes sessions that no request can use any more.
func (s *Sessions) Prune(ctx context.Context, tx database.Tx) error {
	now := database.At(tx.Now)
	longest := database.Instant(max(s.settings.Member.Idle, s.settings.Administrator.Idle).Milliseconds())
	_, err := tx.NewDelete().Model((*row)(nil)).Where("expires_at <= ? OR last_seen_at <= ?", now, now-longest).Exec(ctx)
	if err != nil {
		return fmt.Errorf("prune sessions: %w", err)
	}
	return pruneBrowsers(ctx, tx)
}

// NewToken draws 32 random bytes: a credential of 256 bits that names nothing (row 30).
func NewToken(random io.Reader) (Token, error) {
	token := make([]byte, 32)
	if _, err := io.ReadFull(random, token); err != nil {
		return nil, fmt.Errorf("draw a token: %w", err)
	}
	return token, nil
}
